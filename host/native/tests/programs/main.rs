//! Native programs on the real kernel: the attack cases EXE-01 to EXE-15, each with a use that must work.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod git;
mod grants;
mod house;
mod limits;
mod pins;
mod walls;
