//! The grammar of a `programs` grant: an argv prefix, compared word by word and byte by byte.

use crate::GrantError;
use crate::rules;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Most words of a grant.
const MAX_WORDS: usize = 16;
/// Most bytes of one word of a grant.
const MAX_WORD_BYTES: usize = 128;
/// Characters of a word besides ASCII letters and digits. None means anything to a shell, none looks like another.
const PUNCTUATION: &str = "._/+:@%=,-";

/// The first words of the commands that the owner allows, such as `git status`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProgramGrant {
    words: Vec<String>,
}

impl ProgramGrant {
    /// Reads the value of a `programs` grant.
    ///
    /// # Errors
    /// The text is no argv prefix, names a program that runs other programs, or lacks a subcommand it needs.
    pub fn parse(text: &str) -> Result<Self, GrantError> {
        let words: Vec<String> = text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        let foreign = |character: &char| {
            !(character.is_ascii_alphanumeric() || *character == ' ' || PUNCTUATION.contains(*character))
        };
        if let Some(character) = text.chars().find(foreign) {
            return Err(GrantError::Character { character });
        }
        let Some(name) = words.first() else { return Err(GrantError::Empty) };
        if words.len() > MAX_WORDS || words.iter().any(|word| word.len() > MAX_WORD_BYTES) {
            return Err(GrantError::TooLong { words: MAX_WORDS, bytes: MAX_WORD_BYTES });
        }
        if name.starts_with(['-', '.']) || name.contains(['/', '=', ':', '%', ',', '@']) {
            return Err(GrantError::Name(name.clone()));
        }
        rules::check_grant(&words)?;
        Ok(Self { words })
    }

    /// The name of the program, its first word.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.words[0]
    }

    /// All words.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Whether the grant covers this command: all its words, byte by byte, and whatever follows.
    #[must_use]
    pub fn covers(&self, argv: &[String]) -> bool {
        argv.starts_with(&self.words)
    }

    /// The grant that would cover a command, as `programs=...`.
    pub(crate) fn suggestion(argv: &[String]) -> String {
        let most = argv.len().min(2);
        (1..=most)
            .find_map(|count| Self::parse(&argv[..count].join(" ")).ok())
            .map_or_else(|| "programs=".to_owned(), |grant| format!("programs={grant}"))
    }
}

impl fmt::Display for ProgramGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words.join(" "))
    }
}

impl TryFrom<String> for ProgramGrant {
    type Error = GrantError;

    fn try_from(text: String) -> Result<Self, GrantError> {
        Self::parse(&text)
    }
}

impl From<ProgramGrant> for String {
    fn from(grant: ProgramGrant) -> Self {
        grant.to_string()
    }
}
