//! The built-in tools `use_skill` and `propose_skill`: the files of a skill are read, and new skills put before the
//! owner.

mod folder;
mod page;

use chiton_sdk::bindings::chiton::tool::proposals;
use chiton_sdk::prelude::*;

/// Reads the instructions of a skill and brings its tools up; do so before you do what the skill is for. With 'file'
/// it reads another file of the skill.
#[tool(effects(reads_files))]
fn use_skill(arguments: Use) -> ToolResult {
    let folder = folder::of(&arguments.name)?;
    let line = arguments.line.unwrap_or(1);
    match &arguments.file {
        Some(file) => Ok(page::page(&folder::read(folder, file)?, line)),
        None => Ok(instructions(folder, line)?),
    }
}

#[arguments]
struct Use {
    /// Name of the skill.
    #[schemars(extend("format" = "skill"))]
    name: String,
    /// A file of the skill to read.
    file: Option<String>,
    /// First line to read.
    #[schemars(range(min = 1))]
    line: Option<usize>,
}

/// Puts a skill that you wrote before the owner: checks its folder, runs its examples without the network, and asks for
/// approval. Says what was found.
#[tool(effects(reads_files))]
fn propose_skill(arguments: Propose) -> ToolResult {
    let folder = paths::directory(&arguments.folder, Access::Read)?;
    proposals::propose(&folder.as_ref().to_string_lossy())
}

#[arguments]
struct Propose {
    /// The folder of the skill.
    folder: String,
}

/// What the skill says of itself, and what else it has.
fn instructions(folder: &str, line: usize) -> Result<String, Failure> {
    let text = match folder::read(folder, folder::INSTRUCTIONS) {
        Err(Failure::NotFound(_)) => String::new(),
        text => text?,
    };
    let mut said = match page::body(&text).trim() {
        "" => "This skill has no instructions.".to_owned(),
        // What other bots fill in: here the places of a skill are named from its folder.
        body => page::page(&body.replace("{baseDir}/", "").replace("{baseDir}", "."), line),
    };
    let files = folder::files(folder);
    if !files.is_empty() {
        said.push_str(&format!(
            "\n\n[Other files of this skill: {}. Read one with use_skill and 'file'; run a script with exec: 'skill' is \
             the name of this skill, and the command begins with the script's name.]",
            files.join(", ")
        ));
    } else if text.contains("```") {
        said.push_str(
            "\n\n[Run its commands with exec and 'skill', the name of this skill: then they have what was granted to it.]",
        );
    }
    Ok(said)
}

chiton_sdk::export!(use_skill, propose_skill);

#[cfg(test)]
mod tests {
    use super::*;
    use chiton_sdk::{Effects, generated};

    #[test]
    fn the_tools_read_files_and_nothing_else() {
        let (used, proposed) = (generated::definition::<use_skill>(), generated::definition::<propose_skill>());
        assert_eq!((used.name.as_str(), used.effects), ("use_skill", Effects::READS_FILES));
        assert_eq!((proposed.name.as_str(), proposed.effects), ("propose_skill", Effects::READS_FILES));
        assert!(used.parameters.contains(r#""format":"skill""#) && used.parameters.contains(r#""required":["name"]"#));
    }

    #[test]
    fn instructions_are_told_with_the_names_of_the_other_files() {
        let skill = tempfile::tempdir().unwrap();
        let folder = skill.path().to_str().unwrap();
        std::fs::create_dir(skill.path().join("scripts")).unwrap();
        std::fs::write(skill.path().join("scripts/get.sh"), "echo").unwrap();
        assert!(instructions(folder, 1).unwrap().starts_with("This skill has no instructions.\n\n[Other"));
        std::fs::write(skill.path().join("SKILL.md"), "---\nname: weather\n---\n\nAsk the sky.\n").unwrap();
        let said = instructions(folder, 1).unwrap();
        assert!(said.starts_with("Ask the sky.\n\n[Other files of this skill: scripts/get.sh. Read one"), "{said}");
        std::fs::remove_dir_all(skill.path().join("scripts")).unwrap();
        assert_eq!(instructions(folder, 1).unwrap(), "Ask the sky.");
        std::fs::write(skill.path().join("SKILL.md"), "---\nname: weather\n---\n```\ncurl sky\n```\n").unwrap();
        assert!(instructions(folder, 1).unwrap().ends_with("what was granted to it.]"));
    }
}
