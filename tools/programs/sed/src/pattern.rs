//! POSIX regular expressions with GNU's additions, translated for the regex crate.

use fancy_regex::Regex;

/// Compiles an expression, basic or extended.
///
/// # Errors
/// What is wrong with it.
pub fn compile(pattern: &str, extended: bool, ignore_case: bool, lines: bool) -> Result<Regex, String> {
    let flags = format!("(?{}{})", if ignore_case { "i" } else { "" }, if lines { "m" } else { "s" });
    Regex::new(&format!("{flags}{}", translate(pattern, extended)?))
        .map_err(|_| format!("invalid regular expression `{pattern}'"))
}

fn translate(pattern: &str, extended: bool) -> Result<String, String> {
    let characters: Vec<char> = pattern.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    // At the beginning of the expression, a group or an alternative a repetition is a character, and `^` an anchor.
    let mut beginning = true;
    while let Some(&character) = characters.get(at) {
        at += 1;
        let was_beginning = std::mem::replace(&mut beginning, false);
        let escaped = character == '\\';
        let symbol = if escaped {
            let next = *characters.get(at).ok_or("trailing backslash")?;
            at += 1;
            next
        } else {
            character
        };
        match symbol {
            '[' if !escaped => {
                let (class, length) = bracket(&characters[at..]).ok_or("unterminated address regex or `[`")?;
                out.push_str(&class);
                at += length;
            }
            '.' if !escaped => out.push('.'),
            '*' if !escaped && was_beginning => {
                out.push_str("\\*");
            }
            '*' if !escaped => out.push('*'),
            '^' if !escaped && (extended || was_beginning) => {
                out.push('^');
                beginning = true;
            }
            '$' if !escaped && (extended || ends(&characters[at..])) => out.push('$'),
            // Operators: bare in extended expressions, behind a backslash in basic ones.
            '(' | ')' | '{' | '}' | '+' | '?' | '|' if extended != escaped => {
                beginning = matches!(symbol, '(' | '|');
                if was_beginning && matches!(symbol, '+' | '?' | '{') {
                    out.push('\\');
                }
                out.push(symbol);
            }
            _ if escaped => out.push_str(&escape(symbol, &characters, &mut at)),
            _ => out.push_str(&regex_escape(symbol)),
        }
    }
    Ok(out)
}

/// Whether a `$` with this behind it is an anchor in a basic expression.
fn ends(rest: &[char]) -> bool {
    rest.is_empty() || rest.starts_with(&['\\', ')']) || rest.starts_with(&['\\', '|'])
}

fn regex_escape(character: char) -> String {
    fancy_regex::escape(&character.to_string()).into_owned()
}

fn escape(symbol: char, characters: &[char], at: &mut usize) -> String {
    match symbol {
        '1'..='9' => format!("(?:\\{symbol})"),
        'n' | 't' | 'r' | 'f' | 'v' | 'a' | 'w' | 'W' | 's' | 'S' | 'b' | 'B' => format!("\\{symbol}"),
        '<' => "\\b(?=\\w)".to_owned(),
        '>' => "\\b(?<=\\w)".to_owned(),
        '`' => "\\A".to_owned(),
        '\'' => "\\z".to_owned(),
        'x' | 'o' | 'd' => match numbered(symbol, &characters[*at..]) {
            Some((character, length)) => {
                *at += length;
                regex_escape(character)
            }
            None => regex_escape(symbol),
        },
        _ => regex_escape(symbol),
    }
}

/// The character of `\x41`, `\o101` or `\d065`, behind its letter, and how many characters that takes.
pub fn numbered(letter: char, rest: &[char]) -> Option<(char, usize)> {
    let (base, most) = match letter {
        'x' => (16, 2),
        'o' => (8, 3),
        _ => (10, 3),
    };
    let digits: Vec<u32> = rest.iter().take(most).map_while(|digit| digit.to_digit(base)).collect();
    let code = digits.iter().fold(0, |sum, digit| sum * base + digit);
    if digits.is_empty() { None } else { char::from_u32(code).map(|character| (character, digits.len())) }
}

/// A bracket expression behind its `[`, and how many characters it takes.
fn bracket(rest: &[char]) -> Option<(String, usize)> {
    let mut class = String::from("[");
    let mut at = 0;
    if rest.first() == Some(&'^') {
        class.push('^');
        at = 1;
    }
    let first = at;
    loop {
        match (*rest.get(at)?, rest.get(at + 1)) {
            (']', _) if at > first => {
                class.push(']');
                return Some((class, at + 1));
            }
            ('[', Some(':')) => {
                let length = rest[at..].windows(2).position(|pair| pair == [':', ']'])?;
                class.extend(&rest[at..at + length + 2]);
                at += length + 2;
            }
            // GNU reads these three in brackets; any other backslash is one.
            ('\\', Some(letter @ ('n' | 't' | 'r'))) => {
                class.extend(['\\', *letter]);
                at += 2;
            }
            ('\\', Some(']')) if at == first => {
                class.push_str("\\\\");
                at += 1;
            }
            ('-', _) => {
                class.push_str(if at == first || rest.get(at + 1) == Some(&']') { "\\-" } else { "-" });
                at += 1;
            }
            (character, _) => {
                if character.is_alphanumeric() || character == ' ' {
                    class.push(character);
                } else {
                    class.push_str(&format!("\\x{{{:x}}}", u32::from(character)));
                }
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::compile;

    fn matches(pattern: &str, extended: bool, text: &str) -> bool {
        compile(pattern, extended, false, false).is_ok_and(|regex| regex.is_match(text).unwrap_or(false))
    }

    #[test]
    fn operators_are_bare_in_extended_expressions_only() {
        assert!(matches(r"^\(a\|b\)\{2\}$", false, "ab"));
        assert!(matches("^(a|b){2}$", true, "ab"));
        assert!(matches("a(b", false, "a(b"));
        assert!(matches(r"a\(b", true, "a(b"));
        assert!(matches("*a", false, "*a"));
        assert!(matches("a^b$c", false, "a^b$c"));
        assert!(matches(r"\(.\)\1", false, "oo"));
        assert!(matches(r"[]x]\.[^]]", false, "].a"));
        assert!(matches(r"\<a\+\>", false, "b aa c"));
    }
}
