//! Whole sessions that come from elsewhere or go there.

use crate::error::StoreError;
use crate::history;
use crate::inbox;
use crate::messages::{self, Said};
use crate::recall;
use crate::records::TurnId;
use crate::rested;
use crate::store::{Store, now};
use crate::turn;
use crate::writer::{Promise, Refusal};
use rusqlite::{Connection, OptionalExtension, params};

pub(crate) const ANSWERED: &str = "
    INSERT INTO inbox (session_id, channel, account, external_id, chat_id, sender, text, received_at, state)
    VALUES (?1, ?2, '', ?3, ?4, ?5, '', ?6, 'done')";
pub(crate) const ENDED: &str = "UPDATE turns SET state = ?2, bytes = ?3, ended_at = ?4 WHERE id = ?1";
pub(crate) const TIMES: &str = "UPDATE sessions SET created_at = ?2, updated_at = ?3 WHERE id = ?1";
/// Each turn ends where the next one begins.
pub(crate) const TURNS: &str = "
    SELECT id, sender, state, first_message, next FROM (
        SELECT turns.id, sender, turns.state, first_message, lead(first_message, 1, 1 << 62) OVER (ORDER BY turns.id) AS next
        FROM turns JOIN inbox ON inbox.id = inbox_id
        WHERE turns.session_id = (SELECT id FROM sessions WHERE key = ?1))
    WHERE state <> 'running' AND id <= ?2 ORDER BY id";
pub(crate) const MESSAGES: &str = "
    SELECT body, at FROM messages WHERE session_id = (SELECT id FROM sessions WHERE key = ?1) AND id >= ?2 AND id < ?3
    ORDER BY id";
pub(crate) const HIDE: &str =
    "INSERT INTO summaries (session_id, through, body) SELECT session_id, id, ?2 FROM turns WHERE id = ?1";
pub(crate) const SAME_MODEL: &str =
    "UPDATE sessions SET model = (SELECT model FROM sessions WHERE key = ?1) WHERE key = ?2";
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
#[derive(Default)]
struct Copied {
    id: i64,
    sender: String,
    state: String,
    messages: Vec<ImportedMessage>,
}

/// Makes turns of messages: each begins with a user's. Refuses what is not a message, by its number.
fn turns(messages: &[ImportedMessage]) -> Result<Vec<Copied>, StoreError> {
    let mut turns: Vec<Copied> = Vec::new();
    for (number, message) in messages.iter().enumerate() {
        let said: Said = serde_json::from_str(&message.body)
            .map_err(|error| StoreError::NoMessage { line: number + 1, reason: error.to_string() })?;
        if said.role == "user" || turns.is_empty() {
            turns.push(Copied { state: "done".into(), ..Copied::default() });
        }
        turns.last_mut().into_iter().for_each(|turn| turn.messages.push(message.clone()));
    }
    Ok(turns)
}

/// Puts ended turns into a session that has nothing yet; returns their ids.
fn fill(connection: &Connection, key: &str, created_at: i64, turns: &[Copied]) -> Result<Vec<i64>, Refusal> {
    let (channel, chat_id) = key.split_once(':').ok_or_else(|| StoreError::NoKey(key.to_owned()))?;
    let session = inbox::session(connection, key, created_at)?;
    if connection.prepare_cached(TAKEN)?.query_row([session], |row| row.get(0))? {
        return Err(StoreError::Taken(key.to_owned()).into());
    }
    let (mut last, mut ids) = (created_at, Vec::new());
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
        ids.push(turn_id);
    }
    connection.prepare_cached(TIMES)?.execute([session, created_at, last.max(created_at)])?;
    // Copies are not gone through for the memory: that was, or would have been, done where they come from.
    let through = ids.last().map_or(0, |id| *id);
    connection.prepare_cached(rested::CONSOLIDATED)?.execute(params![key, through])?;
    Ok(ids)
}

/// The ended turns of a session with their messages, oldest first; none without such a session.
fn copied(connection: &Connection, key: &str, through: i64) -> rusqlite::Result<Option<Vec<Copied>>> {
    if !connection.prepare_cached(recall::SESSION)?.exists([key])? {
        return Ok(None);
    }
    let mut messages = connection.prepare_cached(MESSAGES)?;
    let mut turns = connection.prepare_cached(TURNS)?;
    let turns = turns.query_map(params![key, through], |row| {
        let range = params![key, row.get::<_, i64>(3)?, row.get::<_, i64>(4)?];
        let said = messages.query_map(range, |row| Ok(ImportedMessage { body: row.get(0)?, at_ms: row.get(1)? }))?;
        let messages = said.collect::<rusqlite::Result<_>>()?;
        Ok(Copied { id: row.get(0)?, sender: row.get(1)?, state: row.get(2)?, messages })
    })?;
    turns.collect::<rusqlite::Result<_>>().map(Some)
}

fn fork(connection: &Connection, from: &str, to: &str, through: i64) -> Result<usize, Refusal> {
    let turns = copied(connection, from, through)?.ok_or_else(|| StoreError::NoSession(from.to_owned()))?;
    let ids = fill(connection, to, now(), &turns)?;
    let mut hidden = connection.prepare_cached(history::SUMMARY)?;
    let hidden = hidden.query_row([from], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let (last, summary): (i64, Option<String>) = hidden.unwrap_or_default();
    // a summary of more than was copied would tell what came later
    if last <= through
        && let Some(place) = turns.iter().rposition(|turn| turn.id <= last)
    {
        connection.prepare_cached(HIDE)?.execute(params![ids[place], summary])?;
    }
    connection.prepare_cached(SAME_MODEL)?.execute([from, to])?;
    inbox::session(connection, to, now())?;
    Ok(turns.len())
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

    /// The messages of all ended turns of a session, oldest first.
    pub async fn export(&self, session: &str) -> Result<Vec<ImportedMessage>, StoreError> {
        let key = session.to_owned();
        let turns = self.read(move |connection| copied(&*connection.unchecked_transaction()?, &key, i64::MAX)).await?;
        let turns = turns.ok_or_else(|| StoreError::NoSession(session.to_owned()))?;
        Ok(turns.into_iter().flat_map(|turn| turn.messages).collect())
    }

    /// Makes the session `to` a copy of `from`, only up to the turn `through` if one is named; returns how many turns
    /// it has. Jobs, sub-agents and what was spent stay where they are.
    pub async fn fork(&self, from: &str, to: &str, through: Option<TurnId>) -> Result<usize, StoreError> {
        let (from, to, through) = (from.to_owned(), to.to_owned(), through.map_or(i64::MAX, |turn| turn.0));
        self.write("fork", Promise::Durable, move |connection| fork(connection, &from, &to, through)).await
    }
}
