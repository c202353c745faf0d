//! When jobs are due, and the task that runs them.
//!
//! A job that is due becomes a message of its chat, in the same transaction in which its next time is moved; the
//! agent answers it like any other message, with the rights that were frozen when the job was made. How a run ended is
//! read from its turn. Nothing of this is lost or done twice when the process is killed.

mod clock;
mod error;
mod job;
mod scheduler;
mod timing;
mod zone;

pub use clock::{Clock, SystemClock, VirtualClock};
pub use error::{ScheduleError, TimingError};
pub use job::{Due, Job, NewJob};
pub use scheduler::{Host, Limits, Scheduler, SchedulerOptions};
pub use timing::Timing;
pub use zone::zone;
