//! Where `print` writes: standard output, files, commands.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};

use chiton_program::{BROKEN_PIPE, Command};
use indexmap::IndexMap;

use super::input::describe;
use super::{CONVFMT, Interpreter, OFMT, OFS, ORS, Outcome, Stop};
use crate::ast::{Expression, Redirection};
use crate::format::sprintf;
use crate::value::Value;

/// Something that is open for writing.
enum Sink {
    Stdout,
    Stderr,
    File(BufWriter<File>),
    /// A command; it runs when it is closed, on all that was written.
    Command(Vec<u8>),
}

/// All outputs of a program.
pub struct Output {
    stdout: BufWriter<io::Stdout>,
    others: IndexMap<String, Sink>,
}

impl Default for Output {
    fn default() -> Self {
        Self { stdout: BufWriter::new(io::stdout()), others: IndexMap::new() }
    }
}

impl Output {
    fn write(&mut self, text: &str, to: Option<(&str, &str)>) -> Result<(), String> {
        let Some((sign, name)) = to else { return written("standard output", self.stdout.write_all(text.as_bytes())) };
        if !self.others.contains_key(name) {
            self.others.insert(name.to_owned(), open(sign, name)?);
        }
        let outcome = match self.others.get_mut(name) {
            Some(Sink::Stdout) | None => self.stdout.write_all(text.as_bytes()),
            Some(Sink::Stderr) => io::stderr().write_all(text.as_bytes()),
            Some(Sink::File(file)) => file.write_all(text.as_bytes()),
            Some(Sink::Command(bytes)) => bytes.write_all(text.as_bytes()),
        };
        written(name, outcome)
    }

    /// `close`: the exit code of a command, 0 of a file, none if nothing of this name is open.
    pub fn close(&mut self, name: &str) -> Result<Option<u8>, String> {
        match self.others.shift_remove(name) {
            None => Ok(None),
            Some(Sink::File(mut file)) => written(name, file.flush()).map(|()| Some(0)),
            Some(Sink::Command(bytes)) => {
                self.flush_all()?;
                Command::new(["sh", "-c", name]).run_on(&bytes).map(Some).map_err(|problem| problem.to_string())
            }
            Some(_) => Ok(Some(0)),
        }
    }

    /// Closes everything, in the order in which it was opened.
    pub fn close_all(&mut self) -> Result<(), String> {
        self.flush_all()?;
        let names: Vec<String> = self.others.keys().cloned().collect();
        names.iter().try_for_each(|name| self.close(name).map(drop))
    }

    /// Writes out what is buffered; commands go on collecting.
    pub fn flush_all(&mut self) -> Result<(), String> {
        written("standard output", self.stdout.flush())?;
        self.others.iter_mut().try_for_each(|(name, sink)| match sink {
            Sink::File(file) => written(name, file.flush()),
            _ => Ok(()),
        })
    }
}

fn open(sign: &str, name: &str) -> Result<Sink, String> {
    match (sign, name) {
        ("|", _) => Ok(Sink::Command(Vec::new())),
        (_, "/dev/stdout" | "-") => Ok(Sink::Stdout),
        (_, "/dev/stderr") => Ok(Sink::Stderr),
        _ => OpenOptions::new()
            .create(true)
            .write(true)
            .append(sign == ">>")
            .truncate(sign == ">")
            .open(name)
            .map(|file| Sink::File(BufWriter::new(file)))
            .map_err(|problem| format!("can't redirect to {name}: {}", describe(&problem))),
    }
}

/// A reader that is gone ends the program.
fn written(name: &str, outcome: io::Result<()>) -> Result<(), String> {
    outcome.map_err(|problem| match problem.kind() {
        ErrorKind::BrokenPipe => chiton_program::end(BROKEN_PIPE),
        _ => format!("cannot write to {name}: {}", describe(&problem)),
    })
}

impl Interpreter {
    /// `print`
    #[inline(never)]
    pub(super) fn print(&mut self, values: &[Expression], redirection: Option<&Redirection>) -> Outcome<()> {
        let mut line = String::new();
        if values.is_empty() {
            let record = self.field(0.0)?;
            line.push_str(&self.text(&record));
        }
        for (number, value) in values.iter().enumerate() {
            if number > 0 {
                line.push_str(&self.global_text(OFS));
            }
            let value = self.evaluate(value)?;
            line.push_str(&value.string(&self.global_text(OFMT)));
        }
        line.push_str(&self.global_text(ORS));
        self.write(&line, redirection)
    }

    /// `printf`
    #[inline(never)]
    pub(super) fn printf(&mut self, values: &[Expression], redirection: Option<&Redirection>) -> Outcome<()> {
        let text = self.formatted(values)?;
        self.write(&text, redirection)
    }

    /// A format and its values, filled.
    #[inline(never)]
    pub(super) fn formatted(&mut self, values: &[Expression]) -> Outcome<String> {
        let values: Vec<Value> = values.iter().map(|value| self.evaluate(value)).collect::<Outcome<_>>()?;
        let Some((format, values)) = values.split_first() else { return super::trouble("printf: no format") };
        Ok(sprintf(&self.text(format), values, &self.global_text(CONVFMT)))
    }

    fn write(&mut self, text: &str, redirection: Option<&Redirection>) -> Outcome<()> {
        let name = match redirection {
            Some(redirection) => {
                let name = self.evaluate(&redirection.name)?;
                Some((redirection.sign, self.text(&name)))
            }
            None => None,
        };
        self.output.write(text, name.as_ref().map(|(sign, name)| (*sign, &**name))).map_err(Stop::Trouble)
    }
}
