//! `edit_file`.

use crate::nearest::nearest;
use crate::replace::replace;
use crate::text::binary;
use chiton_sdk::prelude::*;
use std::num::NonZeroUsize;

/// Largest file, in bytes: old and new content must fit into the memory of a call.
const LARGEST: u64 = 8 << 20;

/// Replaces an exact piece of text in a file. old_text must stand in the file once, with all its spaces
/// and line breaks, unless replace_all, occurrence or line_hint say which is meant.
#[tool(effects(reads_files, writes_files))]
pub(crate) fn edit_file(arguments: EditFile) -> ToolResult {
    let place = paths::file(&arguments.path, Access::Write)?;
    let text = load(&place)?;
    let edited = arguments.apply(&text).map_err(|refusal| refusal.failure(&place))?;
    replace(place.clone(), edited.text.as_bytes())?;
    let lines: Vec<String> = edited.lines.iter().map(usize::to_string).collect();
    Ok(match lines.as_slice() {
        [line] => format!("Edited '{place}' at line {line}."),
        lines => format!("Edited '{place}' at {} places: lines {}.", lines.len(), lines.join(", ")),
    })
}

#[arguments]
#[derive(Default)]
pub(crate) struct EditFile {
    /// Path of the file; relative paths start at the working directory.
    path: String,
    /// The text to replace, exactly as it stands in the file, without line numbers.
    old_text: String,
    /// What to put in its place; empty removes it.
    new_text: String,
    /// Replace every occurrence (default false).
    #[serde(default)]
    replace_all: bool,
    /// Which occurrence to replace, counted from 1.
    occurrence: Option<NonZeroUsize>,
    /// Replace the occurrence nearest to this line.
    line_hint: Option<NonZeroUsize>,
    /// Refuse unless exactly so many replacements are made.
    expected_replacements: Option<NonZeroUsize>,
}

fn load(place: &Place) -> Result<String, Failure> {
    let size = std::fs::metadata(place).map_err(|error| place.failure(error))?.len();
    if size > LARGEST {
        return Err(Failure::Failed(format!("'{place}' has {size} bytes, and edit_file takes {LARGEST} at most")));
    }
    let bytes = std::fs::read(place).map_err(|error| place.failure(error))?;
    if let Some(what) = binary(&bytes) {
        return Err(Failure::Failed(format!("'{place}' is {what}, and edit_file changes text")));
    }
    String::from_utf8(bytes)
        .map_err(|_| Failure::Failed(format!("'{place}' is not UTF-8, and an edit would damage it; use write_file")))
}

/// A text after an edit, and the lines at which it changed.
#[derive(Debug, PartialEq)]
struct Edited {
    text: String,
    lines: Vec<usize>,
}

/// Why an edit was not made.
#[derive(Debug, PartialEq)]
enum Refusal {
    /// The arguments contradict each other or the file.
    Arguments(String),
    /// The text is not in the file; what comes nearest.
    Absent(String),
}

impl Refusal {
    fn failure(self, place: &Place) -> Failure {
        match self {
            Self::Arguments(reason) => Failure::InvalidArguments(format!("'{place}' is unchanged: {reason}")),
            Self::Absent(near) if near.is_empty() => Failure::Failed(format!(
                "'{place}' is unchanged: old_text is not in it, nor anything like it; read the file again"
            )),
            Self::Absent(near) => {
                Failure::Failed(format!("'{place}' is unchanged: old_text is not in it exactly. The nearest is:{near}"))
            }
        }
    }
}

impl EditFile {
    fn apply(&self, text: &str) -> Result<Edited, Refusal> {
        let refuse = |reason: &str| Err(Refusal::Arguments(reason.to_owned()));
        if self.old_text.is_empty() {
            return refuse("old_text is empty; use write_file for a whole file");
        }
        if self.old_text == self.new_text {
            return refuse("old_text and new_text are the same");
        }
        let chosen = [self.replace_all, self.occurrence.is_some(), self.line_hint.is_some()];
        if chosen.into_iter().filter(|given| *given).count() > 1 {
            return refuse("replace_all, occurrence and line_hint exclude each other");
        }
        let [old, new] = [&self.old_text, &self.new_text].map(|part| with_line_ends_of(text, part));
        let found: Vec<usize> = text.match_indices(old.as_str()).map(|(start, _)| start).collect();
        if found.is_empty() {
            return Err(Refusal::Absent(nearest(text, &self.old_text)));
        }
        let replaced = self.choose(text, &found)?;
        self.check_count(replaced.len())?;
        Ok(splice(text, &replaced, old.len(), &new))
    }

    /// Which of the occurrences, given by their offsets, are replaced.
    fn choose(&self, text: &str, found: &[usize]) -> Result<Vec<usize>, Refusal> {
        if self.replace_all {
            return Ok(found.to_vec());
        }
        let chosen = match (self.occurrence, self.line_hint) {
            (Some(occurrence), _) => found.get(occurrence.get() - 1).copied(),
            (_, Some(line)) => found.iter().copied().min_by_key(|start| line_at(text, *start).abs_diff(line.get())),
            _ => found.first().copied().filter(|_| found.len() == 1),
        };
        chosen.map(|start| vec![start]).ok_or_else(|| Refusal::Arguments(self.ambiguous(text, found)))
    }

    fn ambiguous(&self, text: &str, found: &[usize]) -> String {
        const MOST_SHOWN: usize = 20;
        let lines: Vec<String> = found.iter().take(MOST_SHOWN).map(|start| line_at(text, *start).to_string()).collect();
        let times = found.len();
        let lines = lines.join(", ");
        if self.occurrence.is_some() {
            return format!("old_text stands in it only {times} times, at lines {lines}");
        }
        format!(
            "old_text stands in it {times} times, at lines {lines}; add lines around it, or say \
             replace_all, occurrence or line_hint"
        )
    }

    fn check_count(&self, made: usize) -> Result<(), Refusal> {
        match self.expected_replacements {
            Some(expected) if expected.get() != made => {
                Err(Refusal::Arguments(format!("{expected} replacements are expected, and {made} would be made")))
            }
            _ => Ok(()),
        }
    }
}

/// `part` with the line ends that `text` uses throughout.
fn with_line_ends_of(text: &str, part: &str) -> String {
    let unix = part.replace("\r\n", "\n");
    let windows = text.contains("\r\n") && text.matches('\n').count() == text.matches("\r\n").count();
    if windows { unix.replace('\n', "\r\n") } else { part.to_owned() }
}

/// The number of the line that the byte at `offset` is on.
fn line_at(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count() + 1
}

fn splice(text: &str, starts: &[usize], length: usize, new: &str) -> Edited {
    let mut result = String::with_capacity(text.len() + starts.len() * new.len());
    let mut lines = Vec::with_capacity(starts.len());
    let mut rest = 0;
    for start in starts {
        result.push_str(&text[rest..*start]);
        lines.push(line_at(&result, result.len()));
        result.push_str(new);
        rest = start + length;
    }
    result.push_str(&text[rest..]);
    Edited { text: result, lines }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(old: &str, new: &str) -> EditFile {
        EditFile { old_text: old.to_owned(), new_text: new.to_owned(), ..EditFile::default() }
    }

    fn nth(number: usize) -> Option<NonZeroUsize> {
        NonZeroUsize::new(number)
    }

    fn refusal(result: Result<Edited, Refusal>) -> String {
        match result.unwrap_err() {
            Refusal::Arguments(reason) | Refusal::Absent(reason) => reason,
        }
    }

    #[test]
    fn one_occurrence_is_replaced() {
        let edited = edit("two", "2").apply("one\ntwo\n").unwrap();
        assert_eq!(edited, Edited { text: "one\n2\n".into(), lines: vec![2] });
    }

    #[test]
    fn several_occurrences_need_a_choice() {
        let text = "a\nb\na\na\n";
        assert!(refusal(edit("a", "x").apply(text)).contains("3 times, at lines 1, 3, 4"));
        let all = EditFile { replace_all: true, ..edit("a", "x") };
        assert_eq!(all.apply(text).unwrap().text, "x\nb\nx\nx\n");
        let second = EditFile { occurrence: nth(2), ..edit("a", "x") };
        assert_eq!(second.apply(text).unwrap().text, "a\nb\nx\na\n");
        let near = EditFile { line_hint: nth(9), ..edit("a", "x") };
        assert_eq!(near.apply(text).unwrap().text, "a\nb\na\nx\n");
        let fifth = EditFile { occurrence: nth(5), ..edit("a", "x") };
        assert!(refusal(fifth.apply(text)).contains("only 3 times"));
    }

    #[test]
    fn the_expected_number_of_replacements_is_kept() {
        let two = EditFile { replace_all: true, expected_replacements: nth(2), ..edit("a", "x") };
        assert!(two.apply("a a").is_ok());
        assert!(refusal(two.apply("a a a")).contains("2 replacements are expected, and 3 would be made"));
    }

    #[test]
    fn a_text_that_is_not_there_names_the_nearest() {
        assert!(refusal(edit("let a=1;", "").apply("let a = 1;\n")).contains("1| let a = 1;"));
    }

    #[test]
    fn line_ends_and_the_mark_at_the_start_are_kept() {
        let edited = edit("a\nb", "a\nc").apply("\u{feff}a\r\nb\r\n").unwrap();
        assert_eq!(edited.text, "\u{feff}a\r\nc\r\n");
        let mixed = edit("b\n", "c\n").apply("a\r\nb\n").unwrap();
        assert_eq!(mixed.text, "a\r\nc\n");
    }

    #[test]
    fn an_edit_that_means_nothing_is_refused() {
        assert!(edit("", "x").apply("a").is_err());
        assert!(edit("a", "a").apply("a").is_err());
        let both = EditFile { replace_all: true, occurrence: nth(1), ..edit("a", "b") };
        assert!(both.apply("a").is_err());
    }
}
