//! What a person sees of a turn while it runs.

use crate::clip;
use crate::inert::{Inert, inert};
use chiton_sandbox::Verdict;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::VecDeque;
use tokio::sync::mpsc;

/// One event of a turn. Texts are safe to print: control and invisible characters are written out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum TurnEvent {
    /// The answer goes on.
    Text {
        /// What is added.
        delta: String,
    },
    /// The model's thinking goes on.
    Reasoning {
        /// What is added.
        delta: String,
    },
    /// A tool call begins.
    ToolStarted {
        /// Names the call inside this turn.
        id: String,
        /// The tool.
        name: String,
        /// The arguments, long texts shortened.
        arguments: Value,
    },
    /// A running call tells how far it is.
    ToolProgress {
        /// The call.
        id: String,
        /// One line.
        text: String,
    },
    /// A tool call ended.
    ToolFinished {
        /// The call.
        id: String,
        /// The tool.
        name: String,
        /// How it ended.
        verdict: Verdict,
        /// Wall clock of the call in milliseconds.
        duration_ms: u64,
        /// The first line of the result or of the error.
        summary: String,
    },
    /// Something the owner should know: a retry, an uncertain call, a limit.
    Notice {
        /// One sentence.
        text: String,
    },
    /// A tool sent a message to this chat.
    Message {
        /// The message.
        text: String,
        /// Its row in the outbox; whoever shows it marks it delivered.
        outbox: Option<i64>,
    },
    /// The turn is done. Last event.
    Finished {
        /// The whole answer.
        text: String,
        /// The outbox row that carries the answer; whoever shows it marks it delivered.
        outbox: Option<i64>,
    },
    /// The turn failed. Last event.
    Failed {
        /// One sentence: the cause and what to do.
        error: String,
        /// The outbox row that carries the error; whoever shows it marks it delivered.
        outbox: Option<i64>,
    },
    /// The turn was cancelled. Last event.
    Cancelled,
}

impl TurnEvent {
    /// The same for somebody who does not deliver it.
    fn without_outbox(mut self) -> Self {
        if let Self::Finished { outbox, .. } | Self::Failed { outbox, .. } = &mut self {
            *outbox = None;
        }
        self
    }

    /// Whether no event follows.
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Finished { .. } | Self::Failed { .. } | Self::Cancelled)
    }
}

/// Events that wait in the channel before a slow reader makes the sender keep them.
pub(crate) const WAITING: usize = 512;

/// Sends events without ever waiting for the reader. What a slow reader has not taken is kept, with
/// texts joined and progress dropped, so that it is bounded by the size of the turn.
pub(crate) struct EventSink {
    sender: Option<mpsc::Sender<TurnEvent>>,
    /// Who wrote a message that joined the turn: they hear its end.
    joined: Vec<mpsc::Sender<TurnEvent>>,
    kept: VecDeque<TurnEvent>,
    text: Inert,
    reasoning: Inert,
}

impl EventSink {
    pub(crate) fn new(sender: Option<mpsc::Sender<TurnEvent>>) -> Self {
        Self { sender, joined: Vec::new(), kept: VecDeque::new(), text: Inert::default(), reasoning: Inert::default() }
    }

    pub(crate) fn text(&mut self, delta: &str) {
        if !delta.is_empty() {
            let delta = self.text.push(delta).into_owned();
            self.emit(TurnEvent::Text { delta });
        }
    }

    pub(crate) fn reasoning(&mut self, delta: &str) {
        let delta = self.reasoning.push(delta).into_owned();
        self.emit(TurnEvent::Reasoning { delta });
    }

    pub(crate) fn notice(&mut self, text: &str) {
        let text = inert(text).into_owned();
        self.emit(TurnEvent::Notice { text });
    }

    pub(crate) fn emit(&mut self, event: TurnEvent) {
        self.flush();
        let Some(sender) = &self.sender else { return };
        if !self.kept.is_empty() {
            return keep(&mut self.kept, event);
        }
        match sender.try_send(event) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(event)) => keep(&mut self.kept, event),
            Err(mpsc::error::TrySendError::Closed(_)) => self.sender = None,
        }
    }

    /// Hands over what the reader can take now.
    fn flush(&mut self) {
        let Some(sender) = &self.sender else { return };
        while !self.kept.is_empty() {
            let Ok(slot) = sender.try_reserve() else { return };
            if let Some(event) = self.kept.pop_front() {
                slot.send(event);
            }
        }
    }

    /// Somebody's message joined the turn.
    pub(crate) fn joined(&mut self, sender: Option<mpsc::Sender<TurnEvent>>) {
        self.joined.extend(sender);
    }

    /// The last event. Waits for the reader in the background, so that the session can go on.
    pub(crate) fn end(mut self, event: TurnEvent) {
        for sender in self.joined.drain(..) {
            // The first writer delivers the answer; who does not keep up finds it in the session.
            let _ = sender.try_send(event.clone().without_outbox());
        }
        self.emit(event);
        let Some(sender) = self.sender.take() else { return };
        if self.kept.is_empty() {
            return;
        }
        tokio::spawn(async move {
            for event in self.kept {
                if sender.send(event).await.is_err() {
                    return;
                }
            }
        });
    }
}

fn keep(kept: &mut VecDeque<TurnEvent>, event: TurnEvent) {
    match (kept.back_mut(), event) {
        (_, TurnEvent::ToolProgress { .. }) => {}
        (Some(TurnEvent::Text { delta }), TurnEvent::Text { delta: more })
        | (Some(TurnEvent::Reasoning { delta }), TurnEvent::Reasoning { delta: more }) => {
            delta.push_str(&more);
        }
        (_, event) => kept.push_back(event),
    }
}

/// Arguments as they are shown: harmless, and no text longer than a line or two.
pub(crate) fn shown(arguments: &Value) -> Value {
    const LONGEST_TEXT: usize = 200;
    const MOST_ITEMS: usize = 20;
    match arguments {
        Value::String(text) => {
            let end = text.char_indices().nth(LONGEST_TEXT).map_or(text.len(), |(index, _)| index);
            let mut short = inert(&text[..end]).into_owned();
            if end < text.len() {
                short.push('…');
            }
            Value::String(short)
        }
        Value::Array(items) => items.iter().take(MOST_ITEMS).map(shown).collect(),
        Value::Object(fields) => fields
            .iter()
            .take(MOST_ITEMS)
            .map(|(name, value)| (inert(&clip::line(name, LONGEST_TEXT)).into_owned(), shown(value)))
            .collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[tokio::test]
    async fn a_slow_reader_gets_every_word_and_holds_nobody_up() {
        let (sender, mut receiver) = mpsc::channel(4);
        let mut sink = EventSink::new(Some(sender));
        for number in 0..10_000 {
            sink.text(&format!("{number} "));
            sink.emit(TurnEvent::ToolProgress { id: "1".into(), text: "x".into() });
        }
        assert!(sink.kept.len() <= 1);
        sink.end(TurnEvent::Cancelled);
        let mut heard = String::new();
        while let Some(event) = receiver.recv().await {
            match event {
                TurnEvent::Text { delta } => heard.push_str(&delta),
                TurnEvent::ToolProgress { .. } => {}
                event => assert!(event.is_last()),
            }
        }
        assert_eq!(heard, (0..10_000).map(|n| format!("{n} ")).collect::<String>());
    }

    #[test]
    fn a_reader_who_left_is_forgotten() {
        let (sender, receiver) = mpsc::channel(1);
        drop(receiver);
        let mut sink = EventSink::new(Some(sender));
        sink.text("a");
        assert!(sink.sender.is_none() && sink.kept.is_empty());
    }

    #[test]
    fn cmp_10_arguments_are_shown_harmless_and_short() {
        let value = shown(&json!({"path": "a\u{202e}b", "content": "x".repeat(1_000), "n": [1, null]}));
        assert_eq!(value["path"], "a\\u{202e}b");
        assert_eq!(value["content"].as_str().map(|text| text.chars().count()), Some(201));
        assert_eq!(value["n"], json!([1, null]));
    }

    #[test]
    fn events_travel_as_json() {
        let event = TurnEvent::Finished { text: "hi".into(), outbox: Some(3) };
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(text, r#"{"event":"finished","text":"hi","outbox":3}"#);
        assert_eq!(serde_json::from_str::<TurnEvent>(&text).unwrap(), event);
    }
}
