//! The scratch directory of a session: files that nobody needs to keep.

use crate::settings::Settings;
use chiton_sandbox::FileGrant;

/// The scratch directory of `session`, made if it is missing.
pub fn of(settings: &Settings, session: &str) -> std::io::Result<FileGrant> {
    chiton_agent::scratch(&settings.home.scratch(), session)
}
