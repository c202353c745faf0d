//! The lines of all files, one ahead, so that the last one is known.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use crate::lossless::decode;

/// A line.
pub struct Line {
    /// Without its end.
    pub text: String,
    /// Whether it had one.
    pub ended: bool,
}

/// The lines of some files.
pub struct Input {
    files: VecDeque<String>,
    reader: Option<Box<dyn BufRead>>,
    ahead: Option<Line>,
    /// The byte that ends a line.
    end: u8,
    /// The file of the line that was given last, and that of the line ahead.
    pub name: String,
    ahead_name: String,
    /// Whether a file could not be read.
    pub failed: bool,
}

impl Input {
    /// Lines of these files, in order; `-` is standard input.
    pub fn new(files: impl IntoIterator<Item = String>, end: u8) -> Self {
        let mut input = Self {
            files: files.into_iter().collect(),
            reader: None,
            ahead: None,
            end,
            name: "-".to_owned(),
            ahead_name: "-".to_owned(),
            failed: false,
        };
        input.ahead = input.read();
        input
    }

    /// The next line.
    pub fn next(&mut self) -> Option<Line> {
        let line = self.ahead.take()?;
        self.name.clone_from(&self.ahead_name);
        self.ahead = self.read();
        Some(line)
    }

    /// Whether there is no line after the one that was given last.
    pub fn is_last(&self) -> bool {
        self.ahead.is_none()
    }

    fn read(&mut self) -> Option<Line> {
        loop {
            let Some(reader) = &mut self.reader else {
                let file = self.files.pop_front()?;
                match open(&file) {
                    Ok(reader) => {
                        self.reader = Some(reader);
                        self.ahead_name = file;
                    }
                    Err(problem) => self.complain(&file, &problem),
                }
                continue;
            };
            let mut bytes = Vec::new();
            match reader.read_until(self.end, &mut bytes) {
                Ok(0) => self.reader = None,
                Ok(_) => {
                    let ended = bytes.pop_if(|last| *last == self.end).is_some();
                    return Some(Line { text: decode(&bytes), ended });
                }
                Err(problem) => {
                    let file = self.ahead_name.clone();
                    self.complain(&file, &problem);
                    self.reader = None;
                }
            }
        }
    }

    fn complain(&mut self, file: &str, problem: &io::Error) {
        eprintln!("sed: can't read {file}: {}", describe(problem));
        self.failed = true;
    }
}

/// Opens a file, or standard input for `-`.
pub fn open(file: &str) -> io::Result<Box<dyn BufRead>> {
    match file {
        "-" | "/dev/stdin" => Ok(Box::new(io::stdin().lock())),
        _ if Path::new(file).is_dir() => Err(io::Error::other("Is a directory")),
        _ => Ok(Box::new(BufReader::new(File::open(file)?))),
    }
}

/// The error as C programs say it, without Rust's number.
pub fn describe(problem: &io::Error) -> String {
    let text = problem.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}
