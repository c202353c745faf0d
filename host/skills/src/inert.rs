//! Makes text from strangers, tools and models harmless to look at: what cannot be seen, or moves what can be
//! seen, is written out as `\u{1b}`.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Neutralises a stream of pieces of one text.
#[derive(Debug, Default)]
pub struct Inert {
    before: Option<char>,
}

/// `text` with every control, direction and invisible character written out.
pub fn inert(text: &str) -> Cow<'_, str> {
    Inert::default().push(text)
}

/// `text` in one line: line ends and tabs are written out too.
pub fn line(text: &str) -> String {
    inert(text).replace('\r', "\\r").replace('\n', "\\n").replace('\t', "\\t")
}

/// At most `most` characters of `text`, in one harmless line.
pub fn brief(text: &str, most: usize) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = words.chars().take(most).collect();
    let more = if cut.len() < words.len() { "…" } else { "" };
    line(&cut) + more
}

impl Inert {
    /// The next piece, made harmless.
    pub fn push<'a>(&mut self, text: &'a str) -> Cow<'a, str> {
        if text.bytes().all(|byte| matches!(byte, b'\n' | b'\t' | b' '..=b'~')) {
            self.before = text.chars().next_back().or(self.before);
            return Cow::Borrowed(text);
        }
        let mut shown = String::with_capacity(text.len() + 16);
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            if character == '\r' && characters.peek() == Some(&'\n') {
                continue;
            }
            if hidden(character) && !self.joins(character) {
                let _ = write!(shown, "\\u{{{:x}}}", character as u32);
            } else {
                shown.push(character);
            }
            self.before = shown.chars().next_back();
        }
        Cow::Owned(shown)
    }

    /// Persian, Indic scripts and emoji are written with joiners: one is text after a visible
    /// character outside ASCII, and nothing else is.
    fn joins(&self, character: char) -> bool {
        matches!(character, '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}')
            && self.before.is_some_and(|before| {
                (!before.is_ascii() && !hidden(before)) || (character == '\u{200d}' && before == '\u{fe0f}')
            })
    }
}

/// Control characters and Unicode's format, direction, tag, filler and selector characters.
fn hidden(character: char) -> bool {
    matches!(character,
        '\u{0}'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(inert("a\tb\nc ~"), Cow::Borrowed(_)));
    }

    #[test]
    fn wasi_07_terminal_sequences_are_written_out() {
        assert_eq!(inert("\u{1b}[31mred\u{1b}]52;c;aGk=\u{7}"), "\\u{1b}[31mred\\u{1b}]52;c;aGk=\\u{7}");
        assert_eq!(inert("\u{9b}2J"), "\\u{9b}2J");
    }

    #[test]
    fn a_carriage_return_overwrites_nothing() {
        assert_eq!(inert("a\r\nb\rc"), "a\nb\\u{d}c");
    }

    #[test]
    fn cmp_10_bidi_tags_selectors_and_zero_width_are_written_out() {
        for hidden in ['\u{202e}', '\u{2066}', '\u{200b}', '\u{e0041}', '\u{e0100}', '\u{fe01}', '\u{feff}', '\u{200d}']
        {
            let shown = inert(&format!("a{hidden}b")).into_owned();
            assert_eq!(shown, format!("a\\u{{{:x}}}b", hidden as u32));
        }
    }

    #[test]
    fn people_and_their_scripts_stay_readable() {
        for text in ["Grüße, 世界", "👩‍💻 ❤️ 🏳️‍🌈", "می‌خواهم"] {
            assert_eq!(inert(text), text);
        }
    }

    #[test]
    fn a_joiner_behind_one_that_was_written_out_is_written_out_too() {
        assert_eq!(inert("a\u{fe0f}\u{200d}b"), "a\\u{fe0f}\\u{200d}b");
    }

    #[test]
    fn two_joiners_in_a_row_carry_nothing() {
        assert_eq!(inert("é\u{200d}\u{200d}\u{200c}"), "é\u{200d}\\u{200d}\\u{200c}");
    }

    #[test]
    fn a_joiner_at_a_piece_boundary_is_judged_by_what_came_before() {
        let mut stream = Inert::default();
        assert_eq!(stream.push("👩"), "👩");
        assert_eq!(stream.push("\u{200d}💻"), "\u{200d}💻");
        assert_eq!(stream.push("a"), "a");
        assert_eq!(stream.push("\u{200d}"), "\\u{200d}");
    }
}
