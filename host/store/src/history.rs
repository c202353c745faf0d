//! What was said before in a session.

use crate::error::StoreError;
use crate::store::Store;
use rusqlite::{Connection, params};
use std::sync::Arc;

/// The ended turns of a session, newest first; read only as far as they fit.
pub(crate) const TURNS: &str = "
    SELECT first_message, bytes, state = 'running' FROM turns WHERE session_id = (SELECT id FROM sessions WHERE key = ?1)
    ORDER BY id DESC";
pub(crate) const MESSAGES: &str = "
    SELECT body FROM messages WHERE session_id = (SELECT id FROM sessions WHERE key = ?1) AND id >= ?2 AND id < ?3
    ORDER BY id";

/// The messages of the newest whole turns that fit, as a range of their ids.
fn window(connection: &Connection, session: &str, max_bytes: usize) -> rusqlite::Result<Option<(i64, i64)>> {
    let (mut from, mut before, mut left) = (None, i64::MAX, max_bytes);
    let mut turns = connection.prepare_cached(TURNS)?;
    let mut turns = turns.query([session])?;
    while let Some(turn) = turns.next()? {
        let (first, bytes, running): (i64, i64, bool) = (turn.get(0)?, turn.get(1)?, turn.get(2)?);
        if running {
            before = first;
            continue;
        }
        match left.checked_sub(usize::try_from(bytes).unwrap_or(usize::MAX)) {
            Some(rest) => (from, left) = (Some(first), rest),
            None => break,
        }
    }
    Ok(from.map(|from| (from, before)))
}

impl Store {
    /// The messages of the session's newest whole turns that fit into `max_bytes`, oldest first, as wire JSON.
    /// Without the turn that runs. The cost depends on what is returned, not on the length of the session.
    pub async fn history(&self, session: &str, max_bytes: usize) -> Result<Vec<Arc<str>>, StoreError> {
        let session = session.to_owned();
        self.read(move |connection| {
            // one view of the database for both questions
            let view = connection.unchecked_transaction()?;
            let Some((from, before)) = window(&view, &session, max_bytes)? else {
                return Ok(Vec::new());
            };
            let mut messages = view.prepare_cached(MESSAGES)?;
            messages.query_map(params![session, from, before], |row| row.get(0))?.collect()
        })
        .await
    }
}
