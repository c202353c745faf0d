//! `read_file`.

use crate::text::{MOST_CHARACTERS, binary, clip};
use chiton_documents::{Error as DocumentError, Kind, LARGEST_DOCUMENT, LARGEST_PICTURE, Pages};
use chiton_sdk::prelude::*;
use std::fmt::Write;
use std::fs::File;
use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result};
use std::num::NonZeroUsize;

/// Largest file, in bytes.
const LARGEST: u64 = 100 << 20;
/// Most bytes that are read at once; small files are read in one go.
const CHUNK: u64 = 64 << 10;
const USUAL_LINES: usize = 2000;
/// Most bytes of text that are taken from a document before lines of it are chosen.
const MOST_DOCUMENT_TEXT: usize = 4 << 20;

/// Reads a file: lines of text with their numbers, the text of a PDF, Word, Excel, PowerPoint or OpenDocument file, or
/// a picture (PNG, JPEG, GIF, WebP, BMP) to look at.
/// Long files come in pages: the end of the answer says how to go on.
#[tool(effects(reads_files))]
pub(crate) fn read_file(arguments: ReadFile) -> ToolResult<Vec<Part>> {
    let place = paths::file(&arguments.path, Access::Read)?;
    let (mut reader, size) = open(&place).map_err(|error| place.failure(error))?;
    if size > LARGEST {
        return Err(Failure::Failed(format!(
            "'{place}' has {size} bytes, and read_file takes {LARGEST} at most; use grep to find what you need"
        )));
    }
    let page = Page {
        first: arguments.offset.map_or(1, NonZeroUsize::get),
        lines: arguments.limit.map_or(USUAL_LINES, NonZeroUsize::get),
    };
    let head = reader.fill_buf().map_err(|error| place.failure(error))?;
    let text = match binary(head) {
        Some(what) if !arguments.force => {
            let whole = Whole { place: &place, size, what };
            return whole.read(reader, arguments.pages.as_deref(), &page);
        }
        _ => page.read(reader).map_err(|error| place.failure(error))?,
    };
    page.answer(text, &place).map(|text| vec![Part::Text(text)])
}

#[arguments]
pub(crate) struct ReadFile {
    /// Path of the file; relative paths start at the working directory.
    path: String,
    /// The line to start at; the first is 1.
    offset: Option<NonZeroUsize>,
    /// Most lines to return (default 2000).
    limit: Option<NonZeroUsize>,
    /// Pages of a PDF, slides of a presentation or sheets of a workbook, such as "1-5,8"; at most 20.
    pages: Option<String>,
    /// Read a file that is not text as if it were.
    #[serde(default)]
    force: bool,
}

/// A file that is not text and is read as a whole.
struct Whole<'p> {
    place: &'p Place,
    size: u64,
    /// What it is by its first bytes.
    what: &'static str,
}

impl Whole<'_> {
    fn read(&self, mut reader: impl BufRead, pages: Option<&str>, page: &Page) -> ToolResult<Vec<Part>> {
        let place = self.place;
        let head = reader.fill_buf().map_err(|error| place.failure(error))?;
        let picture = chiton_documents::picture_format(head).is_some();
        if !picture && !Kind::possible(head) {
            return Err(self.unreadable());
        }
        if self.size > if picture { LARGEST_PICTURE } else { LARGEST_DOCUMENT } {
            let error = if picture { DocumentError::LargePicture } else { DocumentError::TooLarge };
            return Err(failure(place, &error));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(self.size).unwrap_or_default());
        reader.take(LARGEST_DOCUMENT).read_to_end(&mut bytes).map_err(|error| place.failure(error))?;
        if picture {
            let picture = chiton_documents::picture(&bytes).map_err(|error| failure(place, &error))?;
            let image = Blob { mime: picture.mime.to_owned(), data: picture.data };
            return Ok(vec![Part::Text(format!("[{}]", picture.title)), Part::Image(image)]);
        }
        let kind = Kind::of(&bytes).ok_or_else(|| self.unreadable())?;
        document(place, kind, bytes, pages, page).map(|text| vec![Part::Text(text)])
    }

    fn unreadable(&self) -> Failure {
        let Self { place, size, what } = self;
        Failure::Failed(format!(
            "'{place}' is {what} ({size} bytes), and read_file reads text, documents and pictures; \
             with force=true it is read as if it were text"
        ))
    }
}

/// The lines of a document's text under a line that says what it is.
fn document(place: &Place, kind: Kind, bytes: Vec<u8>, pages: Option<&str>, page: &Page) -> ToolResult {
    let fail = |error: DocumentError| failure(place, &error);
    let pages = pages.filter(|pages| !pages.is_empty()).map(str::parse::<Pages>).transpose().map_err(fail)?;
    let document = chiton_documents::read(kind, bytes, pages.as_ref(), MOST_DOCUMENT_TEXT).map_err(fail)?;
    let lines = page.read(document.text.as_bytes()).map_err(|error| place.failure(error))?;
    let mut answer = format!("[{}]\n{}", document.title, page.answer(lines, place)?);
    if document.truncated {
        let _ = write!(answer, "\n(its text is longer than {} MiB and was cut)", MOST_DOCUMENT_TEXT >> 20);
    }
    if let Some(next) = document.next {
        let _ = write!(answer, "\n(there is more: continue with pages=\"{next}\")");
    }
    Ok(answer)
}

fn failure(place: &Place, error: &DocumentError) -> Failure {
    let sentence = format!("'{place}' {error}");
    match error {
        DocumentError::BadPages(_) | DocumentError::Behind { .. } => Failure::InvalidArguments(sentence),
        _ => Failure::Failed(sentence),
    }
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
    /// The file has fewer lines than the first of the page: so many.
    Ended(usize),
}

impl Page {
    fn answer(&self, outcome: Outcome, place: &Place) -> ToolResult {
        match outcome {
            Outcome::Text(text) => Ok(text),
            Outcome::Ended(lines) => Err(Failure::InvalidArguments(format!(
                "offset {} is behind the end of '{place}', which has {lines} lines",
                self.first
            ))),
        }
    }

    fn read(&self, mut reader: impl BufRead) -> Result<Outcome> {
        let head = reader.fill_buf()?.len();
        let mut answer = String::with_capacity(head + head / 4 + 64);
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
}
