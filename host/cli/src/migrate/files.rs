//! Brings files over: the workspace, skills and the history of the memory.

use super::{Fate, Report, Source, Target, without};
use crate::builtin::BuiltIn;
use crate::exit::{Exit, Failure};
use chiton_skills::{INSTRUCTIONS, is_name};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const WORKSPACE: [&str; 5] = ["SOUL.md", "USER.md", "AGENTS.md", "HEARTBEAT.md", "memory/MEMORY.md"];
/// Most files of a skill, and how deep its folders go.
const MOST_FILES: usize = 2000;
const DEEPEST: usize = 16;

/// Brings the files that make up the character and the memory.
pub fn workspace(source: &Source, target: &Target, report: &mut Report) -> Result<(), Failure> {
    for name in WORKSPACE {
        if let Some(bytes) = report.read(name, source.read(name)) {
            let fate = place(&target.workspace, name, &bytes, target)?;
            report.add(fate, name, if fate == Fate::Kept { "the workspace has one already" } else { "" });
        }
    }
    for (name, _) in source.list("").into_iter().filter(|(name, _)| !is_known(name)) {
        report.add(
            Fate::Left,
            format!("workspace/{name}"),
            "copy it into Chiton's workspace by hand if you want it there",
        );
    }
    Ok(())
}

/// What is brought, what NanoBot keeps for itself, and hidden files.
fn is_known(name: &str) -> bool {
    let own = ["memory", "skills", "cron", "prompts", "plugins", "sessions"];
    name.starts_with('.') || own.contains(&name) || WORKSPACE.contains(&name)
}

/// Brings what was remembered, day by day.
pub fn history(source: &Source, target: &Target, report: &mut Report) -> Result<(), Failure> {
    const NAME: &str = "memory/history.jsonl";
    let Some((lines, mut damaged)) = report.read(NAME, source.lines(NAME)) else { return Ok(()) };
    let mut days: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in lines {
        let when = line["timestamp"].as_str().and_then(|when| when.replacen(' ', "T", 1).parse().ok());
        match (when, line["content"].as_str()) {
            (Some(when), Some(content)) => {
                let when: jiff::civil::DateTime = when;
                let text = content.split_whitespace().collect::<Vec<_>>().join(" ");
                days.entry(when.date().to_string()).or_default().push(format!("- {} {text}\n", when.strftime("%H:%M")));
            }
            _ => damaged += 1,
        }
    }
    for (day, lines) in days {
        let name = format!("memory/history/{day}.md");
        let fate = place(&target.workspace, &name, lines.concat().as_bytes(), target)?;
        let count = format!("entries: {}", lines.len());
        report.add(fate, name, if fate == Fate::Kept { "the workspace has that day already".into() } else { count });
    }
    if damaged > 0 {
        report.add(Fate::Left, NAME, format!("damaged lines: {damaged}"));
    }
    Ok(())
}

/// Brings skills, which start with no rights.
pub fn skills(source: &Source, target: &Target, report: &mut Report) -> Result<(), Failure> {
    for (name, _) in source.list("skills").into_iter().filter(|(_, is_folder)| *is_folder) {
        let (what, folder) = (format!("skill {name}"), Path::new("skills").join(&name));
        let files = source.files(&folder, DEEPEST);
        let refusal = match &name {
            name if !is_name(name) => "its name may only have small letters, digits and hyphens",
            name if BuiltIn::named(name).is_some() => "Chiton has a tool of that name",
            _ if !files.contains(&folder.join(INSTRUCTIONS)) => "it has no SKILL.md",
            _ if files.len() > MOST_FILES => "it has more than 2000 files",
            _ => "",
        };
        if !refusal.is_empty() {
            report.add(Fate::Left, what, refusal);
        } else if target.skills.join(&name).symlink_metadata().is_ok() {
            report.add(Fate::Kept, what, "a skill of that name is here already");
        } else {
            let missing = match target.host {
                Some(_) => copy(source, &folder, &files, target)?,
                None => files.iter().filter(|file| !matches!(source.read(file), Ok(Some(_)))).count(),
            };
            let why =
                format!("files: {}; it starts with no rights{}", files.len() - missing, without(missing, "files"));
            report.add(Fate::Brought, what, why);
        }
    }
    Ok(())
}

/// Copies a folder into the skills, as a whole or not at all. Returns how many of its files cannot be read.
fn copy(source: &Source, folder: &Path, files: &[PathBuf], target: &Target) -> Result<usize, Failure> {
    let staged = tempfile::Builder::new().prefix(".").tempdir_in(&target.skills)?;
    let (inner, mut missing) = (staged.path().join("skill"), 0);
    for file in files {
        match source.read(file) {
            Ok(Some(bytes)) => drop(place(&inner, file.strip_prefix(folder).unwrap_or(file), &bytes, target)?),
            _ => missing += 1,
        }
    }
    std::fs::rename(inner, target.skills.join(folder.file_name().unwrap_or_default()))?;
    Ok(missing)
}

/// Puts a file where none is, whole or not at all, and never through a link.
fn place(root: &Path, relative: impl AsRef<Path>, bytes: &[u8], target: &Target) -> Result<Fate, Failure> {
    let path = root.join(&relative);
    if path.symlink_metadata().is_ok() {
        return Ok(Fate::Kept);
    }
    if target.host.is_none() {
        return Ok(Fate::Brought);
    }
    let mut folder = root.to_owned();
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    for name in relative.as_ref().parent().into_iter().flatten() {
        folder.push(name);
        match std::fs::DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.symlink_metadata()?.is_dir() => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let message = format!("{} is no folder; move it away and try again", folder.display());
                return Err(Failure::new(Exit::State, message));
            }
            created => created?,
        }
    }
    let staged = folder.join(format!(".migrated.{}", std::process::id()));
    let written =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&staged).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()?;
            std::fs::hard_link(&staged, &path)
        });
    std::fs::remove_file(&staged).ok();
    written?;
    Ok(Fate::Brought)
}
