//! Runs of jobs: a due job becomes a message in one transaction with the move of its next time, so that it is
//! neither lost nor run twice; how a run ended is known from its turn, so that no report can be lost either.

use crate::error::StoreError;
use crate::records::{InboxId, JobId, OutboxId, RunId, words};
use crate::store::{Store, now};
use crate::writer::{Promise, Refusal};
use crate::{inbox, jobs, turn};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;

/// How many runs of a job are kept.
const RUNS_KEPT: u32 = 20;

words! {
    /// How a run ended.
    RunOutcome {
        /// Its turn was answered.
        Ok = "ok",
        /// Its turn failed.
        Error = "error",
        /// Somebody cancelled it.
        Cancelled = "cancelled",
        /// It did not begin, because the one before had not ended.
        Missed = "missed",
    }
}

words! {
    /// What became of a message in the outbox.
    DeliveryState {
        /// It waits for its channel.
        Pending = "pending",
        /// Its channel has taken it.
        Delivered = "delivered",
        /// Its channel will never take it.
        Undeliverable = "undeliverable",
    }
}

/// What shall happen with a job that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firing {
    /// The job.
    pub job: JobId,
    /// The time it was due at; it is left alone when that is no longer its next time.
    pub due_ms: i64,
    /// What the agent is told.
    pub text: String,
    /// When it is due next.
    pub next_due_ms: Option<i64>,
    /// When it is due next if its last run has not ended, so that this one is left out.
    pub next_if_busy_ms: i64,
}

/// What became of a due job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fired {
    /// The job.
    pub job: JobId,
    /// The session it belongs to.
    pub session: String,
    /// The time it was due at.
    pub due_ms: i64,
    /// Its message, which waits in the session; none when the run was left out.
    pub inbox: Option<InboxId>,
}

/// A run whose turn has ended and that was not judged yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedRun {
    /// The run.
    pub id: RunId,
    /// Its job.
    pub job: JobId,
    /// The job's name.
    pub name: String,
    /// How many runs in a row had failed before this one.
    pub failures: u32,
    /// How its turn ended: [`RunOutcome::Ok`], [`RunOutcome::Error`] or [`RunOutcome::Cancelled`].
    pub outcome: RunOutcome,
    /// Why its turn failed.
    pub error: Option<String>,
}

/// What follows from the end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It went well: failures are forgotten, and a job without a next time is done.
    Ok,
    /// It was cancelled: a job without a next time is done.
    Cancelled,
    /// It failed; the job is not due before this time, in milliseconds since 1970.
    Retry {
        /// Why it failed.
        error: String,
        /// When it may run again.
        not_before_ms: i64,
    },
    /// It failed too often: the job is disabled and its chat is told.
    Disable {
        /// Why it failed.
        error: String,
        /// Why the job is disabled.
        reason: String,
        /// What its chat is told.
        notice: String,
    },
}

/// A run in the history of its job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunRow {
    /// Its id.
    pub id: RunId,
    /// The time the job was due at; every time is in milliseconds since 1970.
    pub due_at: i64,
    /// When its message was put into the session.
    pub started_at: i64,
    /// When its turn ended.
    pub ended_at: Option<i64>,
    /// How it ended; none while it runs.
    pub outcome: Option<RunOutcome>,
    /// Why it failed or was left out.
    pub error: Option<String>,
    /// Its message.
    pub inbox: Option<InboxId>,
    /// Its answer.
    pub outbox: Option<OutboxId>,
    /// What became of its answer; none when there is none.
    pub delivery: Option<DeliveryState>,
}

pub(crate) const MOVE: &str = "
    UPDATE jobs SET next_due = ?3 WHERE id = ?1 AND next_due = ?2 AND state = 'active'
    RETURNING session_id, channel, chat_id, rights";
pub(crate) const STARTED: &str =
    "SELECT session_id, channel, chat_id, rights FROM jobs WHERE id = ?1 AND state IN ('active', 'disabled', 'done')";
pub(crate) const OPEN: &str = "SELECT 1 FROM job_runs WHERE job_id = ?1 AND outcome IS NULL";
pub(crate) const LEFT_OUT: &str = "
    INSERT INTO job_runs (job_id, due_at, started_at, ended_at, outcome, error)
    VALUES (?1, ?2, ?3, ?3, 'missed', 'the run before had not ended')";
pub(crate) const RUN: &str = "INSERT INTO job_runs (job_id, due_at, started_at, inbox_id) VALUES (?1, ?2, ?3, ?4)";
pub(crate) const FORGET: &str = "
    DELETE FROM job_runs WHERE job_id = ?1 AND outcome IS NOT NULL AND id <= (
        SELECT id FROM job_runs WHERE job_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)";
pub(crate) const TURN_ENDED: &str =
    "UPDATE job_runs SET ended_at = ?2, outbox_id = ?3 WHERE inbox_id = ?1 AND outcome IS NULL";
pub(crate) const ENDED: &str = "
    SELECT job_runs.id, job_runs.job_id, jobs.name, jobs.failures, turns.state, turns.error
    FROM job_runs JOIN jobs ON jobs.id = job_runs.job_id JOIN turns ON turns.inbox_id = job_runs.inbox_id
    WHERE job_runs.outcome IS NULL AND job_runs.ended_at IS NOT NULL ORDER BY job_runs.ended_at LIMIT ?1";
pub(crate) const JUDGE: &str =
    "UPDATE job_runs SET outcome = ?2, error = ?3 WHERE id = ?1 AND outcome IS NULL RETURNING job_id";
/// A job that was removed or disabled meanwhile stays so.
pub(crate) const WENT_WELL: &str = "
    UPDATE jobs SET failures = CASE WHEN ?2 THEN 0 ELSE failures END,
        state = CASE WHEN next_due IS NULL THEN 'done' ELSE state END
    WHERE id = ?1 AND state = 'active' RETURNING session_id";
pub(crate) const RETRY: &str = "
    UPDATE jobs SET failures = failures + 1, next_due = max(coalesce(next_due, ?2), ?2)
    WHERE id = ?1 AND state = 'active'";
pub(crate) const DISABLE: &str = "
    UPDATE jobs SET failures = failures + 1, next_due = NULL, state = 'disabled', reason = ?2
    WHERE id = ?1 AND state = 'active' RETURNING session_id, channel, chat_id";
pub(crate) const HISTORY: &str = "
    SELECT job_runs.id, due_at, started_at, ended_at, outcome, error, inbox_id, outbox_id, outbox.state
    FROM job_runs LEFT JOIN outbox ON outbox.id = outbox_id WHERE job_id = ?1 ORDER BY job_runs.id DESC";

/// A job on its way to become a message.
struct Due {
    session: i64,
    channel: String,
    chat_id: String,
    rights: String,
}

fn due(row: &Row<'_>) -> rusqlite::Result<Due> {
    Ok(Due { session: row.get(0)?, channel: row.get(1)?, chat_id: row.get(2)?, rights: row.get(3)? })
}

fn is_open(connection: &Connection, job: JobId) -> rusqlite::Result<bool> {
    connection.prepare_cached(OPEN)?.exists([job.0])
}

/// Puts the job's message into its session. None when this due time has had its message before.
fn put(connection: &Connection, id: JobId, job: &Due, due_ms: i64, text: &str) -> rusqlite::Result<Option<InboxId>> {
    let external_id = format!("job:{}:{due_ms}", id.0);
    if connection.prepare_cached(inbox::KNOWN)?.exists(params![job.channel, "", external_id])? {
        return Ok(None);
    }
    // rights that cannot be read are no rights
    let rights: serde_json::Value = serde_json::from_str(&job.rights).unwrap_or_default();
    let metadata = serde_json::json!({ "rights": rights, "job": id, "due": due_ms }).to_string();
    let time = now();
    connection.prepare_cached(inbox::QUEUE)?.execute(params![
        job.session,
        job.channel,
        "",
        external_id,
        job.chat_id,
        SENDER,
        text,
        metadata,
        time
    ])?;
    let message = InboxId(connection.last_insert_rowid());
    connection.prepare_cached(turn::TOUCH)?.execute([job.session, time])?;
    connection.prepare_cached(RUN)?.execute(params![id.0, due_ms, time, message.0])?;
    connection.prepare_cached(FORGET)?.execute(params![id.0, RUNS_KEPT])?;
    Ok(Some(message))
}

/// Who writes the message of a job.
pub const SENDER: &str = "job";

fn fire(connection: &Connection, firing: &Firing) -> rusqlite::Result<Option<Fired>> {
    let Firing { job: id, due_ms, text, next_due_ms, next_if_busy_ms } = firing;
    let busy = is_open(connection, *id)?;
    let next = if busy { Some(*next_if_busy_ms) } else { *next_due_ms };
    let moved = connection.prepare_cached(MOVE)?.query_row(params![id.0, due_ms, next], due).optional()?;
    let Some(job) = moved else { return Ok(None) };
    let inbox = if busy {
        connection.prepare_cached(LEFT_OUT)?.execute(params![id.0, due_ms, now()])?;
        connection.prepare_cached(FORGET)?.execute(params![id.0, RUNS_KEPT])?;
        None
    } else {
        put(connection, *id, &job, *due_ms, text)?
    };
    let session = format!("{}:{}", job.channel, job.chat_id);
    Ok(Some(Fired { job: *id, session, due_ms: *due_ms, inbox }))
}

fn run(connection: &Connection, id: JobId, due_ms: i64, text: &str) -> Result<Fired, Refusal> {
    let job = connection.prepare_cached(STARTED)?.query_row([id.0], due).optional()?;
    let job = job.ok_or(StoreError::NoJob(id))?;
    let inbox = if is_open(connection, id)? { None } else { put(connection, id, &job, due_ms, text)? };
    if inbox.is_none() {
        return Err(StoreError::JobRuns(id).into());
    }
    Ok(Fired { job: id, session: format!("{}:{}", job.channel, job.chat_id), due_ms, inbox })
}

fn judge(connection: &Connection, run: RunId, verdict: &Verdict) -> rusqlite::Result<bool> {
    let (outcome, error) = match verdict {
        Verdict::Ok => (RunOutcome::Ok, None),
        Verdict::Cancelled => (RunOutcome::Cancelled, None),
        Verdict::Retry { error, .. } | Verdict::Disable { error, .. } => (RunOutcome::Error, Some(error)),
    };
    let mut judge = connection.prepare_cached(JUDGE)?;
    let job = judge.query_row(params![run.0, outcome, error], |row| row.get::<_, i64>(0)).optional()?;
    let Some(job) = job else { return Ok(false) };
    match verdict {
        Verdict::Ok | Verdict::Cancelled => {
            let mut went_well = connection.prepare_cached(WENT_WELL)?;
            let well = outcome == RunOutcome::Ok;
            let session = went_well.query_row(params![job, well], |row| row.get(0)).optional()?;
            if let Some(session) = session {
                jobs::forget_ended(connection, session)?;
            }
        }
        Verdict::Retry { not_before_ms, .. } => {
            connection.prepare_cached(RETRY)?.execute(params![job, not_before_ms])?;
        }
        Verdict::Disable { reason, notice, .. } => {
            let mut disable = connection.prepare_cached(DISABLE)?;
            let chat = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            let disabled: Option<(i64, String, String)> = disable.query_row(params![job, reason], chat).optional()?;
            if let Some((session, channel, chat_id)) = disabled {
                connection.prepare_cached(turn::ANSWER)?.execute(params![session, channel, chat_id, notice, now()])?;
            }
        }
    }
    Ok(true)
}

/// Says that the turn of a message has ended, if the message is a job's.
pub(crate) fn turn_ended(
    connection: &Connection,
    inbox: i64,
    outbox: Option<OutboxId>,
    time: i64,
) -> rusqlite::Result<()> {
    let outbox = outbox.map(|outbox| outbox.0);
    connection.prepare_cached(TURN_ENDED)?.execute(params![inbox, time, outbox]).map(drop)
}

fn ended(row: &Row<'_>) -> rusqlite::Result<EndedRun> {
    let outcome = match row.get_ref(4)?.as_str()? {
        "done" => RunOutcome::Ok,
        "cancelled" => RunOutcome::Cancelled,
        _ => RunOutcome::Error,
    };
    Ok(EndedRun {
        id: RunId(row.get(0)?),
        job: JobId(row.get(1)?),
        name: row.get(2)?,
        failures: row.get(3)?,
        outcome,
        error: row.get(5)?,
    })
}

fn past(row: &Row<'_>) -> rusqlite::Result<RunRow> {
    Ok(RunRow {
        id: RunId(row.get(0)?),
        due_at: row.get(1)?,
        started_at: row.get(2)?,
        ended_at: row.get(3)?,
        outcome: row.get(4)?,
        error: row.get(5)?,
        inbox: row.get::<_, Option<i64>>(6)?.map(InboxId),
        outbox: row.get::<_, Option<i64>>(7)?.map(OutboxId),
        delivery: row.get(8)?,
    })
}

impl Store {
    /// Turns due jobs into messages of their sessions and moves their next time, all in one transaction. A job that
    /// was moved, removed or stopped meanwhile is not in the answer; one whose last run has not ended gets no message.
    pub async fn fire_jobs(&self, firings: Vec<Firing>) -> Result<Vec<Fired>, StoreError> {
        self.write("fire-jobs", Promise::Durable, move |connection| {
            let fired = firings.iter().filter_map(|firing| fire(connection, firing).transpose());
            Ok(fired.collect::<rusqlite::Result<Vec<_>>>()?)
        })
        .await
    }

    /// Runs a job now, whatever its next time, as if it were due at `due_ms`; one that is quarantined does not run.
    pub async fn run_job(&self, id: JobId, due_ms: i64, text: &str) -> Result<Fired, StoreError> {
        let text = text.to_owned();
        self.write("run-job", Promise::Durable, move |connection| run(connection, id, due_ms, &text)).await
    }

    /// At most `limit` runs whose turn has ended and that wait for [`Store::judge_run`], in the order of their ends.
    pub async fn ended_runs(&self, limit: u32) -> Result<Vec<EndedRun>, StoreError> {
        self.read(move |connection| connection.prepare_cached(ENDED)?.query_map([limit], ended)?.collect()).await
    }

    /// Records how a run ended and what follows for its job; false when that was done before.
    pub async fn judge_run(&self, run: RunId, verdict: Verdict) -> Result<bool, StoreError> {
        self.write("judge-run", Promise::Durable, move |connection| Ok(judge(connection, run, &verdict)?)).await
    }

    /// The runs of a job that are kept, newest first.
    pub async fn job_runs(&self, id: JobId) -> Result<Vec<RunRow>, StoreError> {
        self.read(move |connection| connection.prepare_cached(HISTORY)?.query_map([id.0], past)?.collect()).await
    }
}
