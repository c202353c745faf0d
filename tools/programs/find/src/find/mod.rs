//! `find`: walks directories and evaluates an expression for every file. The language is that of GNU find, less what
//! a sandbox has no notion of (owners, modes, file systems, questions to the user).

mod action;
mod expression;
mod format;
mod pattern;
mod test;
mod walk;

use std::ffi::OsString;

use expression::{Expression, Options};

/// Why `find` cannot do what it was told; the text follows `find: `.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// A word that starts like a predicate and is none.
    #[error("unknown predicate `{0}'")]
    UnknownPredicate(String),
    /// A predicate at the end that wants a value.
    #[error("missing argument to `{0}'")]
    MissingArgument(String),
    /// A value that a predicate cannot read.
    #[error("invalid argument `{value}' to `{predicate}'")]
    InvalidArgument {
        /// The predicate, with its dash.
        predicate: String,
        /// What was given.
        value: String,
    },
    /// Parentheses, `!` or `-o` that do not fit together.
    #[error("invalid expression: {0}")]
    Structure(&'static str),
    /// What cannot be told inside the sandbox.
    #[error("{0} is not available here: files have no owners and no modes inside the sandbox")]
    Unavailable(String),
}

/// Runs `find` and gives its exit code: 1 when anything went wrong, though the walk went on.
pub fn run(arguments: Vec<OsString>) -> u8 {
    let words: Vec<String> = arguments.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    match expression::parse(&words) {
        Ok((options, roots, expression)) => search(&options, &roots, expression),
        Err(problem) => {
            eprintln!("find: {problem}");
            1
        }
    }
}

fn search(options: &Options, roots: &[String], mut expression: Expression) -> u8 {
    let mut walk = walk::Walk::new(options);
    for root in roots {
        if walk.visit_root(root, &mut expression).is_break() {
            break;
        }
    }
    let finished = expression.finish();
    walk.flush();
    if walk.failed || !finished { 1 } else { 0 }
}
