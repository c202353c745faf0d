//! `find_files`.

use crate::walk::{Filter, entries, is_directory, shown};
use chiton_sdk::prelude::*;
use ignore::DirEntry;
use std::path::Path;
use std::time::SystemTime;

const USUAL_PATHS: usize = 200;

/// Finds files by a piece of their path, a glob or a type. Leaves out what ignore files name, and
/// directories such as .git and node_modules. Use it before read_file to find out where something is.
#[tool(effects(reads_files))]
pub(crate) fn find_files(arguments: FindFiles) -> ToolResult {
    let given = arguments.path.as_deref().unwrap_or(".");
    let place = paths::directory(given, Access::Read)?;
    std::fs::metadata(&place).map_err(|error| place.failure(error))?;
    let filter = Filter::new(arguments.glob.as_deref(), arguments.file_type.as_deref())?;
    Ok(arguments.answer(arguments.find(given, place.as_ref(), &filter)))
}

#[arguments]
#[derive(Default)]
pub(crate) struct FindFiles {
    /// Directory or file to search in (default '.').
    path: Option<String>,
    /// Words that must all be in the path, in any order and any case.
    query: Option<String>,
    /// Only paths that match, such as '*.py' or 'tests/**/test_*.py'.
    glob: Option<String>,
    /// Only files of a type, such as 'py', 'rust', 'md' or 'json'.
    #[serde(rename = "type")]
    file_type: Option<String>,
    /// Return directories as well as files (default false).
    #[serde(default)]
    include_dirs: bool,
    /// Sort by path, or the most recently changed first (default path).
    sort: Option<Sort>,
    /// Most paths to return (default 200, 0 for all).
    #[schemars(range(max = 1000))]
    head_limit: Option<usize>,
    /// Leave out the first so many results.
    #[serde(default)]
    #[schemars(range(max = 100000))]
    offset: usize,
}

#[arguments]
#[derive(Clone, Copy, PartialEq)]
enum Sort {
    Path,
    Modified,
}

impl FindFiles {
    fn find(&self, given: &str, start: &Path, filter: &Filter) -> Vec<String> {
        let words: Vec<String> =
            self.query.iter().flat_map(|query| query.split_whitespace()).map(str::to_lowercase).collect();
        let mut found: Vec<(Option<SystemTime>, String)> = entries(start)
            .filter(|entry| self.include_dirs || !is_directory(entry))
            .filter(|entry| filter.wants(start, entry))
            .filter_map(|entry| {
                let mut path = shown(given, start, entry.path());
                let folded = path.to_lowercase();
                if is_directory(&entry) {
                    path.push('/');
                }
                words.iter().all(|word| folded.contains(word)).then(|| (self.modified(&entry), path))
            })
            .collect();
        if self.sort == Some(Sort::Modified) {
            found.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
        }
        found.into_iter().map(|(_, path)| path).collect()
    }

    /// When an entry was changed, if it matters.
    fn modified(&self, entry: &DirEntry) -> Option<SystemTime> {
        if self.sort != Some(Sort::Modified) {
            return None;
        }
        entry.metadata().ok()?.modified().ok()
    }

    fn answer(&self, found: Vec<String>) -> String {
        let all = found.len();
        let limit = self.head_limit.unwrap_or(USUAL_PATHS);
        let limit = if limit == 0 { usize::MAX } else { limit };
        let mut page: Vec<String> = found.into_iter().skip(self.offset).take(limit).collect();
        let next = self.offset + page.len();
        match (page.is_empty(), all) {
            (true, 0) => return "No files found.".to_owned(),
            (true, all) => {
                return format!("There are {all} results; offset {} is behind them.", self.offset);
            }
            (false, all) if next < all => {
                page.push(format!("({} to {next} of {all}; continue with offset={next})", self.offset + 1));
            }
            _ => {}
        }
        page.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn tree() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("src/Net")).unwrap();
        for file in ["a.md", "src/Net/client.rs", "src/net_server.rs"] {
            fs::write(directory.path().join(file), "").unwrap();
        }
        directory
    }

    fn find(tree: &tempfile::TempDir, arguments: &FindFiles) -> Vec<String> {
        arguments.find(".", tree.path(), &Filter::default())
    }

    #[test]
    fn all_words_of_the_query_are_in_the_path_in_any_case() {
        let arguments = FindFiles { query: Some("net SRC".into()), ..FindFiles::default() };
        assert_eq!(find(&tree(), &arguments), ["src/Net/client.rs", "src/net_server.rs"]);
    }

    #[test]
    fn directories_come_on_request() {
        let arguments = FindFiles { include_dirs: true, query: Some("net".into()), ..FindFiles::default() };
        assert_eq!(find(&tree(), &arguments), ["src/Net/", "src/Net/client.rs", "src/net_server.rs"]);
    }

    #[test]
    fn the_newest_comes_first_on_request() {
        let tree = tree();
        let old = SystemTime::UNIX_EPOCH;
        for file in ["a.md", "src/net_server.rs"] {
            fs::File::open(tree.path().join(file)).unwrap().set_modified(old).unwrap();
        }
        let arguments = FindFiles { sort: Some(Sort::Modified), ..FindFiles::default() };
        assert_eq!(find(&tree, &arguments), ["src/Net/client.rs", "a.md", "src/net_server.rs"]);
    }

    #[test]
    fn a_page_says_how_to_go_on() {
        let found = || ["a", "b", "c"].map(str::to_owned).to_vec();
        let page = FindFiles { head_limit: Some(1), offset: 1, ..FindFiles::default() };
        assert_eq!(page.answer(found()), "b\n(2 to 2 of 3; continue with offset=2)");
        let all = FindFiles { head_limit: Some(0), ..FindFiles::default() };
        assert_eq!(all.answer(found()), "a\nb\nc");
        let behind = FindFiles { offset: 9, ..FindFiles::default() };
        assert_eq!(behind.answer(found()), "There are 3 results; offset 9 is behind them.");
        assert_eq!(behind.answer(Vec::new()), "No files found.");
    }
}
