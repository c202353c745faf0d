//! `find` and `xargs`: both name files and start programs for them.

mod find;
mod xargs;

use std::ffi::OsString;
use std::path::Path;

fn run(arguments: Vec<OsString>) -> u8 {
    let called = arguments.first().map(Path::new).and_then(Path::file_name).unwrap_or_default().to_owned();
    if called == "xargs" { xargs::run(arguments) } else { find::run(arguments) }
}

chiton_program::main!(run);
