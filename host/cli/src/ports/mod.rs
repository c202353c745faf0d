//! The ports of the sandbox, filled with the rooms of this house.

mod native;
mod outbound;
mod schedule;
mod secrets;

pub use native::{pinned, shown as shown_program, walls};
pub use schedule::{Schedule, Woken};

use crate::exit::{Exit, Failure};
use crate::settings::Settings;
use chiton_sandbox::Ports;
use std::sync::Arc;

/// HTTP and programs of the machine: what every sandbox of a home can reach, with an agent or without.
pub fn outer(settings: &Settings) -> Result<Ports, Failure> {
    let outbound = outbound::Http::open(settings).map_err(Failure::because(Exit::State))?;
    Ok(Ports {
        outbound: Some(Arc::new(outbound)),
        native: Some(Arc::new(native::Machine::open(settings)?)),
        ..Ports::default()
    })
}
