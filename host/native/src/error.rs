//! Why a program is not granted, not run, or was ended.

use crate::Wall;
use std::path::PathBuf;
use std::time::Duration;

/// Why a `programs` grant is refused. Its text goes to the owner who gives the grant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// No words.
    #[error("a programs grant is the first words of a command, such as `git status`")]
    Empty,
    /// More or longer words than any command needs.
    #[error("a programs grant has at most {words} words of {bytes} bytes each")]
    TooLong {
        /// Most words.
        words: usize,
        /// Most bytes of one word.
        bytes: usize,
    },
    /// A character that no grant may have.
    #[error(
        "`{}` cannot stand in a programs grant: no shell runs it, so only letters, digits and ._/+:@%=,- are allowed, \
         with single spaces between words", character.escape_default()
    )]
    Character {
        /// The character.
        character: char,
    },
    /// The first word is not the plain name of a program.
    #[error("`{0}` is not the name of a program; write the name alone, it is searched in the system's directories")]
    Name(String),
    /// The program runs whatever its arguments say.
    #[error("`{name}` cannot be granted: {reason}")]
    Wrapper {
        /// The program.
        name: String,
        /// What makes it unsafe.
        reason: &'static str,
    },
    /// The program does too many things for a grant of its name alone.
    #[error("`{name}` needs one of its subcommands in the grant: {}", allowed.join(", "))]
    Subcommand {
        /// The program.
        name: String,
        /// The subcommands that can be granted.
        allowed: Vec<&'static str>,
    },
    /// There is no such program.
    #[error("`{name}` is not in {}", searched.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "))]
    NotFound {
        /// The program.
        name: String,
        /// Where it was searched.
        searched: Vec<PathBuf>,
    },
    /// The file behind the name could be changed by others, or is no plain program.
    #[error("{} cannot be granted: {reason}", path.display())]
    Unsafe {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// Why a program was not run, or was ended.
#[derive(Debug, thiserror::Error)]
pub enum NativeError {
    /// A right is missing.
    #[error("{reason}; the missing grant is `{grant}`")]
    Denied {
        /// The grant that would allow it, as `KIND=VALUE`.
        grant: String,
        /// What was attempted, in words.
        reason: String,
    },
    /// Nothing that could be granted would allow it. A denial like the other, for the audit trail too.
    #[error("{0}")]
    Refused(String),
    /// This machine cannot give a wall that the owner requires.
    #[error("no native program runs on this machine: {wall} is missing ({reason}); see `chiton doctor`")]
    WallMissing {
        /// The wall.
        wall: Wall,
        /// Why it cannot be had.
        reason: String,
    },
    /// The deadline has passed; every process of the call was ended.
    #[error("the program was ended after {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// The caller cancelled; every process of the call was ended.
    #[error("the program was cancelled")]
    Cancelled,
    /// Anything else.
    #[error("the program did not run: {0}")]
    Failed(String),
}

impl NativeError {
    /// A refusal of a file or directory that lies outside the granted ones.
    pub(crate) fn files(path: &std::path::Path, access: &str, reason: String) -> Self {
        Self::Denied { grant: format!("files={}:{access}", path.display()), reason }
    }
}
