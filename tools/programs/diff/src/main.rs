//! `diff`, `cmp` and `patch`.

mod cmp;
mod diff;
mod patch;

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::Path;

/// The exit code of all three for trouble, as opposed to a difference.
pub const TROUBLE: u8 = 2;

fn run(arguments: Vec<OsString>) -> u8 {
    let called = arguments.first().map(Path::new).and_then(Path::file_name).unwrap_or_default().to_owned();
    let (name, main): (&str, Main) = match called.to_str() {
        Some("cmp") => ("cmp", cmp::run),
        Some("patch") => ("patch", patch::run),
        _ => ("diff", diff::run),
    };
    main(arguments).unwrap_or_else(|problem| {
        eprintln!("{name}: {problem}");
        TROUBLE
    })
}

/// The main function of one of the three.
type Main = fn(Vec<OsString>) -> Result<u8, Problem>;

/// Why a comparison cannot be made; in words, with the file where there is one.
pub type Problem = Box<dyn std::error::Error>;

/// The bytes of a file, or of standard input for `-`.
pub fn read(path: &str) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let outcome = if path == "-" { io::stdin().read_to_end(&mut bytes).map(|_| bytes) } else { std::fs::read(path) };
    outcome.map_err(|problem| format!("{path}: {}", describe(&problem)).into())
}

/// The error as C programs say it, without Rust's number.
pub fn describe(problem: &io::Error) -> String {
    let text = problem.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// Writes to standard output; a reader that is gone ends the program.
pub fn print(bytes: &[u8]) {
    if io::Write::write_all(&mut io::stdout().lock(), bytes).is_err() {
        chiton_program::end(chiton_program::BROKEN_PIPE);
    }
}

chiton_program::main!(run);
