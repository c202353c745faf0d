//! Long texts, shown by their beginning and their end.

use std::borrow::Cow;

/// `text` in at most `most` characters: its head, a note of what is missing, and its tail.
pub(crate) fn clip(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let total = text.chars().count();
    if total <= most {
        return Cow::Borrowed(text);
    }
    // The note is at most this long, with a number of 20 digits.
    const NOTE: usize = 120;
    let kept = most.saturating_sub(NOTE);
    let tail = kept / 4;
    let head = kept - tail;
    let note = format!("\n[... {} of {total} characters left out: ask for a smaller part ...]\n", total - kept);
    Cow::Owned([&text[..byte_of(text, head)], &note, &text[byte_of(text, total - tail)..]].concat())
}

/// One line of at most `most` characters, for people.
pub(crate) fn line(text: &str, most: usize) -> String {
    let first = text.trim().lines().next().unwrap_or_default().trim_end();
    match first.char_indices().nth(most.saturating_sub(1)) {
        Some((end, last)) if end + last.len_utf8() < first.len() => format!("{}…", &first[..end]),
        _ => first.to_owned(),
    }
}

fn byte_of(text: &str, character: usize) -> usize {
    text.char_indices().nth(character).map_or(text.len(), |(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_left_alone() {
        assert!(matches!(clip("été", 3), Cow::Borrowed("été")));
    }

    #[test]
    fn a_long_result_keeps_head_and_tail_and_says_what_is_missing() {
        let text: String = (0..5_000).map(|n| format!("{n}\n")).collect();
        let shown = clip(&text, 1_000);
        assert!(shown.chars().count() <= 1_000, "{}", shown.chars().count());
        assert!(shown.starts_with("0\n1\n2\n"));
        assert!(shown.ends_with("4998\n4999\n"));
        assert!(shown.contains("characters left out"));
    }

    #[test]
    fn characters_are_never_cut_in_half() {
        let text = "世".repeat(1_000);
        assert!(clip(&text, 400).chars().count() <= 400);
        assert_eq!(line(&text, 3), "世世…");
    }

    #[test]
    fn a_line_is_the_first_line() {
        assert_eq!(line("  one\ntwo", 40), "one");
        assert_eq!(line("abc", 3), "abc");
        assert_eq!(line("", 3), "");
    }
}
