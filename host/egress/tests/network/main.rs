//! What leaves this machine, and to where. Attack ids are those of the security document.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../support/mod.rs"]
mod support;

mod addresses;
mod amounts;
mod certificates;
mod grammar;
mod redirects;
mod requests;
mod resolution;
mod spellings;
