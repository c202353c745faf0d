//! Finds the secrets of one request in what comes back, in whatever form they were put, and takes them out.

use std::sync::{Arc, Mutex, PoisonError};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};

use crate::{forms, target::percent_at};

/// What stands where a secret was.
pub const REDACTED: &str = "[REDACTED]";

/// How often a text is percent-decoded in the search: `%41` and `%2541`.
const PERCENT_LAYERS: usize = 2;
/// Sets of secrets whose patterns are kept.
const KEPT: usize = 16;
/// Longest spelling of one byte in that many layers, `%2541`.
const LONGEST_BYTE: usize = 5;

/// All forms of a set of secrets.
#[derive(Clone)]
pub struct Patterns(Option<Arc<Search>>);

struct Search {
    /// Ignores ASCII case: servers change the case of what they echo, and hexadecimal has two.
    automaton: AhoCorasick,
    /// Bytes that a match can be long at most, in the text as it came.
    longest: usize,
}

impl Patterns {
    /// The patterns of the secrets that were put into one request.
    ///
    /// # Errors
    /// When the secrets are too long to be searched for.
    pub fn new(secrets: &[SecretString]) -> Result<Self, String> {
        Self::of_forms(secrets.iter().flat_map(|secret| forms::of(secret.expose_secret())).collect())
    }

    /// Patterns of ready forms.
    pub(crate) fn of_forms(forms: Vec<Vec<u8>>) -> Result<Self, String> {
        let Some(longest) = forms.iter().map(Vec::len).max() else { return Ok(Self(None)) };
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            // A tenth of the memory of the automaton that would be chosen, which is megabytes for a long secret.
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&forms)
            .map_err(|_| "the secrets are too long to be searched for".to_owned())?;
        Ok(Self(Some(Arc::new(Search { automaton, longest: longest * LONGEST_BYTE }))))
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

/// The patterns of the secrets that were used last, since building them takes longer than most requests' search.
#[derive(Default)]
pub(crate) struct PatternCache(Mutex<Vec<(Vec<SecretString>, Patterns)>>);

impl PatternCache {
    /// The patterns of these very values.
    pub(crate) fn of(&self, secrets: &[SecretString]) -> Result<Patterns, String> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = kept.iter().position(|(values, _)| same(values, secrets)) {
            // The one used last stands first.
            kept[..=at].rotate_right(1);
            return Ok(kept[0].1.clone());
        }
        let patterns = Patterns::new(secrets)?;
        kept.insert(0, (secrets.to_vec(), patterns.clone()));
        kept.truncate(KEPT);
        Ok(patterns)
    }
}

fn same(one: &[SecretString], other: &[SecretString]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.expose_secret() == other.expose_secret())
}

impl Search {
    /// All places where a form stands, merged where they overlap, in order.
    fn matches(&self, text: &[u8]) -> Vec<(usize, usize)> {
        let mut places: Vec<(usize, usize)> =
            self.automaton.find_overlapping_iter(text).map(|found| (found.start(), found.end())).collect();
        let mut view = View::plain(text);
        for _ in 0..PERCENT_LAYERS {
            if !view.decode() {
                break;
            }
            let found = self.automaton.find_overlapping_iter(&view.bytes);
            places.extend(found.map(|found| (view.starts[found.start()], view.starts[found.end()])));
        }
        merge(places)
    }
}

/// A text with its percent forms decoded, and where in the original each byte began.
struct View {
    bytes: Vec<u8>,
    /// One more than `bytes`: the last is the length of the original.
    starts: Vec<usize>,
}

impl View {
    fn plain(text: &[u8]) -> Self {
        // Filled only if there is anything to decode: most texts have no percent sign.
        let bytes = if memchr(text) { text.to_vec() } else { Vec::new() };
        Self { starts: (0..=bytes.len()).collect(), bytes }
    }

    /// Decodes one layer; false if there was nothing to decode.
    fn decode(&mut self) -> bool {
        let mut bytes = Vec::with_capacity(self.bytes.len());
        let mut starts = Vec::with_capacity(self.starts.len());
        let mut at = 0;
        while at < self.bytes.len() {
            let decoded = percent_at(&self.bytes[at..]);
            bytes.push(decoded.unwrap_or(self.bytes[at]));
            starts.push(self.starts[at]);
            at += if decoded.is_some() { 3 } else { 1 };
        }
        let changed = bytes.len() < self.bytes.len();
        starts.push(self.starts.last().copied().unwrap_or_default());
        *self = Self { bytes, starts };
        changed
    }
}

fn memchr(text: &[u8]) -> bool {
    text.contains(&b'%')
}

fn merge(mut places: Vec<(usize, usize)>) -> Vec<(usize, usize)> {
    places.sort_unstable();
    let mut merged: Vec<(usize, usize)> = Vec::new();
    for (start, end) in places {
        match merged.last_mut() {
            Some(last) if start < last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
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
