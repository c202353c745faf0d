//! Whole sessions that come from elsewhere.

use crate::error::StoreError;
use crate::inbox;
use crate::messages::{self, Said};
use crate::store::Store;
use crate::turn;
use crate::writer::{Promise, Refusal};
use rusqlite::{Connection, params};

pub(crate) const ANSWERED: &str = "
    INSERT INTO inbox (session_id, channel, account, external_id, chat_id, sender, text, received_at, state)
    VALUES (?1, ?2, '', ?3, ?4, ?5, '', ?6, 'done')";
pub(crate) const ENDED: &str = "UPDATE turns SET state = ?2, bytes = ?3, ended_at = ?4 WHERE id = ?1";
pub(crate) const TIMES: &str = "UPDATE sessions SET created_at = ?2, updated_at = ?3 WHERE id = ?1";
pub(crate) const TAKEN: &str = "
    SELECT EXISTS (SELECT 1 FROM turns WHERE session_id = ?1) OR EXISTS (SELECT 1 FROM inbox WHERE session_id = ?1)";

/// A message of a session from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedMessage {
    /// The message as wire JSON.
    pub body: String,
    /// When it was said, in milliseconds since 1970.
    pub at_ms: i64,
}

/// A turn on its way into another session.
pub(crate) struct Copied {
    pub(crate) sender: String,
    pub(crate) state: String,
    pub(crate) messages: Vec<ImportedMessage>,
}

/// Makes turns of messages: each begins with a user's. Refuses what is not a message, by its number.
fn turns(messages: &[ImportedMessage]) -> Result<Vec<Copied>, StoreError> {
    let mut turns: Vec<Copied> = Vec::new();
    for (number, message) in messages.iter().enumerate() {
        let said: Said = serde_json::from_str(&message.body)
            .map_err(|error| StoreError::NoMessage { line: number + 1, reason: error.to_string() })?;
        if said.role == "user" || turns.is_empty() {
            turns.push(Copied { sender: String::new(), state: "done".into(), messages: Vec::new() });
        }
        turns.last_mut().into_iter().for_each(|turn| turn.messages.push(message.clone()));
    }
    Ok(turns)
}

/// Puts ended turns into a session that has nothing yet; returns its row.
pub(crate) fn fill(connection: &Connection, key: &str, created_at: i64, turns: &[Copied]) -> Result<i64, Refusal> {
    let (channel, chat_id) = key.split_once(':').ok_or_else(|| StoreError::NoKey(key.to_owned()))?;
    let session = inbox::session(connection, key, created_at)?;
    if connection.prepare_cached(TAKEN)?.query_row([session], |row| row.get(0))? {
        return Err(StoreError::Taken(key.to_owned()).into());
    }
    let mut last = created_at;
    for (number, turn) in turns.iter().enumerate() {
        let began = turn.messages.first().map_or(last, |message| message.at_ms);
        last = turn.messages.last().map_or(last, |message| message.at_ms);
        let external = format!("copy:{key}:{number}");
        let mut answered = connection.prepare_cached(ANSWERED)?;
        answered.execute(params![session, channel, external, chat_id, turn.sender, began])?;
        let inbox = connection.last_insert_rowid();
        let (mut first, mut bytes) = (None, 0);
        for ImportedMessage { body, at_ms } in &turn.messages {
            let id = messages::keep(connection, session, body, *at_ms)?;
            first.get_or_insert(id);
            bytes += body.len() as i64;
        }
        connection.prepare_cached(turn::BEGIN)?.execute(params![session, inbox, first.unwrap_or(0), 0, began])?;
        let turn_id = connection.last_insert_rowid();
        connection.prepare_cached(ENDED)?.execute(params![turn_id, turn.state, bytes, last])?;
    }
    connection.prepare_cached(TIMES)?.execute([session, created_at, last.max(created_at)])?;
    Ok(session)
}

impl Store {
    /// Makes the session `key` of messages from elsewhere, all or none; returns how many turns they are. Refuses a
    /// session that has messages, and names the first line that is no message.
    pub async fn import_session(
        &self,
        key: &str,
        created_at_ms: i64,
        messages: Vec<ImportedMessage>,
    ) -> Result<usize, StoreError> {
        let (key, turns) = (key.to_owned(), turns(&messages)?);
        self.write("import-session", Promise::Durable, move |connection| {
            fill(connection, &key, created_at_ms, &turns)?;
            Ok(turns.len())
        })
        .await
    }
}
