//! How the program ends: one table of exit codes, and the sentence that goes with them.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The exit codes. They are part of the interface: scripts depend on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Exit {
    /// Something failed that has no code of its own, such as a tool that could not do its work.
    Failure = 1,
    /// The command line, or the arguments for a tool, cannot be understood.
    Usage = 2,
    /// The configuration is wrong, or names no model where one is needed.
    Configuration = 3,
    /// A grant is missing, or the owner said no.
    Denied = 4,
    /// The model's provider cannot be reached or refused.
    Provider = 5,
    /// Another host holds this home.
    Held = 6,
    /// The home or its database cannot be used: damaged, locked, made by a newer version, disk full.
    State = 7,
    /// A component was refused: malformed, too large, wrong contract, a name that is taken.
    Refused = 8,
    /// A limit of time, memory or output ended the call.
    Limited = 9,
    /// What was named does not exist.
    NotFound = 10,
    /// Ended by Ctrl-C.
    Cancelled = 130,
}

/// The table of exit codes for `chiton --help`.
pub const TABLE: &str = "\
Exit codes:
    0  done
    1  failed
    2  the command line or the arguments of a tool are wrong
    3  the configuration is wrong, or no model is configured
    4  denied: a grant is missing
    5  the model's provider cannot be reached or refused
    6  another host holds this home
    7  the home or its database cannot be used
    8  a component was refused
    9  a limit ended the call
   10  what was named does not exist
  130  ended by Ctrl-C";

/// Why a command failed: one plain sentence with the cause and what to do, and the exit code.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// The sentence.
    pub message: String,
}

impl Failure {
    /// A failure with its sentence.
    pub fn new(exit: Exit, message: impl fmt::Display) -> Self {
        Self { exit, message: message.to_string() }
    }

    /// For `map_err`: makes a failure of this exit code from any error.
    pub fn because<E: fmt::Display>(exit: Exit) -> impl Fn(E) -> Self {
        move |error| Self::new(exit, error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Exit::Failure, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_every_code() {
        let codes = [
            Exit::Failure,
            Exit::Usage,
            Exit::Configuration,
            Exit::Denied,
            Exit::Provider,
            Exit::Held,
            Exit::State,
            Exit::Refused,
            Exit::Limited,
            Exit::NotFound,
            Exit::Cancelled,
        ];
        for code in codes {
            let number = format!("{:>5}  ", code as u8);
            assert!(TABLE.lines().any(|line| line.starts_with(&number)), "{code:?} is missing");
        }
    }
}
