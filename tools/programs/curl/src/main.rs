//! curl and wget over the host's HTTP: granted origins only, certificates always checked, secrets added by the host.

mod body;
mod curl;
mod options;
mod report;
mod transfer;
mod wget;

use std::ffi::OsString;

chiton_program::main!(run);

fn run(arguments: Vec<OsString>) -> u8 {
    let wget = arguments.first().is_some_and(|name| name.to_string_lossy().rsplit('/').next() == Some("wget"));
    if wget { wget::run(arguments) } else { curl::run(arguments) }
}

/// An error of the system in the words of the C library.
pub(crate) fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "No such file or directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "Permission denied".to_owned(),
        _ => error.to_string().split(" (os error").next().unwrap_or_default().to_owned(),
    }
}
