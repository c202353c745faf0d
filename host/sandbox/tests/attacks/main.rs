//! Attack cases against the sandbox, each under its id and with a twin that must work.
//!
//! The components come from `chiton-hostile`; everything goes through the public interface of the
//! sandbox, with foreign bytes compiled in the child as in production.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod approvals;
mod cache;
mod components;
mod memory;
mod programs;
mod resources;
mod skills;
mod swap;
mod wasi;
mod world;
