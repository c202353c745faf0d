//! Finds the secrets of one request in what comes back, in whatever form they were put, and takes them out.

use std::sync::Arc;

use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};

use crate::{forms, target::percent_at};

/// What stands where a secret was.
pub const REDACTED: &str = "[REDACTED]";

/// Longest spelling of one byte: `%2541`, encoded twice.
const LONGEST_BYTE: usize = 5;

/// All forms of a set of secrets.
#[derive(Clone)]
pub struct Patterns(Option<Arc<Search>>);

struct Search {
    /// In lower case: servers change the case of what they echo, and hexadecimal has two.
    forms: Vec<Vec<u8>>,
    /// For each byte the forms that begin with it.
    beginning: Vec<Vec<usize>>,
    /// Bytes that a match can be long at most, in the text as it came.
    longest: usize,
}

impl Patterns {
    /// The patterns of the secrets that were put into one request.
    #[must_use]
    pub fn new(secrets: &[SecretString]) -> Self {
        Self::of_forms(secrets.iter().flat_map(|secret| forms::of(secret.expose_secret())))
    }

    /// Patterns of ready forms.
    pub(crate) fn of_forms(forms: impl Iterator<Item = Vec<u8>>) -> Self {
        let mut forms: Vec<_> = forms.map(|form| form.to_ascii_lowercase()).filter(|form| !form.is_empty()).collect();
        forms.sort();
        forms.dedup();
        let Some(longest) = forms.iter().map(Vec::len).max() else { return Self(None) };
        let mut beginning = vec![Vec::new(); 256];
        for (index, form) in forms.iter().enumerate() {
            beginning[usize::from(form[0])].push(index);
        }
        Self(Some(Arc::new(Search { forms, beginning, longest: longest * LONGEST_BYTE })))
    }

    /// Whether there is nothing to search for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether any form of a secret is in the text.
    #[must_use]
    pub fn found_in(&self, text: &[u8]) -> bool {
        self.0.as_ref().is_some_and(|search| !search.matches(text).is_empty())
    }

    /// The text without secrets; `None` if there was none in it.
    #[must_use]
    pub fn redact(&self, text: &[u8]) -> Option<Vec<u8>> {
        if !self.found_in(text) {
            return None;
        }
        let mut redactor = Redactor::new(self.clone());
        let mut clean = redactor.push(Bytes::copy_from_slice(text)).to_vec();
        clean.extend_from_slice(&redactor.finish());
        Some(clean)
    }

    /// As [`Self::redact`], for words.
    #[must_use]
    pub fn redact_text(&self, text: String) -> String {
        match self.redact(text.as_bytes()) {
            Some(clean) => String::from_utf8_lossy(&clean).into_owned(),
            None => text,
        }
    }
}

impl Search {
    /// All places where a form stands, merged where they overlap, in order.
    fn matches(&self, text: &[u8]) -> Vec<(usize, usize)> {
        let mut places: Vec<(usize, usize)> = Vec::new();
        for (start, byte) in text.iter().enumerate() {
            // Most bytes begin nothing; this is the whole cost of an answer without secrets.
            if *byte != b'%' && self.beginning[usize::from(byte.to_ascii_lowercase())].is_empty() {
                continue;
            }
            let Some(end) = self.longest_at(&text[start..]).map(|length| start + length) else { continue };
            match places.last_mut() {
                Some(last) if start < last.1 => last.1 = last.1.max(end),
                _ => places.push((start, end)),
            }
        }
        places
    }

    /// Length of the longest form at the beginning of the text.
    fn longest_at(&self, text: &[u8]) -> Option<usize> {
        spellings(text)
            .filter_map(|(byte, _)| {
                let forms = self.beginning[usize::from(byte)].iter();
                forms.filter_map(|&form| length_at(text, &self.forms[form])).max()
            })
            .max()
    }
}

/// Length of a form at the beginning of the text, each of its bytes plain or percent-encoded. A text may be
/// read in several ways, since a `%` may also stand for itself; all are tried.
fn length_at(text: &[u8], form: &[u8]) -> Option<usize> {
    let plain =
        text.iter().zip(form).take_while(|(byte, wanted)| byte.to_ascii_lowercase() == **wanted && **byte != b'%');
    let plain = plain.count();
    if plain == form.len() {
        return Some(plain);
    }
    if text.get(plain) != Some(&b'%') {
        return None;
    }
    let mut ends = vec![plain];
    for wanted in &form[plain..] {
        let further = ends.iter().flat_map(|&end| {
            let readings = spellings(&text[end..]).filter(|(byte, _)| byte == wanted);
            readings.map(move |(_, length)| end + length)
        });
        ends = further.collect();
        ends.sort_unstable();
        ends.dedup();
    }
    ends.last().copied()
}

/// What the text may begin with: a byte in lower case, and how long it is written.
fn spellings(text: &[u8]) -> impl Iterator<Item = (u8, usize)> {
    let plain = text.first().map(|byte| (byte.to_ascii_lowercase(), 1));
    let once = percent_at(text).map(|byte| (byte.to_ascii_lowercase(), 3));
    let twice = match text {
        [b'%', b'2', b'5', high, low, ..] => percent_at(&[b'%', *high, *low]),
        _ => None,
    };
    [plain, once, twice.map(|byte| (byte.to_ascii_lowercase(), 5))].into_iter().flatten()
}

/// Takes secrets out of a stream, wherever it is cut into chunks.
pub struct Redactor {
    patterns: Patterns,
    /// The end of what was pushed, in which a form may have begun.
    held: Vec<u8>,
    /// Bytes at the beginning of `held` whose place is already taken by [`REDACTED`].
    covered: usize,
}

impl Redactor {
    /// A redactor at the beginning of a stream.
    #[must_use]
    pub fn new(patterns: Patterns) -> Self {
        Self { patterns, held: Vec::new(), covered: 0 }
    }

    /// What is searched for.
    pub(crate) fn patterns(&self) -> &Patterns {
        &self.patterns
    }

    /// Takes a chunk and gives what is certain by now.
    pub fn push(&mut self, chunk: Bytes) -> Bytes {
        let Some(search) = self.patterns.0.clone() else { return chunk };
        self.held.extend_from_slice(&chunk);
        // A form that is not complete yet begins in the last `longest - 1` bytes.
        let certain = (self.held.len() + 1).saturating_sub(search.longest);
        self.release(&search, certain)
    }

    /// What was held back.
    pub fn finish(&mut self) -> Bytes {
        let Some(search) = self.patterns.0.clone() else { return Bytes::new() };
        self.release(&search, self.held.len())
    }

    /// Gives the first `certain` held bytes, without secrets.
    fn release(&mut self, search: &Search, certain: usize) -> Bytes {
        let mut clean = Vec::with_capacity(certain);
        let mut at = self.covered.min(certain);
        let mut covered = self.covered;
        for (start, end) in search.matches(&self.held) {
            if start >= certain {
                break;
            }
            if start >= covered {
                clean.extend_from_slice(&self.held[at..start]);
                clean.extend_from_slice(REDACTED.as_bytes());
            }
            covered = covered.max(end);
            at = covered.min(certain);
        }
        clean.extend_from_slice(&self.held[at..certain]);
        self.covered = covered.saturating_sub(certain);
        self.held.drain(..certain);
        Bytes::from(clean)
    }
}
