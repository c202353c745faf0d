//! How one byte may be written: plain, in either case, percent-encoded, or percent-encoded twice.

use crate::target::percent_at;

/// Longest spelling of one byte: `%2541`.
pub(crate) const LONGEST: usize = 5;

/// What the text may begin with: a byte in lower case, and how long it is written.
pub(crate) fn spellings(text: &[u8]) -> impl Iterator<Item = (u8, usize)> {
    let plain = text.first().map(|byte| (byte.to_ascii_lowercase(), 1));
    plain.into_iter().chain(escapes(text))
}

/// As [`spellings`], without the plain one.
pub(crate) fn escapes(text: &[u8]) -> impl Iterator<Item = (u8, usize)> {
    let once = percent_at(text).map(|byte| (byte.to_ascii_lowercase(), 3));
    let twice = match text {
        [b'%', b'2', b'5', high, low, ..] => percent_at(&[b'%', *high, *low]),
        _ => None,
    };
    [once, twice.map(|byte| (byte.to_ascii_lowercase(), LONGEST))].into_iter().flatten()
}

/// Whether the text ends before it is certain what it may begin with.
pub(crate) fn is_cut(text: &[u8]) -> bool {
    text.first().is_none_or(|byte| *byte == b'%' && text.len() < LONGEST)
}
