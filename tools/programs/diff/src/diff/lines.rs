//! The comparison itself: lines of two files, and which of them correspond.

use std::borrow::Cow;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::options::Options;

/// Two files as lines, and the steps from the first to the second.
pub struct Comparison<'a> {
    /// Lines of the first file, each with its newline if it has one.
    pub left: Vec<&'a [u8]>,
    /// Lines of the second.
    pub right: Vec<&'a [u8]>,
    /// Equal and changed runs of lines, in order.
    pub steps: Vec<DiffOp>,
}

/// Compares two files; none if they are the same as far as the options care.
pub fn compare<'a>(left: &'a [u8], right: &'a [u8], options: &Options) -> Option<Comparison<'a>> {
    if left == right {
        return None;
    }
    let (left, right) = (split(left), split(right));
    let keys = |lines: &[&'a [u8]]| lines.iter().map(|line| key(line, options)).collect::<Vec<_>>();
    let mut steps = capture_diff_slices(Algorithm::Myers, &keys(&left), &keys(&right));
    if options.ignore_blank_lines {
        for step in &mut steps {
            let blank = |lines: &[&[u8]], range: std::ops::Range<usize>| {
                lines[range].iter().all(|line| line.trim_ascii().is_empty())
            };
            if blank(&left, step.old_range())
                && blank(&right, step.new_range())
                && !matches!(step, DiffOp::Equal { .. })
            {
                *step = ignored(step);
            }
        }
    }
    let differs = steps.iter().any(|step| !matches!(step, DiffOp::Equal { .. }));
    differs.then_some(Comparison { left, right, steps })
}

/// A change that nobody wants to see: no lines on either side that are changed.
fn ignored(step: &DiffOp) -> DiffOp {
    DiffOp::Equal {
        old_index: step.old_range().start,
        new_index: step.new_range().start,
        len: step.old_range().len().min(step.new_range().len()),
    }
}

fn split(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n').collect()
}

/// What of a line is compared.
fn key<'a>(line: &'a [u8], options: &Options) -> Cow<'a, [u8]> {
    let mut key = Cow::Borrowed(line);
    if options.strip_carriage_return
        && let Some(text) = line.strip_suffix(b"\r\n")
    {
        key = [text, b"\n"].concat().into();
    }
    if options.ignore_all_space {
        key = key.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect::<Vec<_>>().into();
    } else if options.ignore_space_change {
        let words: Vec<&[u8]> = key.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
        let indent: &[u8] =
            if key.first().is_some_and(u8::is_ascii_whitespace) && !words.is_empty() { b" " } else { b"" };
        key = [indent, &words.join(&b' ')].concat().into();
    } else if options.ignore_trailing_space {
        key = key.trim_ascii_end().to_vec().into();
    }
    if options.ignore_case {
        key = String::from_utf8_lossy(&key).to_lowercase().into_bytes().into();
    }
    key
}
