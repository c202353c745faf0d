//! Secrets: where they go, and that they never come back. Attack ids are those of the security document.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../support/mod.rs"]
mod support;

mod binding;
mod placement;
mod redaction;
mod rotation;
mod splitting;
