//! Where lines are written: standard output, a file that is changed in place, the files of `w`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};

use crate::input::describe;
use crate::lossless::encode;

/// One output, which knows whether its last line has no end yet.
struct Sink {
    writer: Box<dyn Write>,
    unended: bool,
}

impl Sink {
    fn write(&mut self, text: &str, end: Option<u8>, line_end: u8) -> io::Result<()> {
        if std::mem::take(&mut self.unended) {
            self.writer.write_all(&[line_end])?;
        }
        self.writer.write_all(&encode(text))?;
        match end {
            Some(end) => self.writer.write_all(&[end]),
            None => {
                self.unended = true;
                Ok(())
            }
        }
    }
}

/// All outputs.
pub struct Output {
    main: Sink,
    files: HashMap<String, Sink>,
    line_end: u8,
    unbuffered: bool,
}

impl Output {
    /// Standard output.
    pub fn new(line_end: u8, unbuffered: bool) -> Self {
        Self { main: sink(BufWriter::new(io::stdout())), files: HashMap::new(), line_end, unbuffered }
    }

    /// Writes to this file from now on.
    pub fn redirect(&mut self, file: File) {
        self.main = sink(BufWriter::new(file));
    }

    /// A line, with its end unless the last line of the input has none.
    pub fn line(&mut self, text: &str, ended: bool) -> Result<(), String> {
        let end = ended.then_some(self.line_end);
        written("standard output", self.main.write(text, end, self.line_end))?;
        if self.unbuffered { self.flush() } else { Ok(()) }
    }

    /// Text with the ends that it has.
    pub fn text(&mut self, text: &str) -> Result<(), String> {
        match text.strip_suffix('\n') {
            Some(line) => written("standard output", self.main.write(line, Some(b'\n'), self.line_end)),
            None if text.is_empty() => Ok(()),
            None => written("standard output", self.main.write(text, None, self.line_end)),
        }
    }

    /// Makes a file of `w`, empty, before the first line is read.
    pub fn open(&mut self, path: &str) -> Result<(), String> {
        if path != "/dev/stdout" && !self.files.contains_key(path) {
            let writer: Box<dyn Write> = match path {
                "/dev/stderr" => Box::new(io::stderr()),
                _ => Box::new(BufWriter::new(
                    File::create(path)
                        .map_err(|problem| format!("couldn't open file {path}: {}", describe(&problem)))?,
                )),
            };
            self.files.insert(path.to_owned(), Sink { writer, unended: false });
        }
        Ok(())
    }

    /// A line to a file of `w`.
    pub fn file_line(&mut self, path: &str, text: &str, ended: bool) -> Result<(), String> {
        match self.files.get_mut(path) {
            Some(sink) => {
                let end = ended.then_some(self.line_end);
                written(path, sink.write(text, end, self.line_end).and_then(|()| sink.writer.flush()))
            }
            None => self.line(text, ended),
        }
    }

    /// Writes out what is buffered.
    pub fn flush(&mut self) -> Result<(), String> {
        written("standard output", self.main.writer.flush())
    }
}

fn sink(writer: impl Write + 'static) -> Sink {
    Sink { writer: Box::new(writer), unended: false }
}

/// A reader that is gone ends the program.
fn written(name: &str, outcome: io::Result<()>) -> Result<(), String> {
    outcome.map_err(|problem| match problem.kind() {
        ErrorKind::BrokenPipe => chiton_program::end(chiton_program::BROKEN_PIPE),
        _ => format!("couldn't write to {name}: {}", describe(&problem)),
    })
}
