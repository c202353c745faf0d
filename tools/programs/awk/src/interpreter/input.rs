//! Where records come from: files of the command line, `getline`, commands.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use regex::Regex;

use super::{ARGC, ARGV, Cell, FILENAME, FNR, Interpreter, NR, Outcome, RS, RT, Stop, trouble};
use crate::ast::{Source, Target};
use crate::value::Value;

/// A source of records.
struct Records {
    reader: Box<dyn BufRead>,
    /// All that is left, once a pattern separates records.
    rest: Option<String>,
}

/// All sources of a program.
#[derive(Default)]
pub struct Input {
    /// The file of the command line that is being read.
    current: Option<Records>,
    /// The next operand.
    operand: usize,
    /// Whether any file was named.
    named: bool,
    /// Nothing is left.
    ended: bool,
    /// Files and commands of `getline`, by name.
    others: HashMap<String, Records>,
}

impl Input {
    /// `nextfile`
    pub fn skip_file(&mut self) {
        self.current = None;
    }

    /// `close` of a file or command; whether it was open.
    pub fn close(&mut self, name: &str) -> bool {
        self.others.remove(name).is_some()
    }
}

/// How records end.
enum Separator {
    Character(u8),
    Paragraph,
    Pattern(Rc<Regex>),
}

impl Records {
    fn new(reader: impl Read + 'static) -> Self {
        Self { reader: Box::new(BufReader::new(reader)), rest: None }
    }

    /// The next record and what ended it.
    fn next(&mut self, separator: &Separator) -> io::Result<Option<(String, String)>> {
        match separator {
            Separator::Character(byte) if self.rest.is_none() => {
                let mut bytes = Vec::new();
                self.reader.read_until(*byte, &mut bytes)?;
                if bytes.is_empty() {
                    return Ok(None);
                }
                let end = if bytes.pop_if(|last| last == byte).is_some() {
                    char::from(*byte).to_string()
                } else {
                    String::new()
                };
                Ok(Some((text(bytes), end)))
            }
            Separator::Character(byte) => self.until(|rest| rest.find(char::from(*byte)).map(|at| (at, at + 1))),
            Separator::Paragraph => {
                self.read_rest()?;
                if let Some(rest) = &mut self.rest {
                    *rest = rest.trim_start_matches('\n').to_owned();
                }
                let record = self.until(|rest| {
                    rest.find("\n\n").map(|at| (at, at + rest[at..].len() - rest[at..].trim_start_matches('\n').len()))
                })?;
                Ok(record.map(|(record, end)| (record.trim_end_matches('\n').to_owned(), end)))
            }
            Separator::Pattern(regex) => {
                let record = self.until(|rest| {
                    regex.find_iter(rest).find(|found| !found.is_empty()).map(|found| (found.start(), found.end()))
                })?;
                // The newline at the end of the file is no part of the last record.
                Ok(record.map(|(record, end)| {
                    if end.is_empty() {
                        (record.strip_suffix('\n').unwrap_or(&record).to_owned(), end)
                    } else {
                        (record, end)
                    }
                }))
            }
        }
    }

    fn read_rest(&mut self) -> io::Result<()> {
        if self.rest.is_none() {
            let mut bytes = Vec::new();
            self.reader.read_to_end(&mut bytes)?;
            self.rest = Some(text(bytes));
        }
        Ok(())
    }

    fn until(&mut self, find: impl Fn(&str) -> Option<(usize, usize)>) -> io::Result<Option<(String, String)>> {
        self.read_rest()?;
        let rest = self.rest.take().unwrap_or_default();
        if rest.is_empty() {
            self.rest = Some(rest);
            return Ok(None);
        }
        let (start, end) = find(&rest).unwrap_or((rest.len(), rest.len()));
        self.rest = Some(rest[end..].to_owned());
        Ok(Some((rest[..start].to_owned(), rest[start..end].to_owned())))
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|problem| String::from_utf8_lossy(problem.as_bytes()).into_owned())
}

/// A whole file, or standard input for `-`.
///
/// # Errors
/// In words, with the name.
pub fn read_file(path: &str) -> Result<String, String> {
    open(path)
        .and_then(|mut reader| io::read_to_string(&mut reader))
        .map_err(|problem| format!("can't open file {path}: {}", describe(&problem)))
}

fn open(path: &str) -> io::Result<Box<dyn Read>> {
    match path {
        "-" | "/dev/stdin" => Ok(Box::new(io::stdin())),
        _ if std::path::Path::new(path).is_dir() => Err(io::Error::other("is a directory")),
        _ => Ok(Box::new(File::open(path)?)),
    }
}

/// The error as C programs say it, without Rust's number.
pub fn describe(problem: &io::Error) -> String {
    let text = problem.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

impl Interpreter {
    /// The next record of the program's own input.
    pub(super) fn next_record(&mut self) -> Outcome<Option<Rc<str>>> {
        loop {
            if self.input.current.is_none() && !self.open_next()? {
                return Ok(None);
            }
            let separator = self.separator()?;
            let Some(records) = &mut self.input.current else { return Ok(None) };
            match records.next(&separator) {
                Ok(Some((record, end))) => {
                    self.set_global(RT, Value::text(end));
                    for counter in [NR, FNR] {
                        let count = self.global(counter).number() + 1.0;
                        self.set_global(counter, Value::Number(count));
                    }
                    return Ok(Some(record.into()));
                }
                Ok(None) => self.input.current = None,
                Err(problem) => return trouble(format!("cannot read: {}", describe(&problem))),
            }
        }
    }

    /// Goes to the next operand that is a file, and makes the assignments before it.
    fn open_next(&mut self) -> Outcome<bool> {
        if self.input.ended {
            return Ok(false);
        }
        loop {
            self.input.operand += 1;
            let at = self.input.operand;
            if at as f64 >= self.global(ARGC).number() {
                self.input.ended = true;
                if !self.input.named {
                    self.input.current = Some(Records::new(io::stdin()));
                    return Ok(true);
                }
                return Ok(false);
            }
            let Cell::Array(operands) = &self.globals[ARGV] else { continue };
            let operand =
                operands.borrow().get(at.to_string().as_str()).map(|value| value.string("")).unwrap_or_default();
            if operand.is_empty() {
                continue;
            }
            if let Some((name, value)) = operand.split_once('=').filter(|(name, _)| is_name(name)) {
                self.assign(name, value);
                continue;
            }
            self.input.named = true;
            match open(&operand) {
                Ok(reader) => {
                    self.input.current = Some(Records::new(reader));
                    self.set_global(FILENAME, Value::text(operand));
                    self.set_global(FNR, Value::Number(0.0));
                    return Ok(true);
                }
                Err(problem) => {
                    // As gawk: told, and the others are read.
                    eprintln!("awk: warning: command line argument `{operand}': {}", describe(&problem));
                    self.exit_code = crate::TROUBLE;
                }
            }
        }
    }

    fn separator(&mut self) -> Outcome<Separator> {
        let text = self.global_text(RS);
        Ok(match text.as_bytes() {
            [] => Separator::Paragraph,
            [byte] if byte.is_ascii() => Separator::Character(*byte),
            _ => Separator::Pattern(self.pattern_of(&text)?),
        })
    }

    /// `getline`: 1 for a record, 0 at the end, -1 for an error.
    #[inline(never)]
    pub(super) fn getline(&mut self, source: &Source, target: Option<&Target>) -> Outcome<Value> {
        let (name, is_command) = match source {
            Source::Input => {
                let Some(record) = self.next_record()? else { return Ok(Value::Number(0.0)) };
                self.take_line(target, record)?;
                return Ok(Value::Number(1.0));
            }
            Source::File(name) => (name, false),
            Source::Command(name) => (name, true),
        };
        let name = self.evaluate(name)?;
        let name = self.text(&name).to_string();
        if !self.input.others.contains_key(&name) {
            let records = if is_command {
                self.output.flush_all().map_err(Stop::Trouble)?;
                let command = chiton_program::Command::new(["sh", "-c", &name]);
                Records::new(command.reader().map_err(|problem| Stop::Trouble(problem.to_string()))?)
            } else {
                match open(&name) {
                    Ok(reader) => Records::new(reader),
                    Err(_) => return Ok(Value::Number(-1.0)),
                }
            };
            self.input.others.insert(name.clone(), records);
        }
        let separator = self.separator()?;
        match self.input.others.get_mut(&name).map(|records| records.next(&separator)) {
            Some(Ok(Some((record, _)))) => {
                if is_command {
                    let count = self.global(NR).number() + 1.0;
                    self.set_global(NR, Value::Number(count));
                }
                self.take_line(target, record.into())?;
                Ok(Value::Number(1.0))
            }
            Some(Ok(None)) => Ok(Value::Number(0.0)),
            _ => Ok(Value::Number(-1.0)),
        }
    }

    fn take_line(&mut self, target: Option<&Target>, line: Rc<str>) -> Outcome<()> {
        match target {
            Some(target) => self.store(target, Value::input(line)).map(drop),
            None => {
                self.set_record(line);
                Ok(())
            }
        }
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.chars().all(|next| next.is_ascii_alphanumeric() || next == '_')
}
