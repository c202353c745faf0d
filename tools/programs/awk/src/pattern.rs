//! POSIX extended regular expressions, translated for the regex crate.

use regex::Regex;

/// Compiles an expression of awk.
///
/// # Errors
/// What is wrong with it.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    Regex::new(&format!("(?s){}", translate(pattern))).map_err(|_| format!("invalid regular expression: /{pattern}/"))
}

fn translate(pattern: &str) -> String {
    let characters: Vec<char> = pattern.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while let Some(&character) = characters.get(at) {
        at += 1;
        match character {
            '\\' => {
                let next = characters.get(at).copied();
                at += 1;
                match next {
                    Some('y') => out.push_str("\\b"),
                    Some('<') => out.push_str("\\b{start}"),
                    Some('>') => out.push_str("\\b{end}"),
                    Some('`') => out.push_str("\\A"),
                    Some('\'') => out.push_str("\\z"),
                    // Classes and boundaries that both languages have, and characters.
                    Some(same @ ('B' | 's' | 'S' | 'w' | 'W' | 'n' | 't' | 'r' | 'f' | 'v' | 'a')) => {
                        out.extend(['\\', same])
                    }
                    Some(other) => out.push_str(&regex::escape(&other.to_string())),
                    None => out.push_str("\\\\"),
                }
            }
            '[' => match bracket(&characters[at..]) {
                Some((class, length)) => {
                    out.push_str(&class);
                    at += length;
                }
                None => out.push_str("\\["),
            },
            '{' if !is_interval(&characters[at..]) => out.push_str("\\{"),
            // Nothing before it to repeat.
            '*' | '+' | '?' if out.is_empty() || out.ends_with('(') && !out.ends_with("\\(") => {
                out.extend(['\\', character])
            }
            _ => out.push(character),
        }
    }
    out
}

fn is_interval(rest: &[char]) -> bool {
    let length = rest.iter().position(|next| *next == '}').unwrap_or(0);
    length > 0 && rest[0].is_ascii_digit() && rest[..length].iter().all(|next| next.is_ascii_digit() || *next == ',')
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
            ('\\', Some(next)) => {
                class.push_str(&match next {
                    'n' | 't' | 'r' | 'f' | 'v' | 'a' | 's' | 'S' | 'w' | 'W' | 'd' => format!("\\{next}"),
                    other => regex::escape(&other.to_string()),
                });
                at += 2;
            }
            ('-', _) => {
                // At either end it is a character.
                class.push_str(if at == first || rest.get(at + 1) == Some(&']') { "\\-" } else { "-" });
                at += 1;
            }
            (character, _) => {
                class.push_str(&regex::escape(&character.to_string()));
                at += 1;
            }
        }
    }
}
