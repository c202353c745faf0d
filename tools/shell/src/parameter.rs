//! Parameter expansion: `$x`, `${x:-word}` and all their kin.

use crate::error::{Flow, Run};
use crate::expand::{Origin, Part};
use crate::pattern::Pattern;
use crate::quote;
use crate::shell::Shell;
use crate::system::System;
use crate::variables::{Key, Value, Variable};
use crate::words::{self, Operation, Parameter, Piece, Place, Subject, Subscript, is_name};

/// The value of a parameter.
enum Found {
    Text(Option<String>),
    List { items: Vec<String>, join: bool },
}

impl<S: System> Shell<S> {
    /// Appends what a parameter expands to.
    pub(crate) fn parameter(&mut self, parameter: &Parameter, origin: Origin, parts: &mut Vec<Part>) -> Run<()> {
        match &parameter.operation {
            Operation::Alternative { kind, colon, word } => {
                return self.alternative(parameter, (*kind, *colon), word, origin, parts);
            }
            Operation::Keys { join } => {
                let keys = self.variable_of(&parameter.subject).map(Variable::keys).unwrap_or_default();
                self.push(Found::List { items: keys, join: *join }, origin, parts);
                return Ok(());
            }
            Operation::Names { join } => {
                let Subject::Variable(prefix, _) = &parameter.subject else { return Ok(()) };
                let names = self.state.variables.iter().map(|(name, _)| name);
                let items = names.filter(|name| name.starts_with(prefix)).cloned().collect();
                self.push(Found::List { items, join: *join }, origin, parts);
                return Ok(());
            }
            Operation::Length => {
                let length = self.length(&parameter.subject)?;
                self.push(Found::Text(Some(length.to_string())), origin, parts);
                return Ok(());
            }
            _ => {}
        }
        let subject = self.target(parameter)?;
        let found = self.find(&subject)?;
        if matches!(found, Found::Text(None)) && self.state.options.is_on("nounset") && !is_at(&subject) {
            return Err(self.unbound(&name_of(&subject)));
        }
        let found = match &parameter.operation {
            Operation::Substring { offset, length } => self.substring(&subject, found, offset, length.as_deref())?,
            Operation::Transform(letter) => self.transform(&subject, found, *letter)?,
            operation => self.each(found, operation)?,
        };
        self.push(found, origin, parts);
        Ok(())
    }

    /// The parameter that is meant, after one step of indirection.
    fn target(&mut self, parameter: &Parameter) -> Run<Subject> {
        if !parameter.indirect {
            return Ok(parameter.subject.clone());
        }
        let name = match self.find(&parameter.subject)? {
            Found::Text(Some(name)) => name,
            Found::List { items, .. } => items.join(" "),
            Found::Text(None) => String::new(),
        };
        match words::word(&format!("${{{name}}}")).ok().as_deref() {
            Some([Piece::Parameter(inner)]) if inner.operation == Operation::None && !name.is_empty() => {
                Ok(inner.subject.clone())
            }
            _ => {
                let shown = name_of(&parameter.subject);
                Err(Flow::Discard(self.fail(1, &format!("{shown}: invalid indirect expansion"))))
            }
        }
    }

    fn variable_of(&self, subject: &Subject) -> Option<&Variable> {
        match subject {
            Subject::Variable(name, _) => self.state.variables.get(name),
            _ => None,
        }
    }

    fn find(&mut self, subject: &Subject) -> Run<Found> {
        Ok(match subject {
            Subject::Positional(index) => Found::Text(self.state.positional.get(index - 1).cloned()),
            Subject::Special(special @ ('@' | '*')) => {
                Found::List { items: self.state.positional.clone(), join: *special == '*' }
            }
            Subject::Special(special) => Found::Text(self.special(*special)),
            Subject::Variable(name, Subscript::None) => Found::Text(self.variable_text(name)),
            Subject::Variable(name, Subscript::All { join }) => {
                let items = self.state.variables.get(name).map(Variable::elements).unwrap_or_default();
                Found::List { items, join: *join }
            }
            Subject::Variable(_, Subscript::Index(pieces)) => {
                let subscript = self.quoted_text(pieces)?;
                let associative =
                    matches!(self.variable_of(subject), Some(Variable { value: Value::Associative(_), .. }));
                let key = if associative { Key::Name(subscript) } else { Key::Index(self.arithmetic(&subscript)?) };
                Found::Text(self.variable_of(subject).and_then(|variable| variable.element(&key)).map(str::to_owned))
            }
        })
    }

    fn special(&self, special: char) -> Option<String> {
        match special {
            '#' => Some(self.state.positional.len().to_string()),
            '?' => Some(self.state.status.to_string()),
            '-' => Some(self.state.options.letters()),
            // There are no process numbers here; programs take it as part of the name of a temporary file.
            '$' => Some("2".to_owned()),
            '!' => self.state.last_background.map(|number| number.to_string()),
            '0' => Some(self.state.name.clone()),
            _ => None,
        }
    }

    /// The value of a variable by its name; a granted secret of that name gives its placeholder.
    pub(crate) fn variable_text(&self, name: &str) -> Option<String> {
        if let Some(variable) = self.state.variables.get(name) {
            return variable.text().map(str::to_owned);
        }
        match name {
            "RANDOM" => Some((self.instance() % 32_768).to_string()),
            "SRANDOM" => Some((self.instance() as u32).to_string()),
            "SECONDS" => Some(self.started.elapsed().as_secs().to_string()),
            "EPOCHSECONDS" => {
                let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?;
                Some(since.as_secs().to_string())
            }
            "UID" | "EUID" => Some("1000".to_owned()),
            "PPID" | "BASHPID" => Some("1".to_owned()),
            "LINENO" => Some("1".to_owned()),
            _ => self.system.placeholder(name),
        }
    }

    /// What `set -u` says of an unset parameter.
    pub(crate) fn unbound(&mut self, name: &str) -> Flow {
        self.abort(&format!("{name}: unbound variable"))
    }

    fn alternative(
        &mut self,
        parameter: &Parameter,
        (kind, colon): (char, bool),
        word: &[Piece],
        origin: Origin,
        parts: &mut Vec<Part>,
    ) -> Run<()> {
        let subject = self.target(parameter)?;
        let found = self.find(&subject)?;
        let set = match &found {
            Found::Text(text) => text.as_ref().is_some_and(|text| !colon || !text.is_empty()),
            Found::List { items, .. } => !(items.is_empty() || colon && items.concat().is_empty()),
        };
        let word_origin = if origin == Origin::Quoted { Origin::Quoted } else { Origin::Expanded };
        match kind {
            '+' if set => parts.extend(self.parts(word, word_origin)?),
            '+' => {}
            _ if set => self.push(found, origin, parts),
            '-' => parts.extend(self.parts(word, word_origin)?),
            '=' => {
                let value = self.pieces_text(word)?;
                match &subject {
                    Subject::Variable(name, Subscript::None) => self.assign_text(name, &value)?,
                    Subject::Variable(name, Subscript::Index(pieces)) => {
                        let subscript = self.quoted_text(pieces)?;
                        let value = crate::assign::Assigned::Text(value.clone());
                        let name = name.clone();
                        self.assign(&crate::assign::Assignment {
                            name,
                            subscript: Some(subscript),
                            append: false,
                            value,
                        })?;
                    }
                    other => {
                        let shown = name_of(other);
                        return Err(Flow::Discard(self.fail(1, &format!("${shown}: cannot assign in this way"))));
                    }
                }
                parts.push(Part::Text(value, word_origin));
            }
            _ => {
                let message = self.pieces_text(word)?;
                let default = if colon { "parameter null or not set" } else { "parameter not set" };
                let message = if message.is_empty() { default } else { &message };
                let shown = name_of(&subject);
                return Err(self.abort(&format!("{shown}: {message}")));
            }
        }
        Ok(())
    }

    fn length(&mut self, subject: &Subject) -> Run<usize> {
        let found = self.find(subject)?;
        Ok(match found {
            Found::List { items, .. } => items.len(),
            Found::Text(Some(text)) => text.chars().count(),
            Found::Text(None) if self.state.options.is_on("nounset") => return Err(self.unbound(&name_of(subject))),
            Found::Text(None) => 0,
        })
    }

    fn push(&self, found: Found, origin: Origin, parts: &mut Vec<Part>) {
        let quoted = origin == Origin::Quoted;
        let expanded = if quoted { Origin::Quoted } else { Origin::Expanded };
        match found {
            Found::Text(Some(text)) => parts.push(Part::Text(text, expanded)),
            Found::Text(None) if quoted => parts.push(Part::Text(String::new(), expanded)),
            Found::Text(None) => {}
            Found::List { items, join: true } if quoted => {
                let separators = self.state.variables.text("IFS").unwrap_or(" ");
                let separator = separators.chars().next().map(String::from).unwrap_or_default();
                parts.push(Part::Text(items.join(&separator), expanded));
            }
            Found::List { items, .. } => {
                for (index, item) in items.into_iter().enumerate() {
                    if index > 0 {
                        parts.push(Part::End);
                    }
                    parts.push(Part::Text(item, expanded));
                }
            }
        }
    }

    fn substring(&mut self, subject: &Subject, found: Found, offset: &[Piece], length: Option<&[Piece]>) -> Run<Found> {
        let offset = self.number(offset)?;
        let length = match length {
            Some(length) => Some(self.number(length)?),
            None => None,
        };
        Ok(match found {
            Found::Text(None) => Found::Text(None),
            Found::Text(Some(text)) => {
                let text: Vec<char> = text.chars().collect();
                let range = self.range(text.len(), offset, length, false)?;
                Found::Text(Some(text.get(range).unwrap_or_default().iter().collect()))
            }
            Found::List { items, join } => {
                // Of the positional parameters the first is `$0`; an offset into an array is an index.
                let items = match (subject, offset) {
                    (Subject::Special(_), 0..) if offset == 0 => {
                        [self.state.name.clone()].into_iter().chain(items).collect()
                    }
                    _ => items,
                };
                let shift = i64::from(matches!(subject, Subject::Special(_)) && offset > 0);
                let skipped = self.variable_of(subject).map(|variable| indices_before(variable, offset));
                let start = skipped.unwrap_or(offset - shift);
                let range = self.range(items.len(), start, length, true)?;
                Found::List { items: items.get(range).unwrap_or_default().to_vec(), join }
            }
        })
    }

    fn number(&mut self, pieces: &[Piece]) -> Run<i64> {
        let text = self.quoted_text(pieces)?;
        self.arithmetic(&text)
    }

    fn range(&mut self, count: usize, offset: i64, length: Option<i64>, list: bool) -> Run<std::ops::Range<usize>> {
        let count = count as i64;
        let start = if offset < 0 { offset + count } else { offset };
        if start < 0 || start > count {
            return Ok(0..0);
        }
        let end = match length {
            None => count,
            Some(length) if length >= 0 => count.min(start.saturating_add(length)),
            Some(length) if list || count + length < start => {
                return Err(Flow::Discard(self.fail(1, &format!("{length}: substring expression < 0"))));
            }
            Some(length) => count + length,
        };
        Ok(start as usize..end as usize)
    }

    /// Applies an operation to every item.
    fn each(&mut self, found: Found, operation: &Operation) -> Run<Found> {
        let change = match operation {
            Operation::Remove { suffix, longest, pattern } => {
                Change::Remove { suffix: *suffix, longest: *longest, pattern: self.pieces_pattern(pattern)? }
            }
            Operation::Replace { place, pattern, replacement } => Change::Replace {
                place: *place,
                pattern: self.pieces_pattern(pattern)?,
                replacement: self.pieces_text(replacement)?,
            },
            Operation::Case { upper, all, pattern } => {
                let pattern = if pattern.is_empty() { None } else { Some(self.pieces_pattern(pattern)?) };
                Change::Case { upper: *upper, all: *all, pattern }
            }
            _ => return Ok(found),
        };
        Ok(match found {
            Found::Text(text) => Found::Text(text.map(|text| change.apply(&text))),
            Found::List { items, join } => {
                Found::List { items: items.iter().map(|item| change.apply(item)).collect(), join }
            }
        })
    }

    /// `${x@Q}` and others.
    fn transform(&mut self, subject: &Subject, found: Found, letter: char) -> Run<Found> {
        if letter == 'a' || letter == 'A' {
            let name = name_of(subject);
            let Some(variable) = self.variable_of(subject) else { return Ok(Found::Text(None)) };
            let text = match letter {
                'a' => crate::builtins::attribute_letters(variable),
                _ => crate::builtins::declaration(&name, variable),
            };
            return Ok(Found::Text(Some(text)));
        }
        let change = |text: &str| -> Option<String> {
            Some(match letter {
                'Q' if text.chars().any(char::is_control) => quote::quote(text),
                'Q' => format!("'{}'", text.replace('\'', r"'\''")),
                'U' => text.to_uppercase(),
                'L' => text.to_lowercase(),
                'u' => Change::Case { upper: true, all: false, pattern: None }.apply(text),
                'E' => quote::unescape_ansi(text),
                _ => return None,
            })
        };
        if change("").is_none() {
            return Err(Flow::Discard(self.fail(1, &format!("the transformation @{letter} is not supported"))));
        }
        Ok(match found {
            Found::Text(text) => Found::Text(text.and_then(|text| change(&text))),
            Found::List { items, join } => {
                Found::List { items: items.iter().filter_map(|item| change(item)).collect(), join }
            }
        })
    }
}

/// An operation with its patterns expanded.
enum Change {
    Remove { suffix: bool, longest: bool, pattern: Pattern },
    Replace { place: Place, pattern: Pattern, replacement: String },
    Case { upper: bool, all: bool, pattern: Option<Pattern> },
}

impl Change {
    fn apply(&self, text: &str) -> String {
        let characters: Vec<char> = text.chars().collect();
        match self {
            Self::Remove { suffix: false, longest, pattern } => {
                let taken = pattern.prefix(&characters, *longest).unwrap_or(0);
                characters.iter().skip(taken).collect()
            }
            Self::Remove { suffix: true, longest, pattern } => {
                let taken = pattern.suffix(&characters, *longest).unwrap_or(0);
                characters.iter().take(characters.len() - taken).collect()
            }
            Self::Replace { place, pattern, replacement } => replace(text, &characters, *place, pattern, replacement),
            Self::Case { upper, all, pattern } => {
                let mut changed = String::with_capacity(text.len());
                for (index, next) in characters.iter().enumerate() {
                    let fits = (*all || index == 0)
                        && pattern.as_ref().is_none_or(|pattern| pattern.matches(&next.to_string()));
                    match (fits, upper) {
                        (true, true) => changed.extend(next.to_uppercase()),
                        (true, false) => changed.extend(next.to_lowercase()),
                        (false, _) => changed.push(*next),
                    }
                }
                changed
            }
        }
    }
}

fn replace(text: &str, characters: &[char], place: Place, pattern: &Pattern, replacement: &str) -> String {
    let literal = pattern.literal();
    match (place, literal) {
        (Place::First | Place::All, Some(literal)) if literal.is_empty() => return text.to_owned(),
        (Place::First, Some(literal)) => return text.replacen(&literal, replacement, 1),
        (Place::All, Some(literal)) => return text.replace(&literal, replacement),
        (Place::Start, _) => {
            let Some(taken) = pattern.prefix(characters, true) else { return text.to_owned() };
            return replacement.chars().chain(characters.iter().skip(taken).copied()).collect();
        }
        (Place::End, _) => {
            let Some(taken) = pattern.suffix(characters, true) else { return text.to_owned() };
            return characters.iter().take(characters.len() - taken).copied().chain(replacement.chars()).collect();
        }
        _ => {}
    }
    let mut changed = String::with_capacity(text.len());
    let mut at = 0;
    while at < characters.len() {
        match pattern.prefix(characters.get(at..).unwrap_or_default(), true).filter(|taken| *taken > 0) {
            Some(taken) => {
                changed.push_str(replacement);
                at += taken;
                if place == Place::First {
                    break;
                }
            }
            None => {
                changed.extend(characters.get(at));
                at += 1;
            }
        }
    }
    changed.extend(characters.iter().skip(at));
    changed
}

/// How many elements have an index below `offset`: `${x[@]:2}` starts at index 2 even in an array with gaps.
fn indices_before(variable: &Variable, offset: i64) -> i64 {
    match &variable.value {
        Value::Indexed(elements) if offset >= 0 => elements.range(..offset).count() as i64,
        _ => offset,
    }
}

fn is_at(subject: &Subject) -> bool {
    matches!(subject, Subject::Special('@' | '*') | Subject::Variable(_, Subscript::All { .. }))
}

fn name_of(subject: &Subject) -> String {
    match subject {
        Subject::Positional(index) => index.to_string(),
        Subject::Special(special) => special.to_string(),
        Subject::Variable(name, _) => {
            debug_assert!(is_name(name), "the parser takes nothing else");
            name.clone()
        }
    }
}
