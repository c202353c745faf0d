//! Finding text in all pages of a file.

use crate::File;
use chiton_documents::{Error, MOST_PAGES};
use chiton_sdk::prelude::*;

/// Most lines that are given.
const MOST_HITS: usize = 50;
/// Last page that is searched.
const LAST_PAGE: usize = 2_000;
/// Most bytes of text of one reading of pages.
const MOST_TEXT: usize = 4 << 20;
/// How the reader begins a page.
const HEAD: &str = "--- page ";
/// Most characters of a line that are given.
const LONGEST_LINE: usize = 300;

/// What was found so far.
#[derive(Debug, Default)]
struct Found {
    hits: Vec<Hit>,
    /// Why some pages could not be searched.
    unread: Option<Error>,
    any_text: bool,
}

/// A line with the text.
#[derive(Debug, PartialEq)]
struct Hit {
    page: usize,
    line: String,
}

/// The lines with `wanted`, in words.
pub(crate) fn search(file: &File, wanted: &str) -> ToolResult {
    let mut found = Found::default();
    for first in (1..=LAST_PAGE).step_by(MOST_PAGES) {
        let pages = format!("{first}-{}", first + MOST_PAGES - 1).parse().map_err(|error| file.failure(&error))?;
        match file.read(Some(&pages), MOST_TEXT) {
            Ok(document) => {
                found.any_text = true;
                found.hits.extend(lines(&document.text, wanted));
                if document.next.is_none() || found.hits.len() > MOST_HITS {
                    break;
                }
            }
            // Pages with text may follow pages without.
            Err(error @ (Error::NoText(_) | Error::NoCharacters(_))) => found.unread = found.unread.or(Some(error)),
            Err(Error::Behind { .. }) if first > 1 => break,
            Err(error) => return Err(file.failure(&error)),
        }
    }
    match &found.unread {
        Some(error) if !found.any_text => Err(file.failure(error)),
        _ => Ok(found.words(wanted)),
    }
}

/// The lines of pages that have the text, without regard to case.
fn lines(text: &str, wanted: &str) -> Vec<Hit> {
    let wanted = wanted.to_lowercase();
    let (mut page, mut hits) = (0, Vec::new());
    for line in text.lines() {
        if let Some(number) = line.strip_prefix(HEAD) {
            page = number.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(page);
        } else if line.to_lowercase().contains(&wanted) {
            hits.push(Hit { page, line: line.trim().chars().take(LONGEST_LINE).collect() });
        }
    }
    hits
}

impl Found {
    fn words(&self, wanted: &str) -> String {
        let hits = self.hits.iter().take(MOST_HITS).map(|hit| format!("page {}: {}", hit.page, hit.line));
        let mut lines: Vec<String> = hits.collect();
        if lines.is_empty() {
            lines.push(format!("'{wanted}' is on no page; a line may break between its words, so try one word"));
        }
        if self.hits.len() > MOST_HITS {
            lines.push("(there is more; search for something rarer)".to_owned());
        }
        if let Some(error) = &self.unread {
            lines.push(format!("(not all was searched: the file {error})"));
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_in_any_case_with_their_page() {
        let text = "--- page 4 ---\nA Shell grows.\n\n--- page 5 ---\nNothing.\n  SHELLS  ";
        let hit = |page, line: &str| Hit { page, line: line.to_owned() };
        assert_eq!(lines(text, "shell"), [hit(4, "A Shell grows."), hit(5, "SHELLS")]);
    }

    #[test]
    fn nothing_found_and_pages_without_text_are_told() {
        let found = Found { unread: Some(Error::NoText("page 2".into())), any_text: true, ..Found::default() };
        let words = found.words("snail");
        assert!(words.starts_with("'snail' is on no page"), "{words}");
        assert!(words.contains("(not all was searched: the file has no text on page 2"), "{words}");
    }
}
