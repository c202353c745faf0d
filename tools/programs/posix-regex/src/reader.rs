//! Reads an expression once, from left to right, and writes its translation.

use std::str::Chars;

use crate::{Dialect, Syntax};

/// What a repetition would repeat.
#[derive(Clone, Copy)]
enum Last {
    /// The beginning of the expression, a group or an alternative.
    Nothing,
    Anchor,
    /// What the output has from this byte on.
    Atom(usize),
    /// The same, repeated already: a further `?` must not make it lazy.
    Repeated(usize),
}

pub(crate) struct Reader<'a> {
    pub(crate) dialect: Dialect,
    pub(crate) rest: Chars<'a>,
    pub(crate) out: String,
    pub(crate) refers_back: bool,
    last: Last,
    /// How many groups there are, and of those that are open their number and where they begin in the output.
    groups: u32,
    open: Vec<(u32, usize)>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(dialect: Dialect, pattern: &'a str) -> Self {
        Self {
            dialect,
            rest: pattern.chars(),
            out: String::with_capacity(pattern.len() + 8),
            refers_back: false,
            last: Last::Nothing,
            groups: 0,
            open: Vec::new(),
        }
    }

    pub(crate) fn read(&mut self) -> Result<(), &'static str> {
        let (bare, escaped) = self.dialect.syntax.operators();
        while let Some(next) = self.rest.next() {
            match next {
                '\\' => match self.rest.clone().next() {
                    Some(sign) if escaped.contains(sign) => {
                        self.rest.next();
                        self.operator(sign)?;
                    }
                    _ => self.escape()?,
                },
                '.' => self.atom("."),
                '[' => {
                    let start = self.out.len();
                    self.bracket()?;
                    self.last = Last::Atom(start);
                }
                '^' if self.dialect.syntax.anchors_anywhere() || matches!(self.last, Last::Nothing) => self.anchor("^"),
                '$' if self.dialect.syntax.anchors_anywhere() || self.ends_branch() => self.anchor("$"),
                _ if bare.contains(next) => self.operator(next)?,
                _ => self.plain(next),
            }
        }
        if self.open.is_empty() { Ok(()) } else { Err("Unmatched ( or \\(") }
    }

    pub(crate) fn accept(&mut self, wanted: char) -> bool {
        let found = self.rest.as_str().starts_with(wanted);
        if found {
            self.rest.next();
        }
        found
    }

    fn ends_branch(&self) -> bool {
        let rest = self.rest.as_str();
        rest.is_empty() || rest.starts_with("\\)") || rest.starts_with("\\|")
    }

    fn atom(&mut self, written: &str) {
        self.last = Last::Atom(self.out.len());
        self.out.push_str(written);
    }

    fn plain(&mut self, character: char) {
        self.last = Last::Atom(self.out.len());
        push_plain(&mut self.out, character);
    }

    fn anchor(&mut self, written: &str) {
        self.out.push_str(written);
        self.last = Last::Anchor;
    }

    fn operator(&mut self, sign: char) -> Result<(), &'static str> {
        let syntax = self.dialect.syntax;
        let repeats_nothing = "*+?{".contains(sign) && matches!(self.last, Last::Nothing | Last::Anchor);
        match sign {
            _ if repeats_nothing && syntax == Syntax::Extended => return Err("Invalid preceding regular expression"),
            _ if repeats_nothing && syntax != Syntax::Egrep => self.plain(sign),
            '(' => {
                self.groups += 1;
                self.open.push((self.groups, self.out.len()));
                self.out.push('(');
                self.last = Last::Nothing;
            }
            ')' => match self.open.pop() {
                Some((_, start)) => {
                    self.out.push(')');
                    self.last = Last::Atom(start);
                }
                None if matches!(syntax, Syntax::Egrep | Syntax::Awk) => self.plain(')'),
                None => return Err("Unmatched ) or \\)"),
            },
            '|' => {
                self.out.push('|');
                self.last = Last::Nothing;
            }
            '{' => self.interval()?,
            _ => self.repeat(sign.encode_utf8(&mut [0; 4])),
        }
        Ok(())
    }

    fn repeat(&mut self, times: &str) {
        let start = match self.last {
            Last::Nothing | Last::Anchor => return,
            Last::Atom(start) => start,
            Last::Repeated(start) => {
                self.out.insert_str(start, "(?:");
                self.out.push(')');
                start
            }
        };
        self.out.push_str(times);
        self.last = Last::Repeated(start);
    }

    /// Behind `{`.
    fn interval(&mut self) -> Result<(), &'static str> {
        const BAD_CONTENT: &str = "Invalid content of \\{\\}";
        let syntax = self.dialect.syntax;
        let close = if syntax == Syntax::Basic { "\\}" } else { "}" };
        let inside = self.rest.as_str().split_once(close);
        match inside.and_then(|(inside, rest)| Some((bounds(inside)?, rest))) {
            Some(((least, Some(most)), _)) if most < least => return Err(BAD_CONTENT),
            Some(((least, most), rest)) => {
                self.rest = rest.chars();
                self.repeat(&format!("{{{least},{}}}", most.map_or(String::new(), |most| most.to_string())));
            }
            None if matches!(syntax, Syntax::Egrep | Syntax::Awk) => self.plain('{'),
            None => return Err(if inside.is_some() { BAD_CONTENT } else { "Unmatched \\{" }),
        }
        Ok(())
    }

    /// Behind a backslash that makes no operator.
    fn escape(&mut self) -> Result<(), &'static str> {
        if let Some(character) = self.dialect.escapes.and_then(|escapes| escapes.take(&mut self.rest)) {
            self.plain(character);
            return Ok(());
        }
        let awk = self.dialect.syntax == Syntax::Awk;
        match self.rest.next() {
            None if awk => self.plain('\\'),
            None => return Err("Trailing backslash"),
            Some('b') => self.anchor(r"\b"),
            Some('y') if awk => self.anchor(r"\b"),
            Some('B') => self.anchor(r"\B"),
            Some('<') => self.anchor(r"\b{start}"),
            Some('>') => self.anchor(r"\b{end}"),
            Some('`') => self.anchor(r"\A"),
            Some('\'') => self.anchor(r"\z"),
            Some(class @ ('w' | 'W' | 's' | 'S')) => self.atom(&format!("\\{class}")),
            Some(digit @ '1'..='9') if !awk => {
                let group = digit.to_digit(10).unwrap_or(0);
                if group > self.groups || self.open.iter().any(|(open, _)| *open == group) {
                    return Err("Invalid back reference");
                }
                self.refers_back = true;
                // A digit may follow that does not belong to the number.
                self.atom(&format!("(?:\\{digit})"));
            }
            Some(other) => self.plain(other),
        }
        Ok(())
    }
}

/// The numbers of `{2}`, `{2,}`, `{,3}` or `{2,3}`.
fn bounds(inside: &str) -> Option<(u32, Option<u32>)> {
    if !inside.bytes().all(|byte| byte.is_ascii_digit() || byte == b',') {
        return None;
    }
    match inside.split_once(',') {
        None => inside.parse().ok().map(|times| (times, Some(times))),
        Some((least, most)) => {
            let least = if least.is_empty() { 0 } else { least.parse().ok()? };
            Some((least, if most.is_empty() { None } else { Some(most.parse().ok()?) }))
        }
    }
}

/// Writes a character that stands for itself, in brackets and outside.
pub(crate) fn push_plain(out: &mut String, character: char) {
    if r"\.+*?()|[]{}^$#&-~".contains(character) {
        out.push('\\');
    }
    out.push(character);
}
