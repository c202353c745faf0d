//! grep, egrep, fgrep and rg over ripgrep's crates.

mod grep;
mod matcher;
mod options;
mod rg;
mod search;
mod walk;

use options::Asked;
use std::ffi::OsString;
use std::io::{ErrorKind, Write};

/// The exit code for anything that went wrong.
pub(crate) const TROUBLE: u8 = 2;

chiton_program::main!(run);

fn run(arguments: Vec<OsString>) -> u8 {
    let rg = arguments.first().is_some_and(|name| name.to_string_lossy().rsplit('/').next() == Some("rg"));
    let (program, asked) = if rg { ("rg", rg::parse(arguments)) } else { ("grep", grep::parse(arguments)) };
    match asked {
        Ok(Asked::Search(options)) => search::run(&options),
        Ok(Asked::Print(text)) => match std::io::stdout().write_all(text.as_bytes()) {
            Ok(()) => 0,
            Err(_) => TROUBLE,
        },
        Err(error) => {
            let text = error.to_string();
            let before = if text.starts_with("Usage:") { String::new() } else { format!("{program}: ") };
            eprintln!("{before}{text}");
            TROUBLE
        }
    }
}

/// An error in the words of the C library, as other programs show it.
pub(crate) fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "No such file or directory".to_owned(),
        ErrorKind::PermissionDenied => "Permission denied".to_owned(),
        ErrorKind::IsADirectory => "Is a directory".to_owned(),
        _ => error.to_string().split(" (os error").next().unwrap_or_default().to_owned(),
    }
}
