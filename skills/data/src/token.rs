//! The words and signs of a query.

/// A word, a sign or a constant, and where it ends and begins in the query.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A keyword or a name.
    Word(String),
    /// A name in double quotes or backticks.
    Name(String),
    /// A text in single quotes.
    Text(String),
    Number(String),
    Sign(&'static str),
}

/// Signs, the longer before those that they begin with.
const SIGNS: [&str; 18] =
    ["<>", "<=", ">=", "!=", "==", "||", "<", ">", "=", "+", "-", "*", "/", "%", "(", ")", ",", "."];

/// The tokens of a query. What is wrong is told with its beginning.
pub(crate) fn read(query: &str) -> Result<Vec<Token>, String> {
    let (mut tokens, mut at) = (Vec::new(), 0);
    while let Some(first) = query[at..].chars().next() {
        let rest = &query[at..];
        let start = at;
        let kind = match first {
            _ if first.is_whitespace() => {
                at += first.len_utf8();
                continue;
            }
            '-' if rest.starts_with("--") => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            '\'' | '"' | '`' => {
                let (text, length) = quoted(rest, first)?;
                at += length;
                if first == '\'' { Kind::Text(text) } else { Kind::Name(text) }
            }
            _ if first.is_ascii_digit() => {
                let length = rest.find(|other: char| !other.is_ascii_digit() && other != '.').unwrap_or(rest.len());
                at += length;
                Kind::Number(rest[..length].to_owned())
            }
            _ if first.is_alphabetic() || first == '_' => {
                let length = rest.find(|other: char| !other.is_alphanumeric() && other != '_').unwrap_or(rest.len());
                at += length;
                Kind::Word(rest[..length].to_owned())
            }
            ';' if rest[1..].trim().is_empty() => break,
            _ => {
                let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
                let sign = sign.ok_or_else(|| format!("'{first}' has no meaning in a query"))?;
                at += sign.len();
                Kind::Sign(sign)
            }
        };
        tokens.push(Token { kind, start, end: at });
    }
    Ok(tokens)
}

/// A text between two `mark`s, which it holds itself where they are doubled, and its length with the marks.
fn quoted(rest: &str, mark: char) -> Result<(String, usize), String> {
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        match characters.peek() {
            _ if character != mark => text.push(character),
            Some((_, next)) if *next == mark => {
                text.push(mark);
                characters.next();
            }
            _ => return Ok((text, at + mark.len_utf8())),
        }
    }
    Err(format!("the {mark} before {text:.20} has no end"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_doubled_inside_and_comments_are_left_out() {
        let kinds: Vec<Kind> =
            read("a -- all\n<= 'it''s' \"x y\" 1.5;").unwrap().into_iter().map(|token| token.kind).collect();
        let expected = [
            Kind::Word("a".into()),
            Kind::Sign("<="),
            Kind::Text("it's".into()),
            Kind::Name("x y".into()),
            Kind::Number("1.5".into()),
        ];
        assert_eq!(kinds, expected);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        assert_eq!(read("select 'ab").unwrap_err(), "the ' before ab has no end");
        assert_eq!(read("a ? b").unwrap_err(), "'?' has no meaning in a query");
        assert!(read("select 1; drop").is_err());
    }
}
