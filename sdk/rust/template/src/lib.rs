//! A tool for Chiton.

use chiton_sdk::prelude::*;

/// Counts the lines, words and characters of a text file.
#[tool(effects(reads_files))]
fn count_words(arguments: CountWords) -> ToolResult {
    let place = paths::file(&arguments.path, Access::Read)?;
    let text = std::fs::read_to_string(&place).map_err(|error| place.failure(error))?;
    log::debug(&format!("{} bytes read", text.len()));
    Ok(format!(
        "{} lines, {} words, {} characters",
        text.lines().count(),
        text.split_whitespace().count(),
        text.chars().count()
    ))
}

#[arguments]
struct CountWords {
    /// Path of the file; relative paths start at the working directory.
    path: String,
}

chiton_sdk::export!(count_words);
