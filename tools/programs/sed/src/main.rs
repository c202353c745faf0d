//! `sed`, by uutils.

use std::ffi::OsString;

fn run(arguments: Vec<OsString>) -> u8 {
    // An exit code that `q` was given, else 0 to 4; anything beyond is a failure.
    u8::try_from(sed::sed::uumain(arguments.into_iter())).unwrap_or(1)
}

chiton_program::main!(run);
