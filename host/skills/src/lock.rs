//! The lock file: which skills are there, in which version, from where.

use crate::manifest::Name;
use crate::{Version, inert};
use chiton_sandbox::Digest;
use serde::{Deserialize, Serialize};

/// All skills that were installed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// By name.
    #[serde(default)]
    pub skills: Vec<Locked>,
}

/// One skill that was installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// Its name.
    pub name: Name,
    /// Its version, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// Where it came from, as `chiton skill add` takes it.
    pub source: String,
    /// The digest of its files.
    pub digest: Digest,
    /// The publisher's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// A lock file that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the lock file cannot be read: {0}; mend it, or remove it and add the skills anew")]
pub struct LockError(String);

impl Lock {
    /// Reads a lock file.
    ///
    /// # Errors
    /// When it breaks a rule or names a skill twice.
    pub fn parse(text: &str) -> Result<Self, LockError> {
        let mut lock: Self = toml::from_str(text).map_err(|error| LockError(inert::brief(&error.to_string(), 300)))?;
        lock.skills.sort_by(|one, other| one.name.cmp(&other.name));
        match lock.skills.windows(2).find(|pair| pair[0].name == pair[1].name) {
            Some(pair) => Err(LockError(format!("the skill '{}' is there twice", pair[0].name))),
            None => Ok(lock),
        }
    }

    /// Its text, which reads back to the same.
    ///
    /// # Errors
    /// When a value has no form in TOML.
    pub fn to_text(&self) -> Result<String, LockError> {
        toml::to_string(self).map_err(|error| LockError(error.to_string()))
    }
}
