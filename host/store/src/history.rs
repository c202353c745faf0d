//! What was said before in a session.

use crate::error::StoreError;
use crate::records::TurnId;
use crate::store::Store;
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::Arc;

pub(crate) const SUMMARY: &str =
    "SELECT through, body FROM summaries WHERE session_id = (SELECT id FROM sessions WHERE key = ?1)";
/// The ended turns of a session, newest first; read only as far as they fit.
pub(crate) const TURNS: &str = "
    SELECT id, first_message, bytes, state = 'running' FROM turns
    WHERE session_id = (SELECT id FROM sessions WHERE key = ?1) AND id > ?2 ORDER BY id DESC";
pub(crate) const MESSAGES: &str = "
    SELECT id, body FROM messages WHERE session_id = (SELECT id FROM sessions WHERE key = ?1) AND id >= ?2 AND id < ?3
    ORDER BY id";

/// What a request holds of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// What was said before the turns that may be shown, if it was summarised.
    pub summary: Option<Arc<str>>,
    /// Whole turns, oldest first.
    pub turns: Vec<HistoryTurn>,
}

/// One turn that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryTurn {
    /// Its id.
    pub id: TurnId,
    /// Its messages, oldest first, as wire JSON.
    pub messages: Vec<Arc<str>>,
}

impl History {
    /// The messages of all its turns, oldest first.
    pub fn into_messages(self) -> Vec<Arc<str>> {
        self.turns.into_iter().flat_map(|turn| turn.messages).collect()
    }
}

/// The newest whole turns that fit, newest first, each with its first message; and where the messages end.
fn window(
    connection: &Connection,
    session: &str,
    through: i64,
    max_bytes: usize,
) -> rusqlite::Result<(Vec<(TurnId, i64)>, i64)> {
    let (mut fitting, mut before, mut left) = (Vec::new(), i64::MAX, max_bytes);
    let mut turns = connection.prepare_cached(TURNS)?;
    let mut turns = turns.query(params![session, through])?;
    while let Some(turn) = turns.next()? {
        let (id, first, bytes, running): (i64, i64, i64, bool) =
            (turn.get(0)?, turn.get(1)?, turn.get(2)?, turn.get(3)?);
        if running {
            before = first;
            continue;
        }
        let Some(rest) = left.checked_sub(usize::try_from(bytes).unwrap_or(usize::MAX)) else { break };
        fitting.push((TurnId(id), first));
        left = rest;
    }
    Ok((fitting, before))
}

fn history(connection: &Connection, session: &str, max_bytes: usize) -> rusqlite::Result<History> {
    let mut summary = connection.prepare_cached(SUMMARY)?;
    let summary = summary.query_row([session], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let (through, summary) = summary.unwrap_or((0, None));
    let (fitting, before) = window(connection, session, through, max_bytes)?;
    let Some((_, oldest)) = fitting.last() else { return Ok(History { summary, turns: Vec::new() }) };
    let mut messages = connection.prepare_cached(MESSAGES)?;
    let mut messages = messages.query(params![session, oldest, before])?;
    let (mut begins, mut turns) = (fitting.iter().rev().peekable(), Vec::<HistoryTurn>::new());
    while let Some(message) = messages.next()? {
        let number: i64 = message.get(0)?;
        if let Some((id, _)) = begins.next_if(|(_, first)| *first <= number) {
            turns.push(HistoryTurn { id: *id, messages: Vec::new() });
        }
        if let Some(turn) = turns.last_mut() {
            turn.messages.push(message.get(1)?);
        }
    }
    Ok(History { summary, turns })
}

impl Store {
    /// The newest summary of a session and its newest whole turns after that and after the newest reset, as far as the
    /// turns fit into `max_bytes`. Without the turn that runs. The cost depends on what is returned, not on the length
    /// of the session.
    pub async fn history(&self, session: &str, max_bytes: usize) -> Result<History, StoreError> {
        let session = session.to_owned();
        // one view of the database for all questions
        self.read(move |connection| history(&*connection.unchecked_transaction()?, &session, max_bytes)).await
    }
}
