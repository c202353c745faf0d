//! Tasks of sub-agents: each has a session of its own, and its answer reaches the session that gave it once.

use crate::error::StoreError;
use crate::inbox;
use crate::records::{InboxId, NewMessage, Outcome, TaskId, TurnId, words};
use crate::store::{Store, now};
use crate::turn;
use crate::writer::{Promise, Refusal};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;

/// The channel of the sessions of sub-agents: `agent:ID` is the session of task ID.
pub const TASK_CHANNEL: &str = "agent";
/// How many ended tasks of a session stay readable.
const ENDED_KEPT: u32 = 100;

words! {
    /// How far a task is.
    TaskState {
        /// Somebody works on it.
        Running = "running",
        /// It was answered.
        Done = "done",
        /// It could not be answered.
        Failed = "failed",
        /// Somebody cancelled it.
        Cancelled = "cancelled",
    }
}

/// A task for a sub-agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTask {
    /// The session that gives it.
    pub parent: String,
    /// Short name.
    pub label: String,
    /// What to do, as it was given.
    pub task: String,
    /// What the sub-agent is told: the task with what else it must know.
    pub text: String,
    /// What it may do, as JSON; never changed.
    pub rights_json: String,
    /// 1 for the task of a chat, one more for the task of a task.
    pub depth: u32,
}

/// How many tasks may run at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskLimits {
    /// Of one session.
    pub of_parent: u32,
    /// In all.
    pub in_all: u32,
    /// How deep tasks may give tasks.
    pub depth: u32,
}

/// A task as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaskRow {
    /// Its id.
    pub id: TaskId,
    /// The session that gave it.
    pub parent: String,
    /// Its own session.
    pub session: String,
    /// Short name.
    pub label: String,
    /// What to do.
    pub task: String,
    /// What it may do, as JSON.
    pub rights_json: String,
    /// 1 for the task of a chat.
    pub depth: u32,
    /// How far it is.
    pub state: TaskState,
    /// The answer, or why there is none.
    pub answer: Option<String>,
    /// Whether its answer has reached the session that gave it.
    pub announced: bool,
    /// When it was given, in milliseconds since 1970.
    pub created_at: i64,
    /// When it ended, in milliseconds since 1970.
    pub ended_at: Option<i64>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT tasks.id, parent.key, own.key, label, task, rights, depth, state, answer, announced, \
             tasks.created_at, ended_at FROM tasks JOIN sessions parent ON parent.id = parent_id \
             JOIN sessions own ON own.id = session_id ",
            $rest
        )
    };
}

pub(crate) const OF_PARENT: &str = "SELECT count(*) FROM tasks WHERE parent_id = ?1 AND state = 'running'";
/// Reads the entries of an index that holds at most as many as are allowed.
pub(crate) const IN_ALL: &str = "SELECT count(*) FROM tasks WHERE state = 'running'";
pub(crate) const START: &str =
    "INSERT INTO tasks (parent_id, label, task, rights, depth, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
pub(crate) const SETTLE_IN: &str = "UPDATE tasks SET session_id = ?2 WHERE id = ?1";
pub(crate) const ONE: &str = select!("WHERE tasks.id = ?1");
pub(crate) const LIST: &str = select!("WHERE parent_id = (SELECT id FROM sessions WHERE key = ?1) ORDER BY tasks.id");
pub(crate) const UNANNOUNCED: &str = select!("WHERE announced = 0 AND state IN ('done', 'failed') ORDER BY tasks.id");
pub(crate) const OF_TURN: &str =
    "SELECT tasks.id FROM turns JOIN tasks ON tasks.session_id = turns.session_id WHERE turns.id = ?1";
pub(crate) const END: &str =
    "UPDATE tasks SET state = ?2, answer = ?3, announced = ?4, ended_at = ?5 WHERE id = ?1 AND state = 'running'";
pub(crate) const ANNOUNCED: &str =
    "UPDATE tasks SET announced = 1 WHERE id = ?1 AND announced = 0 AND state IN ('done', 'failed')";
/// The task and all that were given by it, however far down.
pub(crate) const FAMILY: &str = "
    WITH RECURSIVE family (id) AS (
        SELECT id FROM tasks WHERE id = ?1 AND (?2 IS NULL OR parent_id = (SELECT id FROM sessions WHERE key = ?2))
        UNION SELECT child.id FROM family JOIN tasks given ON given.id = family.id
            JOIN tasks child ON child.parent_id = given.session_id)
    SELECT id FROM family";
pub(crate) const CANCEL: &str =
    "UPDATE tasks SET state = 'cancelled', ended_at = ?2 WHERE id = ?1 AND state = 'running'";
pub(crate) const TAKE_BACK: &str = "
    UPDATE inbox INDEXED BY inbox_waiting SET state = 'cancelled'
    WHERE session_id = (SELECT session_id FROM tasks WHERE id = ?1)
    AND state IN ('queued', 'running') AND state = 'queued'";
pub(crate) const FORGET: &str = "
    DELETE FROM tasks WHERE parent_id = ?1 AND state <> 'running' AND (announced OR state = 'cancelled') AND id <= (
        SELECT id FROM tasks WHERE parent_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)";

fn task(row: &Row<'_>) -> rusqlite::Result<TaskRow> {
    Ok(TaskRow {
        id: TaskId(row.get(0)?),
        parent: row.get(1)?,
        session: row.get(2)?,
        label: row.get(3)?,
        task: row.get(4)?,
        rights_json: row.get(5)?,
        depth: row.get(6)?,
        state: row.get(7)?,
        answer: row.get(8)?,
        announced: row.get(9)?,
        created_at: row.get(10)?,
        ended_at: row.get(11)?,
    })
}

fn one(connection: &Connection, id: i64) -> rusqlite::Result<TaskRow> {
    connection.prepare_cached(ONE)?.query_row([id], task)
}

fn room_for_one(connection: &Connection, parent: i64, depth: u32, limits: TaskLimits) -> Result<(), Refusal> {
    let of_parent: u32 = connection.prepare_cached(OF_PARENT)?.query_row([parent], |row| row.get(0))?;
    let in_all: u32 = connection.prepare_cached(IN_ALL)?.query_row([], |row| row.get(0))?;
    let refusal = if depth > limits.depth {
        StoreError::TooMany { what: "levels of sub-agents", most: limits.depth }
    } else if of_parent >= limits.of_parent {
        StoreError::TooMany { what: "sub-agents of this chat at work", most: limits.of_parent }
    } else if in_all >= limits.in_all {
        StoreError::TooMany { what: "sub-agents at work", most: limits.in_all }
    } else {
        return Ok(());
    };
    Err(refusal.into())
}

fn start(connection: &Connection, new: &NewTask, limits: TaskLimits) -> Result<TaskRow, Refusal> {
    let time = now();
    let parent = inbox::session(connection, &new.parent, time)?;
    room_for_one(connection, parent, new.depth, limits)?;
    let NewTask { label, task, text, rights_json, depth, .. } = new;
    connection.prepare_cached(START)?.execute(params![parent, label, task, rights_json, depth, time])?;
    let id = connection.last_insert_rowid();
    // rights that cannot be read are no rights
    let rights: serde_json::Value = serde_json::from_str(rights_json).unwrap_or_default();
    let message = NewMessage {
        channel: TASK_CHANNEL.into(),
        account: String::new(),
        external_id: format!("task:{id}"),
        chat_id: id.to_string(),
        sender: new.parent.clone(),
        text: text.clone(),
        metadata: Some(serde_json::json!({ "rights": rights, "task": id, "depth": depth }).to_string()),
    };
    let session = inbox::session(connection, &message.session(), time)?;
    connection.prepare_cached(SETTLE_IN)?.execute([id, session])?;
    inbox::accept(connection, &message)?;
    connection.prepare_cached(FORGET)?.execute(params![parent, ENDED_KEPT])?;
    Ok(one(connection, id)?)
}

fn finish(
    connection: &Connection,
    turn: TurnId,
    message: Option<&str>,
    outcome: &Outcome,
    answer: &str,
    announcement: Option<&NewMessage>,
) -> Result<Option<InboxId>, Refusal> {
    turn::finish(connection, turn, message, outcome, None)?;
    let task = connection.prepare_cached(OF_TURN)?.query_row([turn.0], |row| row.get::<_, i64>(0)).optional()?;
    let Some(task) = task else { return Ok(None) };
    let (state, answer) = match outcome {
        Outcome::Done => (TaskState::Done, answer),
        Outcome::Cancelled => (TaskState::Cancelled, answer),
        Outcome::Failed(reason) => (TaskState::Failed, reason.as_str()),
    };
    let mut end = connection.prepare_cached(END)?;
    let ended = end.execute(params![task, state, answer, announcement.is_some(), now()])?;
    match announcement {
        Some(announcement) if ended > 0 => Ok(Some(inbox::accept(connection, announcement)?.id())),
        _ => Ok(None),
    }
}

fn cancel(connection: &Connection, id: TaskId, parent: Option<&str>) -> rusqlite::Result<Vec<TaskRow>> {
    let mut family = connection.prepare_cached(FAMILY)?;
    let family: Vec<i64> = family.query_map(params![id.0, parent], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut cancelled = Vec::new();
    for id in family {
        if connection.prepare_cached(CANCEL)?.execute([id, now()])? > 0 {
            connection.prepare_cached(TAKE_BACK)?.execute([id])?;
            cancelled.push(one(connection, id)?);
        }
    }
    Ok(cancelled)
}

impl Store {
    /// Keeps a task and puts its message into a session of its own, if there is room for one more.
    pub async fn start_task(&self, new: NewTask, limits: TaskLimits) -> Result<TaskRow, StoreError> {
        self.write("start-task", Promise::Durable, move |connection| start(connection, &new, limits)).await
    }

    /// Ends the turn of a sub-agent as [`Store::finish_turn`] does, together with its task. `announcement` is put into
    /// the session it names; without one, the answer waits for [`Store::claim_task`]. Returns the announcement's row:
    /// none when the task had been cancelled or had ended before.
    pub async fn finish_task(
        &self,
        turn: TurnId,
        message: Option<&str>,
        outcome: Outcome,
        answer: &str,
        announcement: Option<NewMessage>,
    ) -> Result<Option<InboxId>, StoreError> {
        let (message, answer) = (message.map(str::to_owned), answer.to_owned());
        self.write("finish-task", Promise::Durable, move |connection| {
            finish(connection, turn, message.as_deref(), &outcome, &answer, announcement.as_ref())
        })
        .await
    }

    /// One task.
    pub async fn task(&self, id: TaskId) -> Result<Option<TaskRow>, StoreError> {
        self.read(move |connection| connection.prepare_cached(ONE)?.query_row([id.0], task).optional()).await
    }

    /// The tasks that a session gave, oldest first.
    pub async fn tasks(&self, parent: &str) -> Result<Vec<TaskRow>, StoreError> {
        let parent = parent.to_owned();
        self.read(move |connection| connection.prepare_cached(LIST)?.query_map([parent], task)?.collect()).await
    }

    /// The tasks whose answer has reached nobody: somebody waited for it when the host ended.
    pub async fn unannounced_tasks(&self) -> Result<Vec<TaskRow>, StoreError> {
        self.read(|connection| connection.prepare_cached(UNANNOUNCED)?.query_map([], task)?.collect()).await
    }

    /// Says that the answer of an ended task has reached the one who waited for it; false when it had before.
    pub async fn claim_task(&self, id: TaskId) -> Result<bool, StoreError> {
        self.change("claim-task", Promise::Durable, ANNOUNCED, [id.0]).await
    }

    /// Puts the answer of an ended task into the session that `announcement` names, unless it has reached somebody.
    pub async fn announce_task(&self, id: TaskId, announcement: NewMessage) -> Result<Option<InboxId>, StoreError> {
        self.write("announce-task", Promise::Durable, move |connection| {
            if connection.prepare_cached(ANNOUNCED)?.execute([id.0])? == 0 {
                return Ok(None);
            }
            Ok(Some(inbox::accept(connection, &announcement)?.id()))
        })
        .await
    }

    /// Cancels a task, only of `parent` if one is named, and every task below it. Returns those that were running:
    /// their turns are still to be ended.
    pub async fn cancel_task(&self, id: TaskId, parent: Option<&str>) -> Result<Vec<TaskRow>, StoreError> {
        let parent = parent.map(str::to_owned);
        self.write("cancel-task", Promise::Durable, move |connection| Ok(cancel(connection, id, parent.as_deref())?))
            .await
    }
}
