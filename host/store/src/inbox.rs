//! Messages that were accepted and wait for their turn.

use crate::error::StoreError;
use crate::records::{Accepted, InboxId, NewMessage, SessionRow};
use crate::store::{Store, now};
use crate::writer::Promise;
use rusqlite::{Connection, OptionalExtension, params};

/// How many messages may wait in one session.
pub const MOST_WAITING: u32 = 200;

pub(crate) const KNOWN: &str = "SELECT id FROM inbox WHERE channel = ?1 AND account = ?2 AND external_id = ?3";
pub(crate) const SESSION: &str = "UPDATE sessions SET updated_at = ?2 WHERE key = ?1 RETURNING id";
pub(crate) const NEW_SESSION: &str = "INSERT INTO sessions (key, created_at, updated_at) VALUES (?1, ?2, ?2)";
pub(crate) const QUEUE: &str = "
    INSERT INTO inbox (session_id, channel, account, external_id, chat_id, sender, text, metadata, received_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
pub(crate) const FULL: &str = "
    SELECT count(*) > ?2 FROM inbox INDEXED BY inbox_waiting WHERE session_id = (SELECT session_id FROM inbox WHERE id = ?1)
    AND state IN ('queued', 'running') AND state = 'queued'";
pub(crate) const WAITING: &str = "
    SELECT sessions.key FROM inbox JOIN sessions ON sessions.id = inbox.session_id
    WHERE inbox.state IN ('queued', 'running') GROUP BY inbox.session_id ORDER BY min(inbox.id)";
const SESSIONS: &str = "
    SELECT key, created_at, updated_at,
        (SELECT count(*) FROM turns WHERE session_id = sessions.id),
        (SELECT count(*) FROM inbox INDEXED BY inbox_waiting WHERE session_id = sessions.id AND state IN ('queued', 'running'))
    FROM sessions ORDER BY updated_at DESC, id DESC";

/// The row of a session, which is made when it is missing.
pub(crate) fn session(connection: &Connection, key: &str, time: i64) -> rusqlite::Result<i64> {
    let mut known = connection.prepare_cached(SESSION)?;
    if let Some(id) = known.query_row(params![key, time], |row| row.get(0)).optional()? {
        return Ok(id);
    }
    connection.prepare_cached(NEW_SESSION)?.execute(params![key, time])?;
    Ok(connection.last_insert_rowid())
}

/// Puts a message into the queue of its session, once.
pub(crate) fn accept(connection: &Connection, message: &NewMessage) -> rusqlite::Result<Accepted> {
    let NewMessage { channel, account, external_id, chat_id, sender, text, metadata } = message;
    let mut known = connection.prepare_cached(KNOWN)?;
    let known = known.query_row(params![channel, account, external_id], |row| row.get(0)).optional()?;
    if let Some(id) = known {
        return Ok(Accepted::Duplicate(InboxId(id)));
    }
    let time = now();
    let session = session(connection, &message.session(), time)?;
    connection.prepare_cached(QUEUE)?.execute(params![
        session,
        channel,
        account,
        external_id,
        chat_id,
        sender,
        text,
        metadata,
        time
    ])?;
    Ok(Accepted::New(InboxId(connection.last_insert_rowid())))
}

impl Store {
    /// Keeps a message, once for each channel, account and external id, and answers when it is on the disk. Refuses a
    /// new one when [`MOST_WAITING`] wait in its session.
    pub async fn accept(&self, message: NewMessage) -> Result<Accepted, StoreError> {
        self.write("accept", Promise::Durable, move |connection| {
            let accepted = accept(connection, &message)?;
            let mut full = connection.prepare_cached(FULL)?;
            match accepted {
                Accepted::New(id) if full.query_row(params![id.0, MOST_WAITING], |row| row.get(0))? => {
                    Err(StoreError::TooMany { what: "messages waiting in this chat", most: MOST_WAITING }.into())
                }
                _ => Ok(accepted),
            }
        })
        .await
    }

    /// The sessions with a message that waits or whose turn was interrupted, the longest waiting first.
    pub async fn waiting_sessions(&self) -> Result<Vec<String>, StoreError> {
        self.read(|connection| connection.prepare_cached(WAITING)?.query_map([], |row| row.get(0))?.collect()).await
    }

    /// Every session, the one that changed last first.
    pub async fn sessions(&self) -> Result<Vec<SessionRow>, StoreError> {
        self.read(|connection| {
            let mut sessions = connection.prepare_cached(SESSIONS)?;
            let rows = sessions.query_map([], |row| {
                Ok(SessionRow {
                    session: row.get(0)?,
                    created_at: row.get(1)?,
                    updated_at: row.get(2)?,
                    turns: row.get::<_, i64>(3)?.cast_unsigned(),
                    waiting: row.get::<_, i64>(4)?.cast_unsigned(),
                })
            })?;
            rows.collect()
        })
        .await
    }
}
