//! Runs a script over lines: a pattern space, a hold space, and what waits for the end of the cycle.

use std::collections::HashMap;
use std::io::{BufRead, Read};
use std::rc::Rc;

use fancy_regex::{Captures, Regex};

use crate::input::{Input, Line, open};
use crate::lossless::decode;
use crate::output::Output;
use crate::script::{Action, Address, Command, Piece, Substitution};

/// Characters in a line of `l`, unless told otherwise.
const LIST_WIDTH: usize = 70;

/// What comes after the line.
enum Waiting {
    Text(String),
    File(String),
    Line(String),
}

/// How a cycle goes on after a command.
enum Next {
    Command(usize),
    /// The end of the script: print and read.
    EndCycle,
    /// `d`: read without printing.
    NewCycle,
    /// `D`: run again without reading.
    SameLine,
    /// Stop; whether the pattern space is printed.
    Quit(bool, u8),
}

/// The state of a run.
pub struct Machine<'a> {
    script: &'a [Command],
    quiet: bool,
    list_width: Option<usize>,
    /// Where lines go.
    pub output: Output,
    space: Line,
    hold: String,
    line_number: usize,
    /// For each range: whether it is open, and at which line it ends if that is known.
    ranges: Vec<(bool, usize)>,
    substituted: bool,
    last_regex: Option<Rc<Regex>>,
    waiting: Vec<Waiting>,
    readers: HashMap<String, Box<dyn BufRead>>,
}

impl<'a> Machine<'a> {
    /// A machine that has seen nothing yet; the files of `w` are made.
    pub fn new(
        script: &'a [Command],
        quiet: bool,
        list_width: Option<usize>,
        mut output: Output,
    ) -> Result<Self, String> {
        for command in script {
            match &command.action {
                Action::File('w' | 'W', path) => output.open(path)?,
                Action::Substitute(substitution) => substitution.file.iter().try_for_each(|path| output.open(path))?,
                _ => {}
            }
        }
        Ok(Self {
            script,
            quiet,
            list_width,
            output,
            space: Line { text: String::new(), ended: true },
            hold: String::new(),
            line_number: 0,
            ranges: script.iter().map(|command| (command.from_zero, usize::MAX)).collect(),
            substituted: false,
            last_regex: None,
            waiting: Vec::new(),
            readers: HashMap::new(),
        })
    }

    /// Begins to count lines anew, for files that are taken one by one.
    pub fn restart(&mut self) {
        self.line_number = 0;
        self.ranges = self.script.iter().map(|command| (command.from_zero, usize::MAX)).collect();
    }

    /// Runs the script for every line. An exit code if it quits.
    pub fn run(&mut self, input: &mut Input) -> Result<Option<u8>, String> {
        let mut again = false;
        while again || self.read(input) {
            again = false;
            let next = self.cycle(input)?;
            match next {
                Next::Quit(print, code) => {
                    if print {
                        self.print_space()?;
                    }
                    self.flush_waiting()?;
                    return Ok(Some(code));
                }
                Next::EndCycle | Next::Command(_) => self.print_space()?,
                Next::NewCycle => {}
                Next::SameLine => again = true,
            }
            self.flush_waiting()?;
        }
        Ok(None)
    }

    fn read(&mut self, input: &mut Input) -> bool {
        let Some(line) = input.next() else { return false };
        self.space = line;
        self.line_number += 1;
        self.substituted = false;
        true
    }

    fn print_space(&mut self) -> Result<(), String> {
        if self.quiet { Ok(()) } else { self.output.line(&self.space.text, self.space.ended) }
    }

    fn flush_waiting(&mut self) -> Result<(), String> {
        for waiting in std::mem::take(&mut self.waiting) {
            match waiting {
                Waiting::Text(text) => self.output.text(&text)?,
                Waiting::Line(line) => self.output.line(&line, true)?,
                // A file that cannot be read is as an empty one, by POSIX.
                Waiting::File(path) => {
                    let mut bytes = Vec::new();
                    if open(&path).and_then(|mut reader| reader.read_to_end(&mut bytes)).is_ok() {
                        self.output.text(&decode(&bytes))?;
                    }
                }
            }
        }
        Ok(())
    }

    fn cycle(&mut self, input: &mut Input) -> Result<Next, String> {
        let mut at = 0;
        let script = self.script;
        while let Some(command) = script.get(at) {
            if self.selects(at, command, input)? == command.negated {
                at = if let Action::Block(end) = command.action { end } else { at } + 1;
                continue;
            }
            match self.perform(at, command, input)? {
                Next::Command(next) => at = next,
                other => return Ok(other),
            }
        }
        Ok(Next::EndCycle)
    }

    fn selects(&mut self, index: usize, command: &Command, input: &Input) -> Result<bool, String> {
        let (first, last) = match &command.addresses {
            (None, _) => return Ok(true),
            (Some(only), None) => return self.is_at(only, input),
            (Some(first), Some(last)) => (first, last),
        };
        let line = self.line_number;
        if self.ranges[index].0 {
            let (open, selected) = match last {
                Address::Matching(_) => (!self.is_at(last, input)?, true),
                Address::Last => (!input.is_last(), true),
                Address::Line(end) => (line < *end, line <= *end),
                _ => (line < self.ranges[index].1, line <= self.ranges[index].1),
            };
            self.ranges[index].0 = open;
            if selected {
                return Ok(true);
            }
        }
        if command.from_zero || !self.is_at(first, input)? {
            return Ok(false);
        }
        let end = match last {
            Address::Line(end) => *end,
            Address::Plus(count) => line + count,
            // As GNU sed: from a multiple to the next one.
            Address::Multiple(of) => line + of - line.checked_rem(*of).unwrap_or(0),
            Address::Last if input.is_last() => line,
            _ => usize::MAX,
        };
        self.ranges[index] = (end > line, end);
        Ok(true)
    }

    fn is_at(&mut self, address: &Address, input: &Input) -> Result<bool, String> {
        Ok(match address {
            Address::Line(line) => self.line_number == *line,
            Address::Last => input.is_last(),
            Address::Step(first, 0) => self.line_number == *first,
            Address::Step(first, step) => {
                self.line_number >= *first && (self.line_number - first).is_multiple_of(*step)
            }
            Address::Matching(regex) => {
                let regex = self.regex(regex.as_ref())?;
                regex.is_match(&self.space.text).map_err(too_hard)?
            }
            Address::Plus(_) | Address::Multiple(_) => false,
        })
    }

    /// This one, or the one used last.
    fn regex(&mut self, regex: Option<&Rc<Regex>>) -> Result<Rc<Regex>, String> {
        if let Some(regex) = regex {
            self.last_regex = Some(regex.clone());
        }
        self.last_regex.clone().ok_or_else(|| "no previous regular expression".to_owned())
    }

    fn perform(&mut self, index: usize, command: &Command, input: &mut Input) -> Result<Next, String> {
        match &command.action {
            Action::Block(_) | Action::Nothing => {}
            Action::Append(text) => self.waiting.push(Waiting::Text(text.clone())),
            Action::Insert(text) => self.output.text(text)?,
            Action::Change(text) => {
                // A range is changed as a whole, when it ends.
                if command.negated || command.addresses.1.is_none() || !self.ranges[index].0 {
                    self.output.text(text)?;
                }
                return Ok(Next::NewCycle);
            }
            Action::Branch(letter, target) => {
                let go = match letter {
                    'b' => true,
                    't' => std::mem::take(&mut self.substituted),
                    _ => !std::mem::take(&mut self.substituted),
                };
                if go {
                    return Ok(Next::Command(*target));
                }
            }
            Action::Substitute(substitution) => self.substitute(substitution)?,
            Action::Translate(map) => {
                self.space.text =
                    self.space.text.chars().map(|character| *map.get(&character).unwrap_or(&character)).collect();
            }
            Action::Quit(letter, code) => return Ok(Next::Quit(*letter == 'q', *code)),
            Action::File(letter, path) => self.file(*letter, path)?,
            Action::List(width) => {
                let listed = list(&self.space.text, width.or(self.list_width).unwrap_or(LIST_WIDTH));
                self.output.text(&listed)?;
            }
            Action::Simple(letter) => return self.simple(*letter, index, input),
        }
        Ok(Next::Command(index + 1))
    }

    fn simple(&mut self, letter: char, index: usize, input: &mut Input) -> Result<Next, String> {
        match letter {
            '=' => self.output.text(&format!("{}\n", self.line_number))?,
            'F' => self.output.text(&format!("{}\n", input.name))?,
            'd' => return Ok(Next::NewCycle),
            'D' => match self.space.text.split_once('\n') {
                Some((_, rest)) => {
                    self.space.text = rest.to_owned();
                    return Ok(Next::SameLine);
                }
                None => return Ok(Next::NewCycle),
            },
            'g' => self.space.text.clone_from(&self.hold),
            'G' => self.space.text = format!("{}\n{}", self.space.text, self.hold),
            'h' => self.hold.clone_from(&self.space.text),
            'H' => self.hold = format!("{}\n{}", self.hold, self.space.text),
            'x' => std::mem::swap(&mut self.space.text, &mut self.hold),
            'z' => self.space.text.clear(),
            'p' => self.output.line(&self.space.text, self.space.ended)?,
            'P' => self.output.line(self.space.text.split('\n').next().unwrap_or_default(), true)?,
            'n' | 'N' if input.is_last() => return Ok(Next::Quit(true, 0)),
            'n' => {
                self.print_space()?;
                self.flush_waiting()?;
                let substituted = self.substituted;
                self.read(input);
                self.substituted = substituted;
            }
            _ => {
                self.flush_waiting()?;
                if let Some(line) = input.next() {
                    self.line_number += 1;
                    self.space.text = format!("{}\n{}", self.space.text, line.text);
                    self.space.ended = line.ended;
                }
            }
        }
        Ok(Next::Command(index + 1))
    }

    fn file(&mut self, letter: char, path: &str) -> Result<(), String> {
        match letter {
            'r' => self.waiting.push(Waiting::File(path.to_owned())),
            'R' => {
                if !self.readers.contains_key(path)
                    && let Ok(reader) = open(path)
                {
                    self.readers.insert(path.to_owned(), reader);
                }
                let mut bytes = Vec::new();
                if self
                    .readers
                    .get_mut(path)
                    .is_some_and(|reader| reader.read_until(b'\n', &mut bytes).is_ok_and(|count| count > 0))
                {
                    let text = decode(&bytes);
                    self.waiting.push(Waiting::Line(text.strip_suffix('\n').unwrap_or(&text).to_owned()));
                }
            }
            'w' => self.output.file_line(path, &self.space.text, self.space.ended)?,
            _ => self.output.file_line(path, self.space.text.split('\n').next().unwrap_or_default(), true)?,
        }
        Ok(())
    }

    fn substitute(&mut self, substitution: &Substitution) -> Result<(), String> {
        let regex = self.regex(substitution.regex.as_ref())?;
        let text = std::mem::take(&mut self.space.text);
        let replaced = replace(&regex, &text, substitution)?;
        let Some(replaced) = replaced else {
            self.space.text = text;
            return Ok(());
        };
        self.space.text = replaced;
        self.substituted = true;
        if substitution.print {
            self.output.line(&self.space.text, self.space.ended)?;
        }
        if let Some(path) = &substitution.file {
            self.output.file_line(path, &self.space.text, self.space.ended)?;
        }
        Ok(())
    }
}

/// An expression that would take too many steps.
fn too_hard(_: fancy_regex::Error) -> String {
    "a regular expression with a back-reference takes too many steps on a line".to_owned()
}

/// The text with its matches replaced; none if nothing was.
fn replace(regex: &Regex, text: &str, substitution: &Substitution) -> Result<Option<String>, String> {
    let mut out = String::with_capacity(text.len());
    let (mut from, mut search, mut count, mut replaced) = (0, 0, 0, false);
    while search <= text.len()
        && let Some(captures) = regex.captures_from_pos(text, search).map_err(too_hard)?
        && let Some(found) = captures.get(0)
    {
        // No empty match right behind another match.
        let empty = found.start() == found.end();
        let counts = !(empty && found.start() == from && count > 0);
        count += usize::from(counts);
        if counts && count >= substitution.first {
            out.push_str(&text[from..found.start()]);
            fill(&substitution.replacement, &captures, &mut out);
            from = found.end();
            replaced = true;
            if !substitution.all {
                break;
            }
        } else if counts {
            out.push_str(&text[from..found.end()]);
            from = found.end();
        }
        // Behind an empty match the next character stays, and the search goes on after it.
        search = found.end() + if empty { text[found.end()..].chars().next().map_or(1, char::len_utf8) } else { 0 };
    }
    out.push_str(&text[from..]);
    Ok(replaced.then_some(out))
}

fn fill(pieces: &[Piece], captures: &Captures<'_, str>, out: &mut String) {
    // What holds until `\E`, and for the next character only.
    let (mut all, mut one) = ('E', None);
    for piece in pieces {
        let text = match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Group(number) => captures.get(*number).map_or("", |found| found.as_str()),
            Piece::Case(letter @ ('u' | 'l')) => {
                one = Some(*letter);
                continue;
            }
            Piece::Case(letter) => {
                all = *letter;
                continue;
            }
        };
        for character in text.chars() {
            match one.take().unwrap_or(all) {
                'U' | 'u' => out.extend(character.to_uppercase()),
                'L' | 'l' => out.extend(character.to_lowercase()),
                _ => out.push(character),
            }
        }
    }
}

/// A line as `l` shows it: escapes for what cannot be seen, cut at the width, with `$` at the end.
fn list(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for byte in crate::lossless::encode(text) {
        let shown = match byte {
            b'\\' => "\\\\".to_owned(),
            7 => "\\a".to_owned(),
            8 => "\\b".to_owned(),
            b'\n' => "\\n".to_owned(),
            b'\t' => "\\t".to_owned(),
            11 => "\\v".to_owned(),
            12 => "\\f".to_owned(),
            b'\r' => "\\r".to_owned(),
            32..127 => char::from(byte).to_string(),
            _ => format!("\\{byte:03o}"),
        };
        if width > 1 && column + shown.len() > width - 1 {
            out.push_str("\\\n");
            column = 0;
        }
        column += shown.len();
        out.push_str(&shown);
    }
    out + "$\n"
}
