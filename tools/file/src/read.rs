//! `read_file`.

use crate::text::{MOST_CHARACTERS, binary, clip};
use chiton_sdk::prelude::*;
use std::fmt::Write;
use std::fs::File;
use std::io::{BufRead, BufReader, Error, ErrorKind, Result};
use std::num::NonZeroUsize;

/// Largest file, in bytes.
const LARGEST: u64 = 100 << 20;
/// Most bytes that are read at once; small files are read in one go.
const CHUNK: u64 = 64 << 10;
const USUAL_LINES: usize = 2000;

/// Reads a text file and returns its lines with their numbers.
/// Long files come in pages: the end of the answer says how to go on.
#[tool(effects(reads_files))]
pub(crate) fn read_file(arguments: ReadFile) -> ToolResult {
    let place = paths::file(&arguments.path, Access::Read)?;
    let (reader, size) = open(&place).map_err(|error| place.failure(error))?;
    if size > LARGEST {
        return Err(Failure::Failed(format!(
            "'{place}' has {size} bytes, and read_file takes {LARGEST} at most; use grep to find what you need"
        )));
    }
    let page = Page {
        first: arguments.offset.map_or(1, NonZeroUsize::get),
        lines: arguments.limit.map_or(USUAL_LINES, NonZeroUsize::get),
    };
    match page.read(reader).map_err(|error| place.failure(error))? {
        Outcome::Text(text) => Ok(text),
        Outcome::Binary(what) => {
            Err(Failure::Failed(format!("'{place}' is {what} ({size} bytes), and read_file reads text")))
        }
        Outcome::Ended(lines) => Err(Failure::InvalidArguments(format!(
            "offset {} is behind the end of '{place}', which has {lines} lines",
            page.first
        ))),
    }
}

#[arguments]
pub(crate) struct ReadFile {
    /// Path of the file; relative paths start at the working directory.
    path: String,
    /// The line to start at; the first is 1.
    offset: Option<NonZeroUsize>,
    /// Most lines to return (default 2000).
    limit: Option<NonZeroUsize>,
}

fn open(place: &Place) -> Result<(impl BufRead, u64)> {
    let file = File::open(place)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    let size = metadata.len();
    let buffer = usize::try_from(size.min(CHUNK)).unwrap_or_default();
    Ok((BufReader::with_capacity(buffer.max(1), file), size))
}

/// The lines to return.
struct Page {
    first: usize,
    lines: usize,
}

#[derive(Debug, PartialEq)]
enum Outcome {
    Text(String),
    /// What it is instead.
    Binary(&'static str),
    /// The file has fewer lines than the first of the page: so many.
    Ended(usize),
}

impl Page {
    fn read(&self, mut reader: impl BufRead) -> Result<Outcome> {
        let head = reader.fill_buf()?;
        if let Some(what) = binary(head) {
            return Ok(Outcome::Binary(what));
        }
        let mut answer = String::with_capacity(head.len() + head.len() / 4 + 64);
        let mut number = 0;
        let mut room = MOST_CHARACTERS;
        let mut line = Vec::new();
        while next_line(&mut reader, &mut line)? {
            number += 1;
            if number < self.first {
                continue;
            }
            if number - self.first == self.lines || room == 0 {
                go_on(&mut answer, self.first, number);
                return Ok(Outcome::Text(answer));
            }
            room = push(&mut answer, number, &line, room);
        }
        if number == 0 {
            return Ok(Outcome::Text("(the file is empty)".to_owned()));
        }
        if number < self.first {
            return Ok(Outcome::Ended(number));
        }
        let _ = write!(answer, "(end of the file after line {number})");
        Ok(Outcome::Text(answer))
    }
}

/// The next line without its end, of any length up to the cap on a line; `false` at the end.
fn next_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> Result<bool> {
    line.clear();
    if reader.read_until(b'\n', line)? == 0 {
        return Ok(false);
    }
    if line.len() as u64 > LARGEST {
        return Err(Error::new(ErrorKind::FileTooLarge, "one of its lines is too long"));
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
    Ok(true)
}

/// Adds a numbered line and gives the room that is left, in characters.
fn push(answer: &mut String, number: usize, line: &[u8], room: usize) -> usize {
    const BOM: &[u8] = "\u{feff}".as_bytes();
    let line = if number == 1 { line.strip_prefix(BOM).unwrap_or(line) } else { line };
    let line = String::from_utf8_lossy(line);
    let (shown, cut) = clip(&line, room);
    let _ = write!(answer, "{number}| {shown}");
    if cut {
        let _ = write!(answer, " (line {number} goes on; it has {} characters)", line.chars().count());
    }
    answer.push('\n');
    room.saturating_sub(shown.chars().count() + 1)
}

fn go_on(answer: &mut String, first: usize, next: usize) {
    let last = next - 1;
    let _ = write!(answer, "(lines {first} to {last}; the file goes on: continue with offset={next})");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8], first: usize, lines: usize) -> Outcome {
        Page { first, lines }.read(text).unwrap()
    }

    fn answer(text: &str) -> Outcome {
        Outcome::Text(text.to_owned())
    }

    #[test]
    fn lines_are_numbered_and_the_end_is_told() {
        assert_eq!(read(b"one\ntwo\n", 1, 10), answer("1| one\n2| two\n(end of the file after line 2)"));
        assert_eq!(read(b"one\r\ntwo", 1, 10), answer("1| one\n2| two\n(end of the file after line 2)"));
        assert_eq!(read(b"", 1, 10), answer("(the file is empty)"));
    }

    #[test]
    fn a_page_says_how_to_go_on() {
        assert_eq!(
            read(b"a\nb\nc\nd\n", 2, 2),
            answer("2| b\n3| c\n(lines 2 to 3; the file goes on: continue with offset=4)")
        );
        assert_eq!(read(b"a\nb\n", 2, 1), answer("2| b\n(end of the file after line 2)"));
        assert_eq!(read(b"a\nb\n", 3, 1), Outcome::Ended(2));
    }

    #[test]
    fn the_answer_stays_within_its_characters() {
        let long = "x".repeat(MOST_CHARACTERS);
        let Outcome::Text(text) = read(format!("{long}yy\nnext\n").as_bytes(), 1, 10) else { panic!() };
        assert!(text.contains("(line 1 goes on; it has 128002 characters)"));
        assert!(text.ends_with("(lines 1 to 1; the file goes on: continue with offset=2)"));
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_replaced_and_a_mark_at_the_start_is_not_shown() {
        assert_eq!(read(b"\xef\xbb\xbfa\xff\n", 1, 1), answer("1| a\u{fffd}\n(end of the file after line 1)"));
    }

    #[test]
    fn binary_files_are_told_apart() {
        assert_eq!(read(b"\x89PNG\r\n", 1, 1), Outcome::Binary("a PNG image"));
    }
}
