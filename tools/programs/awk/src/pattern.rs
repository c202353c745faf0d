//! The regular expressions of awk.

use chiton_posix_regex::{Dialect, Escapes, Syntax};
use regex::{Regex, RegexBuilder};

const AWK: Dialect = Dialect { syntax: Syntax::Awk, escapes: Some(Escapes::Awk), within_lines: false };

/// Compiles an expression.
///
/// # Errors
/// What is wrong with it.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    let translated = AWK.translate(pattern).map_err(|problem| format!("{problem}: /{pattern}/"))?;
    let regex = RegexBuilder::new(&translated.pattern).dot_matches_new_line(true).build();
    regex.map_err(|_| format!("invalid regular expression: /{pattern}/"))
}
