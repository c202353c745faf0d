//! What a command printed: the start and the end of it, for long outputs.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// Longest line shown as progress, in characters.
#[cfg(target_family = "wasm")]
const LONGEST_PROGRESS: usize = 200;

/// Collects output as it comes.
pub(crate) struct Transcript {
    /// Most characters that are shown.
    most: usize,
    kept: RefCell<Kept>,
}

#[derive(Default)]
struct Kept {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    /// Bytes between them.
    dropped: u64,
}

impl Transcript {
    pub(crate) fn new(most: usize) -> Rc<Self> {
        Rc::new(Self { most, kept: RefCell::default() })
    }

    /// Adds bytes; a character has up to four, so more is kept than is shown.
    #[cfg_attr(not(any(test, target_family = "wasm")), expect(dead_code, reason = "commands run in the sandbox only"))]
    pub(crate) fn take(&self, bytes: &[u8]) {
        let half = self.most * 2;
        let mut kept = self.kept.borrow_mut();
        let room = half.saturating_sub(kept.head.len()).min(bytes.len());
        let (head, rest) = bytes.split_at(room);
        kept.head.extend(head);
        let skipped = rest.len().saturating_sub(half);
        let rest = rest.get(skipped..).unwrap_or_default();
        let over = (kept.tail.len() + rest.len()).saturating_sub(half);
        kept.tail.drain(..over);
        kept.tail.extend(rest);
        kept.dropped += (skipped + over) as u64;
    }

    /// The last line, for the user who waits.
    #[cfg(target_family = "wasm")]
    pub(crate) fn last_line(&self) -> String {
        let kept = self.kept.borrow();
        let bytes: Vec<u8> = kept.head.iter().chain(&kept.tail).copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        text.lines().next_back().unwrap_or("running").chars().take(LONGEST_PROGRESS).collect()
    }

    /// The output, cut in its middle if it is too long, with a last line.
    #[cfg_attr(not(any(test, target_family = "wasm")), expect(dead_code, reason = "commands run in the sandbox only"))]
    pub(crate) fn with_ending(&self, ending: &str) -> String {
        let kept = self.kept.borrow();
        let tail: Vec<u8> = kept.tail.iter().copied().collect();
        let mut text = if kept.dropped == 0 {
            let whole: Vec<u8> = kept.head.iter().chain(&tail).copied().collect();
            let text = String::from_utf8_lossy(&whole).into_owned();
            let characters = text.chars().count();
            if characters <= self.most { text } else { self.cut(&text, &text, characters as u64) }
        } else {
            let (head, tail) = (String::from_utf8_lossy(&kept.head), String::from_utf8_lossy(&tail));
            let all = head.chars().count() as u64 + tail.chars().count() as u64 + kept.dropped;
            self.cut(&head, &tail, all)
        };
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text + ending
    }

    /// The start of one text and the end of another.
    fn cut(&self, head: &str, tail: &str, all: u64) -> String {
        let half = self.most / 2;
        let start = head.char_indices().nth(half).map_or(head, |(at, _)| head.get(..at).unwrap_or_default());
        let end = match tail.char_indices().rev().nth(half.saturating_sub(1)) {
            Some((at, _)) => tail.get(at..).unwrap_or_default(),
            None => tail,
        };
        let left_out = all.saturating_sub(self.most as u64);
        format!("{start}\n\n... {left_out} characters left out; redirect to a file to see all ...\n\n{end}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_output_is_shown_whole() {
        let transcript = Transcript::new(1000);
        transcript.take(b"one\n");
        transcript.take(b"two");
        assert_eq!(transcript.with_ending("Exit code: 0"), "one\ntwo\nExit code: 0");
    }

    #[test]
    fn no_output_leaves_the_ending_alone() {
        assert_eq!(Transcript::new(1000).with_ending("Exit code: 1"), "Exit code: 1");
    }

    #[test]
    fn of_long_output_start_and_end_are_shown() {
        let transcript = Transcript::new(1000);
        for number in 0..100_000 {
            transcript.take(format!("{number}\n").as_bytes());
        }
        let shown = transcript.with_ending("Exit code: 0");
        assert!(shown.starts_with("0\n1\n2\n"), "{shown}");
        assert!(shown.ends_with("99998\n99999\nExit code: 0"), "{shown}");
        assert!(shown.contains("587890 characters left out"), "{shown}");
        assert!(shown.chars().count() < 1200);
    }

    #[test]
    fn characters_of_several_bytes_are_counted_once() {
        let transcript = Transcript::new(1000);
        transcript.take("ä".repeat(1000).as_bytes());
        assert_eq!(transcript.with_ending("x"), "ä".repeat(1000) + "\nx");
    }

    #[test]
    fn memory_is_bounded_however_much_is_printed() {
        let transcript = Transcript::new(1000);
        for _ in 0..1000 {
            transcript.take(&[b'x'; 100_000]);
        }
        let kept = transcript.kept.borrow();
        assert!(kept.head.len() + kept.tail.len() <= 4000);
        assert_eq!(kept.dropped, 100_000_000 - 4000);
    }
}
