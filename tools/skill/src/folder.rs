//! The folder of a skill: what is in it, and the text of its files.

use chiton_sdk::prelude::*;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The file with the instructions.
pub(crate) const INSTRUCTIONS: &str = "SKILL.md";
/// Files whose names are told.
const LISTED: usize = 50;
/// Entries of folders that are looked at.
const LOOKED_AT: usize = 2_000;
/// Most bytes that are read of a file.
const READ: u64 = 1 << 20;

/// The folder that the host has put where the skill's name was. Without that the call has other rights.
pub(crate) fn of(named: &str) -> Result<&str, Failure> {
    match named.starts_with('/') {
        true => Ok(named.trim_end_matches('/')),
        false => Err(Failure::Failed(format!("the host did not switch to the skill '{named}'"))),
    }
}

/// The text of a file, which is named from the folder or absolutely. What else the skill may read is for its own code.
pub(crate) fn read(folder: &str, named: &str) -> Result<String, Failure> {
    let below = named.strip_prefix(folder).map_or(named, |rest| rest.trim_start_matches('/'));
    let below = below.trim_start_matches("./");
    if below.split('/').any(|part| matches!(part, "" | "..")) {
        return Err(Failure::InvalidArguments(format!("'{named}' is no file of the skill; name it from its folder")));
    }
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::NotFound(format!("the skill has no file '{named}'")),
        _ => Failure::Failed(format!("'{named}' of the skill: {error}")),
    };
    let path = Path::new(folder).join(below);
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(failed)?.take(READ).read_to_end(&mut bytes).map_err(failed)?;
    match bytes.contains(&0) {
        true => Err(Failure::Failed(format!("'{named}' is not a text"))),
        false => Ok(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

/// The names of the files beside the instructions, sorted; the last one may count those that are left out.
pub(crate) fn files(folder: &str) -> Vec<String> {
    let (mut found, mut seen, mut left) = (Vec::new(), 0, vec![PathBuf::new()]);
    while let Some(below) = left.pop() {
        for entry in std::fs::read_dir(Path::new(folder).join(&below)).into_iter().flatten().flatten() {
            seen += 1;
            let name = below.join(entry.file_name());
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            match entry.file_type() {
                Ok(kind) if hidden || seen > LOOKED_AT || kind.is_symlink() => {}
                Ok(kind) if kind.is_dir() => left.push(name),
                Ok(_) if name != Path::new(INSTRUCTIONS) => found.push(name.to_string_lossy().into_owned()),
                _ => {}
            }
        }
    }
    found.sort();
    let more = found.len().saturating_sub(LISTED);
    found.truncate(LISTED);
    if more > 0 {
        found.push(format!("and {more} more"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_folder_are_read() {
        let skill = tempfile::tempdir().unwrap();
        let folder = skill.path().join("weather");
        std::fs::create_dir_all(folder.join("more")).unwrap();
        std::fs::write(folder.join("more/api.md"), "GET").unwrap();
        std::fs::write(folder.join("logo.png"), [0, 1]).unwrap();
        std::fs::write(skill.path().join("secret"), "s").unwrap();
        let folder = folder.to_str().unwrap();
        for named in ["more/api.md", "./more/api.md", &format!("{folder}/more/api.md")] {
            assert_eq!(read(folder, named).unwrap(), "GET");
        }
        for named in ["../secret", "more/../../secret", "/etc/hostname", &format!("{folder}/../secret"), ""] {
            assert!(matches!(read(folder, named), Err(Failure::InvalidArguments(_))), "{named}");
        }
        assert!(matches!(read(folder, "none.md"), Err(Failure::NotFound(_))));
        assert!(matches!(read(folder, "logo.png"), Err(Failure::Failed(_))));
    }

    #[test]
    fn many_files_are_counted_and_hidden_ones_are_not() {
        let skill = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(skill.path().join(".git")).unwrap();
        std::fs::write(skill.path().join(".git/config"), "x").unwrap();
        std::fs::write(skill.path().join(INSTRUCTIONS), "x").unwrap();
        let folder = skill.path().to_str().unwrap();
        assert!(files(folder).is_empty());
        (0..60).for_each(|number| std::fs::write(skill.path().join(format!("{number:02}.md")), "x").unwrap());
        let told = files(folder);
        assert_eq!((told.len(), told[0].as_str(), told[50].as_str()), (51, "00.md", "and 10 more"));
    }

    #[test]
    fn a_name_that_the_host_did_not_replace_is_no_folder() {
        assert!(matches!(of("weather"), Err(Failure::Failed(_))));
        assert!(matches!(of("/home/ann/skills/weather"), Ok("/home/ann/skills/weather")));
    }
}
