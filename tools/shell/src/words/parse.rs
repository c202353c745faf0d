//! The parser of words.

use super::{Operation, Parameter, Piece, Place, Subject, Subscript};
use crate::error::SyntaxError;
use crate::quote;

/// Deepest nesting of expansions in one word: the stack of a component is small.
pub(super) const DEEPEST: usize = 50;

/// Where a piece stands: it decides which quotes and escapes count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    /// Outside quotes.
    Plain,
    /// Between double quotes.
    Double,
    /// In the word of an expansion that stands between double quotes.
    WordInDouble,
    /// In a here-document.
    Here,
}

/// The pieces of a word.
///
/// # Errors
/// When a quote or an expansion is not closed.
pub(crate) fn word(text: &str) -> Result<Vec<Piece>, SyntaxError> {
    const SPECIAL: [char; 5] = ['\'', '"', '\\', '$', '`'];
    if !text.starts_with('~') && !text.contains(SPECIAL) {
        return Ok(vec![Piece::Text(text.to_owned())]);
    }
    Parser::new(text).all(Context::Plain)
}

/// The pieces of a here-document whose delimiter is not quoted.
///
/// # Errors
/// When an expansion is not closed.
pub(crate) fn here_document(text: &str) -> Result<Vec<Piece>, SyntaxError> {
    Parser::new(text).all(Context::Here)
}

/// Whether `text` can be the name of a variable.
pub(crate) fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|next| next.is_ascii_alphanumeric() || next == '_')
}

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    pub(super) depth: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    fn all(mut self, context: Context) -> Result<Vec<Piece>, SyntaxError> {
        let mut pieces = Vec::new();
        if context == Context::Plain {
            pieces.extend(self.tilde());
        }
        pieces.extend(self.pieces(context, &[])?);
        Ok(pieces)
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    pub(super) fn take(&mut self, prefix: &str) -> bool {
        let found = self.rest().starts_with(prefix);
        if found {
            self.at += prefix.len();
        }
        found
    }

    pub(super) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|next| !wanted(next)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    pub(super) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    pub(super) fn unclosed(&self, what: &str) -> SyntaxError {
        SyntaxError::new(format!("'{what}' is not closed in: {}", self.text))
    }

    /// Pieces up to a character of `stop`, which is left, or to the end.
    fn pieces(&mut self, context: Context, stop: &[char]) -> Result<Vec<Piece>, SyntaxError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(SyntaxError::new(format!("expansions are nested deeper than {DEEPEST}")));
        }
        let mut pieces = Vec::new();
        let mut text = String::new();
        while let Some(next) = self.peek() {
            if stop.contains(&next) {
                break;
            }
            let piece = match next {
                '\\' => self.escape(context, stop, &mut text),
                '\'' if context == Context::Plain => Some(self.single_quoted()?),
                '"' if matches!(context, Context::Plain | Context::WordInDouble) => Some(self.double_quoted()?),
                '$' => self.dollar(context, &mut text)?,
                '`' => Some(self.backquoted()?),
                _ => {
                    self.next();
                    text.push(next);
                    None
                }
            };
            if let Some(piece) = piece {
                push_text(&mut pieces, &mut text);
                pieces.push(piece);
            }
        }
        push_text(&mut pieces, &mut text);
        self.depth -= 1;
        Ok(pieces)
    }

    /// A backslash: what it escapes depends on where it stands.
    fn escape(&mut self, context: Context, stop: &[char], text: &mut String) -> Option<Piece> {
        self.next();
        let escapes = |next: char| match context {
            Context::Plain => true,
            Context::Double => matches!(next, '$' | '`' | '"' | '\\' | '\n'),
            Context::WordInDouble => matches!(next, '$' | '`' | '"' | '\\' | '\n') || stop.contains(&next),
            Context::Here => matches!(next, '$' | '`' | '\\' | '\n'),
        };
        match self.peek() {
            Some('\n') if escapes('\n') => {
                self.next();
                None
            }
            Some(next) if escapes(next) => {
                self.next();
                Some(Piece::Quoted(next.to_string()))
            }
            _ => {
                text.push('\\');
                None
            }
        }
    }

    pub(super) fn single_quoted(&mut self) -> Result<Piece, SyntaxError> {
        self.next();
        let quoted = self.take_while(|next| next != '\'').to_owned();
        if !self.take("'") {
            return Err(self.unclosed("'"));
        }
        Ok(Piece::Quoted(quoted))
    }

    pub(super) fn double_quoted(&mut self) -> Result<Piece, SyntaxError> {
        self.next();
        let pieces = self.pieces(Context::Double, &['"'])?;
        if !self.take("\"") {
            return Err(self.unclosed("\""));
        }
        Ok(Piece::Double(pieces))
    }

    /// `$'...'`, with the quote still ahead.
    fn ansi_quoted(&mut self) -> Result<Piece, SyntaxError> {
        self.next();
        let start = self.at;
        loop {
            match self.next() {
                Some('\\') => drop(self.next()),
                Some('\'') => break,
                Some(_) => {}
                None => return Err(self.unclosed("$'")),
            }
        }
        let quoted = self.since(start).strip_suffix('\'').unwrap_or_default();
        Ok(Piece::Quoted(quote::unescape_ansi(quoted)))
    }

    pub(super) fn backquoted(&mut self) -> Result<Piece, SyntaxError> {
        self.next();
        let mut command = String::new();
        loop {
            match self.next() {
                Some('`') => return Ok(Piece::Command(command)),
                Some('\\') => match self.next() {
                    Some(next @ ('`' | '\\' | '$')) => command.push(next),
                    Some(next) => command.extend(['\\', next]),
                    None => {}
                },
                Some(next) => command.push(next),
                None => return Err(self.unclosed("`")),
            }
        }
    }

    /// `~name` at the start of a word.
    fn tilde(&mut self) -> Option<Piece> {
        let rest = self.rest().strip_prefix('~')?;
        let name = rest.split(['/', ':', '}']).next().unwrap_or_default();
        let plain = name.chars().all(|next| next.is_ascii_alphanumeric() || "._-+".contains(next));
        if !plain {
            return None;
        }
        self.at += 1 + name.len();
        Some(Piece::Tilde(name.to_owned()))
    }

    pub(super) fn dollar(&mut self, context: Context, text: &mut String) -> Result<Option<Piece>, SyntaxError> {
        let start = self.at;
        self.next();
        let piece = match self.peek() {
            Some('(') => {
                if self.take("((") {
                    if let Some(piece) = self.arithmetic("))")? {
                        return Ok(Some(piece));
                    }
                    self.at = start + 1;
                }
                self.next();
                Piece::Command(self.command()?.to_owned())
            }
            Some('[') => {
                self.next();
                self.arithmetic("]")?.ok_or_else(|| self.unclosed("$["))?
            }
            Some('{') => {
                self.next();
                self.braced(context)?
            }
            Some('\'') if context == Context::Plain => self.ansi_quoted()?,
            Some('"') if context == Context::Plain => self.double_quoted()?,
            Some(next) if next.is_ascii_digit() => {
                self.next();
                let index = next.to_digit(10).unwrap_or_default() as usize;
                plain_parameter(if index == 0 { Subject::Special('0') } else { Subject::Positional(index) })
            }
            Some(next) if "@*#?-$!".contains(next) => {
                self.next();
                plain_parameter(Subject::Special(next))
            }
            Some(next) if next.is_ascii_alphabetic() || next == '_' => {
                let name = self.take_while(|next| next.is_ascii_alphanumeric() || next == '_');
                plain_parameter(Subject::Variable(name.to_owned(), Subscript::None))
            }
            _ => {
                text.push('$');
                return Ok(None);
            }
        };
        Ok(Some(piece))
    }

    /// The inside of `$((` up to `close`; `None` if the parentheses close in another way, as in `$((a); b)`.
    fn arithmetic(&mut self, close: &str) -> Result<Option<Piece>, SyntaxError> {
        let start = self.at;
        let mut open = 0_usize;
        while let Some(next) = self.peek() {
            match next {
                '(' | '[' => open += 1,
                _ if open == 0 && self.rest().starts_with(close) => {
                    let pieces = Parser { text: self.since(start), at: 0, depth: self.depth };
                    let pieces = pieces.all(Context::Double)?;
                    self.take(close);
                    return Ok(Some(Piece::Arithmetic(pieces)));
                }
                ')' | ']' if open == 0 => return Ok(None),
                ')' | ']' => open -= 1,
                '$' | '`' | '"' | '\\' => {
                    self.skip()?;
                    continue;
                }
                _ => {}
            }
            self.next();
        }
        Ok(None)
    }

    /// The inside of `${`.
    fn braced(&mut self, context: Context) -> Result<Piece, SyntaxError> {
        let start = self.at;
        let double = context != Context::Plain;
        // `${#}` and `${#-...}` are about the count, `${#x}` is a length.
        let length = self.rest().starts_with('#')
            && self.rest().chars().nth(1).is_some_and(|next| next != '}' && !":-=+%#/".contains(next));
        if length {
            self.next();
        }
        let indirect = !length
            && self.rest().starts_with('!')
            && self.rest().chars().nth(1).is_some_and(|next| next.is_ascii_alphanumeric() || "_@*#".contains(next));
        if indirect {
            self.next();
        }
        let subject = self.subject().ok_or_else(|| self.bad_substitution(start))?;
        let mut parameter = Parameter { indirect, subject, operation: Operation::None };
        if length {
            parameter.operation = Operation::Length;
        } else {
            self.operation(&mut parameter, double, start)?;
        }
        if !self.take("}") {
            return Err(if self.peek().is_none() { self.unclosed("${") } else { self.bad_substitution(start) });
        }
        Ok(Piece::Parameter(Box::new(parameter)))
    }

    fn bad_substitution(&self, start: usize) -> SyntaxError {
        SyntaxError::new(format!("${{{}: bad substitution", self.text.get(start..).unwrap_or_default()))
    }

    fn subject(&mut self) -> Option<Subject> {
        let digits = self.take_while(|next| next.is_ascii_digit());
        if !digits.is_empty() {
            let index: usize = digits.parse().ok()?;
            return Some(if index == 0 { Subject::Special('0') } else { Subject::Positional(index) });
        }
        let name = self.take_while(|next| next.is_ascii_alphanumeric() || next == '_');
        if name.is_empty() {
            let special = self.peek().filter(|next| "@*#?-$!".contains(*next))?;
            self.next();
            return Some(Subject::Special(special));
        }
        let subscript = if self.take("[@]") {
            Subscript::All { join: false }
        } else if self.take("[*]") {
            Subscript::All { join: true }
        } else if self.take("[") {
            let pieces = self.pieces(Context::Plain, &[']']).ok()?;
            self.take("]").then_some(Subscript::Index(pieces))?
        } else {
            Subscript::None
        };
        Some(Subject::Variable(name.to_owned(), subscript))
    }

    fn operation(&mut self, parameter: &mut Parameter, double: bool, start: usize) -> Result<(), SyntaxError> {
        let word_context = if double { Context::WordInDouble } else { Context::Plain };
        let rest = self.rest();
        let mut characters = rest.chars();
        let (first, second) = (characters.next(), characters.next());
        parameter.operation = match (first, second) {
            (Some(':'), Some(kind @ ('-' | '=' | '?' | '+'))) => {
                self.at += 2;
                let word = self.alternative(word_context)?;
                Operation::Alternative { kind, colon: true, word }
            }
            (Some(kind @ ('-' | '=' | '?' | '+')), _) => {
                self.at += 1;
                let word = self.alternative(word_context)?;
                Operation::Alternative { kind, colon: false, word }
            }
            (Some(':'), _) => {
                self.at += 1;
                let offset = self.substring_part()?;
                let length = if self.take(":") { Some(self.substring_part()?) } else { None };
                Operation::Substring { offset, length }
            }
            (Some(kind @ ('#' | '%')), next) => {
                let longest = next == Some(kind);
                self.at += 1 + usize::from(longest);
                Operation::Remove { suffix: kind == '%', longest, pattern: self.pieces(Context::Plain, &['}'])? }
            }
            (Some('/'), next) => self.replace(next)?,
            (Some(kind @ ('^' | ',')), next) => {
                let all = next == Some(kind);
                self.at += 1 + usize::from(all);
                Operation::Case { upper: kind == '^', all, pattern: self.pieces(Context::Plain, &['}'])? }
            }
            (Some(kind @ ('@' | '*')), Some('}')) if parameter.indirect => {
                self.at += 1;
                parameter.indirect = false;
                Operation::Names { join: kind == '*' }
            }
            (Some('@'), Some(letter)) if letter.is_ascii_alphabetic() => {
                self.at += 2;
                Operation::Transform(letter)
            }
            (Some('}'), _) => {
                let keys = match &parameter.subject {
                    Subject::Variable(_, Subscript::All { join }) if parameter.indirect => Some(*join),
                    _ => None,
                };
                keys.map_or(Operation::None, |join| {
                    parameter.indirect = false;
                    Operation::Keys { join }
                })
            }
            (None, _) => return Err(self.unclosed("${")),
            _ => return Err(self.bad_substitution(start)),
        };
        Ok(())
    }

    fn alternative(&mut self, context: Context) -> Result<Vec<Piece>, SyntaxError> {
        let tilde = if context == Context::Plain { self.tilde() } else { None };
        let mut pieces: Vec<Piece> = tilde.into_iter().collect();
        pieces.extend(self.pieces(context, &['}'])?);
        Ok(pieces)
    }

    /// An offset or a length: an expression up to a colon that belongs to no `?`, or the brace.
    fn substring_part(&mut self) -> Result<Vec<Piece>, SyntaxError> {
        let start = self.at;
        let (mut open, mut questions) = (0_usize, 0_usize);
        while let Some(next) = self.peek() {
            match next {
                '}' => break,
                ':' if open == 0 && questions == 0 => break,
                ':' => questions = questions.saturating_sub(1),
                '?' => questions += 1,
                '(' | '[' => open += 1,
                ')' | ']' => open = open.saturating_sub(1),
                '$' | '`' | '"' | '\'' | '\\' => {
                    self.skip()?;
                    continue;
                }
                _ => {}
            }
            self.next();
        }
        Parser { text: self.since(start), at: 0, depth: self.depth }.all(Context::Double)
    }

    fn replace(&mut self, next: Option<char>) -> Result<Operation, SyntaxError> {
        let place = match next {
            Some('/') => Place::All,
            Some('#') => Place::Start,
            Some('%') => Place::End,
            _ => Place::First,
        };
        self.at += 1 + usize::from(place != Place::First);
        let start = self.at;
        let mut pattern = self.pieces(Context::Plain, &['/', '}'])?;
        if pattern.is_empty() && self.take("/") {
            // A slash right here is the pattern, if another one follows it.
            pattern = vec![Piece::Text("/".to_owned())];
            pattern.extend(self.pieces(Context::Plain, &['/', '}'])?);
            if self.peek() != Some('/') {
                self.at = start;
                pattern.clear();
            }
        }
        let replacement = if self.take("/") { self.pieces(Context::Plain, &['}'])? } else { Vec::new() };
        Ok(Operation::Replace { place, pattern, replacement })
    }
}

fn plain_parameter(subject: Subject) -> Piece {
    Piece::Parameter(Box::new(Parameter { indirect: false, subject, operation: Operation::None }))
}

fn push_text(pieces: &mut Vec<Piece>, text: &mut String) {
    if !text.is_empty() {
        pieces.push(Piece::Text(std::mem::take(text)));
    }
}
