//! Secrets, which a tool never sees: it writes a text that stands for one, and the host puts the value in on the way out.

use crate::Failure;
use crate::bindings::chiton::tool::secrets;

/// Whether the secret `name` is granted to this tool and set.
pub fn available(name: &str) -> bool {
    secrets::available(name)
}

/// The text that stands for the secret `name` in the header field or query parameter it is granted for. Fails with the
/// missing grant when there is none.
pub fn placeholder(name: &str) -> Result<String, Failure> {
    secrets::placeholder(name).ok_or_else(|| Failure::Denied(format!("secrets={name}")))
}
