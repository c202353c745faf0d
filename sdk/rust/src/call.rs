//! The call that is running.

use crate::bindings::chiton::tool::{call_context, progress};
use std::time::Duration;

pub use call_context::Mount;

/// The directories that this call may use; the first is the working directory.
pub fn mounts() -> Vec<Mount> {
    call_context::mounts()
}

/// How long the call may still run before it is ended.
pub fn remaining() -> Duration {
    Duration::from_millis(call_context::remaining_ms())
}

/// Shows the user one line about how far the call is. Waits while the reader is slow.
pub fn progress(text: &str) {
    progress::report(text);
}
