//! `[[ ... ]]` and `test`.

use crate::error::{Flow, MISUSE, Run};
use crate::shell::Shell;
use crate::system::System;
use crate::variables::{Value, Variable};
use brush_parser::ast::{BinaryPredicate, ExtendedTestExpr, UnaryPredicate, Word};
use std::fs::Metadata;

impl<S: System> Shell<S> {
    /// `[[ ... ]]`
    pub(crate) fn extended_test(&mut self, test: &ExtendedTestExpr) -> Run<bool> {
        Ok(match test {
            ExtendedTestExpr::And(left, right) => self.extended_test(left)? && self.extended_test(right)?,
            ExtendedTestExpr::Or(left, right) => self.extended_test(left)? || self.extended_test(right)?,
            ExtendedTestExpr::Not(inner) => !self.extended_test(inner)?,
            ExtendedTestExpr::Parenthesized(inner) => self.extended_test(inner)?,
            ExtendedTestExpr::UnaryTest(predicate, word) => {
                let operand = self.text(&word.value)?;
                self.unary(unary_letter(predicate), &operand)?
            }
            ExtendedTestExpr::BinaryTest(predicate, left, right) => self.extended_binary(predicate, left, right)?,
        })
    }

    fn extended_binary(&mut self, predicate: &BinaryPredicate, left: &Word, right: &Word) -> Run<bool> {
        let text = self.text(&left.value)?;
        match predicate {
            BinaryPredicate::StringExactlyMatchesPattern => self.matches_pattern(&text, &right.value),
            BinaryPredicate::StringDoesNotExactlyMatchPattern => Ok(!self.matches_pattern(&text, &right.value)?),
            BinaryPredicate::StringMatchesRegex | BinaryPredicate::StringContainsSubstring => {
                self.matches_regex(&text, &right.value)
            }
            other => {
                let operator = binary_operator(other);
                let right = self.text(&right.value)?;
                if operator.starts_with('-') && operator.len() == 3 && !["-ef", "-nt", "-ot"].contains(&operator) {
                    // Unlike `test`, this takes expressions.
                    let (left, right) = (self.arithmetic(&text)?, self.arithmetic(&right)?);
                    return Ok(compare(operator, left, right));
                }
                Ok(self.binary(&text, operator, &right).unwrap_or(false))
            }
        }
    }

    fn matches_pattern(&mut self, text: &str, pattern: &str) -> Run<bool> {
        if self.state.options.is_on("nocasematch") {
            return Ok(self.pattern(&pattern.to_lowercase())?.matches(&text.to_lowercase()));
        }
        Ok(self.pattern(pattern)?.matches(text))
    }

    /// `=~`: what is quoted in the expression stands for itself; `BASH_REMATCH` gets the groups.
    fn matches_regex(&mut self, text: &str, expression: &str) -> Run<bool> {
        let pieces = crate::words::word(expression).map_err(|error| self.discard(&error))?;
        let mut source = String::new();
        for (next, quoted) in self.quoted_characters(&pieces)? {
            if quoted && regex_syntax_character(next) {
                source.push('\\');
            }
            source.push(next);
        }
        let mut builder = regex_lite::RegexBuilder::new(&source);
        builder.case_insensitive(self.state.options.is_on("nocasematch")).dot_matches_new_line(true);
        let regex = match builder.build() {
            Ok(regex) => regex,
            Err(error) => {
                let message = format!("[[: {source}: not a regular expression here: {error}");
                return Err(Flow::Discard(self.fail(MISUSE, &message)));
            }
        };
        let groups = regex.captures(text);
        let matched = groups.is_some();
        let elements = groups
            .map(|groups| groups.iter().map(|group| group.map_or("", |group| group.as_str()).to_owned()).collect());
        self.assign_list("BASH_REMATCH", elements.unwrap_or_default())?;
        Ok(matched)
    }

    /// A test of one operand, by its letter.
    fn unary(&mut self, letter: char, operand: &str) -> Run<bool> {
        let metadata = || std::fs::metadata(self.absolute(operand)).ok().filter(|_| !operand.is_empty());
        let is = |test: fn(&Metadata) -> bool| metadata().is_some_and(|metadata| test(&metadata));
        Ok(match letter {
            'n' => !operand.is_empty(),
            'z' => operand.is_empty(),
            'a' | 'e' => is(|_| true),
            'f' => is(Metadata::is_file),
            'd' => is(Metadata::is_dir),
            's' => is(|metadata| metadata.len() > 0),
            'h' | 'L' => std::fs::symlink_metadata(self.absolute(operand)).is_ok_and(|metadata| metadata.is_symlink()),
            // Nothing has modes or owners here: what can be seen can be read, and the host refuses what may not be written.
            'r' | 'w' | 'O' | 'G' => is(|_| true),
            'x' => is(|metadata| metadata.is_dir() || executable(metadata)),
            'N' => is(|_| true),
            // Neither devices nor terminals can be reached, and no file has an owner's rights.
            'b' | 'c' | 'p' | 'S' | 't' | 'g' | 'k' | 'u' | 'R' => false,
            'o' => self.state.options.is_on(operand),
            'v' => self.is_set(operand)?,
            _ => false,
        })
    }

    fn is_set(&mut self, name: &str) -> Run<bool> {
        if let Some((base, subscript)) = name.strip_suffix(']').and_then(|target| target.split_once('[')) {
            let key = self.key(base, subscript)?;
            return Ok(self.state.variables.get(base).is_some_and(|variable| variable.element(&key).is_some()));
        }
        if let Ok(index) = name.parse::<usize>() {
            return Ok(index <= self.state.positional.len());
        }
        let set = |variable: &Variable| variable.value != Value::Unset && variable.text().is_some();
        Ok(self.state.variables.get(name).is_some_and(set))
    }

    /// A test of two operands; `None` if there is no such operator or an operand is no number.
    fn binary(&self, left: &str, operator: &str, right: &str) -> Option<bool> {
        let metadata = |path: &str| std::fs::metadata(self.absolute(path)).ok();
        let modified = |path: &str| metadata(path).and_then(|metadata| metadata.modified().ok());
        Some(match operator {
            "=" | "==" => left == right,
            "!=" => left != right,
            "<" => left < right,
            ">" => left > right,
            "-nt" => modified(left).is_some() && modified(left) > modified(right),
            "-ot" => modified(right).is_some() && modified(left) < modified(right),
            "-ef" => {
                let real = |path: &str| std::fs::canonicalize(self.absolute(path)).ok();
                metadata(left).is_some() && real(left) == real(right)
            }
            "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge" => {
                compare(operator, left.trim().parse().ok()?, right.trim().parse().ok()?)
            }
            _ => return None,
        })
    }
}

#[cfg(unix)]
fn executable(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn executable(_: &Metadata) -> bool {
    true
}

fn compare(operator: &str, left: i64, right: i64) -> bool {
    match operator {
        "-eq" => left == right,
        "-ne" => left != right,
        "-lt" => left < right,
        "-le" => left <= right,
        "-gt" => left > right,
        _ => left >= right,
    }
}

fn regex_syntax_character(next: char) -> bool {
    "\\.+*?()|[]{}^$#&-~/".contains(next)
}

fn unary_letter(predicate: &UnaryPredicate) -> char {
    use UnaryPredicate as P;
    match predicate {
        P::FileExists => 'e',
        P::FileExistsAndIsBlockSpecialFile => 'b',
        P::FileExistsAndIsCharSpecialFile => 'c',
        P::FileExistsAndIsDir => 'd',
        P::FileExistsAndIsRegularFile => 'f',
        P::FileExistsAndIsSetgid => 'g',
        P::FileExistsAndIsSymlink => 'h',
        P::FileExistsAndHasStickyBit => 'k',
        P::FileExistsAndIsFifo => 'p',
        P::FileExistsAndIsReadable => 'r',
        P::FileExistsAndIsNotZeroLength => 's',
        P::FdIsOpenTerminal => 't',
        P::FileExistsAndIsSetuid => 'u',
        P::FileExistsAndIsWritable => 'w',
        P::FileExistsAndIsExecutable => 'x',
        P::FileExistsAndOwnedByEffectiveGroupId => 'G',
        P::FileExistsAndModifiedSinceLastRead => 'N',
        P::FileExistsAndOwnedByEffectiveUserId => 'O',
        P::FileExistsAndIsSocket => 'S',
        P::ShellOptionEnabled => 'o',
        P::ShellVariableIsSetAndAssigned => 'v',
        P::ShellVariableIsSetAndNameRef => 'R',
        P::StringHasZeroLength => 'z',
        P::StringHasNonZeroLength => 'n',
    }
}

fn binary_operator(predicate: &BinaryPredicate) -> &'static str {
    use BinaryPredicate as P;
    match predicate {
        P::FilesReferToSameDeviceAndInodeNumbers => "-ef",
        P::LeftFileIsNewerOrExistsWhenRightDoesNot => "-nt",
        P::LeftFileIsOlderOrDoesNotExistWhenRightDoes => "-ot",
        P::LeftSortsBeforeRight => "<",
        P::LeftSortsAfterRight => ">",
        P::ArithmeticEqualTo => "-eq",
        P::ArithmeticNotEqualTo => "-ne",
        P::ArithmeticLessThan => "-lt",
        P::ArithmeticLessThanOrEqualTo => "-le",
        P::ArithmeticGreaterThan => "-gt",
        P::ArithmeticGreaterThanOrEqualTo => "-ge",
        P::StringDoesNotExactlyMatchPattern | P::StringDoesNotExactlyMatchString => "!=",
        P::StringExactlyMatchesPattern
        | P::StringExactlyMatchesString
        | P::StringMatchesRegex
        | P::StringContainsSubstring => "=",
    }
}

/// `test` and `[`
pub(crate) fn test<S: System>(shell: &mut Shell<S>, words: &[String]) -> Run {
    let mut operands: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    let name = words.first().map_or("test", String::as_str);
    if name == "[" && operands.pop() != Some("]") {
        return shell.misuse("[", "missing `]'");
    }
    let mut reader = TestReader { shell, operands: &operands, at: 0 };
    match reader.whole() {
        Ok(Ok(holds)) => Ok(u8::from(!holds)),
        Ok(Err(message)) => shell.misuse(name, &message),
        Err(flow) => Err(flow),
    }
}

/// Reads the operands of `test` by the rules of POSIX, which go by their number, and else as an expression.
struct TestReader<'a, S: System> {
    shell: &'a mut Shell<S>,
    operands: &'a [&'a str],
    at: usize,
}

type Answer = Run<Result<bool, String>>;

impl<S: System> TestReader<'_, S> {
    fn whole(&mut self) -> Answer {
        match *self.operands {
            [] => Ok(Ok(false)),
            [one] => Ok(Ok(!one.is_empty())),
            ["!", one] => Ok(Ok(one.is_empty())),
            [operator, operand] => self.single(operator, operand),
            [left, operator, right] if is_binary(operator) => self.double(left, operator, right),
            ["!", operator, operand] => Ok(self.single(operator, operand)?.map(|holds| !holds)),
            ["(", one, ")"] => Ok(Ok(!one.is_empty())),
            ["!", left, operator, right] if is_binary(operator) => {
                Ok(self.double(left, operator, right)?.map(|holds| !holds))
            }
            _ => {
                let holds = self.or()?;
                Ok(match self.operands.get(self.at) {
                    Some(extra) if holds.is_ok() => Err(format!("{extra}: unexpected operator or too many arguments")),
                    _ => holds,
                })
            }
        }
    }

    fn single(&mut self, operator: &str, operand: &str) -> Answer {
        match operator.strip_prefix('-').map(|letter| letter.chars().collect::<Vec<_>>()).as_deref() {
            Some([letter]) if "abcdefghknoprstuvwxzGLNORS".contains(*letter) => {
                Ok(Ok(self.shell.unary(*letter, operand)?))
            }
            _ => Ok(Err(format!("{operator}: unary operator expected"))),
        }
    }

    fn double(&mut self, left: &str, operator: &str, right: &str) -> Answer {
        match operator {
            "-a" => return Ok(Ok(!left.is_empty() && !right.is_empty())),
            "-o" => return Ok(Ok(!left.is_empty() || !right.is_empty())),
            _ => {}
        }
        Ok(self.shell.binary(left, operator, right).ok_or_else(|| {
            let wrong = if left.trim().parse::<i64>().is_err() { left } else { right };
            format!("{wrong}: integer expression expected")
        }))
    }

    fn or(&mut self) -> Answer {
        let mut holds = self.and()?;
        while holds.is_ok() && self.operands.get(self.at) == Some(&"-o") {
            self.at += 1;
            let right = self.and()?;
            holds = holds.and_then(|left| right.map(|right| left || right));
        }
        Ok(holds)
    }

    fn and(&mut self) -> Answer {
        let mut holds = self.primary()?;
        while holds.is_ok() && self.operands.get(self.at) == Some(&"-a") {
            self.at += 1;
            let right = self.primary()?;
            holds = holds.and_then(|left| right.map(|right| left && right));
        }
        Ok(holds)
    }

    fn primary(&mut self) -> Answer {
        let rest = self.operands.get(self.at..).unwrap_or_default();
        match *rest {
            ["!", ..] => {
                self.at += 1;
                Ok(self.primary()?.map(|holds| !holds))
            }
            [left, operator, right, ..] if is_binary(operator) && !["-a", "-o"].contains(&operator) => {
                self.at += 3;
                self.double(left, operator, right)
            }
            ["(", ..] => {
                self.at += 1;
                let holds = self.or()?;
                if self.operands.get(self.at) != Some(&")") {
                    return Ok(Err("`)' expected".to_owned()));
                }
                self.at += 1;
                Ok(holds)
            }
            [operator, operand, ..] if operator.starts_with('-') && operator.len() == 2 => {
                self.at += 2;
                self.single(operator, operand)
            }
            [one, ..] => {
                self.at += 1;
                Ok(Ok(!one.is_empty()))
            }
            [] => Ok(Err("argument expected".to_owned())),
        }
    }
}

fn is_binary(operator: &str) -> bool {
    const OPERATORS: [&str; 16] =
        ["=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef", "-a", "-o"];
    OPERATORS.contains(&operator)
}
