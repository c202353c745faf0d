//! Patterns of `-name`, `-path` and `-regex`, translated for the regex crate.

use chiton_posix_regex::{Dialect, Syntax};
use regex::{Regex, RegexBuilder};

/// The language of `-regex` by the name that `-regextype` takes.
pub fn syntax(name: &str) -> Option<Syntax> {
    Some(match name {
        "emacs" | "findutils-default" => Syntax::Emacs,
        "posix-basic" | "posix-minimal-basic" | "ed" | "grep" | "sed" => Syntax::Basic,
        "posix-extended" | "posix-awk" => Syntax::Extended,
        "egrep" | "posix-egrep" => Syntax::Egrep,
        "awk" | "gnu-awk" => Syntax::Awk,
        _ => return None,
    })
}

/// A shell pattern over a whole name or path. As in fnmatch(3) without flags, `*` and `?` match `/` and a leading dot.
pub fn glob(pattern: &str, ignore_case: bool) -> Option<Regex> {
    let mut regex = String::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '\\' => regex.push_str(&regex::escape(&characters.next().unwrap_or('\\').to_string())),
            '[' => {
                let rest = characters.as_str();
                let bracket = rest.strip_prefix('!').map_or_else(|| rest.to_owned(), |rest| format!("^{rest}"));
                // In a shell pattern too a backslash escapes.
                match dialect(Syntax::Awk).bracket(&bracket) {
                    Some((class, length)) => {
                        regex.push_str(&class);
                        characters = rest[length..].chars();
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
    whole(&dialect(syntax).translate(pattern).ok()?.pattern, ignore_case)
}

fn dialect(syntax: Syntax) -> Dialect {
    Dialect { syntax, escapes: None, within_lines: false }
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
