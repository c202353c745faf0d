//! The heartbeat: from time to time the bot looks at HEARTBEAT.md by itself, and is silent unless there is news.

use crate::agent::Room;
use crate::{Agent, TurnEvent, housekeeping};
use chiton_sandbox::SessionRights;
use chiton_store::{NewMessage, StoreError};
use jiff::Timestamp;
use std::sync::PoisonError;
use std::time::Duration;

/// The channel of the heartbeat's sessions: each is that of a chat, which hears of news.
pub(crate) const CHANNEL: &str = "heartbeat";
/// What the model answers when there is nothing to tell.
const SILENCE: [&str; 3] = ["", "NO_REPLY", "HEARTBEAT_OK"];

/// How often the bot looks, and who hears of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Heartbeat {
    /// Time between two looks.
    pub every: Duration,
    /// The chat that hears of news, `CHANNEL:CHAT`.
    pub chat: String,
}

/// Where the answer to a message goes.
pub(crate) fn told_in(message: &NewMessage) -> (String, String) {
    let own = (message.channel.as_str(), message.chat_id.as_str());
    let (channel, chat) = message.chat_id.split_once(':').filter(|_| message.channel == CHANNEL).unwrap_or(own);
    (channel.to_owned(), chat.to_owned())
}

/// Whether a message is a heartbeat.
pub(crate) fn is_heartbeat(message: &NewMessage) -> bool {
    message.channel == CHANNEL
}

/// Whether nobody is told the end of a turn: a heartbeat without news, or one for the memory.
pub(crate) fn is_silent(message: &NewMessage, said: Option<&str>) -> bool {
    let no_news = || said.is_none_or(|said| SILENCE.contains(&said.trim()));
    message.channel == housekeeping::CHANNEL || (is_heartbeat(message) && no_news())
}

impl Agent {
    /// Looks again and again, until the agent stops.
    pub(crate) async fn beat(self, heartbeat: Heartbeat) {
        loop {
            let slept = self.room.closing.run_until_cancelled(tokio::time::sleep(heartbeat.every)).await;
            if slept.is_none() {
                return;
            }
            if let Err(error) = self.look_at_tasks(&heartbeat.chat).await {
                tracing::warn!("the heartbeat is left out: {error}");
            }
        }
    }

    /// Lets the model look at the tasks, in a session of its own that begins anew, so that it stays cheap.
    async fn look_at_tasks(&self, chat: &str) -> Result<(), StoreError> {
        let room: &Room = &self.room;
        room.look(false).await?;
        let tasks = room.prompt.lock().unwrap_or_else(PoisonError::into_inner).heartbeat();
        let Some(tasks) = tasks else { return Ok(()) };
        let message = NewMessage {
            channel: CHANNEL.to_owned(),
            account: String::new(),
            external_id: Timestamp::now().as_millisecond().to_string(),
            chat_id: chat.to_owned(),
            sender: CHANNEL.to_owned(),
            text: format!(
                "[This is not a message of the user: it is time to look at your tasks. Do what is due. Answer with what the user \
                 should hear of it now, or with {} alone when there is nothing to tell.]\n\n{tasks}",
                SILENCE[1]
            ),
            metadata: None,
        };
        let session = message.session();
        room.store.reset(&session).await?;
        let submitted = self.submit(message, SessionRights::of(session)).await;
        let Ok(mut submitted) = submitted else { return Ok(()) };
        // One look at a time: the next one waits for the end of this.
        while let Some(event) = submitted.events.recv().await {
            if let TurnEvent::Failed { error, .. } = event {
                tracing::warn!("the heartbeat failed: {error}");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(channel: &str) -> NewMessage {
        NewMessage {
            channel: channel.into(),
            account: String::new(),
            external_id: "1".into(),
            chat_id: "telegram:7".into(),
            sender: String::new(),
            text: String::new(),
            metadata: None,
        }
    }

    #[test]
    fn news_of_a_heartbeat_goes_to_its_chat_and_silence_to_nobody() {
        let beat = message("heartbeat");
        assert_eq!(told_in(&beat), ("telegram".to_owned(), "7".to_owned()));
        assert!(is_silent(&beat, Some(" NO_REPLY\n")) && is_silent(&beat, None) && !is_silent(&beat, Some("news")));
        let other = message("telegram");
        assert_eq!(told_in(&other), ("telegram".to_owned(), "telegram:7".to_owned()));
        assert!(!is_silent(&other, Some("NO_REPLY")));
    }
}
