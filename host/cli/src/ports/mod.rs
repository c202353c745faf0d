//! The ports of the sandbox, filled with the rooms of this house.

mod native;
mod outbound;
mod recorded;
mod schedule;
mod secrets;

pub use native::{pinned, shown as shown_program, unpinned, walls};
pub use recorded::{Recorded, Recording};
pub use schedule::{Schedule, Woken};

use crate::exit::Failure;
use crate::settings::Settings;
use chiton_sandbox::Ports;
use std::sync::Arc;

/// HTTP and programs of the machine: what every sandbox of a home can reach, with an agent or without.
pub fn outer(settings: &Settings) -> Result<Ports, Failure> {
    Ok(Ports {
        outbound: Some(Arc::new(outbound::Http::of(settings))),
        native: Some(Arc::new(native::Machine::open(settings)?)),
        ..Ports::default()
    })
}
