//! Calls that a model repeats without learning anything new.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Identical calls with identical results after which the next one is not run.
const HARMLESS: u32 = 2;
/// Identical calls after which the turn is closed.
const HOPELESS: u32 = 5;

/// What to do with a call before it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Advice {
    /// Run it.
    Run,
    /// Answer it with a stop message.
    Stop,
    /// Answer it with a stop message and let the model close the turn.
    Close,
}

/// Remembers the calls of one turn.
#[derive(Default)]
pub(crate) struct Repetition {
    seen: HashMap<u64, Seen>,
}

struct Seen {
    result: u64,
    times: u32,
    read_only: bool,
}

impl Repetition {
    /// What to do with this call.
    pub(crate) fn before(&mut self, tool: &str, arguments: &str) -> Advice {
        let Some(seen) = self.seen.get_mut(&mark(&(tool, arguments))) else { return Advice::Run };
        if seen.times < HARMLESS {
            return Advice::Run;
        }
        seen.times += 1;
        if seen.times >= HOPELESS { Advice::Close } else { Advice::Stop }
    }

    /// Takes note of a result. A call that may have changed something makes it sensible again to
    /// look at what was looked at before.
    pub(crate) fn after(&mut self, tool: &str, arguments: &str, result: &str, read_only: bool) {
        if !read_only {
            self.seen.retain(|_, seen| !seen.read_only);
        }
        let result = mark(&result);
        let seen = self.seen.entry(mark(&(tool, arguments))).or_insert(Seen { result, times: 0, read_only });
        if seen.result != result {
            (seen.result, seen.times) = (result, 0);
        }
        seen.times += 1;
    }
}

fn mark(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(guard: &mut Repetition, result: &str) -> Advice {
        let advice = guard.before("read", "{}");
        if advice == Advice::Run {
            guard.after("read", "{}", result, true);
        }
        advice
    }

    #[test]
    fn the_third_identical_call_is_stopped_and_the_fifth_closes_the_turn() {
        let mut guard = Repetition::default();
        let heard: Vec<_> = (0..5).map(|_| advice(&mut guard, "same")).collect();
        assert_eq!(heard, [Advice::Run, Advice::Run, Advice::Stop, Advice::Stop, Advice::Close]);
    }

    #[test]
    fn a_call_whose_result_changes_may_go_on() {
        let mut guard = Repetition::default();
        for number in 0..20 {
            assert_eq!(advice(&mut guard, &number.to_string()), Advice::Run);
        }
    }

    #[test]
    fn other_arguments_are_another_call() {
        let mut guard = Repetition::default();
        guard.after("read", "{\"a\":1}", "same", true);
        guard.after("read", "{\"a\":1}", "same", true);
        assert_eq!(guard.before("read", "{\"a\":2}"), Advice::Run);
    }

    #[test]
    fn after_a_change_it_makes_sense_to_look_again() {
        let mut guard = Repetition::default();
        advice(&mut guard, "same");
        advice(&mut guard, "same");
        guard.after("write", "{}", "done", false);
        assert_eq!(advice(&mut guard, "same"), Advice::Run);
    }

    #[test]
    fn a_change_that_is_repeated_is_stopped_itself() {
        let mut guard = Repetition::default();
        for _ in 0..2 {
            assert_eq!(guard.before("write", "{}"), Advice::Run);
            guard.after("write", "{}", "done", false);
        }
        assert_eq!(guard.before("write", "{}"), Advice::Stop);
    }
}
