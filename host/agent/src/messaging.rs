//! Messages that tools send to chats: put into the outbox, then followed until the channel has taken them.

use crate::recall::THIS_CHAT;
use crate::{Agent, TurnEvent, inert};
use async_trait::async_trait;
use chiton_sandbox::ports::{Attachment, Caller, Messaging, PortError};
use chiton_store::{DeliveryState, NewOutbox, OutboxId};
use std::time::{Duration, Instant};

/// Most bytes of one message.
const MOST_TEXT: usize = 64 << 10;
/// How long a call waits for the channel before it says that the message waits.
const PATIENCE: Duration = Duration::from_secs(20);
/// How soon it looks first; each further look comes after twice the time, up to `LATEST_LOOK`.
const FIRST_LOOK: Duration = Duration::from_millis(10);
const LATEST_LOOK: Duration = Duration::from_millis(500);

#[async_trait]
impl Messaging for Agent {
    async fn send(
        &self,
        caller: &Caller,
        messaging: &[String],
        chat: Option<String>,
        text: String,
        attachments: Vec<Attachment>,
    ) -> Result<bool, PortError> {
        let own = &caller.session.session;
        let wanted = chat.as_deref().unwrap_or(own);
        let granted = |value: &String| value == wanted || (value == THIS_CHAT && wanted == own);
        if !messaging.iter().any(granted) {
            let grant = if wanted == own { THIS_CHAT } else { wanted };
            return Err(PortError::Denied { grant: format!("messaging={grant}"), target: wanted.to_owned() });
        }
        let Some((channel, chat_id)) = wanted.split_once(':').filter(|(channel, _)| self.has_channel(channel)) else {
            let channels = self.settings().channels.join(", ");
            return Err(PortError::NotFound(format!(
                "no message can be sent to '{wanted}'; a chat is written CHANNEL:CHAT, and the channels here are: {channels}"
            )));
        };
        let text = inert(&text).into_owned();
        if text.trim().is_empty() && attachments.is_empty() {
            return Err(PortError::Invalid("the message is empty".to_owned()));
        }
        if text.len() > MOST_TEXT {
            return Err(PortError::Invalid(format!("the message has more than {} KiB", MOST_TEXT >> 10)));
        }
        let message = NewOutbox { channel: channel.to_owned(), chat_id: chat_id.to_owned(), text: text.clone() };
        let file = |file: Attachment| chiton_store::Attachment { name: file.name, mime: file.mime, data: file.data };
        let sent = self.store().send(message, attachments.into_iter().map(file).collect()).await;
        let outbox = sent.map_err(|error| PortError::Failed(error.to_string()))?;
        self.outbox_grew();
        self.room.bus.show(wanted, TurnEvent::Message { text, outbox: Some(outbox.0) });
        self.delivered(outbox, caller.deadline).await
    }
}

impl Agent {
    fn has_channel(&self, name: &str) -> bool {
        self.settings().channels.iter().any(|channel| channel == name)
    }

    /// Whether the channel has taken a message, as soon as that is known.
    async fn delivered(&self, outbox: OutboxId, deadline: Instant) -> Result<bool, PortError> {
        let until = deadline.min(Instant::now() + PATIENCE);
        let mut pause = FIRST_LOOK;
        loop {
            let state =
                self.store().outbox_state(outbox).await.map_err(|error| PortError::Failed(error.to_string()))?;
            match state {
                Some(state) if state.state == DeliveryState::Delivered => return Ok(true),
                Some(state) if state.state == DeliveryState::Undeliverable => {
                    let reason = state.last_error.unwrap_or_default();
                    return Err(PortError::Failed(format!("the message cannot be delivered: {reason}")));
                }
                // An attempt has failed: the channel tries again, however long that takes.
                Some(state) if state.last_error.is_some() => return Ok(false),
                _ if Instant::now() >= until => return Ok(false),
                _ => tokio::time::sleep(pause).await,
            }
            pause = (pause * 2).min(LATEST_LOOK);
        }
    }
}
