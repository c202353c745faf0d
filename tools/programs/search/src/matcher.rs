//! Patterns made ready: an automaton for nearly all, a backtracking engine for look-around and references.

use crate::options::{Case, Engine, Matching};
use fancy_regex::{Regex, RegexBuilder};
use grep_matcher::{Captures, Match, Matcher};
use grep_regex::{RegexMatcher, RegexMatcherBuilder};

/// Either engine.
pub(crate) enum Patterns {
    Automaton(RegexMatcher),
    Backtracking(Backtracking),
}

/// Makes the patterns ready; the error says what is wrong with them.
pub(crate) fn prepare(matching: &Matching) -> Result<Patterns, String> {
    match matching.engine {
        Engine::Automaton | Engine::Fixed => automaton(matching).map(Patterns::Automaton),
        Engine::Backtracking => backtracking(matching).map(Patterns::Backtracking),
    }
}

fn automaton(matching: &Matching) -> Result<RegexMatcher, String> {
    let mut builder = RegexMatcherBuilder::new();
    builder
        .case_insensitive(matching.case == Case::Insensitive)
        .case_smart(matching.case == Case::Smart)
        .fixed_strings(matching.engine == Engine::Fixed)
        .multi_line(true)
        .word(matching.whole_words)
        .dot_matches_new_line(matching.dot_matches_line_end);
    // Only one of the two may be set.
    match matching.whole_lines {
        true => builder.word(false).whole_line(true),
        false => &mut builder,
    };
    if !matching.across_lines {
        builder.line_terminator(Some(if matching.null_data { 0 } else { b'\n' }));
    }
    match &matching.patterns[..] {
        // No pattern matches nothing.
        [] => RegexMatcherBuilder::new().build("[a&&b]"),
        patterns => builder.build_many(patterns),
    }
    .map_err(|error| error.to_string())
}

fn backtracking(matching: &Matching) -> Result<Backtracking, String> {
    let mut pattern = matching.patterns.iter().map(|one| format!("(?:{one})")).collect::<Vec<_>>().join("|");
    if matching.patterns.len() == 1 {
        pattern.clone_from(&matching.patterns[0]);
    }
    match (matching.whole_lines, matching.whole_words) {
        (true, _) => pattern = format!("^(?:{pattern})$"),
        (false, true) => pattern = format!(r"(?<!\w)(?:{pattern})(?!\w)"),
        (false, false) => {}
    }
    let upper = matching.patterns.iter().any(|one| one.chars().any(char::is_uppercase));
    let insensitive = match matching.case {
        Case::Sensitive => false,
        Case::Insensitive => true,
        Case::Smart => !upper,
    };
    RegexBuilder::new(&pattern)
        .multi_line(true)
        .case_insensitive(insensitive)
        .dot_matches_new_line(matching.dot_matches_line_end)
        .build()
        .map(|regex| Backtracking { regex })
        .map_err(|error| error.to_string())
}

/// A regular expression that needs backtracking. It names no line terminator, so it is asked line by line.
pub(crate) struct Backtracking {
    regex: Regex,
}

/// The groups of one match.
pub(crate) struct Groups(Vec<Option<Match>>);

impl Captures for Groups {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn get(&self, group: usize) -> Option<Match> {
        self.0.get(group).copied().flatten()
    }
}

impl Matcher for Backtracking {
    type Captures = Groups;
    type Error = String;

    fn find_at(&self, haystack: &[u8], at: usize) -> Result<Option<Match>, String> {
        // A line that is no UTF-8 has no match.
        let Ok(text) = std::str::from_utf8(haystack) else { return Ok(None) };
        if !text.is_char_boundary(at) {
            return Ok(None);
        }
        let found = self.regex.find_from_pos(text, at).map_err(|error| error.to_string())?;
        Ok(found.map(|found| Match::new(found.start(), found.end())))
    }

    fn new_captures(&self) -> Result<Groups, String> {
        Ok(Groups(vec![None; self.regex.captures_len()]))
    }

    fn capture_count(&self) -> usize {
        self.regex.captures_len()
    }

    fn capture_index(&self, name: &str) -> Option<usize> {
        self.regex.capture_names().position(|group| group == Some(name))
    }

    fn captures_at(&self, haystack: &[u8], at: usize, groups: &mut Groups) -> Result<bool, String> {
        let Ok(text) = std::str::from_utf8(haystack) else { return Ok(false) };
        if !text.is_char_boundary(at) {
            return Ok(false);
        }
        let Some(found) = self.regex.captures_from_pos(text, at).map_err(|error| error.to_string())? else {
            return Ok(false);
        };
        groups.0 =
            (0..found.len()).map(|group| found.get(group).map(|one| Match::new(one.start(), one.end()))).collect();
        Ok(true)
    }
}
