//! Attacks on files, each with an allowed twin: a guest that speaks raw WASI against the real sandbox.

#[path = "files/changes.rs"]
mod changes;
#[path = "files/escapes.rs"]
mod escapes;
#[path = "files/harness.rs"]
mod harness;
#[path = "files/limits.rs"]
mod limits;
#[path = "files/names.rs"]
mod names;
#[path = "files/places.rs"]
mod places;
