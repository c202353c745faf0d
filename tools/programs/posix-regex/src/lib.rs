//! POSIX regular expressions with what GNU adds to them, translated for crates `regex` and `fancy-regex`.
//!
//! ```
//! use chiton_posix_regex::{Dialect, Syntax};
//! let grep = Dialect { syntax: Syntax::Basic, escapes: None, within_lines: true };
//! assert_eq!(grep.translate(r"\<a(\+").unwrap().pattern, r"\b{start}a\(+");
//! ```
//!
//! Everywhere, as GNU has it: `\w \W \s \S \b \B \< \> \` \'`, `+ ? |` in basic expressions, a repetition of a repetition.
//! One difference stays: alternatives are tried from left to right, where POSIX takes the longest match. Whether `.`
//! takes a newline and whether `^` and `$` are at lines is for the flags of the engine.

mod bracket;
mod escapes;
mod reader;
#[cfg(test)]
mod tests;

pub use escapes::Escapes;
use reader::Reader;

/// How groups, repetitions and anchors are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Syntax {
    /// `\(`, `\)`, `\{`, `\}`, `\|`, `\+` and `\?` are operators; `^` and `$` are anchors at the ends only: `grep`, `sed`.
    Basic,
    /// Operators are bare, anchors are anywhere, and what makes no sense is an error: `sed -E`.
    Extended,
    /// Extended, but a repetition of nothing is left out, and `{` or `)` without sense is itself: `grep -E`.
    Egrep,
    /// Extended, but what makes no sense is itself, a backslash escapes in brackets, and nothing refers back: `awk`.
    Awk,
    /// `\(`, `\)`, `\|`, `+` and `?` are operators, anchors are as in basic, and there are no intervals: `find`.
    Emacs,
}

impl Syntax {
    /// The characters that are operators when bare, and those that are behind a backslash.
    fn operators(self) -> (&'static str, &'static str) {
        match self {
            Self::Basic => ("*", "(){|+?"),
            Self::Extended | Self::Egrep | Self::Awk => ("*+?(){|", ""),
            Self::Emacs => ("*+?", "()|"),
        }
    }

    fn anchors_anywhere(self) -> bool {
        matches!(self, Self::Extended | Self::Egrep | Self::Awk)
    }
}

/// How a program reads its expressions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dialect {
    /// Which language.
    pub syntax: Syntax,
    /// Which escapes stand for characters, in brackets too.
    pub escapes: Option<Escapes>,
    /// A negated bracket expression never takes a newline.
    pub within_lines: bool,
}

/// An expression in the syntax of crates `regex` and `fancy-regex`.
#[derive(PartialEq, Eq, Debug)]
pub struct Translated {
    /// The expression.
    pub pattern: String,
    /// It refers back to a group, which only `fancy-regex` can do.
    pub refers_back: bool,
}

impl Dialect {
    /// Translates an expression.
    ///
    /// # Errors
    /// What is wrong with it, in the words of GNU.
    pub fn translate(self, pattern: &str) -> Result<Translated, &'static str> {
        let mut reader = Reader::new(self, pattern);
        reader.read()?;
        Ok(Translated { pattern: reader.out, refers_back: reader.refers_back })
    }

    /// The bracket expression behind a `[`, which shell patterns have too, and how many bytes it takes.
    #[must_use]
    pub fn bracket(self, rest: &str) -> Option<(String, usize)> {
        let mut reader = Reader::new(self, rest);
        reader.bracket().ok()?;
        Some((reader.out, rest.len() - reader.rest.as_str().len()))
    }
}
