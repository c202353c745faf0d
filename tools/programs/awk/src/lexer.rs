//! The words of an awk program.

use chiton_posix_regex::Escapes;

/// A word.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// A number.
    Number(f64),
    /// A string, its escapes resolved.
    Text(String),
    /// A regular expression between slashes, as written.
    Regex(String),
    /// A variable or array.
    Name(String),
    /// A name with `(` right behind it: a call of a function of the program.
    Call(String),
    /// A function of the language.
    Builtin(&'static str),
    /// A keyword.
    Word(&'static str),
    /// An operator or bracket.
    Sign(&'static str),
    /// The end of a line.
    Newline,
    /// The end of the program.
    End,
}

const WORDS: &[&str] = &[
    "BEGIN", "END", "function", "func", "if", "else", "while", "for", "do", "break", "continue", "next", "nextfile",
    "exit", "return", "delete", "in", "getline", "print", "printf",
];

/// The functions of the language.
const BUILTINS: &[&str] = &[
    "length", "substr", "index", "split", "sub", "gsub", "gensub", "match", "sprintf", "sin", "cos", "atan2", "exp",
    "log", "sqrt", "int", "rand", "srand", "tolower", "toupper", "system", "close", "fflush", "strftime", "systime",
    "mktime", "asort", "asorti", "and", "or", "xor", "lshift", "rshift", "compl", "strtonum",
];

/// Longer signs come before their own beginnings.
const SIGNS: &[&str] = &[
    "**=", "&&", "||", "++", "--", "+=", "-=", "*=", "/=", "%=", "^=", "**", "==", "<=", ">=", "!=", "!~", ">>", "{",
    "}", "(", ")", "[", "]", ";", ",", "+", "-", "*", "/", "%", "^", "!", ">", "<", "|", "?", ":", "~", "$", "=",
];

/// Splits a program into words, each with the line it is on.
///
/// # Errors
/// What cannot be read, and on which line.
pub fn words(program: &str) -> Result<Vec<(Token, usize)>, String> {
    let mut tokens: Vec<(Token, usize)> = Vec::new();
    let mut rest = program;
    let mut line = 1;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r']);
        if let Some(after) = rest.strip_prefix("\\\n").or_else(|| rest.strip_prefix("\\\r\n")) {
            line += 1;
            rest = after;
            continue;
        }
        let Some(first) = rest.chars().next() else { break };
        if first == '#' {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
            continue;
        }
        let before = tokens.last().map(|(token, _)| token);
        let (token, length) = match first {
            '\n' => (Token::Newline, 1),
            '"' => text(rest).ok_or_else(|| format!("line {line}: unterminated string"))?,
            '/' if !ends_operand(before) => {
                regex(rest).ok_or_else(|| format!("line {line}: unterminated regular expression"))?
            }
            '0'..='9' => number(rest),
            '.' if rest[1..].starts_with(|next: char| next.is_ascii_digit()) => number(rest),
            'a'..='z' | 'A'..='Z' | '_' => name(rest),
            _ => {
                let sign = SIGNS
                    .iter()
                    .find(|sign| rest.starts_with(**sign))
                    .ok_or_else(|| format!("line {line}: unexpected `{first}`"))?;
                (Token::Sign(sign), sign.len())
            }
        };
        let taken = &rest[..length];
        tokens.push((token, line));
        line += taken.matches('\n').count();
        rest = &rest[length..];
    }
    tokens.push((Token::Newline, line));
    tokens.push((Token::End, line));
    Ok(tokens)
}

/// Whether a slash behind this is a division.
fn ends_operand(token: Option<&Token>) -> bool {
    match token {
        Some(Token::Number(_) | Token::Text(_) | Token::Regex(_) | Token::Name(_) | Token::Builtin(_)) => true,
        Some(Token::Sign(sign)) => matches!(*sign, ")" | "]" | "$" | "++" | "--"),
        _ => false,
    }
}

fn name(rest: &str) -> (Token, usize) {
    let length = rest.find(|next: char| !next.is_ascii_alphanumeric() && next != '_').unwrap_or(rest.len());
    let name = &rest[..length];
    let token = if let Some(word) = WORDS.iter().find(|word| **word == name) {
        Token::Word(if *word == "func" { "function" } else { word })
    } else if let Some(builtin) = BUILTINS.iter().find(|builtin| **builtin == name) {
        Token::Builtin(builtin)
    } else if rest[length..].starts_with('(') {
        Token::Call(name.to_owned())
    } else {
        Token::Name(name.to_owned())
    };
    (token, length)
}

fn number(rest: &str) -> (Token, usize) {
    if let Some(digits) = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")) {
        let length = digits.find(|next: char| !next.is_ascii_hexdigit()).unwrap_or(digits.len());
        if length > 0 {
            return (
                Token::Number(
                    digits[..length]
                        .chars()
                        .fold(0.0, |sum, digit| sum * 16.0 + f64::from(digit.to_digit(16).unwrap_or(0))),
                ),
                length + 2,
            );
        }
    }
    let length = crate::value::number_length(rest);
    (Token::Number(rest[..length].parse().unwrap_or(0.0)), length)
}

fn text(rest: &str) -> Option<(Token, usize)> {
    let mut at = 1;
    loop {
        match rest.as_bytes().get(at)? {
            b'"' => return Some((Token::Text(unescape(&rest[1..at])), at + 1)),
            b'\\' => at += 2,
            b'\n' => return None,
            _ => at += 1,
        }
    }
}

/// Up to the slash that is neither behind a backslash nor inside brackets.
fn regex(rest: &str) -> Option<(Token, usize)> {
    let bytes = rest.as_bytes();
    let (mut at, mut bracket) = (1, None);
    loop {
        match (*bytes.get(at)?, bracket) {
            (b'\n', _) => return None,
            (b'\\', _) => at += 1,
            (b'[', None) => {
                // A `]` that comes first is a character of the set.
                let first = at + 1 + usize::from(bytes.get(at + 1) == Some(&b'^'));
                bracket = Some(first);
            }
            (b']', Some(first)) if at > first => bracket = None,
            (b'/', None) => return Some((Token::Regex(rest[1..at].replace("\\/", "/")), at + 1)),
            _ => {}
        }
        at += 1;
    }
}

/// Resolves the escapes of a string. One that is not known keeps its backslash, for regular expressions.
pub fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        if let Some(escaped) = Escapes::Awk.take(&mut characters) {
            out.push(escaped);
            continue;
        }
        match characters.next() {
            Some('\n') => {}
            Some(same @ ('"' | '\\' | '/')) => out.push(same),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}
