//! The skills of the owner: folders with a `SKILL.md` in the home, for which tools such as exec can act.

use crate::builtin::BuiltIn;
use crate::programs;
use crate::rows::Rows;
use crate::settings::Settings;
use chiton_agent::SkillSettings;
use chiton_sandbox::Sandbox;
use std::path::PathBuf;

/// What makes a folder a skill.
pub const DESCRIPTION: &str = "SKILL.md";

/// The names and folders of all skills, sorted by name.
pub fn folders(settings: &Settings) -> Vec<(String, PathBuf)> {
    let entries = std::fs::read_dir(settings.home.skills()).into_iter().flatten().flatten();
    let mut all: Vec<_> = entries
        // A link could lead to a place that tools may write to.
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter(|entry| entry.path().join(DESCRIPTION).is_file())
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())))
        .filter(|(name, _)| is_name(name) && BuiltIn::named(name).is_none())
        .collect();
    all.sort();
    all
}

/// What the agent tells the model of skills.
pub fn settings(settings: &Settings) -> SkillSettings {
    let built_in = BuiltIn::programs().flat_map(|program| program.names).map(|name| (*name).to_owned());
    let added = programs::added(settings).into_iter().filter_map(|(_, added)| added.ok());
    SkillSettings {
        disabled: settings.config.agents.defaults.disabled_skills.iter().cloned().collect(),
        programs: built_in.chain(added.flat_map(|added| added.names)).collect(),
        secrets: settings.config.secrets.keys().cloned().collect(),
    }
}

/// Makes exactly the skills that are there known to the sandbox.
pub fn publish(sandbox: &Sandbox, settings: &Settings, rows: &Rows) {
    let given = |(name, folder): (String, PathBuf)| {
        let grants = rows.grants(&name);
        (name, folder, grants)
    };
    sandbox.set_skills(folders(settings).into_iter().map(given).collect());
}

/// Whether a component or a skill can have this name.
pub fn is_name(name: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    (1..=64).contains(&name.len()) && name.chars().all(plain)
}
