//! The places of a text that come nearest to what was looked for.

use similar::get_close_matches;
use std::fmt::Write;

const MOST_PLACES: usize = 3;
/// How much of a place must be alike, from 0 to 1.
const ALIKE: f32 = 0.6;
/// Most lines shown of one place.
const MOST_LINES: usize = 20;
/// Up to so many compared lines every place is looked at; beyond, only places that share a line.
const CHEAP: usize = 20_000;

/// The nearest places to `wanted` with their line numbers, ready to be shown; empty if nothing is near.
pub(crate) fn nearest(text: &str, wanted: &str) -> String {
    let height = wanted.lines().count().max(1);
    let places = places(text, wanted, height);
    let candidates: Vec<&str> = places.iter().map(|(_, place)| *place).collect();
    let wanted = wanted.trim_end_matches('\n');
    let mut firsts: Vec<usize> = Vec::new();
    let mut shown = String::new();
    // A place overlaps those beside it, which are nearly as near: each is asked for, one is shown.
    for close in get_close_matches(wanted, &candidates, MOST_PLACES * 2 * height, ALIKE) {
        // By address, since equal text may stand at several places.
        let found = places.iter().find(|(_, place)| std::ptr::eq(*place, close));
        let Some((first, place)) = found else {
            continue;
        };
        if firsts.iter().all(|other| other.abs_diff(*first) >= height) && firsts.len() < MOST_PLACES {
            firsts.push(*first);
            show(&mut shown, *first, place);
        }
    }
    shown
}

/// All runs of `height` lines, with the number of their first line.
fn places<'a>(text: &'a str, wanted: &str, height: usize) -> Vec<(usize, &'a str)> {
    let lines: Vec<&str> = text.lines().collect();
    let cheap = lines.len().saturating_mul(height) <= CHEAP;
    let sought: Vec<&str> = wanted.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let shares = |run: &[&str]| cheap || run.iter().any(|line| sought.contains(&line.trim()));
    let runs = lines.windows(height.min(lines.len().max(1))).enumerate();
    runs.filter(|(_, run)| shares(run)).filter_map(|(index, run)| Some((index + 1, span(text, run)?))).collect()
}

/// The part of `text` from the first to the last of `lines`, which are parts of it.
fn span<'a>(text: &'a str, lines: &[&str]) -> Option<&'a str> {
    let offset = |part: &str| part.as_ptr() as usize - text.as_ptr() as usize;
    let (first, last) = (lines.first()?, lines.last()?);
    text.get(offset(first)..offset(last) + last.len())
}

fn show(shown: &mut String, first: usize, place: &str) {
    let last = first + place.lines().count().max(1) - 1;
    let _ = if first == last { write!(shown, "\nLine {first}:") } else { write!(shown, "\nLines {first} to {last}:") };
    for (index, line) in place.lines().take(MOST_LINES).enumerate() {
        let _ = write!(shown, "\n{}| {line}", first + index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_with_other_indentation_is_near() {
        let text = "fn main() {\n    let a = 1;\n    let b = 2;\n}\n";
        let shown = nearest(text, "let a = 1;\nlet b = 2;\n");
        assert_eq!(shown, "\nLines 2 to 3:\n2|     let a = 1;\n3|     let b = 2;");
    }

    #[test]
    fn a_misspelt_line_is_near_and_another_text_is_not() {
        let text = "the quick brown fox\njumps\n";
        assert_eq!(nearest(text, "the quikc brown fox"), "\nLine 1:\n1| the quick brown fox");
        assert_eq!(nearest(text, "0123456789"), "");
        assert_eq!(nearest("", "anything"), "");
    }

    #[test]
    fn in_a_long_text_places_that_share_a_line_are_still_found() {
        let mut text = "filler\n".repeat(CHEAP);
        text.push_str("alpha\nbeta\ngamma\n");
        assert!(nearest(&text, "alpha\nbeta\ngammma\n").contains("20001| alpha"));
    }
}
