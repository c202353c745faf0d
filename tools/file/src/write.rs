//! `write_file`.

use crate::replace::replace;
use chiton_sdk::prelude::*;
use std::fs::create_dir_all;
use std::io::ErrorKind;
use std::path::Path;

/// Writes a file, as a whole. Makes its directories if they do not exist; replaces the file if it does.
/// To change a part of a file, use edit_file.
#[tool(effects(reads_files, writes_files))]
pub(crate) fn write_file(arguments: WriteFile) -> ToolResult {
    let place = paths::file(&arguments.path, Access::Write)?;
    let path: &Path = place.as_ref();
    if let Some(directory) = path.parent().filter(|directory| !directory.is_dir()) {
        create_dir_all(directory).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
                Failure::Failed(format!("'{place}' cannot be written: a file stands where a directory is needed"))
            }
            _ => place.failure(error),
        })?;
    }
    replace(place.clone(), arguments.content.as_bytes())?;
    Ok(format!("Wrote {} bytes to '{place}'.", arguments.content.len()))
}

#[arguments]
pub(crate) struct WriteFile {
    /// Path of the file; relative paths start at the working directory.
    path: String,
    /// The whole new content.
    content: String,
}
