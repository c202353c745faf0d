//! What was said before, for tools that ask: in the chats that are granted, and in no other.

use crate::{Agent, clip, without_facts};
use async_trait::async_trait;
use chiton_sandbox::ports::{Caller, Memory, PortError};
use chiton_store::{Scope, StoreError};
use jiff::Timestamp;
use serde_json::{Value, json};

/// The value of a grant for the chat that a call belongs to.
pub(crate) const THIS_CHAT: &str = "this-chat";
/// The value of a grant for all chats, and how a search asks for them.
const EVERY: &str = "*";
/// Most messages of one answer.
const MOST: u32 = 50;
/// Most characters of one message.
const MESSAGE: usize = 2_000;

#[async_trait]
impl Memory for Agent {
    async fn search(
        &self,
        caller: &Caller,
        memory: &[String],
        query: &str,
        chat: Option<String>,
        limit: u32,
    ) -> Result<String, PortError> {
        let chat = granted(caller, memory, chat)?;
        let scope = if chat == EVERY { Scope::All } else { Scope::Session(chat) };
        let found = self.store().search(query, scope, limit.clamp(1, MOST)).await.map_err(failed)?;
        let one = |found: chiton_store::Found| -> Value {
            json!({"chat": found.session, "id": found.message, "role": found.role, "at": time(found.at_ms), "text": found.snippet})
        };
        Ok(found.into_iter().map(one).collect::<Value>().to_string())
    }

    async fn read(
        &self,
        caller: &Caller,
        memory: &[String],
        chat: Option<String>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<String, PortError> {
        let chat = granted(caller, memory, chat)?;
        let read = self.store().read_messages(&chat, before, limit.clamp(1, MOST)).await.map_err(failed)?;
        // What tools gave is not what was said.
        let said = read.into_iter().filter(|message| message.role != "tool" && !message.text.is_empty());
        let one = |message: chiton_store::MessageRow| -> Value {
            let text = clip::clip(without_facts(&message.text), MESSAGE);
            json!({"id": message.id, "role": message.role, "at": time(message.at_ms), "text": text})
        };
        Ok(said.map(one).collect::<Value>().to_string())
    }
}

/// The chat that is meant, if a granted value allows it. Who asks is known from the call, whatever its words say.
fn granted(caller: &Caller, memory: &[String], chat: Option<String>) -> Result<String, PortError> {
    let own = &caller.session.session;
    let wanted = chat.filter(|chat| chat != THIS_CHAT).unwrap_or_else(|| own.clone());
    let allows = |value: &String| value == EVERY || *value == wanted || (value == THIS_CHAT && wanted == *own);
    if memory.iter().any(allows) {
        return Ok(wanted);
    }
    let grant = if wanted == *own { THIS_CHAT } else { &wanted };
    Err(PortError::Denied { grant: format!("memory={grant}"), target: wanted })
}

fn time(at_ms: i64) -> String {
    Timestamp::from_millisecond(at_ms).unwrap_or_default().to_string()
}

fn failed(error: StoreError) -> PortError {
    PortError::Failed(error.to_string())
}
