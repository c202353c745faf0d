//! What is known of a session as a whole, and what its requests no longer hold.

use crate::error::StoreError;
use crate::records::TurnId;
use crate::store::Store;
use crate::writer::Promise;
use rusqlite::{OptionalExtension, Row};
use serde::Serialize;

pub(crate) const STATE: &str = "
    SELECT created_at, updated_at, model, (SELECT count(*) FROM turns WHERE session_id = sessions.id),
        (SELECT count(*) FROM inbox INDEXED BY inbox_waiting
        WHERE session_id = sessions.id AND state IN ('queued', 'running'))
    FROM sessions WHERE key = ?1";
pub(crate) const MODEL: &str = "UPDATE sessions SET model = ?2 WHERE key = ?1";
/// Never behind what was summarised or reset before.
pub(crate) const SUMMARISE: &str = "
    INSERT INTO summaries (session_id, through, body)
    SELECT session_id, id, ?3 FROM turns
    WHERE id = ?2 AND session_id = (SELECT id FROM sessions WHERE key = ?1) AND state <> 'running'
    ON CONFLICT DO UPDATE SET through = excluded.through, body = excluded.body WHERE excluded.through > through";
pub(crate) const RESET: &str = "
    INSERT INTO summaries (session_id, through)
    SELECT session_id, id FROM turns WHERE session_id = (SELECT id FROM sessions WHERE key = ?1)
    ORDER BY id DESC LIMIT 1
    ON CONFLICT DO UPDATE SET through = excluded.through, body = NULL";

/// A session as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionState {
    /// When its first message was accepted, in milliseconds since 1970.
    pub created_at: i64,
    /// When a message came or a turn ended last, in milliseconds since 1970.
    pub updated_at: i64,
    /// The model chosen for it.
    pub model: Option<String>,
    /// How many turns it has.
    pub turns: u64,
    /// How many messages wait or are being answered.
    pub waiting: u64,
}

fn state(row: &Row<'_>) -> rusqlite::Result<SessionState> {
    Ok(SessionState {
        created_at: row.get(0)?,
        updated_at: row.get(1)?,
        model: row.get(2)?,
        turns: row.get::<_, i64>(3)?.cast_unsigned(),
        waiting: row.get::<_, i64>(4)?.cast_unsigned(),
    })
}

impl Store {
    /// What is known of a session; none when there is no such session.
    pub async fn session(&self, session: &str) -> Result<Option<SessionState>, StoreError> {
        let session = session.to_owned();
        self.read(move |connection| connection.prepare_cached(STATE)?.query_row([session], state).optional()).await
    }

    /// Chooses the model of a session, or with none the configured one; false when there is no such session.
    pub async fn set_model(&self, session: &str, model: Option<&str>) -> Result<bool, StoreError> {
        self.change("set-model", Promise::Durable, MODEL, (session.to_owned(), model.map(str::to_owned))).await
    }

    /// Later requests hold `body` instead of the turns up to `through`, which has ended. False, and nothing is kept,
    /// when a summary or a reset already reaches as far: the session went on while this one was written.
    pub async fn summarise(&self, session: &str, through: TurnId, body: &str) -> Result<bool, StoreError> {
        self.change("summarise", Promise::Durable, SUMMARISE, (session.to_owned(), through.0, body.to_owned())).await
    }

    /// Later requests hold nothing of what was said so far, the turn that runs included, nor its summary. The messages
    /// stay and can be searched.
    pub async fn reset(&self, session: &str) -> Result<(), StoreError> {
        self.change("reset", Promise::Durable, RESET, [session.to_owned()]).await.map(drop)
    }
}
