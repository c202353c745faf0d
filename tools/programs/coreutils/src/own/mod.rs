//! Utilities of our own, where uutils' need a Unix kernel or there are none.

pub mod chmod;
pub mod du;
pub mod env;
pub mod hexadecimal;
pub mod rev;
pub mod stat;
pub mod tac;
pub mod timeout;

use std::ffi::OsString;
use std::io::{self, BufWriter, Read, StdoutLock, Write};

/// Why a utility cannot do what it was told, in words.
pub type Problem = Box<dyn std::error::Error>;

/// Runs a utility and says what went wrong; `trouble` is its exit code for that.
pub fn run(name: &str, trouble: u8, arguments: Vec<OsString>, main: fn(Vec<OsString>) -> Result<u8, Problem>) -> i32 {
    let code = main(arguments).unwrap_or_else(|problem| {
        if problem.downcast_ref::<io::Error>().is_some_and(|problem| problem.kind() == io::ErrorKind::BrokenPipe) {
            return chiton_program::BROKEN_PIPE;
        }
        eprintln!("{name}: {problem}");
        trouble
    });
    code.into()
}

/// Standard output, buffered.
pub fn output() -> BufWriter<StdoutLock<'static>> {
    BufWriter::new(io::stdout().lock())
}

/// The bytes of a file, or of standard input for `-`.
pub fn read(path: &str) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let outcome = if path == "-" { io::stdin().read_to_end(&mut bytes).map(|_| bytes) } else { std::fs::read(path) };
    outcome.map_err(|problem| about(path, &problem))
}

/// An error with the file it is about, without Rust's number.
pub fn about(path: &str, problem: &io::Error) -> Problem {
    let text = problem.to_string();
    format!("{path}: {}", text.split(" (os error").next().unwrap_or(&text)).into()
}

/// Writes a line.
pub fn line(out: &mut impl Write, text: impl std::fmt::Display) -> Result<(), Problem> {
    Ok(writeln!(out, "{text}")?)
}

/// Runs a program in this one's place; one that cannot be started is reported with a shell's exit code.
pub fn start(command: &chiton_program::Command) -> Result<u8, Problem> {
    command.run().or_else(|problem| {
        eprintln!("{problem}");
        Ok(problem.exit_code())
    })
}

/// `true`: success, whatever the arguments.
pub fn yes(_: Vec<OsString>) -> Result<u8, Problem> {
    Ok(0)
}

/// `false`: failure, whatever the arguments.
pub fn no(_: Vec<OsString>) -> Result<u8, Problem> {
    Ok(1)
}
