//! Lines for the owner's log. The model never sees them.

use crate::bindings::chiton::tool::log::{Level, write};

/// What helps to find a fault in the tool.
pub fn debug(message: &str) {
    write(Level::Debug, message);
}

/// What the owner may like to know.
pub fn info(message: &str) {
    write(Level::Info, message);
}

/// What is odd but did not stop the call.
pub fn warn(message: &str) {
    write(Level::Warn, message);
}

/// What went wrong.
pub fn error(message: &str) {
    write(Level::Error, message);
}
