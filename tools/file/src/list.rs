//! `list_dir`.

use crate::walk::{entries, is_directory};
use chiton_sdk::prelude::*;
use std::fs::FileType;
use std::num::NonZeroUsize;
use std::path::Path;

const USUAL_ENTRIES: usize = 200;

/// Lists what is in a directory, one entry a line, directories marked 📁, files 📄 and links 🔗.
/// A recursive listing leaves out what ignore files name.
#[tool(effects(reads_files))]
pub(crate) fn list_dir(arguments: ListDir) -> ToolResult {
    let place = paths::directory(&arguments.path, Access::Read)?;
    let metadata = std::fs::metadata(&place).map_err(|error| place.failure(error))?;
    if !metadata.is_dir() {
        return Err(Failure::Failed(format!("'{place}' is a file; read_file reads it")));
    }
    let lines = if arguments.recursive { below(place.as_ref()) } else { within(place.as_ref()) };
    let lines = lines.map_err(|error| place.failure(error))?;
    Ok(answer(lines, arguments.max_entries.map_or(USUAL_ENTRIES, NonZeroUsize::get)))
}

#[arguments]
pub(crate) struct ListDir {
    /// Path of the directory; '.' is the working directory.
    path: String,
    /// List the directories inside as well (default false).
    #[serde(default)]
    recursive: bool,
    /// Most entries to return (default 200).
    max_entries: Option<NonZeroUsize>,
}

/// The entries of one directory, sorted by name.
fn within(directory: &Path) -> std::io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        found.push((entry.file_name().to_string_lossy().into_owned(), kind));
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(found.iter().map(|(name, kind)| line(name, *kind)).collect())
}

/// Everything below a directory.
fn below(directory: &Path) -> std::io::Result<Vec<String>> {
    let found = entries(directory).filter(|entry| entry.depth() > 0);
    let lines = found.map(|entry| {
        let path = entry.path().strip_prefix(directory).unwrap_or(entry.path());
        let kind = if is_directory(&entry) { '📁' } else { '📄' };
        let kind = if entry.path_is_symlink() { '🔗' } else { kind };
        format!("{kind} {}", path.display())
    });
    Ok(lines.collect())
}

fn line(name: &str, kind: FileType) -> String {
    let mark = match kind {
        kind if kind.is_dir() => '📁',
        kind if kind.is_symlink() => '🔗',
        _ => '📄',
    };
    format!("{mark} {name}")
}

fn answer(mut lines: Vec<String>, most: usize) -> String {
    if lines.is_empty() {
        return "(the directory is empty)".to_owned();
    }
    let all = lines.len();
    if all > most {
        lines.truncate(most);
        lines.push(format!("({} of {all} entries; set max_entries for more)", most));
    }
    lines.join("\n")
}
