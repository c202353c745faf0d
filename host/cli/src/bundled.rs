//! The skills that are part of the program, to be added without a network. None is active until the owner approves it.

use crate::builtin::unpacked;
use std::collections::BTreeMap;

include!(concat!(env!("OUT_DIR"), "/skills.rs"));

/// A skill that is part of the program.
pub struct Bundled {
    /// Its name.
    pub name: &'static str,
    /// What it does, in one line.
    pub description: &'static str,
    /// Each file, and where its bytes are among all that is packed: offset and size. They lie one after the other.
    files: &'static [(&'static str, (usize, usize))],
}

/// All of them, by name.
pub fn all() -> &'static [Bundled] {
    SKILLS
}

/// The skill of this name.
pub fn named(name: &str) -> Option<&'static Bundled> {
    SKILLS.iter().find(|skill| skill.name == name)
}

impl Bundled {
    /// Its files by their path in the skill's folder: what a person would put there, and the built component.
    pub fn files(&self) -> std::io::Result<BTreeMap<String, Vec<u8>>> {
        let begin = self.files.first().map_or(0, |(_, (offset, _))| *offset);
        let mut bytes = unpacked(begin, self.files.iter().map(|(_, (_, size))| size).sum())?;
        let files = self.files.iter().map(|(name, (_, size))| {
            let rest = bytes.split_off(*size);
            ((*name).to_owned(), std::mem::replace(&mut bytes, rest))
        });
        Ok(files.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_skill_brings_what_its_manifest_names_and_no_source() {
        for skill in all() {
            let files = skill.files().unwrap();
            assert!(files["SKILL.md"].starts_with(format!("---\nname: {}\n", skill.name).as_bytes()), "{}", skill.name);
            assert!(!skill.description.is_empty() && skill.description.len() <= 200, "{}", skill.name);
            assert!(!files.keys().any(|file| file.starts_with("src/") || file == "Cargo.toml"), "{}", skill.name);
            let Some(manifest) = files.get("skill.toml") else { continue };
            let manifest: toml::Table = std::str::from_utf8(manifest).unwrap().parse().unwrap();
            let code = manifest.get("component").or(manifest.get("script")).unwrap().as_str().unwrap();
            assert!(!files[code].is_empty(), "{}", skill.name);
            assert_eq!(code.ends_with(".wasm"), files[code].starts_with(b"\0asm"), "{}", skill.name);
        }
    }

    #[test]
    fn a_skill_is_found_by_its_name_only() {
        assert_eq!(named("weather").unwrap().name, "weather");
        assert!(named("Weather").is_none() && named("").is_none());
    }
}
