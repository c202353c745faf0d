//! The marks that models without a matching server parser leave in their text.

/// Begins a tool call written as text.
pub const CALL: &str = "<tool_call>";
/// Ends a tool call written as text.
pub const END_OF_CALL: &str = "</tool_call>";
/// Names of the tags around a thought.
const THOUGHTS: [&str; 7] =
    ["think", "thinking", "thought", "antthinking", "antml:thinking", "reasoning", "reflection"];
/// The tag around an answer.
const FINAL: &str = "final";
/// Marks that are always written the same way.
const FIXED: [(Mark, &[&str]); 5] = [
    (Mark::Call, &[CALL]),
    (Mark::Open, &["[THINK]", "<|channel|>analysis<|message|>"]),
    (Mark::Close, &["[/THINK]"]),
    (Mark::Turn, &["<|channel|>final<|message|>", "<|end|>"]),
    (
        Mark::Noise,
        &[
            "[INST]",
            "[/INST]",
            "<<SYS>>",
            "<</SYS>>",
            "<s>",
            "</s>",
            "<bos>",
            "<eos>",
            "<start_of_turn>",
            "<end_of_turn>",
        ],
    ),
];
/// Template tokens after which the name of a speaker follows.
const SPEAKER_FOLLOWS: [&str; 4] = ["<|im_start|>", "<|start_header_id|>", "<|start|>", "<start_of_turn>"];
const SPEAKERS: [&str; 6] = ["assistant", "system", "user", "tool", "model", "developer"];
/// Most bytes of a tag with its attributes, so that text after a stray `<` is not held back for long.
const LONGEST_TAG: usize = 256;
/// Most bytes between the bars of a template token.
const LONGEST_TOKEN: usize = 48;

/// What a mark means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A thought begins.
    Open,
    /// A thought ends.
    Close,
    /// A turn ends, and with it a thought.
    Turn,
    /// A tool call begins.
    Call,
    /// Means nothing to a reader.
    Noise,
}

/// Is there a mark at the beginning of a text?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// This one, so many bytes long.
    Mark(Mark, usize),
    /// More text decides.
    Perhaps,
    /// No.
    No,
}

impl Found {
    fn or(self, next: impl FnOnce() -> Self) -> Self {
        if self == Self::No { next() } else { self }
    }
}

/// The mark at the beginning of `text`; with `end` nothing follows it any more.
pub fn mark_at(text: &str, end: bool) -> Found {
    let found = fixed(text, end).or(|| token(text)).or(|| tag(text));
    match found {
        Found::Mark(mark, length) => with_speaker(text, mark, length, end),
        Found::Perhaps if end => Found::No,
        other => other,
    }
}

fn fixed(text: &str, end: bool) -> Found {
    let mut all = FIXED.iter().flat_map(|(meaning, marks)| marks.iter().map(move |mark| (*meaning, *mark)));
    match all.clone().find(|(_, mark)| text.starts_with(mark)) {
        Some((meaning, mark)) => Found::Mark(meaning, mark.len()),
        None if !end && all.any(|(_, mark)| mark.starts_with(text)) => Found::Perhaps,
        None => Found::No,
    }
}

/// `<|any_name|>`, also with the wide bars of some templates.
fn token(text: &str) -> Found {
    let is_bar = |c: char| matches!(c, '|' | '｜');
    let Some(inner) = text.strip_prefix('<').and_then(|rest| rest.strip_prefix(is_bar)) else { return Found::No };
    let named = inner.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '▁')));
    let length = named.unwrap_or(inner.len());
    if length > LONGEST_TOKEN {
        return Found::No;
    }
    match inner[length..].strip_prefix(is_bar) {
        None if inner[length..].is_empty() => Found::Perhaps,
        Some("") => Found::Perhaps,
        Some(rest) if length > 2 && rest.starts_with('>') => Found::Mark(Mark::Noise, text.len() - rest.len() + 1),
        _ => Found::No,
    }
}

/// `<think>` and its kin: any case, with attributes, with spaces.
fn tag(text: &str) -> Found {
    let Some(inner) = text.strip_prefix('<') else { return Found::No };
    let inner = inner.trim_start();
    let (closes, inner) = inner.strip_prefix('/').map_or((false, inner), |rest| (true, rest.trim_start()));
    let is_name = |c: char| c.is_ascii_alphabetic() || c == ':';
    let (name, rest) = inner.split_at(inner.find(|c| !is_name(c)).unwrap_or(inner.len()));
    let short = text.len() < LONGEST_TAG;
    if rest.is_empty() {
        let begins = |tag: &str| tag.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        let begun = short && (THOUGHTS.into_iter().any(begins) || begins(FINAL));
        return if begun { Found::Perhaps } else { Found::No };
    }
    let meaning = match name {
        name if name.eq_ignore_ascii_case(FINAL) => Mark::Noise,
        name if !THOUGHTS.iter().any(|tag| tag.eq_ignore_ascii_case(name)) => return Found::No,
        _ if closes => Mark::Close,
        _ => Mark::Open,
    };
    if !rest.starts_with(|c: char| c.is_whitespace() || matches!(c, '/' | '>')) {
        return Found::No;
    }
    match rest.find(['<', '>']) {
        Some(at) if rest[at..].starts_with('<') => Found::No,
        Some(at) if text.len() - rest.len() + at >= LONGEST_TAG => Found::No,
        Some(at) if rest[..at].ends_with('/') => Found::Mark(Mark::Noise, text.len() - rest.len() + at + 1),
        Some(at) => Found::Mark(meaning, text.len() - rest.len() + at + 1),
        None if short => Found::Perhaps,
        None => Found::No,
    }
}

/// Takes the name of the speaker to the token before it.
fn with_speaker(text: &str, mark: Mark, length: usize, end: bool) -> Found {
    let rest = &text[length..];
    if !SPEAKER_FOLLOWS.contains(&&text[..length]) {
        return Found::Mark(mark, length);
    }
    if !end && SPEAKERS.iter().any(|speaker| speaker.len() > rest.len() && speaker.starts_with(rest)) {
        return Found::Perhaps;
    }
    let speaker = SPEAKERS.iter().find(|speaker| rest.starts_with(**speaker)).map_or(0, |speaker| speaker.len());
    Found::Mark(mark, length + speaker)
}
