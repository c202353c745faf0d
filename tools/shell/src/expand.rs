//! Expansion: from words to the fields that a command gets.

use crate::arithmetic::{self, Names};
use crate::error::{Flow, Run, SyntaxError};
use crate::pattern::{Pattern, Quoted, characters, is_pattern};
use crate::shell::{Shell, Stream};
use crate::system::{OpenMode, System};
use crate::variables::Value;
use crate::words::{self, Piece};
use crate::{paths, syntax};
use brush_parser::ast;

/// Most bytes that a command substitution may give.
pub(crate) const LARGEST_SUBSTITUTION: usize = 8 << 20;

/// Most bytes that one word may expand to: a variable that doubles in a loop ends with a message, not with the memory.
const LARGEST_WORD: usize = 16 << 20;

/// How a part of an expanded word came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Written unquoted: its pattern characters count.
    Literal,
    /// Quoted: it stands for itself.
    Quoted,
    /// Unquoted expansion: it is split, and its pattern characters count.
    Expanded,
}

/// A part of an expanded word.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    Text(String, Origin),
    /// The end of a field, between the elements of `$@`.
    End,
}

impl Part {
    /// The memory that it takes.
    fn size(&self) -> usize {
        let Self::Text(text, _) = self else { return size_of::<Self>() };
        size_of::<Self>() + text.len()
    }
}

impl<S: System> Shell<S> {
    /// The fields of words: everything that is expanded before a command runs.
    pub(crate) fn fields<'a>(&mut self, words: impl Iterator<Item = &'a str>) -> Run<Vec<String>> {
        let mut fields = Vec::new();
        for word in words {
            let expanded = words::brace_expansion(word).map_err(|error| self.discard(&error))?;
            for word in expanded {
                self.word_fields(&word, &mut fields)?;
            }
        }
        Ok(fields)
    }

    fn word_fields(&mut self, word: &str, fields: &mut Vec<String>) -> Run<()> {
        let pieces = words::word(word).map_err(|error| self.discard(&error))?;
        let parts = self.parts(&pieces, Origin::Literal)?;
        let separators = self.state.variables.text("IFS").unwrap_or(" \t\n").to_owned();
        let extended = self.state.options.is_on("extglob");
        for field in split(parts, &separators) {
            if self.state.options.is_on("noglob") || !is_pattern(&field, extended) {
                fields.push(unquoted(&field));
                continue;
            }
            let found = paths::expand(&field, &self.state.directory, &self.state.options);
            if !found.is_empty() {
                fields.extend(found);
            } else if self.state.options.is_on("failglob") {
                return Err(Flow::Discard(self.fail(1, &format!("no match: {}", unquoted(&field)))));
            } else if !self.state.options.is_on("nullglob") {
                fields.push(unquoted(&field));
            }
        }
        Ok(())
    }

    /// A word as one text, neither split nor matched with paths.
    pub(crate) fn text(&mut self, word: &str) -> Run<String> {
        let pieces = words::word(word).map_err(|error| self.discard(&error))?;
        self.pieces_text(&pieces)
    }

    /// The value of an assignment, in which `~` counts after colons too.
    pub(crate) fn assigned_text(&mut self, word: &str) -> Run<String> {
        if !word.contains(":~") || word.contains(['"', '\'', '\\', '$', '`']) {
            return self.text(word);
        }
        let mut parts = Vec::new();
        for part in word.split(':') {
            parts.push(self.text(part)?);
        }
        Ok(parts.join(":"))
    }

    pub(crate) fn pieces_text(&mut self, pieces: &[Piece]) -> Run<String> {
        let parts = self.parts(pieces, Origin::Literal)?;
        Ok(joined(&parts))
    }

    /// Pieces as if they stood between double quotes.
    pub(crate) fn quoted_text(&mut self, pieces: &[Piece]) -> Run<String> {
        let parts = self.parts(pieces, Origin::Quoted)?;
        Ok(joined(&parts))
    }

    /// A word as a pattern, in which groups such as `@(a|b)` count.
    pub(crate) fn pattern(&mut self, word: &str) -> Run<Pattern> {
        let pieces = words::word(word).map_err(|error| self.discard(&error))?;
        self.pieces_pattern(&pieces)
    }

    pub(crate) fn pieces_pattern(&mut self, pieces: &[Piece]) -> Run<Pattern> {
        Ok(Pattern::new(&self.quoted_characters(pieces)?, true))
    }

    /// An expanded word with what is quoted in it.
    pub(crate) fn quoted_characters(&mut self, pieces: &[Piece]) -> Run<Quoted> {
        let mut text = Quoted::new();
        for part in self.parts(pieces, Origin::Literal)? {
            match part {
                Part::Text(part, origin) => text.extend(characters(&part, origin == Origin::Quoted)),
                Part::End => text.push((' ', true)),
            }
        }
        Ok(text)
    }

    /// The parts of pieces; plain text in them is of `origin`.
    pub(crate) fn parts(&mut self, pieces: &[Piece], origin: Origin) -> Run<Vec<Part>> {
        let mut parts = Vec::new();
        let (mut counted, mut size) = (0, 0);
        for piece in pieces {
            self.piece(piece, origin, &mut parts)?;
            size += parts.iter().skip(counted).map(Part::size).sum::<usize>();
            counted = parts.len();
            if size > LARGEST_WORD {
                let most = LARGEST_WORD >> 20;
                return Err(self.discard(&SyntaxError::new(format!("a word expands to more than {most} MiB"))));
            }
        }
        Ok(parts)
    }

    fn piece(&mut self, piece: &Piece, origin: Origin, parts: &mut Vec<Part>) -> Run<()> {
        let expanded = if origin == Origin::Quoted { Origin::Quoted } else { Origin::Expanded };
        match piece {
            Piece::Text(text) => parts.push(Part::Text(text.clone(), origin)),
            Piece::Quoted(text) => parts.push(Part::Text(text.clone(), Origin::Quoted)),
            Piece::Double(inner) => {
                let inside = self.parts(inner, Origin::Quoted)?;
                // `""` is a field, `"$@"` without parameters is none.
                if inside.is_empty() && !inner.iter().any(is_list) {
                    parts.push(Part::Text(String::new(), Origin::Quoted));
                }
                parts.extend(inside);
            }
            Piece::Tilde(name) => {
                let home = self.tilde(name);
                parts.push(Part::Text(home, Origin::Quoted));
            }
            Piece::Parameter(parameter) => self.parameter(parameter, origin, parts)?,
            Piece::Command(source) => {
                let output = self.substitute(source)?;
                parts.push(Part::Text(output, expanded));
            }
            Piece::Arithmetic(inner) => {
                let text = self.quoted_text(inner)?;
                let value = self.arithmetic_text(&text)?;
                parts.push(Part::Text(value.to_string(), expanded));
            }
        }
        Ok(())
    }

    fn tilde(&self, name: &str) -> String {
        let variable = match name {
            "" => "HOME",
            "+" => "PWD",
            "-" => "OLDPWD",
            _ => "",
        };
        self.state.variables.text(variable).map_or_else(|| format!("~{name}"), str::to_owned)
    }

    /// Evaluates an expression as written.
    pub(crate) fn arithmetic(&mut self, expression: &str) -> Run<i64> {
        if !expression.contains(['$', '`', '"', '\\', '\'']) {
            return self.arithmetic_text(expression);
        }
        let pieces = words::here_document(expression).map_err(|error| self.discard(&error))?;
        let text = self.quoted_text(&pieces)?;
        self.arithmetic_text(&text)
    }

    fn arithmetic_text(&mut self, text: &str) -> Run<i64> {
        let mut names = ShellNames { shell: self, flow: None };
        let value = arithmetic::evaluate(text, &mut names);
        match (value, names.flow.take()) {
            (_, Some(flow)) => Err(flow),
            (Ok(value), None) => Ok(value),
            (Err(error), None) => Err(self.discard(&error)),
        }
    }

    /// Writes why the rest of the line is dropped.
    pub(crate) fn discard(&mut self, error: &SyntaxError) -> Flow {
        Flow::Discard(self.fail(1, &error.to_string()))
    }

    /// The output of commands, without the newlines at its end.
    pub(crate) fn substitute(&mut self, source: &str) -> Run<String> {
        let program = syntax::program(source).map_err(|error| self.discard(&error))?;
        let capture = match self.system.capture(LARGEST_SUBSTITUTION) {
            Ok(capture) => capture,
            Err(error) => return Err(Flow::Discard(self.fail(1, &format!("command substitution: {error}")))),
        };
        let output = Stream::Output(capture.clone());
        let status = self.subshell(move |shell| {
            shell.state.streams.insert(1, output);
            if !shell.state.options.is_on("inherit_errexit") {
                shell.state.options.set("errexit", false);
            }
            match only_input(&program) {
                Some(path) => shell.copy_file(path),
                None => {
                    let mut status = 0;
                    for list in &program.complete_commands {
                        status = shell.list(list)?;
                    }
                    Ok(status)
                }
            }
        })?;
        self.substituted = Some(status);
        self.state.status = status;
        let bytes = match self.system.captured(capture) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.check()?;
                let limit = LARGEST_SUBSTITUTION >> 20;
                let message = format!("command substitution: {error} (at most {limit} MiB; write to a file instead)");
                return Err(Flow::Discard(self.fail(1, &message)));
            }
        };
        let mut text = String::from_utf8_lossy(&bytes).replace('\0', "");
        text.truncate(text.trim_end_matches('\n').len());
        Ok(text)
    }

    /// `$(< file)`
    fn copy_file(&mut self, path: &str) -> Run {
        let path = self.text(path)?;
        let absolute = self.absolute(&path);
        let input = match self.system.open_input(&absolute) {
            Ok(input) => input,
            Err(error) => return Ok(self.fail(1, &format!("{path}: {}", crate::redirect::reason(&error)))),
        };
        loop {
            match self.system.read(&input, 1 << 16) {
                Ok(bytes) if bytes.is_empty() => return Ok(0),
                Ok(bytes) => drop(self.print(&bytes)?),
                Err(error) => return Ok(self.fail(1, &format!("{path}: {}", crate::redirect::reason(&error)))),
            }
        }
    }

    /// `<(commands)` as an argument: the commands run to their end, and a file holds what they wrote.
    pub(crate) fn substitution_file(&mut self, commands: &ast::SubshellCommand) -> Run<String> {
        let Some(directory) = self.state.variables.text("TMPDIR").map(str::to_owned) else {
            let message = "<(...) needs a scratch directory (TMPDIR is not set); write to a file instead";
            return Err(Flow::Discard(self.fail(1, message)));
        };
        self.counter += 1;
        let path = format!("{}/substitution-{}-{}", directory.trim_end_matches('/'), self.instance(), self.counter);
        let output = match self.system.open_output(&path, OpenMode::Truncate) {
            Ok(output) => Stream::Output(output),
            Err(error) => {
                let message = format!("<(...): {path}: {}", crate::redirect::reason(&error));
                return Err(Flow::Discard(self.fail(1, &message)));
            }
        };
        self.temporary.push(path.clone());
        self.subshell(move |shell| {
            shell.state.streams.insert(1, output);
            shell.list(&commands.list)
        })?;
        Ok(path)
    }

    /// A number that no other shell of this call has.
    pub(crate) fn instance(&self) -> u64 {
        use std::hash::{BuildHasher, Hasher};
        std::collections::hash_map::RandomState::new().build_hasher().finish()
    }
}

/// The file of `< file`, if the program is nothing else.
fn only_input(program: &ast::Program) -> Option<&str> {
    let [list] = &program.complete_commands[..] else { return None };
    let [item] = &list.0[..] else { return None };
    let [ast::Command::Simple(command)] = &item.0.first.seq[..] else { return None };
    if !item.0.additional.is_empty() || command.word_or_name.is_some() || command.suffix.is_some() {
        return None;
    }
    match &command.prefix.as_ref()?.0[..] {
        [
            ast::CommandPrefixOrSuffixItem::IoRedirect(ast::IoRedirect::File(
                None,
                ast::IoFileRedirectKind::Read,
                ast::IoFileRedirectTarget::Filename(word),
            )),
        ] => Some(&word.value),
        _ => None,
    }
}

/// `$@` and `${x[@]}`, which may be no field at all.
fn is_list(piece: &Piece) -> bool {
    use words::{Subject, Subscript};
    let Piece::Parameter(parameter) = piece else { return false };
    matches!(parameter.subject, Subject::Special('@') | Subject::Variable(_, Subscript::All { join: false }))
        || matches!(&parameter.operation, words::Operation::Alternative { word, .. } if word.iter().any(|piece| matches!(piece, Piece::Double(inner) if inner.iter().any(is_list))))
}

fn joined(parts: &[Part]) -> String {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Text(part, _) => text.push_str(part),
            Part::End => text.push(' '),
        }
    }
    text
}

fn unquoted(field: &[(char, bool)]) -> String {
    field.iter().map(|(next, _)| *next).collect()
}

/// Splits what unquoted expansions gave at the characters of `IFS`.
fn split(parts: Vec<Part>, separators: &str) -> Vec<Quoted> {
    let mut fields = Vec::new();
    let mut field: Option<Quoted> = None;
    // The last field was ended by white space: one other separator may still belong to that end.
    let mut after_space = false;
    for part in parts {
        match part {
            Part::End => {
                fields.extend(field.take());
                after_space = false;
            }
            Part::Text(text, Origin::Expanded) => {
                for next in text.chars() {
                    if !separators.contains(next) {
                        field.get_or_insert_default().push((next, false));
                        after_space = false;
                    } else if " \t\n".contains(next) {
                        if let Some(ended) = field.take() {
                            fields.push(ended);
                            after_space = true;
                        }
                    } else if let Some(ended) = field.take() {
                        fields.push(ended);
                        after_space = false;
                    } else if !std::mem::take(&mut after_space) {
                        fields.push(Quoted::new());
                    }
                }
            }
            Part::Text(text, origin) => {
                field.get_or_insert_default().extend(characters(&text, origin == Origin::Quoted));
                after_space = false;
            }
        }
    }
    fields.extend(field);
    fields
}

/// The variables of a shell, for arithmetic.
struct ShellNames<'a, S: System> {
    shell: &'a mut Shell<S>,
    /// An end that came while a variable was looked up.
    flow: Option<Flow>,
}

impl<S: System> ShellNames<'_, S> {
    fn caught<T>(&mut self, run: Run<T>) -> Result<T, SyntaxError> {
        run.map_err(|flow| {
            self.flow = Some(flow);
            SyntaxError::new("")
        })
    }
}

impl<S: System> Names for ShellNames<'_, S> {
    fn get(&mut self, name: &str, subscript: Option<&str>) -> Result<String, SyntaxError> {
        let value = match subscript {
            Some(subscript) => {
                let key = self.shell.key(name, subscript);
                let key = self.caught(key)?;
                self.shell.state.variables.get(name).and_then(|variable| variable.element(&key)).map(str::to_owned)
            }
            None => self.shell.variable_text(name),
        };
        if value.is_none() && self.shell.state.options.is_on("nounset") {
            let flow = self.shell.unbound(name);
            return self.caught(Err(flow));
        }
        Ok(value.unwrap_or_default())
    }

    fn set(&mut self, name: &str, subscript: Option<&str>, value: i64) -> Result<(), SyntaxError> {
        let assignment = crate::assign::Assignment {
            name: name.to_owned(),
            subscript: subscript.map(str::to_owned),
            append: false,
            value: crate::assign::Assigned::Text(value.to_string()),
        };
        let outcome = self.shell.check_writable(name).and_then(|()| {
            // A plain number has no need of the attribute, which would evaluate it again.
            match (&assignment.subscript, &mut self.shell.state.variables.entry(name).value) {
                (None, text @ (Value::Unset | Value::Text(_))) => {
                    *text = Value::Text(value.to_string());
                    Ok(())
                }
                _ => self.shell.assign(&assignment),
            }
        });
        self.caught(outcome)
    }
}
