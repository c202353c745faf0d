//! The part of a session that is sent to the model: a summary and its newest whole turns, kept in memory while
//! the session is live, so that a turn costs the same however long the session is.

use crate::uses;
use crate::wire::{self, Kept};
use chiton_store::{History, TurnId};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// A summary of what is older, then whole turns, oldest first.
#[derive(Default)]
pub(crate) struct Window {
    summary: Option<Arc<str>>,
    turns: VecDeque<Past>,
    bytes: usize,
}

/// A finished turn.
struct Past {
    id: TurnId,
    messages: Vec<Arc<str>>,
    /// What it uses of skills.
    uses: BTreeSet<String>,
}

impl Window {
    /// A window of what was kept.
    pub(crate) fn of(history: History) -> Self {
        let mut window = Self::default();
        window.summarise(history.summary);
        for turn in history.turns {
            window.push(turn.id, well_formed(turn.messages));
        }
        window
    }

    /// Adds a finished turn.
    pub(crate) fn push(&mut self, id: TurnId, turn: Vec<Arc<str>>) {
        self.bytes += size(&turn);
        self.turns.push_back(Past { id, uses: uses::of(&turn), messages: turn });
    }

    /// Forgets the oldest turns when there are more than `most` bytes. It then forgets down to three
    /// quarters, so that the beginning stays the same, and cached, for many turns.
    pub(crate) fn fit(&mut self, most: usize) {
        if self.bytes > most {
            self.shrink(most / 4 * 3);
        }
    }

    /// Forgets the oldest turns until at most `most` bytes are left; false if there was nothing to forget.
    pub(crate) fn shrink(&mut self, most: usize) -> bool {
        let before = self.turns.len();
        while self.bytes > most {
            let Some(turn) = self.turns.pop_front() else { break };
            self.bytes -= size(&turn.messages);
        }
        self.turns.len() < before
    }

    /// The oldest turns, without which at most `most` bytes are left: the last of them, and all their messages.
    pub(crate) fn oldest(&self, most: usize) -> Option<(TurnId, Vec<Arc<str>>)> {
        let (mut left, mut through, mut messages) = (self.bytes, None, Vec::new());
        for Past { id, messages: turn, .. } in &self.turns {
            if left <= most {
                break;
            }
            left -= size(turn);
            through = Some(*id);
            messages.extend(turn.iter().cloned());
        }
        Some((through?, messages))
    }

    /// Puts a summary in the place of the turns up to `through`.
    pub(crate) fn compact(&mut self, through: TurnId, summary: Arc<str>) {
        while self.turns.front().is_some_and(|turn| turn.id <= through) {
            let turn = self.turns.pop_front();
            self.bytes -= turn.map_or(0, |turn| size(&turn.messages));
        }
        self.summarise(Some(summary));
    }

    fn summarise(&mut self, summary: Option<Arc<str>>) {
        let length = |summary: &Option<Arc<str>>| summary.as_ref().map_or(0, |summary| summary.len() + 1);
        self.bytes = self.bytes - length(&self.summary) + length(&summary);
        self.summary = summary;
    }

    pub(crate) fn summary(&self) -> Option<&Arc<str>> {
        self.summary.as_ref()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn messages(&self) -> impl Iterator<Item = &Arc<str>> {
        self.summary.iter().chain(self.turns.iter().flat_map(|turn| &turn.messages))
    }

    /// What its turns use of skills, as [`uses::of`] gives it.
    pub(crate) fn uses(&self) -> impl Iterator<Item = &str> {
        self.turns.iter().flat_map(|turn| &turn.uses).map(String::as_str)
    }
}

/// The messages of a turn as every server accepts them: each call has one result right behind it, each result a call.
pub(crate) fn well_formed(turn: Vec<Arc<str>>) -> Vec<Arc<str>> {
    let kept: Vec<Kept> = turn.iter().map(|message| Kept::of(message)).collect();
    let mut messages = Vec::with_capacity(turn.len());
    let mut open: Vec<String> = Vec::new();
    let close = |open: &mut Vec<String>, messages: &mut Vec<Arc<str>>| {
        messages.extend(open.drain(..).map(|id| wire::tool(&id, LOST)));
    };
    for (message, kept) in turn.into_iter().zip(kept) {
        let (role, id) = (kept.role.clone(), kept.tool_call_id.clone().unwrap_or_default());
        match role.as_str() {
            "tool" => match open.iter().position(|wanted| *wanted == id) {
                Some(place) => drop(open.remove(place)),
                None => continue,
            },
            "user" | "assistant" => {
                close(&mut open, &mut messages);
                open = kept.asked().into_iter().map(|call| call.id).collect();
            }
            // What cannot be read would be refused.
            _ => continue,
        }
        messages.push(message);
    }
    close(&mut open, &mut messages);
    messages
}

/// Stands for a result that is not there any more.
const LOST: &str = "[The result of this call was lost.]";

/// Asks the model to go on where its reply was cut.
pub(crate) const GO_ON: &str = "[Your reply was cut at its length limit. Go on exactly where it stopped.]";

/// Whether a user's message is one that the agent wrote in the middle of a turn.
pub(crate) fn is_nudge(message: &str) -> bool {
    message.contains(GO_ON) && *message == *wire::user(GO_ON)
}

fn size(turn: &[Arc<str>]) -> usize {
    turn.iter().map(|message| message.len() + 1).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn turn(id: i64, text: &str) -> (TurnId, Vec<Arc<str>>) {
        (TurnId(id), vec![wire::user(text), wire::assistant("ok")])
    }

    fn filled(turns: i64) -> Window {
        let mut window = Window::default();
        (1..=turns).map(|id| turn(id, "hello")).for_each(|(id, messages)| window.push(id, messages));
        window
    }

    #[test]
    fn whole_turns_are_forgotten_oldest_first_and_then_room_is_left_for_more() {
        let mut window = filled(100);
        let most = window.bytes() - 1;
        window.fit(most);
        assert!(window.bytes() <= most / 4 * 3);
        assert_eq!(window.messages().count() % 2, 0);
        let before = window.bytes();
        window.fit(most);
        assert_eq!(window.bytes(), before);
    }

    #[test]
    fn what_a_turn_uses_is_forgotten_with_the_turn() {
        let mut window = filled(2);
        window.push(TurnId(3), vec![wire::user("ask $weather"), wire::assistant("ok")]);
        assert_eq!(window.uses().collect::<Vec<_>>(), ["weather"]);
        window.compact(TurnId(3), wire::user("summary: $weather was asked"));
        assert_eq!(window.uses().count(), 0);
    }

    #[test]
    fn a_summary_takes_the_place_of_the_oldest_turns() {
        let mut window = filled(10);
        let (through, old) = window.oldest(window.bytes() / 2).unwrap();
        assert_eq!((through, old.len()), (TurnId(5), 10));
        window.compact(through, wire::user("summary"));
        assert_eq!(window.messages().count(), 11);
        let sum: usize = window.messages().map(|message| message.len() + 1).sum();
        assert_eq!(window.bytes(), sum);
        window.compact(TurnId(6), wire::user("another"));
        assert_eq!(window.messages().count(), 9);
        assert!(window.oldest(usize::MAX).is_none());
    }

    const CALL: &str = r#"{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"x","arguments":"{}"}},{"id":"b","type":"function","function":{"name":"x","arguments":"{}"}}]}"#;

    fn shape(messages: &[Arc<str>]) -> String {
        let kept = messages.iter().map(|message| Kept::of(message));
        kept.map(|kept| kept.tool_call_id.unwrap_or(kept.role)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn missing_results_are_filled_in_and_orphans_dropped() {
        let turn =
            vec![wire::user("q"), CALL.into(), wire::tool("b", "1"), wire::tool("z", "?"), wire::assistant("done")];
        assert_eq!(shape(&well_formed(turn)), "user assistant b a assistant");
        let turn = vec![wire::tool("a", "1"), wire::user("q"), "not json".into(), CALL.into()];
        assert_eq!(shape(&well_formed(turn)), "user assistant a b");
        let turn =
            vec![CALL.into(), wire::tool("a", "1"), wire::tool("a", "2"), wire::user("next"), wire::tool("b", "1")];
        assert_eq!(shape(&well_formed(turn)), "assistant a b user");
    }

    proptest! {
        #[test]
        fn whatever_was_kept_is_sent_well_formed(kinds in proptest::collection::vec(0..7_usize, 0..20)) {
            let all = [wire::user("q"), wire::assistant("a"), CALL.into(), wire::tool("a", "1"), wire::tool("b", "1"), wire::tool("c", ""), Arc::from("{")];
            let messages = well_formed(kinds.into_iter().map(|kind| all[kind].clone()).collect());
            let mut open: Vec<String> = Vec::new();
            for message in &messages {
                let kept = Kept::of(message);
                match kept.tool_call_id.clone() {
                    Some(id) => {
                        let place = open.iter().position(|wanted| *wanted == id);
                        prop_assert!(place.is_some());
                        open.remove(place.unwrap());
                    }
                    None => {
                        prop_assert!(open.is_empty());
                        open = kept.asked().into_iter().map(|call| call.id).collect();
                    }
                }
            }
            prop_assert!(open.is_empty());
        }
    }
}
