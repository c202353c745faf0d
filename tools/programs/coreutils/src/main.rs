//! The core utilities, as one program of many names: those of uutils that run in a sandbox, and our own where uutils'
//! need a Unix kernel.

#[cfg(target_os = "wasi")]
mod above;
mod own;
mod rewrite;
mod table;

use std::ffi::OsString;
use std::path::Path;

/// The exit code of GNU coreutils for a name that it does not serve.
const UNKNOWN_NAME: u8 = 127;

/// The exit code for an option that cannot be followed here.
const UNAVAILABLE: u8 = 2;

fn run(arguments: Vec<OsString>) -> u8 {
    let called = arguments
        .first()
        .map(Path::new)
        .and_then(Path::file_name)
        .and_then(|name| name.to_str())
        .unwrap_or("")
        .to_owned();
    let Some(utility) = table::find(&called) else {
        eprintln!("coreutils: {called}: no such utility");
        return UNKNOWN_NAME;
    };
    // Without its texts a utility still works, but shows their keys; there is nobody better to tell.
    if let Some(Err(problem)) = utility.texts.map(uucore::locale::setup_localization) {
        eprintln!("coreutils: {problem}");
    }
    let arguments = match rewrite::rewrite(called.as_str(), arguments) {
        Ok(arguments) => arguments,
        Err(problem) => {
            eprintln!("{problem}");
            return UNAVAILABLE;
        }
    };
    // A utility's code is an exit code; anything else is a failure.
    u8::try_from((utility.main)(arguments)).unwrap_or(1)
}

chiton_program::main!(run);
