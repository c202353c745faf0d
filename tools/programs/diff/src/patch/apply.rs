//! Hunks on lines: where they fit, and what comes out.

use super::parse::{FilePatch, Hunk, Mark};

/// What came of a file's hunks.
pub struct Outcome {
    /// The file after all hunks that fitted.
    pub bytes: Vec<u8>,
    /// The hunks that did not, by index.
    pub rejected: Vec<usize>,
    /// What is to be told about hunks that did not fit, or fitted elsewhere.
    pub notes: Vec<String>,
}

/// Applies hunks in order. Up to `fuzz` lines of context at either end of a hunk may differ.
pub fn apply(before: &[u8], hunks: &[Hunk], fuzz: usize) -> Outcome {
    let lines: Vec<&[u8]> = before.split_inclusive(|byte| *byte == b'\n').collect();
    let mut outcome = Outcome { bytes: Vec::new(), rejected: Vec::new(), notes: Vec::new() };
    // Lines already written out, and how far the file has moved against the patch.
    let (mut done, mut offset, mut grown) = (0, 0_isize, 0_isize);
    for (index, hunk) in hunks.iter().enumerate() {
        let number = index + 1;
        let expected = hunk
            .old_start
            .saturating_sub(usize::from(!hunk.side(Mark::Added).is_empty()))
            .saturating_add_signed(offset);
        let Some((at, cut)) = (0..=fuzz).find_map(|fuzz| Some((find(&lines, hunk, expected, done, fuzz)?, fuzz)))
        else {
            outcome.rejected.push(index);
            outcome.notes.push(format!(
                "Hunk #{number} FAILED at {}.\n",
                hunk.old_start.saturating_add_signed(offset + grown).max(1)
            ));
            continue;
        };
        let (head, tail) = trimmed(hunk, cut);
        // Context that was cut off stands in the file as it is there.
        outcome.bytes.extend(lines[done..at + head].concat());
        let inner = &hunk.lines[head..hunk.lines.len() - tail];
        let mut line = at + head;
        for (mark, text) in inner {
            match mark {
                // The file's own line: with `fuzz`, or without its newline, it may differ.
                Mark::Context => outcome.bytes.extend(lines[line]),
                Mark::Added => outcome.bytes.extend(text),
                Mark::Removed => {}
            }
            line += usize::from(*mark != Mark::Added);
        }
        done = line;
        let moved = at as isize - expected as isize;
        offset += moved;
        if offset != 0 || cut > 0 {
            outcome.notes.push(note(number, hunk, offset, grown, cut));
        }
        grown += hunk.side(Mark::Removed).len() as isize - hunk.side(Mark::Added).len() as isize;
    }
    outcome.bytes.extend(lines[done..].concat());
    outcome
}

fn note(number: usize, hunk: &Hunk, offset: isize, grown: isize, fuzz: usize) -> String {
    let line = hunk.old_start.saturating_add_signed(offset + grown);
    let fuzz = if fuzz > 0 { format!(" with fuzz {fuzz}") } else { String::new() };
    let moved = match offset {
        0 => String::new(),
        1 | -1 => format!(" (offset {offset} line)"),
        _ => format!(" (offset {offset} lines)"),
    };
    format!("Hunk #{number} succeeded at {line}{fuzz}{moved}.\n")
}

/// Lines of context that are not looked at, at the beginning and the end. The shorter context is cut last.
fn trimmed(hunk: &Hunk, fuzz: usize) -> (usize, usize) {
    let (head, tail) = hunk.context();
    let most = head.max(tail);
    let cut = |own: usize| (fuzz + own).saturating_sub(most).min(own);
    (cut(head), cut(tail))
}

/// The line nearest to the expected one where the old lines stand.
fn find(lines: &[&[u8]], hunk: &Hunk, expected: usize, from: usize, fuzz: usize) -> Option<usize> {
    let (head, tail) = trimmed(hunk, fuzz);
    let old = hunk.side(Mark::Added);
    let wanted = old.get(head..old.len() - tail)?;
    let fits = |at: usize| {
        at >= from
            && lines
                .get(at + head..at + head + wanted.len())
                .is_some_and(|there| there.iter().zip(wanted).all(|(there, wanted)| same(there, wanted)))
    };
    if old.is_empty() {
        // Only added lines: nothing to look for, so the place is taken from the patch.
        return Some(expected.clamp(from, lines.len()));
    }
    let farthest = lines.len().max(expected);
    (0..=farthest).find_map(|distance| {
        let before = expected.checked_sub(distance).filter(|at| fits(*at));
        let after = || Some(expected + distance).filter(|at| fits(*at));
        // Later lines are tried first, as GNU patch does.
        after().or(before)
    })
}

/// Equal, or different only in the newline that the last line of a file may lack.
fn same(there: &[u8], wanted: &[u8]) -> bool {
    there == wanted || there.strip_suffix(b"\n").unwrap_or(there) == wanted.strip_suffix(b"\n").unwrap_or(wanted)
}

/// Whether the first hunk does not fit forwards but does backwards.
pub fn is_applied(before: &[u8], patch: &FilePatch, fuzz: usize) -> bool {
    let Some(first) = patch.hunks.first() else { return false };
    let mut back = FilePatch { hunks: vec![first.clone()], ..FilePatch::default() };
    back.reverse();
    !apply(before, std::slice::from_ref(first), fuzz).rejected.is_empty()
        && apply(before, &back.hunks, 0).rejected.is_empty()
}
