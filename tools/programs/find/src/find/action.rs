//! What is done with a file.

use std::ffi::OsString;
use std::fs;

use chiton_program::Command;

use super::Problem;
use super::expression::Parser;
use super::format::Format;
use super::walk::{Answer, Entry, Walk};

/// Bytes of file names given to one program by `-exec ... +`.
const BATCH: usize = 128 * 1024;

/// Something to do.
pub enum Action {
    /// `-print` and `-print0`: the path and this byte.
    Print(u8),
    /// `-printf` and `-ls`.
    Format(Format),
    /// `-delete`.
    Delete,
    /// `-prune`.
    Prune,
    /// `-quit`.
    Quit,
    /// `-exec` and `-execdir` up to `;`.
    Run {
        /// Words; `{}` in any of them stands for the path.
        command: Vec<String>,
        /// In the file's directory.
        in_directory: bool,
    },
    /// `-exec` and `-execdir` up to `+`: as many files as fit for each run.
    RunMany {
        /// Words that come before the files.
        command: Vec<String>,
        /// Files that wait, and how many bytes they are.
        waiting: (Vec<String>, usize),
        /// Whether every run so far succeeded.
        succeeded: bool,
    },
}

impl Action {
    /// The action that is added when there is none.
    pub fn print() -> Self {
        Self::Print(b'\n')
    }

    /// Reads an action, if the predicate is one.
    pub fn parse(predicate: &str, parser: &mut Parser) -> Result<Option<Self>, Problem> {
        Ok(Some(match predicate {
            "-print" => Self::print(),
            "-print0" => Self::Print(0),
            "-printf" => Self::Format(Format::parse(parser.value(predicate)?)),
            "-ls" => Self::Format(Format::listing()),
            "-delete" => {
                parser.options.depth_first = true;
                Self::Delete
            }
            "-prune" => Self::Prune,
            "-quit" => Self::Quit,
            "-exec" | "-execdir" => {
                let in_directory = predicate == "-execdir";
                match parser.command(predicate)? {
                    (command, true) if !in_directory => {
                        Self::RunMany { command, waiting: (Vec::new(), 0), succeeded: true }
                    }
                    (mut command, many) => {
                        if many {
                            command.push("{}".to_owned());
                        }
                        Self::Run { command, in_directory }
                    }
                }
            }
            _ => return Ok(None),
        }))
    }

    /// Whether a `-print` is not to be added for it.
    pub fn replaces_print(&self) -> bool {
        !matches!(self, Self::Prune | Self::Quit)
    }

    /// Does it, and tells whether it succeeded.
    pub fn perform(&mut self, entry: &Entry, walk: &mut Walk, answer: &mut Answer) -> bool {
        match self {
            Self::Print(end) => {
                walk.print(entry.path.as_bytes());
                walk.print(&[*end]);
                true
            }
            Self::Format(format) => {
                walk.print(format.of(entry).as_bytes());
                true
            }
            Self::Delete => delete(entry, walk),
            Self::Prune => {
                answer.prune = true;
                true
            }
            Self::Quit => {
                answer.quit = true;
                true
            }
            Self::Run { command, in_directory } => {
                walk.flush();
                run_for(command, entry, *in_directory)
            }
            Self::RunMany { command, waiting, succeeded } => {
                if waiting.1 + entry.path.len() > BATCH {
                    walk.flush();
                    *succeeded &= run_batch(command, waiting);
                }
                waiting.1 += entry.path.len() + 1;
                waiting.0.push(entry.path.clone());
                true
            }
        }
    }

    /// Runs what waits; false if any run failed.
    pub fn finish(&mut self) -> bool {
        match self {
            Self::RunMany { command, waiting, succeeded } => run_batch(command, waiting) && *succeeded,
            _ => true,
        }
    }
}

fn delete(entry: &Entry, walk: &mut Walk) -> bool {
    // As GNU find: the directory the search began in is not removed.
    if entry.path == "." {
        return true;
    }
    let removed = if entry.metadata.is_dir() { fs::remove_dir(&entry.path) } else { fs::remove_file(&entry.path) };
    removed.map_err(|problem| walk.complain(&entry.path, &problem)).is_ok()
}

fn run_for(words: &[String], entry: &Entry, in_directory: bool) -> bool {
    let trimmed = entry.path.trim_end_matches('/');
    let (directory, file) = match (in_directory, trimmed.rsplit_once('/')) {
        (true, Some((directory, name))) => {
            (Some(if directory.is_empty() { "/" } else { directory }), format!("./{name}"))
        }
        (true, None) => (None, format!("./{}", entry.name())),
        (false, _) => (None, entry.path.clone()),
    };
    let mut command = Command::new(words.iter().map(|word| OsString::from(word.replace("{}", &file))));
    if let Some(directory) = directory {
        command.working_directory = std::path::Path::new(&command.working_directory).join(directory).into_os_string();
    }
    succeeds(&command)
}

fn run_batch(command: &[String], waiting: &mut (Vec<String>, usize)) -> bool {
    let (files, _) = std::mem::take(waiting);
    files.is_empty() || succeeds(&Command::new(command.iter().cloned().chain(files)))
}

/// A program that cannot be started is reported, as failing programs report themselves.
fn succeeds(command: &Command) -> bool {
    match command.run() {
        Ok(code) => code == 0,
        Err(problem) => {
            eprintln!("find: {problem}");
            false
        }
    }
}
