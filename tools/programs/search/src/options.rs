//! What is searched for, where, and how the result is shown: filled by the arguments of grep or of rg.

use std::ffi::OsString;
use std::path::PathBuf;

/// How patterns are read.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Engine {
    /// In linear time.
    #[default]
    Automaton,
    /// With look-around and references; may take exponential time, which the call's deadline ends.
    Backtracking,
    /// Plain text.
    Fixed,
}

/// Whether upper and lower case differ.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Case {
    #[default]
    Sensitive,
    Insensitive,
    /// Sensitive if a pattern has an upper-case letter.
    Smart,
}

/// What is shown of a file.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Show {
    #[default]
    Lines,
    LineCount,
    MatchCount,
    FilesWithMatch,
    FilesWithoutMatch,
    Nothing,
}

/// The patterns and what counts as a match.
#[derive(Default)]
pub(crate) struct Matching {
    pub(crate) patterns: Vec<String>,
    pub(crate) engine: Engine,
    pub(crate) case: Case,
    pub(crate) whole_words: bool,
    pub(crate) whole_lines: bool,
    pub(crate) inverted: bool,
    pub(crate) across_lines: bool,
    pub(crate) dot_matches_line_end: bool,
    /// Lines end with NUL.
    pub(crate) null_data: bool,
    /// At most so many matching lines of a file.
    pub(crate) most: Option<u64>,
}

/// The form of the output.
#[derive(Default)]
pub(crate) struct Form {
    pub(crate) show: Show,
    pub(crate) only_matching: bool,
    pub(crate) line_numbers: bool,
    pub(crate) columns: bool,
    pub(crate) byte_offsets: bool,
    /// Whether lines begin with the file's name; none: when several files may be searched.
    pub(crate) names: Option<bool>,
    /// The name once above the file's lines.
    pub(crate) heading: bool,
    /// One line for each match.
    pub(crate) per_match: bool,
    /// NUL after names.
    pub(crate) null_after_names: bool,
    pub(crate) before: usize,
    pub(crate) after: usize,
    pub(crate) every_line: bool,
    pub(crate) replacement: Option<Vec<u8>>,
    pub(crate) most_columns: Option<u64>,
    pub(crate) trimmed: bool,
    pub(crate) zero_counts: bool,
}

/// Which files are searched.
#[derive(Default)]
pub(crate) struct Selection {
    pub(crate) paths: Vec<PathBuf>,
    pub(crate) recursive: bool,
    pub(crate) follow_links: bool,
    pub(crate) most_depth: Option<usize>,
    /// rg: rules of `.gitignore` and its relatives, hidden entries left out, binary files left out.
    pub(crate) respect_ignore: bool,
    pub(crate) hidden: bool,
    pub(crate) globs: Vec<String>,
    pub(crate) insensitive_globs: Vec<String>,
    pub(crate) types: Vec<String>,
    pub(crate) types_not: Vec<String>,
    /// grep: globs on names.
    pub(crate) include: Vec<String>,
    pub(crate) exclude: Vec<String>,
    pub(crate) exclude_directories: Vec<String>,
    /// Only list the files.
    pub(crate) list: bool,
}

/// Everything that the arguments say.
#[derive(Default)]
pub(crate) struct Options {
    /// The name in messages.
    pub(crate) program: &'static str,
    pub(crate) matching: Matching,
    pub(crate) form: Form,
    pub(crate) selection: Selection,
    /// Binary files are searched as text.
    pub(crate) binary_as_text: bool,
    /// Files that cannot be read are passed over in silence.
    pub(crate) quiet_errors: bool,
    /// What standard input is called.
    pub(crate) input_name: &'static str,
}

/// What the arguments ask for.
pub(crate) enum Asked {
    Search(Box<Options>),
    /// Help, a version or a list: printed, then done.
    Print(String),
}

/// Adds the patterns of one argument: each line is one.
pub(crate) fn add_patterns(patterns: &mut Vec<String>, text: &str) {
    patterns.extend(text.strip_suffix('\n').unwrap_or(text).split('\n').map(str::to_owned));
}

/// Adds the patterns of a file; `-` is standard input.
pub(crate) fn add_pattern_file(patterns: &mut Vec<String>, file: &OsString) -> Result<(), lexopt::Error> {
    let text = match file.to_str() {
        Some("-") => std::io::read_to_string(std::io::stdin()),
        _ => std::fs::read_to_string(file),
    };
    let text = text.map_err(|error| format!("{}: {}", file.display(), crate::plain(&error)))?;
    // An empty file has no pattern; an empty line is one that matches everything.
    if !text.is_empty() {
        add_patterns(patterns, &text);
    }
    Ok(())
}
