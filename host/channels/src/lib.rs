//! Chat channels behind one trait, and the delivery of what waits in the outbox.
//!
//! A channel receives: it gives each message to [`chiton_agent::Agent::submit`], which commits it, and only then
//! acknowledges it upstream. A channel sends: [`deliver`] hands it every message of the outbox until it has arrived.

mod channel;
mod chunk;
mod delivery;
mod terminal;

pub use channel::{Channel, ChannelError};
pub use chunk::{Chunker, Limit, PLATFORMS, Unit};
pub use delivery::{FAILPOINTS, deliver};
pub use terminal::Terminal;
