//! Turns: each step is kept as it happens, so that an interrupted one goes on where it was.

use crate::error::StoreError;
use crate::messages;
use crate::records::{CallRow, Inbound, InboxId, NewMessage, NewOutbox, OutboxId, Outcome, Turn, TurnId};
use crate::runs;
use crate::store::{Store, now};
use crate::writer::{Promise, Refusal};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::sync::Arc;

/// The oldest waiting message of a session. A session's turns are serial, so an interrupted one is always the oldest;
/// one that joined a turn has none of its own.
pub(crate) const OLDEST: &str = "
    SELECT id, session_id, channel, account, external_id, chat_id, sender, text, metadata, received_at, state = 'running'
    FROM inbox INDEXED BY inbox_waiting
    WHERE session_id = (SELECT id FROM sessions WHERE key = ?1) AND state IN ('queued', 'running') AND turn_id IS NULL
    ORDER BY id LIMIT 1";
/// What waits behind a running turn, and whether it comes from the same person with the same rights.
pub(crate) const BEHIND: &str = "
    SELECT inbox.id, inbox.session_id, inbox.channel, inbox.account, inbox.external_id, inbox.chat_id, inbox.sender,
        inbox.text, inbox.metadata, inbox.received_at,
        (inbox.account, inbox.sender, inbox.metadata) IS (own.account, own.sender, own.metadata)
    FROM turns JOIN inbox own ON own.id = turns.inbox_id
    JOIN inbox INDEXED BY inbox_waiting ON inbox.session_id = turns.session_id
    WHERE turns.id = ?1 AND turns.state = 'running' AND inbox.state IN ('queued', 'running') AND inbox.state = 'queued'
    ORDER BY inbox.id LIMIT ?2";
pub(crate) const JOIN: &str = "UPDATE inbox SET state = 'running', turn_id = ?2 WHERE id = ?1";
pub(crate) const INTERRUPTED: &str = "SELECT id, first_message, rounds FROM turns WHERE inbox_id = ?1";
pub(crate) const STEPS: &str = "SELECT body FROM messages WHERE session_id = ?1 AND id >= ?2 ORDER BY id";
pub(crate) const CALLS: &str =
    "SELECT round, call_id, tool, arguments, read_only, verdict FROM calls WHERE turn_id = ?1 ORDER BY id";
pub(crate) const BEGIN: &str =
    "INSERT INTO turns (session_id, inbox_id, first_message, bytes, began_at) VALUES (?1, ?2, ?3, ?4, ?5)";
pub(crate) const RUNNING: &str = "UPDATE inbox SET state = 'running' WHERE id = ?1";
/// Counts one more message of a running turn; no row when it is not running.
pub(crate) const GROW: &str = "
    UPDATE turns SET bytes = bytes + ?2, rounds = rounds + ?3 WHERE id = ?1 AND state = 'running'
    RETURNING session_id";
pub(crate) const START_CALL: &str = "
    INSERT INTO calls (turn_id, round, call_id, tool, arguments, read_only, started_at)
    SELECT id, rounds, ?2, ?3, ?4, ?5, ?6 FROM turns WHERE id = ?1 AND state = 'running'
    ON CONFLICT (turn_id, round, call_id) DO UPDATE SET verdict = NULL, started_at = ?6, ended_at = NULL";
pub(crate) const FINISH_CALL: &str = "
    INSERT INTO calls (turn_id, round, call_id, tool, arguments, read_only, verdict, started_at, ended_at)
    SELECT id, rounds, ?2, '', '', TRUE, ?3, ?4, ?4 FROM turns WHERE id = ?1
    ON CONFLICT (turn_id, round, call_id) DO UPDATE SET verdict = ?3, ended_at = ?4";
pub(crate) const FINISH: &str = "
    UPDATE turns SET state = ?2, error = ?3, ended_at = ?4 WHERE id = ?1 AND state = 'running'
    RETURNING session_id, inbox_id";
pub(crate) const ANSWERED: &str = "UPDATE inbox SET state = ?2 WHERE id = ?1";
pub(crate) const JOINED_ANSWERED: &str = "UPDATE inbox SET state = ?2 WHERE turn_id = ?1";
pub(crate) const TOUCH: &str = "UPDATE sessions SET updated_at = ?2 WHERE id = ?1";
pub(crate) const ANSWER: &str =
    "INSERT INTO outbox (session_id, channel, chat_id, text, created_at) VALUES (?1, ?2, ?3, ?4, ?5)";

struct Waiting {
    session: i64,
    inbox: Inbound,
    /// Whether it runs; of one that waits behind a turn, whether it may join that.
    alike: bool,
}

fn waiting(row: &Row<'_>) -> rusqlite::Result<Waiting> {
    let message = NewMessage {
        channel: row.get(2)?,
        account: row.get(3)?,
        external_id: row.get(4)?,
        chat_id: row.get(5)?,
        sender: row.get(6)?,
        text: row.get(7)?,
        metadata: row.get(8)?,
    };
    let inbox = Inbound { id: InboxId(row.get(0)?), message, received_at: row.get(9)? };
    Ok(Waiting { session: row.get(1)?, inbox, alike: row.get(10)? })
}

fn call(row: &Row<'_>) -> rusqlite::Result<CallRow> {
    Ok(CallRow {
        round: row.get(0)?,
        call_id: row.get(1)?,
        tool: row.get(2)?,
        arguments: row.get(3)?,
        read_only: row.get(4)?,
        verdict: row.get(5)?,
    })
}

/// The user's message as wire JSON.
fn said(inbox: &Inbound) -> String {
    serde_json::json!({ "role": "user", "content": inbox.message.text }).to_string()
}

fn begin(connection: &Connection, waiting: Waiting) -> rusqlite::Result<Turn> {
    let Waiting { session, inbox, .. } = waiting;
    let (body, time) = (said(&inbox), now());
    let first = messages::keep(connection, session, &body, time)?;
    let mut begin = connection.prepare_cached(BEGIN)?;
    begin.execute(params![session, inbox.id.0, first, body.len() as i64, time])?;
    let id = TurnId(connection.last_insert_rowid());
    connection.prepare_cached(RUNNING)?.execute([inbox.id.0])?;
    let session = inbox.message.session();
    Ok(Turn { id, session, inbox, resumed: false, steps: vec![body.into()], calls: Vec::new(), rounds: 0 })
}

fn resume(connection: &Connection, waiting: Waiting) -> rusqlite::Result<Turn> {
    let Waiting { session, inbox, .. } = waiting;
    let mut interrupted = connection.prepare_cached(INTERRUPTED)?;
    let (id, first, rounds): (i64, i64, u32) =
        interrupted.query_row([inbox.id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let mut steps = connection.prepare_cached(STEPS)?;
    let steps = steps.query_map([session, first], |row| row.get::<_, Arc<str>>(0))?.collect::<Result<_, _>>()?;
    let calls = connection.prepare_cached(CALLS)?.query_map([id], call)?.collect::<Result<_, _>>()?;
    let session = inbox.message.session();
    Ok(Turn { id: TurnId(id), session, inbox, resumed: true, steps, calls, rounds })
}

/// Adds a message to a running turn.
fn add(connection: &Connection, turn: TurnId, body: &str, rounds: u32) -> Result<(), Refusal> {
    let mut grow = connection.prepare_cached(GROW)?;
    let session = grow.query_row(params![turn.0, body.len() as i64, rounds], |row| row.get::<_, i64>(0)).optional()?;
    let session = session.ok_or(StoreError::TurnOver(turn))?;
    messages::keep(connection, session, body, now())?;
    Ok(())
}

/// Lets messages that wait become part of a running turn, up to the first that is somebody else's.
fn join(connection: &Connection, turn: TurnId, most: usize) -> Result<Vec<Inbound>, Refusal> {
    let mut behind = connection.prepare_cached(BEHIND)?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let behind = behind.query_map(params![turn.0, most], waiting)?.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut joined = Vec::new();
    for Waiting { inbox, .. } in behind.into_iter().take_while(|waiting| waiting.alike) {
        add(connection, turn, &said(&inbox), 0)?;
        connection.prepare_cached(JOIN)?.execute([inbox.id.0, turn.0])?;
        joined.push(inbox);
    }
    Ok(joined)
}

/// Ends a turn, and says so to the run of a job that it was.
pub(crate) fn finish(
    connection: &Connection,
    turn: TurnId,
    message: Option<&str>,
    outcome: &Outcome,
    answer: Option<&NewOutbox>,
) -> Result<Option<OutboxId>, Refusal> {
    if let Some(body) = message {
        add(connection, turn, body, 0)?;
    }
    let (state, error) = match outcome {
        Outcome::Done => ("done", None),
        Outcome::Cancelled => ("cancelled", None),
        Outcome::Failed(reason) => ("failed", Some(reason)),
    };
    let time = now();
    let mut finish = connection.prepare_cached(FINISH)?;
    let ids = finish.query_row(params![turn.0, state, error, time], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let (session, inbox): (i64, i64) = ids.ok_or(StoreError::TurnOver(turn))?;
    connection.prepare_cached(ANSWERED)?.execute(params![inbox, state])?;
    connection.prepare_cached(JOINED_ANSWERED)?.execute(params![turn.0, state])?;
    connection.prepare_cached(TOUCH)?.execute([session, time])?;
    let mut outbox = None;
    if let Some(NewOutbox { channel, chat_id, text }) = answer {
        connection.prepare_cached(ANSWER)?.execute(params![session, channel, chat_id, text, time])?;
        outbox = Some(OutboxId(connection.last_insert_rowid()));
    }
    runs::turn_ended(connection, inbox, outbox, time)?;
    Ok(outbox)
}

impl Store {
    /// The session's interrupted turn if there is one, else a new turn for its oldest waiting message, which is added
    /// to the session as `{"role":"user",...}`. Ask only while no turn of this session runs: it would be given again.
    pub async fn next_turn(&self, session: &str) -> Result<Option<Turn>, StoreError> {
        let session = session.to_owned();
        // losing this to a power cut loses nothing: the message would wait again
        self.write("begin-turn", Promise::Committed, move |connection| {
            let oldest = connection.prepare_cached(OLDEST)?.query_row([&session], waiting).optional()?;
            Ok(match oldest {
                Some(waiting) if waiting.alike => Some(resume(connection, waiting)?),
                Some(waiting) => Some(begin(connection, waiting)?),
                None => None,
            })
        })
        .await
    }

    /// Lets the oldest messages that wait in the session of a running turn become part of it, at most `most`: each is
    /// added as `{"role":"user",...}` and ends as the turn ends. Only those of the same sender with the same rights as
    /// the turn's own message join, and none behind one that does not.
    pub async fn join_waiting(&self, turn: TurnId, most: usize) -> Result<Vec<Inbound>, StoreError> {
        self.write("join-waiting", Promise::Durable, move |connection| join(connection, turn, most)).await
    }

    /// Adds what the model answered, as wire JSON, and counts a round.
    pub async fn append(&self, turn: TurnId, message: &str) -> Result<(), StoreError> {
        let message = message.to_owned();
        self.write("append", Promise::Durable, move |connection| add(connection, turn, &message, 1)).await
    }

    /// Says that a call of the present round starts; on the disk before the answer unless the call is `read_only`.
    pub async fn start_call(
        &self,
        turn: TurnId,
        call_id: &str,
        tool: &str,
        arguments: &str,
        read_only: bool,
    ) -> Result<(), StoreError> {
        let (call_id, tool, arguments) = (call_id.to_owned(), tool.to_owned(), arguments.to_owned());
        let promise = if read_only { Promise::Committed } else { Promise::Durable };
        self.write("start-call", promise, move |connection| {
            let mut start = connection.prepare_cached(START_CALL)?;
            match start.execute(params![turn.0, call_id, tool, arguments, read_only, now()])? {
                0 => Err(StoreError::TurnOver(turn).into()),
                _ => Ok(()),
            }
        })
        .await
    }

    /// Adds the result message of a call of the present round together with its verdict.
    pub async fn finish_call(
        &self,
        turn: TurnId,
        call_id: &str,
        message: &str,
        verdict: &str,
    ) -> Result<(), StoreError> {
        let (call_id, message, verdict) = (call_id.to_owned(), message.to_owned(), verdict.to_owned());
        self.write("finish-call", Promise::Durable, move |connection| {
            add(connection, turn, &message, 0)?;
            connection.prepare_cached(FINISH_CALL)?.execute(params![turn.0, call_id, verdict, now()])?;
            Ok(())
        })
        .await
    }

    /// Ends a turn: its last message, its outcome and the answer to deliver become durable together or not at all.
    pub async fn finish_turn(
        &self,
        turn: TurnId,
        message: Option<&str>,
        outcome: Outcome,
        answer: Option<NewOutbox>,
    ) -> Result<Option<OutboxId>, StoreError> {
        let message = message.map(str::to_owned);
        self.write("finish-turn", Promise::Durable, move |connection| {
            finish(connection, turn, message.as_deref(), &outcome, answer.as_ref())
        })
        .await
    }
}
