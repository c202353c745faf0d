//! The part of a session that is sent to the model: its newest whole turns, kept in memory while the
//! session is live, so that a turn costs the same however long the session is.

use std::collections::VecDeque;
use std::sync::Arc;

/// Whole turns, oldest first.
#[derive(Default)]
pub(crate) struct Window {
    turns: VecDeque<Vec<Arc<str>>>,
    bytes: usize,
}

impl Window {
    /// A window of messages that were kept; each turn begins with a user's message.
    pub(crate) fn of(messages: Vec<Arc<str>>) -> Self {
        let mut window = Self::default();
        let mut turn = Vec::new();
        for message in messages {
            if crate::wire::Kept::of(&message).role == "user" && !turn.is_empty() && !is_nudge(&message) {
                window.push(std::mem::take(&mut turn));
            }
            turn.push(message);
        }
        if !turn.is_empty() {
            window.push(turn);
        }
        window
    }

    /// Adds a finished turn.
    pub(crate) fn push(&mut self, turn: Vec<Arc<str>>) {
        self.bytes += size(&turn);
        self.turns.push_back(turn);
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
            self.bytes -= size(&turn);
        }
        self.turns.len() < before
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn messages(&self) -> impl Iterator<Item = &Arc<str>> {
        self.turns.iter().flatten()
    }
}

/// Asks the model to go on where its reply was cut.
pub(crate) const GO_ON: &str = "[Your reply was cut at its length limit. Go on exactly where it stopped.]";

/// Whether a user's message is one that the agent wrote in the middle of a turn.
pub(crate) fn is_nudge(message: &str) -> bool {
    message.contains(GO_ON) && *message == *crate::wire::user(GO_ON)
}

fn size(turn: &[Arc<str>]) -> usize {
    turn.iter().map(|message| message.len() + 1).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire;

    fn turn(number: usize) -> Vec<Arc<str>> {
        vec![wire::user(&format!("question {number}")), wire::assistant(&format!("answer {number}"))]
    }

    #[test]
    fn kept_messages_fall_into_turns() {
        let mut messages = turn(1);
        messages.extend([wire::user("long"), wire::assistant("part"), wire::user(GO_ON), wire::assistant("rest")]);
        messages.extend(turn(3));
        let window = Window::of(messages.clone());
        assert_eq!(window.turns.iter().map(Vec::len).collect::<Vec<_>>(), [2, 4, 2]);
        assert!(window.messages().eq(messages.iter()));
    }

    #[test]
    fn the_oldest_turns_are_forgotten_whole_and_rarely() {
        let mut window = Window::default();
        let mut changes = 0;
        let mut oldest = String::new();
        for number in 0..1_000 {
            window.push(turn(number));
            window.fit(10_000);
            assert!(window.bytes() <= 10_000);
            let first = window.messages().next().map(|message| message.to_string()).unwrap_or_default();
            assert!(first.contains("question"));
            changes += usize::from(first != oldest);
            oldest = first;
        }
        assert!(changes < 50, "{changes}");
        assert_eq!(window.bytes(), window.messages().map(|message| message.len() + 1).sum::<usize>());
    }
}
