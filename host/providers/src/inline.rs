//! Reasoning and tool calls that arrive inside the answer's text, as models without a matching server parser write them.

use serde_json::{Map, Value};

const THINK: &str = "<think>";
const END_OF_THOUGHT: &str = "</think>";
const CALL: &str = "<tool_call>";
const END_OF_CALL: &str = "</tool_call>";

/// A piece of the text, sorted.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// A piece of the answer.
    Text(String),
    /// A piece of a leading `<think>` block.
    Reasoning(String),
}

#[derive(Debug, PartialEq, Eq)]
enum Place {
    Start,
    Thought,
    Answer,
    Calls,
}

/// Sorts streamed text. What may become a tool call is held back until the end shows whether it is one.
#[derive(Debug)]
pub struct InlineText {
    place: Place,
    pending: String,
    line_is_blank: bool,
    hold_calls: bool,
}

impl InlineText {
    /// `hold_calls`: look for `<tool_call>` blocks.
    pub fn new(hold_calls: bool) -> Self {
        Self { place: Place::Start, pending: String::new(), line_is_blank: true, hold_calls }
    }

    /// Takes the next text and gives what is certain by now.
    pub fn push(&mut self, text: &str) -> Vec<Piece> {
        self.pending.push_str(text);
        let mut pieces = Vec::new();
        while self.step(&mut pieces) {}
        pieces
    }

    /// The rest: text or reasoning, or the block of tool calls that was held back.
    pub fn finish(self) -> (Option<Piece>, Option<String>) {
        match self.place {
            _ if self.pending.is_empty() => (None, None),
            Place::Start | Place::Answer => (Some(Piece::Text(self.pending)), None),
            Place::Thought => (Some(Piece::Reasoning(self.pending)), None),
            Place::Calls => (None, Some(self.pending)),
        }
    }

    /// Does one step and says whether another may follow.
    fn step(&mut self, pieces: &mut Vec<Piece>) -> bool {
        match self.place {
            Place::Start => self.at_start(),
            Place::Thought => self.in_thought(pieces),
            Place::Answer => self.in_answer(pieces),
            Place::Calls => false,
        }
    }

    /// White space before the answer and around thoughts is dropped.
    fn at_start(&mut self) -> bool {
        let text = self.pending.trim_start();
        if let Some(rest) = text.strip_prefix(THINK) {
            (self.place, self.pending) = (Place::Thought, rest.to_string());
            return true;
        }
        let undecided = THINK.starts_with(text);
        self.pending = text.to_string();
        if !undecided {
            self.place = Place::Answer;
        }
        !undecided
    }

    fn in_thought(&mut self, pieces: &mut Vec<Piece>) -> bool {
        if let Some(end) = self.pending.find(END_OF_THOUGHT) {
            let rest = self.pending.split_off(end);
            push_nonempty(
                pieces,
                Piece::Reasoning,
                std::mem::replace(&mut self.pending, rest[END_OF_THOUGHT.len()..].to_string()),
            );
            self.place = Place::Start;
            return true;
        }
        let sure = self.pending.len() - partial_suffix(&self.pending, END_OF_THOUGHT);
        let rest = self.pending.split_off(sure);
        push_nonempty(pieces, Piece::Reasoning, std::mem::replace(&mut self.pending, rest));
        false
    }

    fn in_answer(&mut self, pieces: &mut Vec<Piece>) -> bool {
        let found = if self.hold_calls { self.pending.find(CALL) } else { None };
        let (sure, begins_calls) = match found {
            Some(at) if self.blank_up_to(at) => (at, true),
            Some(at) => (at + CALL.len(), false),
            None if self.hold_calls => (self.pending.len() - partial_suffix(&self.pending, CALL), false),
            None => (self.pending.len(), false),
        };
        self.line_is_blank = self.blank_up_to(sure);
        let rest = self.pending.split_off(sure);
        push_nonempty(pieces, Piece::Text, std::mem::replace(&mut self.pending, rest));
        if begins_calls {
            self.place = Place::Calls;
        }
        found.is_some() && !begins_calls
    }

    /// Only white space between the last line ending and byte `at` of what is pending?
    fn blank_up_to(&self, at: usize) -> bool {
        let before = &self.pending[..at];
        match before.rfind('\n') {
            Some(newline) => before[newline..].trim().is_empty(),
            None => self.line_is_blank && before.trim().is_empty(),
        }
    }
}

fn push_nonempty(pieces: &mut Vec<Piece>, kind: fn(String) -> Piece, text: String) {
    if !text.is_empty() {
        pieces.push(kind(text));
    }
}

/// The length of the longest end of `text` that `mark` begins with.
fn partial_suffix(text: &str, mark: &str) -> usize {
    (1..mark.len()).rev().find(|&length| text.ends_with(&mark[..length])).unwrap_or(0)
}

/// Reads a held block: `<tool_call>` objects and nothing else, each naming one of the tools that were `offered`.
/// Anything else is an answer that merely talks about tool calls, and gives none.
pub fn read_calls(held: &str, offered: &str) -> Option<Vec<(String, Map<String, Value>)>> {
    let offered = tool_names(offered);
    let mut calls = Vec::new();
    let mut rest = held.trim();
    while !rest.is_empty() {
        let block = rest.strip_prefix(CALL)?;
        let (inner, after) = block.split_once(END_OF_CALL).unwrap_or((block, ""));
        let mut call: Map<String, Value> = serde_json::from_str(inner.trim()).ok()?;
        let name = call.get("name")?.as_str()?.to_string();
        if !offered.contains(&name) {
            return None;
        }
        let arguments = match call.remove("arguments").or_else(|| call.remove("parameters")) {
            Some(Value::Object(map)) => map,
            Some(Value::String(text)) => serde_json::from_str(&text).ok()?,
            None => Map::new(),
            Some(_) => return None,
        };
        calls.push((name, arguments));
        rest = after.trim_start();
    }
    Some(calls)
}

fn tool_names(tools: &str) -> Vec<String> {
    let tools: Vec<Value> = serde_json::from_str(tools).unwrap_or_default();
    tools.iter().filter_map(|tool| tool["function"]["name"].as_str()).map(str::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOOLS: &str = r#"[{"type":"function","function":{"name":"read_file"}}]"#;

    /// All text, all reasoning, what is held.
    fn sort(pieces: &[&str]) -> (String, String, Option<String>) {
        let (mut inline, mut text, mut reasoning) = (InlineText::new(true), String::new(), String::new());
        let mut all: Vec<Piece> = pieces.iter().flat_map(|piece| inline.push(piece)).collect();
        let (last, held) = inline.finish();
        all.extend(last);
        for piece in all {
            match piece {
                Piece::Text(piece) => text.push_str(&piece),
                Piece::Reasoning(piece) => reasoning.push_str(&piece),
            }
        }
        (text, reasoning, held)
    }

    #[test]
    fn plain_text_is_never_held_back() {
        assert_eq!(InlineText::new(true).push("2 < 3, and <b>"), [Piece::Text("2 < 3, and <b>".into())]);
    }

    #[test]
    fn a_leading_thought_is_reasoning_and_a_later_one_is_text() {
        assert_eq!(sort(&["\n<thi", "nk>why</th", "ink>\n\nbecause"]), ("because".into(), "why".into(), None));
        assert_eq!(sort(&["say <think>x</think>"]).0, "say <think>x</think>");
    }

    #[test]
    fn a_call_at_the_start_of_a_line_is_held_and_one_in_a_sentence_is_text() {
        let call = "<tool_call>{\"name\":\"read_file\",\"arguments\":{\"path\":\"a\"}}</tool_call>";
        assert_eq!(sort(&["I look.\n", call]), ("I look.\n".into(), String::new(), Some(call.into())));
        assert_eq!(sort(&["Write ", call]), (format!("Write {call}"), String::new(), None));
    }

    #[test]
    fn held_calls_are_read_with_or_without_the_last_closing_tag() {
        let held = "<tool_call>\n{\"name\":\"read_file\",\"arguments\":{\"path\":\"a\"}}\n</tool_call>\n<tool_call>{\"name\":\"read_file\",\"parameters\":\"{}\"}";
        let calls = read_calls(held, TOOLS).unwrap();
        assert_eq!(calls.len(), 2);
        assert_eq!(calls[0].1["path"], "a");
    }

    #[test]
    fn text_that_talks_about_calls_gives_none() {
        for held in [
            "<tool_call>{\"name\":\"read_file\",\"arguments\":{}}</tool_call>\nThis is how a call looks.",
            "<tool_call>{\"name\":\"unknown\",\"arguments\":{}}</tool_call>",
            "<tool_call>{\"name\":\"read_file\",\"argum",
            "<tool_call>{\"name\":\"read_file\",\"arguments\":[1]}</tool_call>",
        ] {
            assert_eq!(read_calls(held, TOOLS), None, "{held}");
        }
    }

    proptest! {
        #[test]
        fn the_place_where_text_is_cut_does_not_matter(
            parts in prop::collection::vec(prop::sample::select(vec!["<think>", "</think>", "<tool_call>", "<tool", "\n", " ", "é", "<", "a b"]), 0..12),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let whole = parts.concat();
            let places: Vec<usize> = whole.char_indices().map(|(at, _)| at).chain([whole.len()]).collect();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| places[cut.index(places.len())]).collect();
            cuts.extend([0, whole.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&str> = cuts.windows(2).map(|pair| &whole[pair[0]..pair[1]]).collect();
            prop_assert_eq!(sort(&pieces), sort(&[&whole]));
        }
    }
}
