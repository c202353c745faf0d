//! `grep`.

use crate::text::{MOST_CHARACTERS, clip};
use crate::walk::{Filter, entries, shown};
use ::grep::matcher::Matcher;
use ::grep::regex::{RegexMatcher, RegexMatcherBuilder};
use ::grep::searcher::{BinaryDetection, Searcher, SearcherBuilder, Sink, SinkContext, SinkContextKind, SinkMatch};
use chiton_sdk::prelude::*;
use std::fmt::Write;
use std::io::Error;
use std::path::Path;

const USUAL_RESULTS: usize = 250;
const USUAL_CONTEXT: usize = 5;
/// Most characters of one line.
const LONGEST_LINE: usize = 2_000;
/// Largest file, in bytes: met on the way, and named by the caller.
const LARGEST_MET: u64 = 2_000_000;
const LARGEST_NAMED: u64 = 100 << 20;

/// Searches the lines of text files for a regular expression and returns the matches with the lines
/// around them. Leaves out binary and ignored files, directories such as .git, and files above 2 MB
/// unless the file is named.
#[tool(effects(reads_files))]
pub(crate) fn grep(arguments: Grep) -> ToolResult {
    let given = arguments.path.as_deref().unwrap_or(".");
    let place = paths::directory(given, Access::Read)?;
    let metadata = std::fs::metadata(&place).map_err(|error| place.failure(error))?;
    let filter = Filter::new(arguments.glob.as_deref(), arguments.file_type.as_deref())?;
    let largest = if metadata.is_dir() { LARGEST_MET } else { LARGEST_NAMED };
    arguments.search(given, place.as_ref(), &filter, largest)
}

#[arguments]
#[derive(Default)]
pub(crate) struct Grep {
    /// Regular expression, or plain text with fixed_strings.
    #[schemars(length(min = 1))]
    pattern: String,
    /// File or directory to search in (default '.').
    path: Option<String>,
    /// Only files that match, such as '*.py' or 'tests/**/test_*.py'.
    glob: Option<String>,
    /// Only files of a type, such as 'py', 'rust', 'md' or 'json'.
    #[serde(rename = "type")]
    file_type: Option<String>,
    /// Ignore case (default false).
    #[serde(default)]
    case_insensitive: bool,
    /// The pattern is plain text (default false).
    #[serde(default)]
    fixed_strings: bool,
    /// What to return: content (matching lines), files_with_matches (paths only) or count (matching
    /// lines per file). Default content.
    output_mode: Option<OutputMode>,
    /// Lines to show before each match (default 5).
    #[schemars(range(max = 20))]
    context_before: Option<usize>,
    /// Lines to show after each match (default 5).
    #[schemars(range(max = 20))]
    context_after: Option<usize>,
    /// Most results, matches or files, to return (default 250, 0 for all).
    #[schemars(range(max = 1000))]
    head_limit: Option<usize>,
    /// Leave out the first so many results.
    #[serde(default)]
    #[schemars(range(max = 100000))]
    offset: usize,
}

#[arguments]
#[derive(Clone, Copy, PartialEq)]
enum OutputMode {
    Content,
    FilesWithMatches,
    Count,
}

impl Grep {
    fn search(&self, given: &str, start: &Path, filter: &Filter, largest: u64) -> ToolResult {
        let matcher = self.matcher()?;
        let mode = self.output_mode.unwrap_or(OutputMode::Content);
        let mut searcher = self.searcher(mode);
        let mut findings = Findings::new(mode, self.head_limit.unwrap_or(USUAL_RESULTS), self.offset);
        for entry in entries(start) {
            let file = entry.file_type().is_some_and(|kind| kind.is_file());
            if !file || !filter.wants(start, &entry) {
                continue;
            }
            if entry.metadata().is_ok_and(|metadata| metadata.len() > largest) {
                findings.too_large += 1;
                continue;
            }
            findings.start_file(shown(given, start, entry.path()));
            let searched =
                searcher.search_path(&matcher, entry.path(), InFile { matcher: &matcher, findings: &mut findings });
            findings.end_file(searched.is_err());
            if findings.more {
                break;
            }
        }
        Ok(findings.answer())
    }

    fn matcher(&self) -> Result<RegexMatcher, Failure> {
        let mut builder = RegexMatcherBuilder::new();
        builder.case_insensitive(self.case_insensitive).fixed_strings(self.fixed_strings).line_terminator(Some(b'\n'));
        builder.build(&self.pattern).map_err(|error| {
            // The last line is the reason; those before draw the pattern.
            let error = error.to_string();
            let reason = error.lines().last().map_or("", |line| line.trim_start_matches("error: "));
            Failure::InvalidArguments(format!(
                "argument 'pattern' is no regular expression: {reason}; for plain text set fixed_strings"
            ))
        })
    }

    fn searcher(&self, mode: OutputMode) -> Searcher {
        let context = |asked: Option<usize>| match mode {
            OutputMode::Content => asked.unwrap_or(USUAL_CONTEXT),
            _ => 0,
        };
        SearcherBuilder::new()
            .binary_detection(BinaryDetection::quit(0))
            .line_number(true)
            .before_context(context(self.context_before))
            .after_context(context(self.context_after))
            .build()
    }
}

/// What was found, over all files.
struct Findings {
    mode: OutputMode,
    /// Results to leave out, and the number after which no more are wanted.
    offset: usize,
    end: usize,
    /// Results so far, those left out included.
    seen: usize,
    text: String,
    /// There is at least one more result than was wanted.
    more: bool,
    too_large: usize,
    unreadable: usize,
    file: File,
}

/// The file that is being searched.
#[derive(Default)]
struct File {
    name: String,
    matches: usize,
    /// Lines before a match that is yet to come, with their numbers.
    waiting: Vec<(u64, String)>,
    /// The last line that was shown.
    last: Option<u64>,
    /// The last match was shown, so the lines after it are.
    showing: bool,
}

impl Findings {
    fn new(mode: OutputMode, limit: usize, offset: usize) -> Self {
        let end = if limit == 0 { usize::MAX } else { offset.saturating_add(limit) };
        Self {
            mode,
            offset,
            end,
            seen: 0,
            text: String::new(),
            more: false,
            too_large: 0,
            unreadable: 0,
            file: File::default(),
        }
    }

    fn start_file(&mut self, name: String) {
        self.file = File { name, ..File::default() };
    }

    fn end_file(&mut self, failed: bool) {
        self.unreadable += usize::from(failed);
        if self.mode == OutputMode::Content || self.file.matches == 0 || !self.take() {
            return;
        }
        let File { name, matches, .. } = &self.file;
        let _ = match self.mode {
            OutputMode::Count => writeln!(self.text, "{name}: {matches}"),
            _ => writeln!(self.text, "{name}"),
        };
    }

    /// Counts one more result and says whether it is to be shown.
    fn take(&mut self) -> bool {
        if self.seen >= self.end || self.text.len() > MOST_CHARACTERS {
            self.more = true;
            return false;
        }
        self.seen += 1;
        self.seen > self.offset
    }

    /// One matching line; `false` ends the search of this file.
    fn matched(&mut self, number: u64, line: String) -> bool {
        self.file.matches += 1;
        if self.mode != OutputMode::Content {
            return self.mode == OutputMode::Count;
        }
        self.file.showing = self.take();
        let waiting = std::mem::take(&mut self.file.waiting);
        if self.file.showing {
            for (number, line) in waiting {
                self.show(number, '-', &line);
            }
            self.show(number, ':', &line);
        }
        !self.more
    }

    /// One line, with a separator where lines were left out.
    fn show(&mut self, number: u64, mark: char, line: &str) {
        let follows = self.file.last.is_some_and(|last| last + 1 == number);
        if !follows && !self.text.is_empty() {
            self.text.push_str("--\n");
        }
        self.file.last = Some(number);
        let _ = writeln!(self.text, "{}{mark}{number}{mark} {line}", self.file.name);
    }

    fn answer(mut self) -> String {
        if self.text.is_empty() && self.offset == 0 {
            self.text.push_str("No matches found.\n");
        } else if self.text.is_empty() {
            let _ = writeln!(self.text, "There are {} results; offset {} is behind them.", self.seen, self.offset);
        }
        if self.more {
            let _ = writeln!(
                self.text,
                "({} results; there are more: continue with offset={})",
                self.seen - self.offset,
                self.seen
            );
        }
        for (count, reason) in [(self.too_large, "too large"), (self.unreadable, "unreadable")] {
            if count > 0 {
                let _ = writeln!(self.text, "({count} files were left out: {reason})");
            }
        }
        self.text.truncate(self.text.trim_end().len());
        self.text
    }
}

/// Takes what the searcher finds in one file.
struct InFile<'a> {
    matcher: &'a RegexMatcher,
    findings: &'a mut Findings,
}

impl Sink for InFile<'_> {
    type Error = Error;

    fn matched(&mut self, _: &Searcher, found: &SinkMatch<'_>) -> Result<bool, Error> {
        let place = self.matcher.find(found.bytes()).ok().flatten().map_or(0, |place| place.start());
        let line = line(found.bytes(), place);
        Ok(self.findings.matched(found.line_number().unwrap_or_default(), line))
    }

    fn context(&mut self, _: &Searcher, context: &SinkContext<'_>) -> Result<bool, Error> {
        let number = context.line_number().unwrap_or_default();
        let line = line(context.bytes(), 0);
        match context.kind() {
            SinkContextKind::After if self.findings.file.showing => self.findings.show(number, '-', &line),
            SinkContextKind::Before => self.findings.file.waiting.push((number, line)),
            _ => {}
        }
        Ok(true)
    }
}

/// A line to be shown, around the byte at `place` if it is long.
fn line(bytes: &[u8], place: usize) -> String {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    let from = if bytes.len() <= LONGEST_LINE { 0 } else { place.saturating_sub(LONGEST_LINE / 3) };
    let text = String::from_utf8_lossy(bytes.get(from..).unwrap_or_default());
    let (shown, cut) = clip(&text, LONGEST_LINE);
    let (before, after) = (if from > 0 { "…" } else { "" }, if cut { "…" } else { "" });
    format!("{before}{shown}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn tree(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(directory.path().join(name), content).unwrap();
        }
        directory
    }

    fn pattern(pattern: &str) -> Grep {
        Grep { pattern: pattern.to_owned(), context_before: Some(0), context_after: Some(0), ..Grep::default() }
    }

    fn run(tree: &tempfile::TempDir, grep: &Grep) -> String {
        grep.search(".", tree.path(), &Filter::default(), LARGEST_MET).unwrap()
    }

    #[test]
    fn matches_carry_file_and_line_and_the_lines_around_them() {
        let tree = tree(&[("a.txt", b"1\n2\nhit\n4\n5\n6\nhit\n")]);
        let grep = Grep { context_before: Some(1), context_after: Some(1), ..pattern("hit") };
        assert_eq!(run(&tree, &grep), "a.txt-2- 2\na.txt:3: hit\na.txt-4- 4\n--\na.txt-6- 6\na.txt:7: hit");
    }

    #[test]
    fn results_come_in_pages() {
        let tree = tree(&[("a", b"x1\nx2\n"), ("b", b"x3\n")]);
        let page = |limit, offset| Grep { head_limit: Some(limit), offset, ..pattern("x") };
        assert_eq!(run(&tree, &page(1, 0)), "a:1: x1\n(1 results; there are more: continue with offset=1)");
        assert_eq!(run(&tree, &page(2, 1)), "a:2: x2\n--\nb:1: x3");
        assert_eq!(run(&tree, &page(0, 0)), "a:1: x1\na:2: x2\n--\nb:1: x3");
        assert_eq!(run(&tree, &page(1, 7)), "There are 3 results; offset 7 is behind them.");
    }

    #[test]
    fn other_modes_return_files_and_counts() {
        let tree = tree(&[("a", b"x\nx\n"), ("b", b"y\n"), ("c", b"x\n")]);
        let mode = |output_mode| Grep { output_mode: Some(output_mode), ..pattern("x") };
        assert_eq!(run(&tree, &mode(OutputMode::FilesWithMatches)), "a\nc");
        assert_eq!(run(&tree, &mode(OutputMode::Count)), "a: 2\nc: 1");
    }

    #[test]
    fn case_and_plain_text_are_chosen() {
        let tree = tree(&[("a", b"A.B\naxb\n")]);
        assert_eq!(run(&tree, &Grep { case_insensitive: true, ..pattern("a.b") }), "a:1: A.B\na:2: axb");
        let plain = Grep { case_insensitive: true, fixed_strings: true, ..pattern("a.b") };
        assert_eq!(run(&tree, &plain), "a:1: A.B");
        assert!(pattern("(").search(".", tree.path(), &Filter::default(), 1).is_err());
    }

    #[test]
    fn binary_files_are_passed_over_and_large_ones_are_told() {
        let tree = tree(&[("a", b"x\0\n"), ("b", b"no hit, but large\n")]);
        let grep = pattern("x");
        assert_eq!(
            grep.search(".", tree.path(), &Filter::default(), 5).unwrap(),
            "No matches found.\n(1 files were left out: too large)"
        );
    }

    #[test]
    fn a_long_line_is_shown_around_its_match() {
        let long = [vec![b'a'; 5000], b"hit".to_vec(), vec![b'b'; 5000]].concat();
        let shown = line(&long, 5000);
        assert!(shown.starts_with("…a") && shown.ends_with("b…") && shown.contains("hit"));
        assert!(shown.chars().count() <= LONGEST_LINE + 2);
    }
}
