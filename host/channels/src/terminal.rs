//! The terminal: chats of the owner on this machine, shown by commands that come and go.
//!
//! It shows an answer while it streams and then confirms its row of the outbox itself; an answer that nobody saw
//! waits for the next time the chat is opened. So it is no [`crate::Channel`] and nothing is delivered to it.

use crate::ChannelError;
use chiton_agent::{Agent, Submitted};
use chiton_sandbox::{Grants, SessionRights};
use chiton_store::{NewMessage, OutboxId, OutboxMessage};

/// The chats of this machine's terminals.
#[derive(Clone)]
pub struct Terminal {
    agent: Agent,
}

impl Terminal {
    /// The first part of its session keys.
    pub const NAME: &str = "terminal";

    /// The terminal chats of `agent`.
    pub fn new(agent: Agent) -> Self {
        Self { agent }
    }

    /// The session of a chat, such as `terminal:default`.
    pub fn session(chat: &str) -> String {
        format!("{}:{chat}", Self::NAME)
    }

    /// Takes what the owner wrote. `id` is made by the one who asks, so that asking again says nothing twice;
    /// each kind in `grants` replaces what tools have of that kind.
    ///
    /// # Errors
    /// When the message was not taken.
    pub async fn say(
        &self,
        chat: &str,
        id: &str,
        text: &str,
        grants: Option<Grants>,
    ) -> Result<Submitted, ChannelError> {
        let message = NewMessage {
            channel: Self::NAME.to_owned(),
            account: String::new(),
            external_id: id.to_owned(),
            chat_id: chat.to_owned(),
            sender: "owner".to_owned(),
            text: text.to_owned(),
            metadata: None,
        };
        let rights = SessionRights::of(message.session()).with(grants);
        Ok(self.agent.submit(message, rights).await?)
    }

    /// Cancels what the chat is working on; false if that is nothing.
    pub fn cancel(&self, chat: &str) -> bool {
        self.agent.cancel(&Self::session(chat))
    }

    /// The answers of a chat that nobody saw, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn unseen(&self, chat: &str) -> Result<Vec<OutboxMessage>, ChannelError> {
        let mut answers = self.agent.store().pending_outbox(Self::NAME).await?;
        answers.retain(|answer| answer.chat_id == chat);
        Ok(answers)
    }

    /// Says that an answer was seen.
    ///
    /// # Errors
    /// When that cannot be recorded.
    pub async fn seen(&self, answer: OutboxId) -> Result<(), ChannelError> {
        Ok(self.agent.store().mark_delivered(answer).await?)
    }
}
