//! Patterns of `-name`, `-path` and `-regex`, translated for the regex crate.

use regex::{Regex, RegexBuilder};

/// Which language `-regex` is written in.
#[derive(Clone, Copy, PartialEq)]
pub enum Syntax {
    /// GNU find's own: `\(`, `\)`, `\|` are operators, `+` and `?` too.
    Emacs,
    /// As in `grep`: `\(`, `\)`, `\{`, `\}`, `\|`, `\+`, `\?` are operators.
    Basic,
    /// As in `grep -E`.
    Extended,
}

impl Syntax {
    /// By the name that `-regextype` takes.
    pub fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "emacs" | "findutils-default" => Self::Emacs,
            "posix-basic" | "ed" | "grep" | "sed" => Self::Basic,
            "posix-extended" | "egrep" | "posix-egrep" | "awk" | "gnu-awk" | "posix-awk" => Self::Extended,
            _ => return None,
        })
    }

    /// The characters that are operators only behind a backslash.
    fn escaped_operators(self) -> &'static str {
        match self {
            Self::Emacs => "()|",
            Self::Basic => "(){}|+?",
            Self::Extended => "",
        }
    }

    /// The characters that are plain without a backslash.
    fn plain(self) -> &'static str {
        match self {
            Self::Emacs => "(){}|",
            Self::Basic => "(){}|+?",
            Self::Extended => "",
        }
    }
}

/// A shell pattern over a whole name or path. As in fnmatch(3) without flags, `*` and `?` match `/` and a leading dot.
pub fn glob(pattern: &str, ignore_case: bool) -> Option<Regex> {
    let mut regex = String::new();
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '\\' => regex.push_str(&regex::escape(&characters.next().unwrap_or('\\').to_string())),
            '[' => {
                let rest: String = characters.clone().collect();
                match bracket(&rest) {
                    Some((class, length)) => {
                        regex.push_str(&class);
                        characters.nth(length - 1);
                    }
                    None => regex.push_str("\\["),
                }
            }
            _ => regex.push_str(&regex::escape(&character.to_string())),
        }
    }
    whole(&regex, ignore_case)
}

/// A regular expression over the whole path.
pub fn regex(pattern: &str, syntax: Syntax, ignore_case: bool) -> Option<Regex> {
    let mut regex = String::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(next) if syntax.escaped_operators().contains(next) => regex.push(next),
                Some(next) if next.is_ascii_alphanumeric() => regex.extend(['\\', next]),
                Some(next) => regex.push_str(&regex::escape(&next.to_string())),
                None => return None,
            },
            '[' => {
                let (class, length) = bracket(characters.as_str())?;
                regex.push_str(&class);
                characters.nth(length - 1);
            }
            _ if syntax.plain().contains(character) => regex.extend(['\\', character]),
            _ => regex.push(character),
        }
    }
    whole(&regex, ignore_case)
}

/// The bracket expression that begins behind `[`, for the regex crate, and how many characters of the rest it takes.
fn bracket(rest: &str) -> Option<(String, usize)> {
    let characters: Vec<char> = rest.chars().collect();
    let mut class = String::from("[");
    let mut at = 0;
    if matches!(characters.first(), Some('!' | '^')) {
        class.push('^');
        at = 1;
    }
    let first = at;
    loop {
        match (*characters.get(at)?, characters.get(at + 1)) {
            (']', _) if at > first => {
                class.push(']');
                return Some((class, at + 1));
            }
            ('[', Some(':')) => {
                let length = characters[at..].windows(2).position(|pair| pair == [':', ']'])?;
                class.extend(&characters[at..at + length + 2]);
                at += length + 2;
            }
            ('-', _) => {
                class.push('-');
                at += 1;
            }
            (character, _) => {
                class.push_str(&regex::escape(&character.to_string()));
                at += 1;
            }
        }
    }
}

fn whole(regex: &str, ignore_case: bool) -> Option<Regex> {
    RegexBuilder::new(&format!("^(?:{regex})$")).case_insensitive(ignore_case).dot_matches_new_line(true).build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_matches_whole_names_and_knows_classes() {
        let matches = |pattern, name| glob(pattern, false).is_some_and(|glob| glob.is_match(name));
        assert!(matches("*.rs", "main.rs"));
        assert!(!matches("*.rs", "main.rs.orig"));
        assert!(matches("[!a-c]?.[[:digit:]]", "zz.7"));
        assert!(!matches("[!a-c]?.[[:digit:]]", "az.7"));
        assert!(matches("\\*", "*"));
        assert!(matches("a[", "a["));
        assert!(matches("{a,b}", "{a,b}"));
    }

    #[test]
    fn a_regex_is_read_in_the_chosen_syntax() {
        let matches = |pattern, syntax, path| regex(pattern, syntax, false).is_some_and(|regex| regex.is_match(path));
        assert!(matches(r".*/\(a\|b\)\.rs", Syntax::Emacs, "./a.rs"));
        assert!(matches(r".*/(a|b)\.rs", Syntax::Extended, "./b.rs"));
        assert!(!matches(r".*/(a|b)\.rs", Syntax::Emacs, "./b.rs"));
        assert!(matches(r"x\{2\}+", Syntax::Basic, "xx+"));
    }
}
