//! Attacks on files, each with an allowed twin: a guest that speaks raw WASI against the real sandbox.

#[cfg(test)]
#[path = "files/changes.rs"]
mod changes;
#[cfg(test)]
#[path = "files/escapes.rs"]
mod escapes;
#[cfg(test)]
#[path = "files/harness.rs"]
mod harness;
#[cfg(test)]
#[path = "files/limits.rs"]
mod limits;
#[cfg(test)]
#[path = "files/names.rs"]
mod names;
#[cfg(test)]
#[path = "files/places.rs"]
mod places;
