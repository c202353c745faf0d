//! What a model writes into its text that is not for a reader: thoughts, template tokens, tool calls, silence.
//!
//! Text is sorted while it streams, and nothing that was given out is ever taken back, so only what may become one
//! of these marks is held back. Inside code everything is kept as it is. A closing tag whose thought was opened in
//! the prompt comes too late to hide what was shown before it: [`InlineText::expect_thought`] is told of the models
//! that do so, and for any other the tag is removed and the text before it stays.

mod calls;
mod code;
mod marks;

pub use calls::read_calls;

use code::{Code, Place};
use marks::{END_OF_CALL, Found, Mark, mark_at};

/// The whole answer of a model that has nothing to say.
const SILENCE: &str = "NO_REPLY";
/// Most bytes after a mark in which inline code has to end; without an end in sight it was none.
const LONGEST_DOUBT: usize = 4096;
/// In names of models whose template opens the thought in the prompt, so that only its end is in the text.
const THOUGHT_FIRST: [&str; 4] = ["-thinking", "deepseek-r1", "qwq", "r1-distill"];

/// A piece of the text, sorted.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// A piece of the answer.
    Text(String),
    /// A piece of a thought.
    Reasoning(String),
}

/// Sorts streamed text. What may become a tool call is held back until the end shows whether it is one.
#[derive(Debug, Default)]
pub struct InlineText {
    hold_calls: bool,
    /// Text that may be the beginning of a mark.
    pending: String,
    /// How much of `pending` was searched for the end of inline code.
    searched: usize,
    code: Code,
    /// How many thoughts are open, one in the other.
    depth: usize,
    /// The thought was opened by the prompt, and nothing of it has arrived.
    expected: bool,
    /// The thought that is open, while nothing of an answer is there.
    thought: String,
    /// The beginning of an answer that may be silence.
    opening: String,
    answered: bool,
    in_call: bool,
    held: Option<String>,
    pieces: Vec<Piece>,
}

impl InlineText {
    /// `hold_calls`: look for `<tool_call>` blocks.
    pub fn new(hold_calls: bool) -> Self {
        Self { hold_calls, ..Self::default() }
    }

    /// Begins inside a thought if `model` is known to do so. An answer without one is then shown at its end.
    pub fn expect_thought(&mut self, model: &str) {
        let model = model.to_ascii_lowercase();
        self.expected = THOUGHT_FIRST.iter().any(|part| model.contains(part));
        self.depth = usize::from(self.expected);
    }

    /// The server sorts thoughts itself, so none is expected in the text.
    pub fn expect_no_thought(&mut self) {
        self.depth -= usize::from(std::mem::take(&mut self.expected));
    }

    /// Takes the next text and gives what is certain by now.
    pub fn push(&mut self, text: &str) -> Vec<Piece> {
        self.pending.push_str(text);
        self.sort(false);
        std::mem::take(&mut self.pieces)
    }

    /// The rest, and the block of tool calls that was held back. A reply that is `alone`, without calls beside the
    /// text, and ends inside its only thought is shown, so that a forgotten tag does not leave it empty.
    pub fn finish(mut self, alone: bool) -> (Vec<Piece>, Option<String>) {
        self.sort(true);
        let has_answer = self.answered || self.held.is_some() || !self.opening.is_empty();
        if self.depth > 0 && alone && !has_answer {
            let thought = std::mem::take(&mut self.thought);
            self.answer(&thought);
        }
        if !self.answered && self.opening.trim_end() != SILENCE {
            give(&mut self.pieces, Piece::Text(self.opening));
        }
        (self.pieces, self.held)
    }

    fn sort(&mut self, end: bool) {
        let mut text = std::mem::take(&mut self.pending);
        let mut at = 0;
        while at < text.len() {
            match self.step(&text[at..], end) {
                0 => break,
                taken => at += taken,
            }
        }
        text.drain(..at);
        self.pending = text;
    }

    /// Sorts the beginning of `rest` and says how much that was; zero when more text has to come.
    fn step(&mut self, rest: &str, end: bool) -> usize {
        if self.in_call {
            return self.in_call(rest, end);
        }
        let special = |byte: &u8| matches!(byte, b'<' | b'[' | b'`' | b'~' | b'\n');
        let bytes = rest.as_bytes();
        match bytes.iter().position(special) {
            Some(0) if matches!(bytes[0], b'<' | b'[') => self.perhaps_mark(rest, end),
            Some(0) if bytes[0] == b'\n' => self.take(&rest[..1]),
            Some(0) => self.take(&rest[..bytes.iter().take_while(|byte| **byte == bytes[0]).count()]),
            plain => self.take(&rest[..plain.unwrap_or(bytes.len())]),
        }
    }

    /// Takes text without marks.
    fn take(&mut self, text: &str) -> usize {
        if self.depth > 0 {
            self.think(text);
        } else {
            self.code.take(text);
            self.answer(text);
        }
        text.len()
    }

    fn perhaps_mark(&mut self, rest: &str, end: bool) -> usize {
        let place = if self.depth > 0 { Place::Prose } else { self.code.place() };
        if matches!(place, Place::Head(..) | Place::Fence(..)) {
            return self.take(&rest[..1]);
        }
        match (mark_at(rest, end), place) {
            (Found::No, _) => self.take(&rest[..1]),
            (Found::Perhaps, _) => 0,
            (Found::Mark(..), Place::Inline(ticks)) => self.in_doubt(rest, ticks, end),
            (Found::Mark(mark, length), _) => self.mark(mark, &rest[..length]),
        }
    }

    /// A mark after a backtick: code if the line has the other backtick, and else what the mark says.
    fn in_doubt(&mut self, rest: &str, ticks: usize, end: bool) -> usize {
        let window = &rest.as_bytes()[..rest.len().min(LONGEST_DOUBT)];
        let last = end || window.len() == LONGEST_DOUBT;
        let mut at = std::mem::take(&mut self.searched);
        while at < window.len() && window[at] != b'\n' {
            let run = window[at..].iter().take_while(|byte| **byte == b'`').count();
            if at + run == window.len() && !last {
                break;
            }
            if run == ticks {
                return self.take(&rest[..at]);
            }
            at += run.max(1);
        }
        if window.get(at) != Some(&b'\n') && !last {
            self.searched = at;
            return 0;
        }
        self.code.leave();
        self.step(rest, end)
    }

    fn mark(&mut self, mark: Mark, text: &str) -> usize {
        match (mark, self.depth) {
            (Mark::Call, 0) if self.hold_calls && self.code.line_is_blank() => {
                self.held.get_or_insert_default().push_str(text);
                self.in_call = true;
            }
            (Mark::Call, _) => return self.take(text),
            // The thought that the prompt opened, opened again.
            (Mark::Open, _) if self.expected => {}
            (Mark::Open, 0) => {
                self.thought.clear();
                self.depth = 1;
            }
            (Mark::Open, depth) => self.depth = depth + 1,
            // What was held back as perhaps silence was a thought then.
            (Mark::Close, 0) => give(&mut self.pieces, Piece::Reasoning(std::mem::take(&mut self.opening))),
            (Mark::Close, depth) => {
                self.thought.clear();
                self.depth = depth - 1;
            }
            (Mark::Turn, _) => self.depth = 0,
            (Mark::Noise, _) => {}
        }
        self.expected &= mark == Mark::Noise;
        if self.depth == 0 {
            self.code.leave();
        }
        text.len()
    }

    /// A call is held as it is: what it writes may well look like a mark.
    fn in_call(&mut self, rest: &str, end: bool) -> usize {
        let ended = rest.find(END_OF_CALL).map(|at| at + END_OF_CALL.len());
        self.in_call = ended.is_none();
        let begun = if end { 0 } else { partial_suffix(rest, END_OF_CALL) };
        let taken = ended.unwrap_or(rest.len() - begun);
        self.held.get_or_insert_default().push_str(&rest[..taken]);
        taken
    }

    fn think(&mut self, text: &str) {
        self.expected &= text.trim().is_empty();
        if !self.answered {
            self.thought.push_str(text);
        }
        give(&mut self.pieces, Piece::Reasoning(text.into()));
    }

    /// White space before the answer is dropped, and what may be silence is held back.
    fn answer(&mut self, text: &str) {
        if let Some(held) = &mut self.held {
            return held.push_str(text);
        }
        if self.answered {
            return give(&mut self.pieces, Piece::Text(text.into()));
        }
        let known = self.opening.len() >= SILENCE.len();
        let text = if self.opening.is_empty() { text.trim_start() } else { text };
        self.opening.push_str(text);
        let silent = match self.opening.strip_prefix(SILENCE) {
            Some(_) if known => text.trim().is_empty(),
            Some(rest) => rest.trim().is_empty(),
            None => SILENCE.starts_with(&self.opening),
        };
        if !silent {
            self.answered = true;
            give(&mut self.pieces, Piece::Text(std::mem::take(&mut self.opening)));
        }
    }
}

/// Adds a piece to the last one if it is of its kind.
fn give(pieces: &mut Vec<Piece>, piece: Piece) {
    match (pieces.last_mut(), piece) {
        (_, Piece::Text(text) | Piece::Reasoning(text)) if text.is_empty() => {}
        (Some(Piece::Text(last)), Piece::Text(text)) | (Some(Piece::Reasoning(last)), Piece::Reasoning(text)) => {
            last.push_str(&text);
        }
        (_, piece) => pieces.push(piece),
    }
}

/// The length of the longest end of `text` that `mark` begins with.
fn partial_suffix(text: &str, mark: &str) -> usize {
    (1..mark.len()).rev().find(|&length| text.ends_with(&mark[..length])).unwrap_or(0)
}

#[cfg(test)]
mod tests;
