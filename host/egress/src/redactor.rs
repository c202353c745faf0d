//! Finds the secrets of one request in what comes back, in whatever form they were put, and takes them out.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use bytes::{Buf, Bytes};
use secrecy::{ExposeSecret, SecretString};

use crate::{forms, search::Search};

/// What stands where a secret was.
pub const REDACTED: &str = "[REDACTED]";

/// Bytes of a chunk that mostly decide about what was held before it.
const SEAM: usize = 256;

/// All forms of a set of secrets.
#[derive(Clone)]
pub struct Patterns(Option<Arc<Sought>>);

struct Sought {
    secrets: Vec<SecretString>,
    search: Search,
}

impl Patterns {
    /// The patterns of the secrets that were put into one request.
    #[must_use]
    pub fn new(secrets: &[SecretString]) -> Self {
        let search = Search::new(secrets.iter().flat_map(|secret| forms::of(secret.expose_secret())));
        Self(search.map(|search| Arc::new(Sought { secrets: secrets.to_vec(), search })))
    }

    /// Whether there is nothing to search for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether any form of a secret is in the text.
    #[must_use]
    pub fn found_in(&self, text: &[u8]) -> bool {
        self.0.as_ref().is_some_and(|sought| !sought.search.places(text).is_empty())
    }

    /// The text without secrets; `None` if there was none in it.
    #[must_use]
    pub fn redact(&self, text: &[u8]) -> Option<Vec<u8>> {
        let places = self.0.as_ref()?.search.places(text);
        if places.is_empty() {
            return None;
        }
        let mut clean = Vec::with_capacity(text.len());
        let mut at = 0;
        for (start, end) in places {
            clean.extend_from_slice(&text[at..start]);
            clean.extend_from_slice(REDACTED.as_bytes());
            at = end;
        }
        clean.extend_from_slice(&text[at..]);
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

/// The patterns of the requests under way: those that carry the same secrets share them. Nothing is kept of a secret
/// that none of them carries.
#[derive(Default)]
pub(crate) struct Underway(Mutex<Vec<Weak<Sought>>>);

impl Underway {
    /// As [`Patterns::new`].
    pub(crate) fn patterns(&self, secrets: &[SecretString]) -> Patterns {
        if secrets.is_empty() {
            return Patterns(None);
        }
        let mut underway = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sought) = underway.iter().filter_map(Weak::upgrade).find(|sought| sought.is_of(secrets)) {
            return Patterns(Some(sought));
        }
        let patterns = Patterns::new(secrets);
        underway.retain(|sought| sought.strong_count() > 0);
        underway.extend(patterns.0.as_ref().map(Arc::downgrade));
        patterns
    }
}

impl Sought {
    fn is_of(&self, secrets: &[SecretString]) -> bool {
        self.secrets.iter().map(ExposeSecret::expose_secret).eq(secrets.iter().map(ExposeSecret::expose_secret))
    }
}

/// Takes secrets out of a stream, wherever it is cut into chunks.
pub struct Redactor {
    patterns: Patterns,
    /// The end of what was pushed, from where a form may have begun. A copy: a part of the chunk would keep all of it,
    /// and whoever reads the next one could not use its memory again.
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
        let [held, rest] = self.pieces(chunk);
        match (held.is_empty(), rest.is_empty()) {
            (true, _) => rest,
            (_, true) => held,
            _ => [held, rest].concat().into(),
        }
    }

    /// As [`Self::push`], in two pieces: what was held, with as much of the chunk as decides about it, and the rest of
    /// the chunk, which is not copied if no secret is in it.
    pub(crate) fn pieces(&mut self, mut chunk: Bytes) -> [Bytes; 2] {
        let Some(sought) = self.patterns.0.clone() else { return [Bytes::new(), chunk] };
        let mut decided = Bytes::new();
        let held = mem::take(&mut self.held);
        let mut size = SEAM.min(chunk.len());
        while !held.is_empty() {
            let seam = [&held[..], &chunk[..size]].concat();
            let findings = sought.search.find(&seam);
            let whole = size == chunk.len();
            if whole || findings.certain >= held.len() {
                decided = self.release(seam.into(), findings.certain, &findings.places);
                if whole {
                    return [decided, Bytes::new()];
                }
                self.held.clear();
                chunk.advance(findings.certain - held.len());
                break;
            }
            size = chunk.len().min(2 * size);
        }
        let findings = sought.search.find(&chunk);
        [decided, self.release(chunk, findings.certain, &findings.places)]
    }

    /// What was held back.
    pub fn finish(&mut self) -> Bytes {
        let Some(sought) = &self.patterns.0 else { return Bytes::new() };
        let text = Bytes::from(mem::take(&mut self.held));
        let places = sought.search.places(&text);
        let certain = text.len();
        self.release(text, certain, &places)
    }

    /// Gives the first `certain` bytes without secrets and holds the others.
    fn release(&mut self, mut text: Bytes, certain: usize, places: &[(usize, usize)]) -> Bytes {
        self.held = text[certain..].to_vec();
        text.truncate(certain);
        if self.covered == 0 && places.first().is_none_or(|(start, _)| *start >= certain) {
            return text;
        }
        let mut clean = Vec::with_capacity(certain);
        let mut at = self.covered.min(certain);
        let mut covered = self.covered;
        for &(start, end) in places.iter().take_while(|(start, _)| *start < certain) {
            if start >= covered {
                clean.extend_from_slice(&text[at..start]);
                clean.extend_from_slice(REDACTED.as_bytes());
            }
            covered = covered.max(end);
            at = covered.min(certain);
        }
        clean.extend_from_slice(&text[at..]);
        self.covered = covered.saturating_sub(certain);
        clean.into()
    }
}
