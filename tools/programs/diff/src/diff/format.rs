//! How differences are written.

use std::ops::Range;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use similar::{DiffOp, group_diff_ops};

use super::Side;
use super::lines::Comparison;
use super::options::Options;

/// Written behind a last line that has no newline.
const NO_NEWLINE: &[u8] = b"\\ No newline at end of file\n";

/// Characters of a function's line that `-p` shows.
const FUNCTION_WIDTH: usize = 40;

/// `2,3c2`, `<` lines, `---`, `>` lines.
pub fn normal(comparison: &Comparison) -> Vec<u8> {
    let mut out = Vec::new();
    for step in &comparison.steps {
        let (old, new) = (step.old_range(), step.new_range());
        let letter = match step {
            DiffOp::Equal { .. } => continue,
            DiffOp::Delete { .. } => 'd',
            DiffOp::Insert { .. } => 'a',
            DiffOp::Replace { .. } => 'c',
        };
        out.extend(format!("{}{letter}{}\n", span(&old), span(&new)).bytes());
        lines(&mut out, "< ", &comparison.left[old]);
        if letter == 'c' {
            out.extend(b"---\n");
        }
        lines(&mut out, "> ", &comparison.right[new]);
    }
    out
}

/// Line numbers from 1; for no lines the one before them.
fn span(range: &Range<usize>) -> String {
    match range.len() {
        0 => range.start.to_string(),
        1 => (range.start + 1).to_string(),
        _ => format!("{},{}", range.start + 1, range.end),
    }
}

fn lines(out: &mut Vec<u8>, mark: &str, lines: &[&[u8]]) {
    for line in lines {
        out.extend(mark.bytes());
        out.extend(*line);
        if !line.ends_with(b"\n") {
            out.push(b'\n');
            out.extend(NO_NEWLINE);
        }
    }
}

/// `---`, `+++`, `@@`, and lines with a mark each.
pub fn unified(comparison: &Comparison, left: &Side, right: &Side, context: usize, options: &Options) -> Vec<u8> {
    let mut out = Vec::new();
    for (mark, side, label) in [("---", left, options.labels.first()), ("+++", right, options.labels.get(1))] {
        let name = label.cloned().unwrap_or_else(|| format!("{}\t{}", side.path, time(side)));
        out.extend(format!("{mark} {name}\n").bytes());
    }
    for hunk in group_diff_ops(comparison.steps.clone(), context) {
        let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else { continue };
        let old = first.old_range().start..last.old_range().end;
        let new = first.new_range().start..last.new_range().end;
        let function = if options.show_function { function(&comparison.left[..old.start]) } else { String::new() };
        out.extend(format!("@@ -{} +{} @@{function}\n", counted(&old), counted(&new)).bytes());
        for step in hunk {
            match step {
                DiffOp::Equal { .. } => lines(&mut out, " ", &comparison.left[step.old_range()]),
                _ => {
                    lines(&mut out, "-", &comparison.left[step.old_range()]);
                    lines(&mut out, "+", &comparison.right[step.new_range()]);
                }
            }
        }
    }
    out
}

/// Start and length; the length is left out when it is 1, and the start is the line before when it is 0.
fn counted(range: &Range<usize>) -> String {
    match range.len() {
        0 => format!("{},0", range.start),
        1 => (range.start + 1).to_string(),
        length => format!("{},{length}", range.start + 1),
    }
}

/// The last line before a hunk that looks as if it opened a function.
fn function(before: &[&[u8]]) -> String {
    let opens = |line: &&&[u8]| line.first().is_some_and(|byte| byte.is_ascii_alphabetic() || b"_$".contains(byte));
    let line = before.iter().rev().find(opens).map(|line| String::from_utf8_lossy(line));
    line.map(|line| format!(" {}", line.trim_end().chars().take(FUNCTION_WIDTH).collect::<String>()))
        .unwrap_or_default()
}

fn time(side: &Side) -> String {
    Timestamp::try_from(side.modified)
        .map(|time| time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S.%9f %z").to_string())
        .unwrap_or_default()
}
