//! Sessions in which nobody writes any more: what was said there since it was last gone through.

use crate::error::StoreError;
use crate::records::TurnId;
use crate::store::Store;
use crate::writer::Promise;
use rusqlite::{OptionalExtension, params};
use std::sync::Arc;

/// Sessions that are gone through at once.
const MOST: u32 = 20;

pub(crate) const RESTED: &str = "
    SELECT sessions.key, sessions.consolidated, turns.id, inbox.channel, inbox.sender
    FROM sessions JOIN turns ON turns.id = (
        SELECT id FROM turns newest WHERE newest.session_id = sessions.id ORDER BY id DESC LIMIT 1)
    JOIN inbox ON inbox.id = turns.inbox_id
    WHERE sessions.updated_at < ?1 AND turns.id > sessions.consolidated AND turns.state <> 'running'
    ORDER BY sessions.updated_at LIMIT ?2";
pub(crate) const CONSOLIDATED: &str = "UPDATE sessions SET consolidated = ?2 WHERE key = ?1";
pub(crate) const LAST_ENDED: &str = "
    SELECT ended_at FROM turns WHERE session_id = (SELECT id FROM sessions WHERE key = ?1) AND ended_at IS NOT NULL
    ORDER BY id DESC LIMIT 1";
pub(crate) const MODEL_OF: &str = "SELECT model FROM sessions WHERE key = ?1";
/// The newest messages after a turn, as many as fit.
pub(crate) const AFTER: &str = "
    SELECT body FROM (
        SELECT id, body, sum(octet_length(body)) OVER (ORDER BY id DESC) AS size FROM messages
        WHERE session_id = (SELECT id FROM sessions WHERE key = ?1) AND id >= (
            SELECT first_message FROM turns WHERE session_id = (SELECT id FROM sessions WHERE key = ?1) AND id > ?2
            ORDER BY id LIMIT 1))
    WHERE size <= ?3 ORDER BY id";

/// A session in which nobody writes any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rested {
    /// Its key.
    pub session: String,
    /// It was gone through up to this turn.
    pub from: TurnId,
    /// Its newest turn.
    pub through: TurnId,
    /// The channel of its newest message.
    pub channel: String,
    /// Who wrote that.
    pub sender: String,
}

impl Store {
    /// Sessions that have not changed since `before_ms` and were not gone through since, the longest resting first.
    pub async fn rested_sessions(&self, before_ms: i64) -> Result<Vec<Rested>, StoreError> {
        self.read(move |connection| {
            let mut rested = connection.prepare_cached(RESTED)?;
            let rows = rested.query_map(params![before_ms, MOST], |row| {
                Ok(Rested {
                    session: row.get(0)?,
                    from: TurnId(row.get(1)?),
                    through: TurnId(row.get(2)?),
                    channel: row.get(3)?,
                    sender: row.get(4)?,
                })
            });
            rows?.collect()
        })
        .await
    }

    /// A session was gone through up to this turn.
    pub async fn mark_consolidated(&self, session: &str, through: TurnId) -> Result<(), StoreError> {
        let session = session.to_owned();
        self.write("consolidated", Promise::Durable, move |connection| {
            connection.prepare_cached(CONSOLIDATED)?.execute(params![session, through.0])?;
            Ok(())
        })
        .await
    }

    /// The newest messages of a session after a turn that fit into `max_bytes`, oldest first.
    pub async fn turns_after(
        &self,
        session: &str,
        turn: TurnId,
        max_bytes: usize,
    ) -> Result<Vec<Arc<str>>, StoreError> {
        let session = session.to_owned();
        self.read(move |connection| {
            let most = i64::try_from(max_bytes).unwrap_or(i64::MAX);
            let mut after = connection.prepare_cached(AFTER)?;
            after.query_map(params![session, turn.0, most], |row| row.get(0))?.collect()
        })
        .await
    }

    /// When the newest ended turn of a session ended, in milliseconds since 1970.
    pub async fn last_ended(&self, session: &str) -> Result<Option<i64>, StoreError> {
        let session = session.to_owned();
        self.read(move |connection| {
            connection.prepare_cached(LAST_ENDED)?.query_row([session], |row| row.get(0)).optional()
        })
        .await
    }

    /// The model that was chosen for a session.
    pub async fn chosen_model(&self, session: &str) -> Result<Option<String>, StoreError> {
        let session = session.to_owned();
        self.read(move |connection| {
            let model = connection.prepare_cached(MODEL_OF)?.query_row([session], |row| row.get(0)).optional()?;
            Ok(model.flatten())
        })
        .await
    }
}
