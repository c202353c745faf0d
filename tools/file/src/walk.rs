//! Walks below a directory: with ignore rules, without what nobody looks for, narrowed by glob and type.

use chiton_sdk::Failure;
use globset::{GlobBuilder, GlobMatcher};
use ignore::types::{Types, TypesBuilder};
use ignore::{DirEntry, WalkBuilder};
use std::path::Path;

/// Directories that hold nothing a person wrote. Naming one as the start looks into it all the same.
const SKIPPED: [&str; 8] =
    [".git", "node_modules", "__pycache__", ".venv", ".tox", ".mypy_cache", ".pytest_cache", ".ruff_cache"];

/// Which entries are wanted.
#[derive(Default)]
pub(crate) struct Filter {
    glob: Option<Glob>,
    types: Option<Types>,
}

struct Glob {
    matcher: GlobMatcher,
    /// Matched against the path below the start; else against the name alone.
    whole_path: bool,
}

impl Filter {
    /// `glob` such as `*.py` or `src/**/*.rs`; `file_type` such as `rust`, or an ending such as `py`.
    pub(crate) fn new(glob: Option<&str>, file_type: Option<&str>) -> Result<Self, Failure> {
        Ok(Self { glob: glob.map(Glob::new).transpose()?, types: file_type.map(types).transpose()? })
    }

    pub(crate) fn wants(&self, start: &Path, entry: &DirEntry) -> bool {
        let directory = is_directory(entry);
        self.glob.as_ref().is_none_or(|glob| glob.matches(start, entry.path()))
            && self.types.as_ref().is_none_or(|types| !directory && types.matched(entry.path(), false).is_whitelist())
    }
}

impl Glob {
    fn new(pattern: &str) -> Result<Self, Failure> {
        let glob = GlobBuilder::new(pattern.trim_start_matches("./")).literal_separator(true).build();
        let glob = glob.map_err(|error| Failure::InvalidArguments(format!("argument 'glob': {error}")))?;
        Ok(Self { matcher: glob.compile_matcher(), whole_path: pattern.contains('/') })
    }

    fn matches(&self, start: &Path, path: &Path) -> bool {
        let below = path.strip_prefix(start).unwrap_or(path);
        let subject = if self.whole_path { Some(below.as_os_str()) } else { path.file_name() };
        subject.is_some_and(|subject| self.matcher.is_match(subject))
    }
}

fn types(name: &str) -> Result<Types, Failure> {
    let mut known = TypesBuilder::new();
    known.add_defaults();
    let name = name.to_ascii_lowercase();
    if !known.definitions().iter().any(|definition| definition.name() == name) {
        let by_ending = known.add(&name, &format!("*.{name}"));
        by_ending.map_err(|error| Failure::InvalidArguments(format!("argument 'type': {error}")))?;
    }
    known.select(&name);
    known.build().map_err(|error| Failure::InvalidArguments(format!("argument 'type': {error}")))
}

pub(crate) fn is_directory(entry: &DirEntry) -> bool {
    entry.file_type().is_some_and(|kind| kind.is_dir())
}

/// All entries below `start` and itself, sorted; what cannot be read is left out.
pub(crate) fn entries(start: &Path) -> impl Iterator<Item = DirEntry> {
    WalkBuilder::new(start)
        .hidden(false)
        .parents(false)
        .git_global(false)
        .git_exclude(false)
        .require_git(false)
        .sort_by_file_name(Ord::cmp)
        .filter_entry(|entry| {
            entry.depth() == 0 || !is_directory(entry) || !SKIPPED.iter().any(|name| entry.file_name() == *name)
        })
        .build()
        .flatten()
}

/// How an entry is named in an answer: below the path that the caller gave, as the caller gave it.
pub(crate) fn shown(given: &str, start: &Path, path: &Path) -> String {
    let below = path.strip_prefix(start).unwrap_or(path);
    match given.trim_end_matches('/') {
        "." | "./" => below.display().to_string(),
        _ if below.as_os_str().is_empty() => given.to_owned(),
        given => format!("{given}/{}", below.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for file in files {
            let path = directory.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        directory
    }

    fn wanted(directory: &Path, filter: &Filter) -> Vec<String> {
        let files = entries(directory).filter(|entry| !is_directory(entry));
        files.filter(|entry| filter.wants(directory, entry)).map(|entry| shown(".", directory, entry.path())).collect()
    }

    #[test]
    fn ignored_and_generated_files_are_left_out_and_hidden_ones_are_not() {
        let tree = tree(&["a.txt", ".env", "b.log", ".git/config", "node_modules/x/y.js", "out/z", "sub/c.txt"]);
        fs::write(tree.path().join(".gitignore"), "*.log\nout/\n").unwrap();
        assert_eq!(wanted(tree.path(), &Filter::default()), [".env", ".gitignore", "a.txt", "sub/c.txt"]);
        let named = tree.path().join("node_modules");
        assert_eq!(wanted(&named, &Filter::default()), ["x/y.js"]);
    }

    #[test]
    fn a_glob_without_a_slash_is_for_names_and_one_with_a_slash_for_paths() {
        let tree = tree(&["a.rs", "src/b.rs", "src/deep/c.rs", "src/d.py"]);
        let by = |glob| wanted(tree.path(), &Filter::new(Some(glob), None).unwrap());
        assert_eq!(by("*.rs"), ["a.rs", "src/b.rs", "src/deep/c.rs"]);
        assert_eq!(by("src/*.rs"), ["src/b.rs"]);
        assert_eq!(by("src/**/*.rs"), ["src/b.rs", "src/deep/c.rs"]);
        assert!(Filter::new(Some("a["), None).is_err());
    }

    #[test]
    fn a_type_is_known_by_name_or_is_an_ending() {
        let tree = tree(&["a.rs", "b.py", "c.weird"]);
        let by = |name| wanted(tree.path(), &Filter::new(None, Some(name)).unwrap());
        assert_eq!(by("rust"), ["a.rs"]);
        assert_eq!(by("rs"), ["a.rs"]);
        assert_eq!(by("PY"), ["b.py"]);
        assert_eq!(by("weird"), ["c.weird"]);
        assert!(Filter::new(None, Some("no type")).is_err());
    }

    #[test]
    fn entries_are_named_below_the_given_path() {
        let start = Path::new("/w/src");
        assert_eq!(shown("src", start, Path::new("/w/src/a.rs")), "src/a.rs");
        assert_eq!(shown("src/", start, Path::new("/w/src/a.rs")), "src/a.rs");
        assert_eq!(shown(".", start, Path::new("/w/src/a.rs")), "a.rs");
        assert_eq!(shown("src/a.rs", &start.join("a.rs"), Path::new("/w/src/a.rs")), "src/a.rs");
    }
}
