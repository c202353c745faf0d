//! What goes wrong with files, in the words of the contract.

use crate::Failure;
use std::io::{Error, ErrorKind};

/// WASI's "capabilities insufficient", which the standard library has no kind for.
const NOT_CAPABLE: i32 = 76;

/// Why the host refuses what no grant that is known here would allow.
pub(crate) const REFUSED: &str = "the host protects it, or it is a link that leads outside the granted directories";

/// Whether the host refused a right, rather than that something is wrong with the file.
pub(crate) fn refused(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
        || (cfg!(target_family = "wasm") && error.raw_os_error() == Some(NOT_CAPABLE))
}

/// For errors that have no path. Where there is one, [`Place::failure`](crate::paths::Place::failure) says more.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::NotFound("the file does not exist".to_owned()),
            ErrorKind::TimedOut => Self::TimedOut(error.to_string()),
            _ if refused(&error) => Self::Failed(format!("the file cannot be used: {REFUSED}")),
            _ => Self::Failed(error.to_string()),
        }
    }
}
