//! An index file: the list of skills of a publisher that runs no registry.

use std::collections::{BTreeMap, HashSet};

use chiton_sandbox::Digest;
use semver::Version;
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::source::is_skill_name;

/// The format that is read.
const FORMAT: u32 = 1;

/// A list of skills, as it was read.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    #[serde(rename = "format")]
    _format: u32,
    /// All skills and versions, also the withdrawn ones.
    pub skills: Vec<Entry>,
}

/// One version of a skill.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The skill's name.
    pub name: String,
    /// Its version.
    #[serde(deserialize_with = "version")]
    pub version: Version,
    /// What it does: a stranger's words, to be cleaned before they are shown.
    pub description: String,
    /// Where its archive is, from the index file on.
    pub url: String,
    /// The digest of its archive.
    pub sha256: Digest,
    /// Whether the publisher withdrew this version.
    #[serde(default)]
    pub yanked: bool,
}

#[derive(Deserialize)]
struct Format {
    format: u32,
}

fn version<'de, D: Deserializer<'de>>(from: D) -> Result<Version, D::Error> {
    Version::parse(&String::deserialize(from)?).map_err(D::Error::custom)
}

impl Index {
    /// Reads an index file, strictly.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let format: Format = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if format.format != FORMAT {
            return Err(format!(
                "its format is {}, and only {FORMAT} is known; a newer chiton may read it",
                format.format
            ));
        }
        let index: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let mut seen = HashSet::new();
        for Entry { name, version, .. } in &index.skills {
            if !is_skill_name(name) {
                return Err(format!("the name '{name}' is not made of a-z, 0-9 and -"));
            }
            if !seen.insert((name, version)) {
                return Err(format!("{name} {version} is in it twice"));
            }
        }
        Ok(index)
    }

    /// The newest version of each skill that has all words in its name or description, by name.
    pub fn search(&self, words: &[&str]) -> Vec<&Entry> {
        let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
        let mut newest: BTreeMap<&str, &Entry> = BTreeMap::new();
        for entry in self.skills.iter().filter(|entry| !entry.yanked) {
            let best = newest.entry(&entry.name).or_insert(entry);
            if rank(entry) > rank(best) {
                *best = entry;
            }
        }
        let matches = |entry: &&Entry| {
            let text = format!("{} {}", entry.name, entry.description).to_lowercase();
            words.iter().all(|word| text.contains(word))
        };
        newest.into_values().filter(matches).collect()
    }

    /// The version that is wanted, or the newest. A withdrawn one only where its digest was pinned before.
    pub(crate) fn choose(&self, name: &str, version: Option<&Version>, pinned: Option<Digest>) -> Option<&Entry> {
        let wanted = |entry: &&Entry| {
            entry.name == name
                && version.is_none_or(|version| *version == entry.version)
                && (!entry.yanked || pinned == Some(entry.sha256))
        };
        self.skills.iter().filter(wanted).max_by_key(|entry| rank(entry))
    }
}

/// Releases before pre-releases, then the higher version.
fn rank(entry: &Entry) -> (bool, &Version) {
    (entry.version.pre.is_empty(), &entry.version)
}
