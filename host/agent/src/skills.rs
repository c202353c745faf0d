//! Skills as the model is told of them: a catalogue always, a body when it is wanted.
//!
//! A skill is a folder with a `SKILL.md` in the Agent Skills format (<https://agentskills.io/specification>): YAML
//! between two lines of `---`, then instructions. Each file is parsed once and again when it changes.

use crate::clip;
use crate::inert::inert;
use crate::text_file::{Stamp, TextFile, folders};
use chiton_skills::{INSTRUCTIONS as FILE, Instructions, is_name};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Most characters of a description in the catalogue.
const DESCRIPTION: usize = 300;
/// Most bytes of the catalogue and of the bodies that are always shown.
const CATALOGUE: usize = 12_000;
/// Most bytes of a body that is shown with the prompt or with a message.
const BODY: usize = 16_000;

const INTRODUCTION: &str = "# Skills\n\
A skill is a folder with instructions. Before you do what a skill is for, read its SKILL.md with `read_file`. \
Its scripts run with `exec` and `skill` set to its name where the folder is marked so.";

/// Where skills are, and which are used.
#[derive(Clone, Debug, Default)]
pub struct SkillSettings {
    /// Folders of the owner's skills, which tools can act for, the strongest first; the workspace's own is before them.
    pub folders: Vec<PathBuf>,
    /// Names of skills that are not used.
    pub disabled: BTreeSet<String>,
    /// Programs that a skill can count on.
    pub programs: BTreeSet<String>,
    /// Names of the secrets that are there.
    pub secrets: BTreeSet<String>,
}

/// One skill.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Skill {
    pub(crate) description: String,
    always: bool,
    /// What it needs and does not have.
    missing: Vec<String>,
    body: String,
    path: PathBuf,
    /// Whether tools can act for it.
    acting: bool,
}

/// All skills, by name.
pub(crate) struct Skills {
    workspace: PathBuf,
    settings: SkillSettings,
    stamps: BTreeMap<PathBuf, Stamp>,
    found: BTreeMap<PathBuf, Skill>,
    /// The places of each name, the strongest first.
    names: BTreeMap<String, Vec<PathBuf>>,
}

/// The text of a `SKILL.md` that is new, changed or gone.
pub(crate) struct Change {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    /// Whether tools may have written it: it lies in the workspace.
    pub(crate) writable: bool,
}

impl Skills {
    pub(crate) fn new(workspace: &Path, settings: SkillSettings) -> Self {
        Self {
            workspace: workspace.join("skills"),
            settings,
            stamps: BTreeMap::new(),
            found: BTreeMap::new(),
            names: BTreeMap::new(),
        }
    }

    /// The files that are not what they were at the last look.
    pub(crate) fn changes(&mut self) -> Vec<Change> {
        let (mut stamps, mut names, mut changed) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for root in std::iter::once(&self.workspace).chain(&self.settings.folders) {
            for folder in folders(root) {
                let Some(name) = folder.to_str().filter(|name| is_name(name)) else { continue };
                let path = root.join(&folder).join(FILE);
                let Ok(file) = TextFile::open(root, &folder.join(FILE)) else { continue };
                stamps.insert(path.clone(), file.stamp);
                if !self.settings.disabled.contains(name) {
                    names.entry(name.to_owned()).or_insert_with(Vec::new).push(path.clone());
                }
                if self.stamps.get(&path) != Some(&file.stamp) {
                    let Ok(text) = file.read() else { continue };
                    changed.push(Change { path, text, writable: *root == self.workspace });
                }
            }
        }
        let gone = self.stamps.keys().filter(|path| !stamps.contains_key(*path));
        changed.extend(gone.map(|path| Change { path: path.clone(), text: String::new(), writable: false }));
        (self.stamps, self.names) = (stamps, names);
        changed
    }

    /// Takes the text of a file; true when that changes the skill.
    pub(crate) fn set(&mut self, path: &Path, text: &str) -> bool {
        let skill = Skill {
            path: path.to_owned(),
            acting: !path.starts_with(&self.workspace),
            ..Skill::read(text, &self.settings)
        };
        if text.is_empty() {
            return self.found.remove(path).is_some();
        }
        self.found.insert(path.to_owned(), skill.clone()) != Some(skill)
    }

    /// Takes all files for changed at the next look.
    pub(crate) fn look_again(&mut self) {
        self.stamps.clear();
    }

    /// The skills that are used, by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Skill)> {
        // One that waits for the owner's word hides no other of its name.
        self.names
            .iter()
            .filter_map(|(name, paths)| Some((name.as_str(), paths.iter().find_map(|path| self.found.get(path))?)))
    }

    /// The catalogue and the skills that are always shown; empty when there are none.
    pub(crate) fn prompt(&self) -> String {
        let mut text = String::new();
        let mut left_out = 0;
        for (name, skill) in self.all() {
            let line = skill.line(name);
            if text.len() + line.len() > CATALOGUE {
                left_out += 1;
                continue;
            }
            text.push_str(&line);
        }
        if text.is_empty() {
            return text;
        }
        if left_out > 0 {
            text.push_str(&format!("\n({left_out} more skills are not listed; list the folders to find them.)"));
        }
        let mut whole = format!("{INTRODUCTION}\n{text}");
        for (name, skill) in self.all().filter(|(_, skill)| skill.always && skill.missing.is_empty()) {
            let body = clip::clip(&skill.body, BODY);
            if whole.len() + body.len() <= CATALOGUE + BODY {
                whole.push_str(&format!("\n\n## Skill {name}\n\n{body}"));
            }
        }
        whole
    }

    /// `text` with the bodies of the skills that it names as `$name`.
    pub(crate) fn with_named(&self, text: &str) -> String {
        let mut whole = text.to_owned();
        let words = text.split(|c: char| c.is_whitespace() || "()[]{},;:.!?\"'`".contains(c));
        let named: BTreeSet<&str> = words.filter_map(|word| word.strip_prefix('$')).collect();
        for (name, skill) in self.all().filter(|(name, _)| named.contains(name)) {
            let (path, body) = (skill.path.display(), clip::clip(&skill.body, BODY));
            whole.push_str(&format!("\n\n[The skill {name}, from {path}:]\n{body}\n[End of the skill {name}.]"));
        }
        whole
    }
}

impl Skill {
    fn read(text: &str, settings: &SkillSettings) -> Self {
        let told = Instructions::parse(text);
        let description = match &told.fault {
            Some(fault) => format!("(its SKILL.md cannot be read: {})", clip::line(fault, 120)),
            None => told.description,
        };
        let needed = |names: Vec<String>, there: &BTreeSet<String>| {
            names.into_iter().filter(|name| !there.contains(name)).collect::<Vec<_>>()
        };
        let mut missing = needed(told.requires.bins, &settings.programs);
        missing.extend(needed(told.requires.env, &settings.secrets));
        Self {
            description: clip::line(&description.split_whitespace().collect::<Vec<_>>().join(" "), DESCRIPTION),
            always: told.always,
            missing,
            body: inert(told.body.trim()).into_owned(),
            ..Self::default()
        }
    }

    /// Its line in the catalogue.
    fn line(&self, name: &str) -> String {
        let mut line = format!("\n- **{name}**: {} ({}", inert(&self.description), self.path.display());
        if self.acting {
            line.push_str(&format!("; exec with skill \"{name}\""));
        }
        line.push(')');
        if !self.missing.is_empty() {
            line.push_str(&format!(" [cannot be used now; missing: {}]", self.missing.join(", ")));
        }
        line
    }

    /// What people are told of it.
    pub(crate) fn told(&self, name: &str) -> String {
        let missing = match self.missing.is_empty() {
            true => String::new(),
            false => format!(" (missing: {})", self.missing.join(", ")),
        };
        format!("- `{name}`: {}{missing}", self.description)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    struct Home(tempfile::TempDir);

    impl Home {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn write(&self, place: &str, name: &str, text: &str) {
            let folder = self.0.path().join(place).join("skills").join(name);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(FILE), text).unwrap();
        }

        fn skills(&self, settings: SkillSettings) -> Skills {
            let folders = vec![self.0.path().join("home/skills")];
            let mut skills = Skills::new(&self.0.path().join("workspace"), SkillSettings { folders, ..settings });
            look(&mut skills);
            skills
        }
    }

    fn look(skills: &mut Skills) -> usize {
        let changes = skills.changes();
        changes.iter().filter(|change| skills.set(&change.path, &change.text)).count()
    }

    const WEATHER: &str = "---\nname: weather\ndescription: Tells the\n  weather.\nmetadata: {\"nanobot\": {\"requires\": {\"bins\": [\"curl\", \"gh\"], \"env\": [\"KEY\"]}}}\n---\n\nAsk wttr.in.\n";

    #[test]
    fn the_catalogue_names_each_skill_once_and_what_it_misses() {
        let home = Home::new();
        home.write("home", "weather", WEATHER);
        home.write("workspace", "notes", "---\ndescription: Keeps notes\n---\nbody");
        home.write("home", "notes", "---\ndescription: weaker\n---\n");
        let programs = BTreeSet::from(["curl".to_owned()]);
        let text = home.skills(SkillSettings { programs, ..SkillSettings::default() }).prompt();
        assert!(text.contains("**weather**: Tells the weather.") && text.contains("missing: gh, KEY"), "{text}");
        assert!(
            text.contains("exec with skill \"weather\"") && text.contains("Keeps notes") && !text.contains("weaker")
        );
        assert!(!text.contains("wttr.in"), "a body is shown on demand");
    }

    #[test]
    fn a_body_is_shown_when_it_is_always_wanted_or_named() {
        let home = Home::new();
        home.write("home", "style", "---\ndescription: d\nalways: true\n---\nWrite short.");
        home.write("home", "weather", WEATHER);
        let skills = home.skills(SkillSettings::default());
        assert!(skills.prompt().contains("## Skill style\n\nWrite short."));
        let text = skills.with_named("what does ($weather) say? $5 $unknown");
        assert!(
            text.contains("Ask wttr.in.") && text.starts_with("what does") && text.matches("[The skill").count() == 1
        );
        assert_eq!(skills.with_named("weather"), "weather");
    }

    #[test]
    fn a_file_is_read_again_when_it_changes_and_forgotten_when_it_is_gone() {
        let home = Home::new();
        home.write("home", "weather", WEATHER);
        let mut skills = home.skills(SkillSettings::default());
        assert_eq!(look(&mut skills), 0);
        home.write("home", "weather", "---\ndescription: Another text\n---\n");
        assert_eq!(look(&mut skills), 1);
        assert!(skills.prompt().contains("Another text"));
        fs::remove_dir_all(home.0.path().join("home/skills/weather")).unwrap();
        assert_eq!(look(&mut skills), 1);
        assert_eq!(skills.prompt(), "");
    }

    #[test]
    fn a_disabled_a_broken_and_a_linked_skill_do_no_harm() {
        let home = Home::new();
        home.write("home", "off", WEATHER);
        home.write("home", "broken", "---\ndescription: [\n---\nx");
        home.write("elsewhere", "linked", WEATHER);
        let link = home.0.path().join("home/skills/linked");
        std::os::unix::fs::symlink(home.0.path().join("elsewhere/skills/linked"), link).unwrap();
        let disabled = BTreeSet::from(["off".to_owned()]);
        let text = home.skills(SkillSettings { disabled, ..SkillSettings::default() }).prompt();
        assert!(text.contains("**broken**: (its SKILL.md cannot be read"), "{text}");
        assert!(!text.contains("off") && !text.contains("linked"));
    }

    #[test]
    fn yaml_that_would_grow_without_end_is_refused() {
        let mut text = String::from("---\na: &a [x,x,x,x,x,x,x,x,x,x]\n");
        for (name, before) in ('b'..='j').zip('a'..) {
            text.push_str(&format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 10].join(",")));
        }
        text.push_str("description: bomb\n---\n");
        let home = Home::new();
        home.write("home", "bomb", &text);
        assert!(home.skills(SkillSettings::default()).prompt().len() < 2_000);
    }
}
