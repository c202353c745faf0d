//! Colours, and text cut to fit.

use std::fmt;
use std::io::IsTerminal;
use std::sync::OnceLock;

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Headings, names.
    Bold,
    /// Emphasis.
    Italic,
    /// What matters less.
    Dim,
    /// Code.
    Code,
    /// It worked.
    Good,
    /// It did not.
    Bad,
    /// Look here.
    Notice,
}

impl Style {
    /// The terminal codes that switch this style on and off.
    pub fn codes(self) -> (&'static str, &'static str) {
        match self {
            Self::Bold => ("\x1b[1m", "\x1b[22m"),
            Self::Italic => ("\x1b[3m", "\x1b[23m"),
            Self::Dim => ("\x1b[2m", "\x1b[22m"),
            Self::Code => ("\x1b[36m", "\x1b[39m"),
            Self::Good => ("\x1b[32m", "\x1b[39m"),
            Self::Bad => ("\x1b[31m", "\x1b[39m"),
            Self::Notice => ("\x1b[33m", "\x1b[39m"),
        }
    }

    /// `text` in this style, where colours are wanted on both standard output and error.
    pub fn paint<T: fmt::Display>(self, text: T) -> String {
        match colours() {
            true => {
                let (on, off) = self.codes();
                format!("{on}{text}{off}")
            }
            false => text.to_string(),
        }
    }
}

/// Whether to colour: both outputs are terminals, NO_COLOR is not set and TERM is not dumb.
pub fn colours() -> bool {
    static COLOURS: OnceLock<bool> = OnceLock::new();
    *COLOURS.get_or_init(|| {
        let unset = |name| std::env::var_os(name).is_none_or(|value| value.is_empty());
        unset("NO_COLOR")
            && std::env::var_os("TERM").is_some_and(|term| term != "dumb")
            && std::io::stdout().is_terminal()
            && std::io::stderr().is_terminal()
    })
}

/// `text` on one line of at most `width` characters.
pub fn one_line(text: &str, width: usize) -> String {
    let flat: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match flat.char_indices().nth(width) {
        Some(_) => flat.chars().take(width.saturating_sub(1)).chain(['…']).collect(),
        None => flat,
    }
}

/// `text` in lines of at most `width` characters, broken between words where words allow it.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("unbreakable a", 4), ["unbreakable", "a"]);
    }

    #[test]
    fn a_long_text_becomes_one_short_line() {
        assert_eq!(one_line("a\nb   c", 10), "a b c");
        assert_eq!(one_line("abcdefgh", 5), "abcd…");
    }
}
