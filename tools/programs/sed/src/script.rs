//! The script: commands with their addresses.

mod text;

use std::collections::HashMap;
use std::rc::Rc;

use chiton_posix_regex::{Dialect, Escapes, Syntax};
use fancy_regex::{Regex, RegexBuilder};

pub use text::Piece;
use text::{bracket_length, pieces, plain};

/// Which lines are meant.
#[derive(Clone)]
pub enum Address {
    /// A line number.
    Line(usize),
    /// `$`
    Last,
    /// `/regex/`; none is the one used last.
    Matching(Option<Rc<Regex>>),
    /// `first~step`
    Step(usize, usize),
    /// `+n`, as the end of a range.
    Plus(usize),
    /// `~n`, as the end of a range: up to a multiple.
    Multiple(usize),
}

/// `s`
pub struct Substitution {
    /// None is the one used last.
    pub regex: Option<Rc<Regex>>,
    /// What comes in its place.
    pub replacement: Vec<Piece>,
    /// The first match that is replaced, from 1.
    pub first: usize,
    /// And all after it.
    pub all: bool,
    /// Print the result.
    pub print: bool,
    /// Write the result to this file.
    pub file: Option<String>,
}

/// What a command does.
pub enum Action {
    /// `{`, with the index of its `}`.
    Block(usize),
    /// `}`, `:label`, `#`
    Nothing,
    /// `a`
    Append(String),
    /// `i`
    Insert(String),
    /// `c`
    Change(String),
    /// `b`, `t`, `T` by letter, with the index to go on at.
    Branch(char, usize),
    /// `s`
    Substitute(Box<Substitution>),
    /// `y`
    Translate(HashMap<char, char>),
    /// `q` and `Q` by letter, with the exit code.
    Quit(char, u8),
    /// `r`, `R`, `w`, `W` by letter, with the file.
    File(char, String),
    /// `l`, with the width.
    List(Option<usize>),
    /// A letter without anything.
    Simple(char),
}

/// A command.
pub struct Command {
    /// None, one, or the ends of a range.
    pub addresses: (Option<Address>, Option<Address>),
    /// The range begins before the first line: `0,/regex/`.
    pub from_zero: bool,
    /// For the lines that are not meant.
    pub negated: bool,
    /// What it does.
    pub action: Action,
}

struct Reader<'a> {
    characters: &'a [char],
    at: usize,
    extended: bool,
}

/// Reads a script.
///
/// # Errors
/// What is wrong, and at which character.
pub fn parse(script: &str, extended: bool) -> Result<Vec<Command>, String> {
    let characters: Vec<char> = script.chars().collect();
    let mut reader = Reader { characters: &characters, at: 0, extended };
    reader.commands().map_err(|problem| format!("-e expression #1, char {}: {problem}", reader.at))
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn accept(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn skip(&mut self, unwanted: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&unwanted) {
            self.at += 1;
        }
    }

    fn commands(&mut self) -> Result<Vec<Command>, String> {
        let mut commands: Vec<Command> = Vec::new();
        let mut blocks = Vec::new();
        let mut labels = HashMap::new();
        // Jumps whose label may come later.
        let mut jumps: Vec<(usize, String)> = Vec::new();
        loop {
            self.skip(|next| next.is_whitespace() || next == ';');
            if self.peek().is_none() {
                break;
            }
            if self.accept('#') {
                self.skip(|next| next != '\n');
                continue;
            }
            let mut command = self.addresses()?;
            let letter = self.peek().ok_or("missing command")?;
            self.at += 1;
            command.action = match letter {
                '{' => {
                    blocks.push(commands.len());
                    Action::Block(0)
                }
                '}' => {
                    let open = blocks.pop().ok_or("unexpected `}'")?;
                    commands[open].action = Action::Block(commands.len());
                    Action::Nothing
                }
                ':' => {
                    let label = self.label();
                    if label.is_empty() {
                        return Err("\":\" lacks a label".to_owned());
                    }
                    labels.insert(label, commands.len());
                    Action::Nothing
                }
                'b' | 't' | 'T' => {
                    let label = self.label();
                    jumps.push((commands.len(), label));
                    Action::Branch(letter, 0)
                }
                _ => self.action(letter)?,
            };
            if !matches!(letter, '{') {
                self.end(letter)?;
            }
            commands.push(command);
        }
        if !blocks.is_empty() {
            return Err("unmatched `{'".to_owned());
        }
        for (from, label) in jumps {
            let to = if label.is_empty() {
                commands.len()
            } else {
                *labels.get(&label).ok_or_else(|| format!("can't find label for jump to `{label}'"))?
            };
            if let Action::Branch(_, target) = &mut commands[from].action {
                *target = to;
            }
        }
        Ok(commands)
    }

    fn end(&mut self, letter: char) -> Result<(), String> {
        self.skip(|next| next == ' ' || next == '\t');
        match self.peek() {
            None | Some('\n' | ';' | '}' | '#') => Ok(()),
            _ if matches!(letter, '}') => Ok(()),
            Some(_) => Err("extra characters after command".to_owned()),
        }
    }

    fn addresses(&mut self) -> Result<Command, String> {
        let mut command =
            Command { addresses: (None, None), from_zero: false, negated: false, action: Action::Nothing };
        command.addresses.0 = self.address()?;
        if command.addresses.0.is_some() {
            self.skip(|next| next == ' ');
            if self.accept(',') {
                self.skip(|next| next == ' ');
                command.addresses.1 = Some(self.address()?.ok_or("unexpected `,'")?);
            }
        }
        if let Some(Address::Line(0)) = command.addresses.0 {
            if !matches!(command.addresses.1, Some(Address::Matching(_))) {
                return Err("invalid usage of line address 0".to_owned());
            }
            command.from_zero = true;
        }
        self.skip(char::is_whitespace);
        while self.accept('!') {
            command.negated = true;
            self.skip(char::is_whitespace);
        }
        Ok(command)
    }

    fn address(&mut self) -> Result<Option<Address>, String> {
        let Some(first) = self.peek() else { return Ok(None) };
        Ok(Some(match first {
            '0'..='9' => {
                let line = self.number();
                if self.accept('~') { Address::Step(line, self.number()) } else { Address::Line(line) }
            }
            '$' => {
                self.at += 1;
                Address::Last
            }
            '+' => {
                self.at += 1;
                Address::Plus(self.number())
            }
            '~' => {
                self.at += 1;
                Address::Multiple(self.number())
            }
            '/' | '\\' => {
                self.at += 1;
                let delimiter = if first == '\\' {
                    let delimiter = self.peek().ok_or("unterminated address regex")?;
                    self.at += 1;
                    delimiter
                } else {
                    '/'
                };
                let pattern = self.part(delimiter, true).ok_or("unterminated address regex")?;
                let (mut ignore_case, mut lines) = (false, false);
                loop {
                    match self.peek() {
                        Some('I') => ignore_case = true,
                        Some('M') => lines = true,
                        _ => break,
                    }
                    self.at += 1;
                }
                Address::Matching(self.regex(&pattern, ignore_case, lines)?)
            }
            _ => return Ok(None),
        }))
    }

    fn regex(&self, pattern: &str, ignore_case: bool, lines: bool) -> Result<Option<Rc<Regex>>, String> {
        if pattern.is_empty() {
            return Ok(None);
        }
        let syntax = if self.extended { Syntax::Extended } else { Syntax::Basic };
        let dialect = Dialect { syntax, escapes: Some(Escapes::Sed), within_lines: lines };
        let regex = RegexBuilder::new(&dialect.translate(pattern)?.pattern)
            .case_insensitive(ignore_case)
            .multi_line(lines)
            .dot_matches_new_line(!lines)
            .build();
        regex.map(|regex| Some(Rc::new(regex))).map_err(|_| format!("invalid regular expression `{pattern}'"))
    }

    fn number(&mut self) -> usize {
        let from = self.at;
        self.skip(|next| next.is_ascii_digit());
        self.characters[from..self.at].iter().collect::<String>().parse().unwrap_or(0)
    }

    fn label(&mut self) -> String {
        self.skip(|next| next == ' ' || next == '\t');
        let from = self.at;
        self.skip(|next| !next.is_whitespace() && next != ';' && next != '}');
        self.characters[from..self.at].iter().collect()
    }

    /// Up to an unescaped delimiter. A delimiter behind a backslash stands for itself.
    fn part(&mut self, delimiter: char, is_regex: bool) -> Option<String> {
        let mut part = String::new();
        loop {
            let next = self.peek()?;
            self.at += 1;
            match next {
                _ if next == delimiter => return Some(part),
                '\n' if is_regex => return None,
                // Inside brackets a delimiter is a character.
                '[' if is_regex && let Some(length) = bracket_length(&self.characters[self.at..]) => {
                    part.push('[');
                    part.extend(&self.characters[self.at..self.at + length]);
                    self.at += length;
                }
                '\\' => {
                    let escaped = self.peek()?;
                    self.at += 1;
                    match escaped {
                        // In a replacement `\&` must stay when `&` is the delimiter.
                        _ if escaped == delimiter && escaped != '&' => part.push(escaped),
                        _ => part.extend(['\\', escaped]),
                    }
                }
                _ => part.push(next),
            }
        }
    }

    fn action(&mut self, letter: char) -> Result<Action, String> {
        Ok(match letter {
            'a' => Action::Append(self.text()?),
            'i' => Action::Insert(self.text()?),
            'c' => Action::Change(self.text()?),
            's' => self.substitution()?,
            'y' => self.translation()?,
            'q' | 'Q' => {
                self.skip(|next| next == ' ');
                Action::Quit(letter, self.number() as u8)
            }
            'l' => {
                self.skip(|next| next == ' ');
                let given = self.peek().is_some_and(|next| next.is_ascii_digit());
                let width = self.number();
                Action::List(given.then_some(width))
            }
            'r' | 'R' | 'w' | 'W' => Action::File(letter, self.file()?),
            '=' | 'd' | 'D' | 'g' | 'G' | 'h' | 'H' | 'n' | 'N' | 'p' | 'P' | 'x' | 'z' | 'F' => Action::Simple(letter),
            // A version that is asked for.
            'v' => {
                self.label();
                Action::Nothing
            }
            'e' => return Err("the command `e' is not offered; pipe the output to sh".to_owned()),
            _ => return Err(format!("unknown command: `{letter}'")),
        })
    }

    fn file(&mut self) -> Result<String, String> {
        self.skip(|next| next == ' ' || next == '\t');
        let from = self.at;
        self.skip(|next| next != '\n');
        if from == self.at {
            return Err("missing filename in r/R/w/W commands".to_owned());
        }
        Ok(self.characters[from..self.at].iter().collect())
    }

    /// The text of `a`, `i`, `c`: behind a backslash and a newline, or on the same line.
    fn text(&mut self) -> Result<String, String> {
        self.skip(|next| next == ' ' || next == '\t');
        let escaped = self.accept('\\');
        if escaped {
            self.skip(|next| next == ' ' || next == '\t');
            if !self.accept('\n') {
                // GNU: `a\text`; the blanks belong to the text.
                while self.at > 0 && matches!(self.characters[self.at - 1], ' ' | '\t') {
                    self.at -= 1;
                }
            }
        }
        if escaped && self.peek().is_none() {
            return Ok(String::new());
        }
        if self.peek().is_none() {
            return Err("expected \\ after `a', `c' or `i'".to_owned());
        }
        let mut text = String::new();
        while let Some(next) = self.peek() {
            self.at += 1;
            match next {
                '\n' => {
                    self.at -= 1;
                    break;
                }
                '\\' => {
                    text.extend(self.peek().map(|escaped| if escaped == 't' { '\t' } else { escaped }));
                    self.at += 1;
                }
                _ => text.push(next),
            }
        }
        text.push('\n');
        Ok(text)
    }

    fn substitution(&mut self) -> Result<Action, String> {
        let delimiter = self.peek().filter(|next| !matches!(next, '\n' | '\\')).ok_or("unterminated `s' command")?;
        self.at += 1;
        let pattern = self.part(delimiter, true).ok_or("unterminated `s' command")?;
        let replacement = self.part(delimiter, false).ok_or("unterminated `s' command")?;
        let mut substitution = Substitution {
            regex: None,
            replacement: pieces(&replacement),
            first: 1,
            all: false,
            print: false,
            file: None,
        };
        let (mut ignore_case, mut lines) = (false, false);
        loop {
            match self.peek() {
                Some('g') => substitution.all = true,
                Some('p') => substitution.print = true,
                Some('i' | 'I') => ignore_case = true,
                Some('m' | 'M') => lines = true,
                Some('1'..='9') => {
                    substitution.first = self.number();
                    continue;
                }
                Some('0') => return Err("number option to `s' command may not be zero".to_owned()),
                Some('e') => return Err("the flag `e' is not offered; pipe the output to sh".to_owned()),
                Some('w') => {
                    self.at += 1;
                    substitution.file = Some(self.file()?);
                    break;
                }
                None | Some('\n' | ';' | '}' | '#' | ' ' | '\t') => break,
                Some(_) => return Err("unknown option to `s'".to_owned()),
            }
            self.at += 1;
        }
        substitution.regex = self.regex(&pattern, ignore_case, lines)?;
        let groups = substitution.regex.as_ref().map_or(10, |regex| regex.captures_len());
        if let Some(Piece::Group(number)) =
            substitution.replacement.iter().find(|piece| matches!(piece, Piece::Group(number) if *number >= groups))
        {
            return Err(format!("invalid reference \\{number} on `s' command's RHS"));
        }
        Ok(Action::Substitute(Box::new(substitution)))
    }

    fn translation(&mut self) -> Result<Action, String> {
        let delimiter = self.peek().ok_or("unterminated `y' command")?;
        self.at += 1;
        let from = self.part(delimiter, false).ok_or("unterminated `y' command")?;
        let to = self.part(delimiter, false).ok_or("unterminated `y' command")?;
        let (from, to) = (plain(&from), plain(&to));
        if from.len() != to.len() {
            return Err("strings for `y' command are different lengths".to_owned());
        }
        let mut map = HashMap::new();
        for (from, to) in from.into_iter().zip(to) {
            map.entry(from).or_insert(to);
        }
        Ok(Action::Translate(map))
    }
}
