//! Options of `set` and `shopt`.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Options of `set -o` that do something, with their letters.
pub(crate) const SET: [(char, &str); 8] = [
    ('e', "errexit"),
    ('u', "nounset"),
    ('x', "xtrace"),
    ('f', "noglob"),
    ('C', "noclobber"),
    ('a', "allexport"),
    ('n', "noexec"),
    ('\0', "pipefail"),
];

/// Options of `set -o` that change nothing here: no terminal, no jobs, no hashing.
pub(crate) const SET_IGNORED: [(char, &str); 8] = [
    ('h', "hashall"),
    ('m', "monitor"),
    ('b', "notify"),
    ('B', "braceexpand"),
    ('E', "errtrace"),
    ('T', "functrace"),
    ('\0', "posix"),
    ('v', "verbose"),
];

/// Options of `shopt` that do something.
pub(crate) const SHOPT: [&str; 7] =
    ["nullglob", "dotglob", "globstar", "extglob", "failglob", "nocasematch", "inherit_errexit"];

/// Options of `shopt` that change nothing here.
pub(crate) const SHOPT_IGNORED: [&str; 5] = ["expand_aliases", "lastpipe", "sourcepath", "checkwinsize", "cmdhist"];

/// The options that are on.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Options {
    on: BTreeSet<String>,
}

impl Options {
    pub(crate) fn is_on(&self, name: &str) -> bool {
        self.on.contains(name)
    }

    pub(crate) fn set(&mut self, name: &str, on: bool) {
        if on {
            self.on.insert(name.to_owned());
        } else {
            self.on.remove(name);
        }
    }

    /// The text of `$-`.
    pub(crate) fn letters(&self) -> String {
        SET.iter().filter(|(letter, name)| *letter != '\0' && self.is_on(name)).map(|(letter, _)| *letter).collect()
    }
}
