//! What the owner is asked about a version of a skill: words that the host works out, permissions first.
//!
//! Whatever comes from the skill itself is escaped and stands behind a mark, so that nothing in it can be taken for a
//! word of the host (AGT-10, CMP-11).

use crate::rows;
use crate::settings::Settings;
use crate::skills;
use chiton_sandbox::{Component, Digest, Limits};
use chiton_skills::needs::{Needs, Refused};
use chiton_skills::{Package, inert, words};
use chiton_store::{SkillRow, SkillState};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

/// Most characters of a tool's description here; `chiton tool show` shows it whole.
const DESCRIPTION: usize = 160;
/// Most lines of what is refused.
const REFUSED: usize = 40;

/// A version of a skill, for the owner to decide on.
#[derive(Debug, Serialize, Deserialize)]
pub struct Dialog {
    /// The skill's name.
    pub name: String,
    /// The version that it states, or nothing.
    pub version: String,
    /// What names it while it waits, for people to type.
    pub number: String,
    /// Digest of all its files; an approval holds for exactly these.
    pub digest: String,
    /// Where it came from.
    pub source: String,
    /// The key it is signed with.
    pub signed_by: Option<String>,
    /// What became of it.
    pub state: SkillState,
    /// The version that runs, if one does.
    pub runs: Option<String>,
    /// What it asks for.
    pub asked: Vec<Asked>,
    /// Its tools.
    pub tools: Vec<Tool>,
    /// What is different from the version that runs.
    pub changes: Vec<String>,
    /// What it tells people to do, which is not done.
    pub refused: Vec<String>,
    /// What the owner should know.
    pub warnings: Vec<String>,
}

/// One right that is asked for.
#[derive(Debug, Serialize, Deserialize)]
pub struct Asked {
    /// The grant as it is written.
    pub grant: String,
    /// The same as a sentence.
    pub words: String,
    /// Whether the version that runs does not have it.
    pub new: bool,
}

/// One tool.
#[derive(Debug, Serialize, Deserialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it says of itself.
    pub description: String,
    /// What its calls may do.
    pub effects: Vec<String>,
}

impl Dialog {
    /// What can be said of a package alone.
    pub fn of(settings: &Settings, package: &Package, component: Option<&Component>, source: &str) -> Self {
        let needs = Needs::of(package);
        let asked = asked(package).into_iter();
        let tools = component.map(Component::tools).unwrap_or_default().iter().map(|tool| Tool {
            name: tool.name.clone(),
            description: inert::line(&tool.description),
            effects: tool.effects.names().map(str::to_owned).collect(),
        });
        Self {
            name: package.name().to_owned(),
            version: package.manifest().map(|manifest| manifest.version.to_string()).unwrap_or_default(),
            number: String::new(),
            digest: package.digest().to_string(),
            source: inert::line(source),
            signed_by: None,
            state: SkillState::Waiting,
            runs: None,
            asked: asked.map(|grant| Asked { words: words(&grant), new: false, grant }).collect(),
            tools: tools.collect(),
            changes: Vec::new(),
            refused: refusals(&needs.refused),
            warnings: warnings(settings, package, &needs),
        }
    }

    /// The name with the version.
    pub fn title(&self) -> String {
        match self.version.as_str() {
            "" => self.name.clone(),
            version => format!("{} {version}", self.name),
        }
    }

    /// The whole question, in lines.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let signed = match &self.signed_by {
            Some(key) => format!("signed with the key {key}"),
            None => "not signed".to_owned(),
        };
        let runs = self.runs.as_ref().map(|runs| format!(", in place of {runs}")).unwrap_or_default();
        let _ = writeln!(text, "The skill {}{runs}, from {}, {signed}.", self.title(), self.source);
        match self.asked.is_empty() {
            true => text.push_str("It asks for nothing: no files, no network, no secrets, no programs.\n"),
            false => text.push_str("It asks to:\n"),
        }
        for Asked { grant, words, new } in &self.asked {
            let mark = if *new { "+" } else { " " };
            let _ = writeln!(text, "  {mark} {words}\n      {grant}");
        }
        section(&mut text, "Careful:", &self.warnings);
        section(&mut text, "It tells people to do this, which Chiton does not do:", &self.refused);
        section(&mut text, "What changes:", &self.changes);
        let tools: Vec<String> = self.tools.iter().map(Tool::line).collect();
        section(&mut text, "Tools, in its own words:", &tools);
        let _ = writeln!(text, "The approval holds for exactly these files: {}", self.digest);
        text
    }
}

impl Tool {
    fn line(&self) -> String {
        let effects = if self.effects.is_empty() { "no effects".to_owned() } else { self.effects.join(", ") };
        let description: String = self.description.split_whitespace().collect::<Vec<_>>().join(" ");
        let shown: String = description.chars().take(DESCRIPTION).collect();
        let more = if shown.len() < description.len() { " ..." } else { "" };
        format!("{} ({effects}): {shown}{more}", self.name)
    }
}

/// What names a version that waits, for people to type. When it was added is part of it, so that nobody can make two
/// versions beforehand that have one number (AGT-11).
pub fn number(row: &SkillRow) -> String {
    let SkillRow { name, digest, added_at, .. } = row;
    let bound = Digest::of(format!("{name} {digest} {added_at}").as_bytes()).to_string();
    format!("{name}-{}", &bound[..10])
}

/// What a skill asks for: what its manifest states, or what its instructions and scripts would need.
pub fn asked(package: &Package) -> Vec<String> {
    match package.manifest() {
        Some(_) => package.asked(),
        None => {
            let Needs { network, secrets, scripts, .. } = Needs::of(package);
            // What runs or fetches has a place to write to, in which nothing else lies.
            let place = (scripts || !network.is_empty()).then(|| "files=scratch:write".to_owned());
            let guessed = place.into_iter().chain(network).chain(secrets.into_iter().filter_map(|secret| secret.grant));
            // What is no grant was no host either, but a piece of a text.
            guessed.filter(|grant| rows::parse(grant, Path::new("/")).is_ok()).collect()
        }
    }
}

/// What is refused, each reason once with all that it is for.
fn refusals(refused: &[Refused]) -> Vec<String> {
    let refused = &refused[..refused.len().min(REFUSED)];
    let (mut lines, mut told) = (Vec::new(), BTreeSet::new());
    for Refused { why, .. } in refused.iter().filter(|one| told.insert(one.why)) {
        lines.push(format!("{why}:"));
        let same = refused.iter().filter(|one| one.why == *why);
        lines.extend(same.map(|Refused { file, line, text, .. }| format!("  {}:{line}: {text}", inert::line(file))));
    }
    lines
}

fn warnings(settings: &Settings, package: &Package, needs: &Needs) -> Vec<String> {
    let mut warnings = Vec::new();
    let usual = Limits::default();
    let stated = package.manifest().map(|manifest| skills::limits(&manifest.limits)).unwrap_or_default();
    if stated.at_most(&usual) != stated {
        let (memory, time, output) = (stated.memory >> 20, stated.time.as_secs(), stated.output >> 20);
        warnings.push(format!(
            "a call may take {memory} MiB of memory and {time} s and give {output} MiB: more than usual"
        ));
    }
    let missing = needs.missing(&skills::settings(settings).programs);
    if !missing.is_empty() {
        warnings.push(format!("it uses programs that the sandbox does not have: {}", missing.join(", ")));
    }
    if !needs.libraries.is_empty() {
        let libraries: Vec<_> = needs.libraries.iter().map(String::as_str).collect();
        warnings.push(format!("its scripts use libraries that the sandbox does not have: {}", libraries.join(", ")));
    }
    warnings.extend(needs.files.iter().map(|file| match file.starts_with("/tmp/") {
        true => format!("it speaks of {file}: there is no /tmp here, and $TMPDIR names its scratch folder"),
        false => format!("it speaks of {file}, which it cannot see without a grant"),
    }));
    let unplaced = needs.secrets.iter().filter(|secret| secret.grant.is_none() && package.manifest().is_none());
    warnings.extend(unplaced.map(|secret| {
        let name = &secret.name;
        format!(
            "it wants {name}, and where that goes is not known: say it with `chiton grant add {} 'secrets={name} https://HOST/ header=...'` when it is approved",
            package.name()
        )
    }));
    let named = asked(package)
        .into_iter()
        .filter_map(|grant| Some(grant.strip_prefix("secrets=")?.split(' ').next()?.to_owned()));
    let unset: BTreeSet<String> = named.filter(|name| !settings.config.secrets.contains_key(name)).collect();
    warnings.extend(
        unset.iter().map(|name| format!("the secret {name} is not set; put it under `secrets` in config.json")),
    );
    warnings
}

fn section(text: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "{title}");
    for line in lines {
        let _ = writeln!(text, "  | {line}");
    }
}
