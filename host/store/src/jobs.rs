//! Jobs: what shall be said to the agent, when, and with which rights. When they are due is decided above.

use crate::error::StoreError;
use crate::inbox;
use crate::records::{JobId, words};
use crate::store::{Store, now};
use crate::writer::{Promise, Refusal};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;

/// How many ended jobs of a session stay readable.
const ENDED_KEPT: u32 = 20;

words! {
    /// Whether a job runs.
    JobState {
        /// It runs when it is due.
        Active = "active",
        /// It has run for the last time.
        Done = "done",
        /// It failed too often.
        Disabled = "disabled",
        /// It waits for the owner's approval.
        Quarantined = "quarantined",
        /// Somebody removed it.
        Removed = "removed",
    }
}

/// A job to keep. Timing, zone and rights mean nothing here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// The channel of its chat.
    pub channel: String,
    /// The chat it belongs to, which its message goes to.
    pub chat_id: String,
    /// The session whose turn made it.
    pub origin: String,
    /// The component that makes it; empty for a person.
    pub component: String,
    /// Short name.
    pub name: String,
    /// What the agent is told when it is due.
    pub message: String,
    /// When it is due, in the scheduler's words.
    pub timing: String,
    /// The time zone that `timing` is read in.
    pub zone: String,
    /// What its turns may do, as JSON; never changed.
    pub rights_json: String,
    /// When it is due first, in milliseconds since 1970.
    pub next_due_ms: i64,
    /// Why it must not run before the owner approves it.
    pub quarantine: Option<String>,
}

impl NewJob {
    /// The session it belongs to: `channel:chat_id`.
    pub fn session(&self) -> String {
        format!("{}:{}", self.channel, self.chat_id)
    }
}

/// How many jobs may be kept that can still run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobLimits {
    /// Of one session.
    pub of_session: u32,
    /// In all.
    pub in_all: u32,
}

/// A job as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JobRow {
    /// Its id.
    pub id: JobId,
    /// The channel of its chat.
    pub channel: String,
    /// The chat it belongs to.
    pub chat_id: String,
    /// The session whose turn made it.
    pub origin: String,
    /// Short name.
    pub name: String,
    /// What the agent is told when it is due.
    pub message: String,
    /// When it is due, in the scheduler's words.
    pub timing: String,
    /// The time zone that `timing` is read in.
    pub zone: String,
    /// What its turns may do, as JSON.
    pub rights_json: String,
    /// Whether it runs.
    pub state: JobState,
    /// Why it is disabled or quarantined.
    pub reason: Option<String>,
    /// When it is due next, in milliseconds since 1970; none while nothing is planned.
    pub next_due_ms: Option<i64>,
    /// How many runs in a row failed.
    pub failures: u32,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
    /// The component that made it; empty for a person.
    pub component: String,
}

impl JobRow {
    /// The session it belongs to: `channel:chat_id`.
    pub fn session(&self) -> String {
        format!("{}:{}", self.channel, self.chat_id)
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, channel, chat_id, origin, name, message, timing, zone, rights, state, reason, next_due, \
             failures, created_at, component FROM jobs ",
            $rest
        )
    };
}

pub(crate) const OF_SESSION: &str =
    "SELECT count(*) FROM jobs WHERE session_id = ?1 AND state IN ('active', 'disabled', 'quarantined')";
/// Reads the entries of an index that holds at most as many as are allowed.
pub(crate) const IN_ALL: &str = "SELECT count(*) FROM jobs WHERE state IN ('active', 'disabled', 'quarantined')";
pub(crate) const ADD: &str = "
    INSERT INTO jobs (session_id, channel, chat_id, origin, name, message, timing, zone, rights, state, reason,
        next_due, created_at, component)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
pub(crate) const ONE: &str = select!("WHERE id = ?1 AND state <> 'removed'");
const ALL: &str = select!("WHERE state <> 'removed' ORDER BY id");
pub(crate) const LIST: &str =
    select!("WHERE session_id = (SELECT id FROM sessions WHERE key = ?1) AND state <> 'removed' ORDER BY id");
pub(crate) const NEXT_DUE: &str =
    "SELECT next_due FROM jobs WHERE state = 'active' AND next_due IS NOT NULL ORDER BY next_due LIMIT 1";
pub(crate) const DUE: &str =
    select!("WHERE state = 'active' AND next_due IS NOT NULL AND next_due <= ?1 ORDER BY next_due, id LIMIT ?2");
pub(crate) const APPROVE: &str = "
    UPDATE jobs SET state = 'active', reason = NULL, failures = 0, next_due = ?2
    WHERE id = ?1 AND state IN ('quarantined', 'disabled')";
pub(crate) const REMOVE: &str = "
    UPDATE jobs SET state = 'removed', next_due = NULL
    WHERE id = ?1 AND state <> 'removed' AND (?2 IS NULL OR session_id = (SELECT id FROM sessions WHERE key = ?2))
    RETURNING session_id";
/// Takes back the message that a removed job still has in the queue.
pub(crate) const TAKE_BACK: &str = "
    UPDATE inbox SET state = 'cancelled' WHERE state = 'queued'
    AND id = (SELECT inbox_id FROM job_runs WHERE job_id = ?1 AND outcome IS NULL) RETURNING id";
pub(crate) const TAKEN_BACK: &str =
    "UPDATE job_runs SET outcome = 'cancelled', ended_at = ?2 WHERE inbox_id = ?1 AND outcome IS NULL";
pub(crate) const FORGET: &str = "
    DELETE FROM jobs WHERE session_id = ?1 AND state IN ('done', 'removed') AND id <= (
        SELECT id FROM jobs WHERE session_id = ?1 AND state IN ('done', 'removed') ORDER BY id DESC LIMIT 1 OFFSET ?2)";

pub(crate) fn job(row: &Row<'_>) -> rusqlite::Result<JobRow> {
    Ok(JobRow {
        id: JobId(row.get(0)?),
        channel: row.get(1)?,
        chat_id: row.get(2)?,
        origin: row.get(3)?,
        name: row.get(4)?,
        message: row.get(5)?,
        timing: row.get(6)?,
        zone: row.get(7)?,
        rights_json: row.get(8)?,
        state: row.get(9)?,
        reason: row.get(10)?,
        next_due_ms: row.get(11)?,
        failures: row.get(12)?,
        created_at: row.get(13)?,
        component: row.get(14)?,
    })
}

fn room_for_one(connection: &Connection, session: i64, limits: JobLimits) -> Result<(), Refusal> {
    let of_session: u32 = connection.prepare_cached(OF_SESSION)?.query_row([session], |row| row.get(0))?;
    let in_all: u32 = connection.prepare_cached(IN_ALL)?.query_row([], |row| row.get(0))?;
    if of_session >= limits.of_session {
        return Err(StoreError::TooMany { what: "scheduled jobs in this chat", most: limits.of_session }.into());
    }
    if in_all >= limits.in_all {
        return Err(StoreError::TooMany { what: "scheduled jobs", most: limits.in_all }.into());
    }
    Ok(())
}

fn add(connection: &Connection, new: &NewJob, limits: JobLimits, created_at: i64) -> Result<JobRow, Refusal> {
    let session = inbox::session(connection, &new.session(), now())?;
    room_for_one(connection, session, limits)?;
    let state = if new.quarantine.is_some() { JobState::Quarantined } else { JobState::Active };
    let NewJob { channel, chat_id, origin, component, name, message, timing, .. } = new;
    let NewJob { zone, rights_json, next_due_ms, quarantine, .. } = new;
    connection.prepare_cached(ADD)?.execute(params![
        session,
        channel,
        chat_id,
        origin,
        name,
        message,
        timing,
        zone,
        rights_json,
        state,
        quarantine,
        next_due_ms,
        created_at,
        component
    ])?;
    let id = connection.last_insert_rowid();
    Ok(connection.prepare_cached(ONE)?.query_row([id], job)?)
}

/// Drops the oldest ended jobs of a session beyond those that stay readable.
pub(crate) fn forget_ended(connection: &Connection, session: i64) -> rusqlite::Result<()> {
    connection.prepare_cached(FORGET)?.execute(params![session, ENDED_KEPT]).map(drop)
}

fn remove(connection: &Connection, id: JobId, session: Option<&str>) -> rusqlite::Result<bool> {
    let mut remove = connection.prepare_cached(REMOVE)?;
    let removed = remove.query_row(params![id.0, session], |row| row.get::<_, i64>(0)).optional()?;
    let Some(session) = removed else { return Ok(false) };
    let mut take_back = connection.prepare_cached(TAKE_BACK)?;
    if let Some(message) = take_back.query_row([id.0], |row| row.get::<_, i64>(0)).optional()? {
        connection.prepare_cached(TAKEN_BACK)?.execute(params![message, now()])?;
    }
    forget_ended(connection, session)?;
    Ok(true)
}

impl Store {
    /// Keeps a job that was made at `created_at` (milliseconds since 1970), if there is room for one more.
    pub async fn add_job(&self, new: NewJob, limits: JobLimits, created_at: i64) -> Result<JobRow, StoreError> {
        self.write("add-job", Promise::Durable, move |connection| add(connection, &new, limits, created_at)).await
    }

    /// One job, unless it was removed.
    pub async fn job(&self, id: JobId) -> Result<Option<JobRow>, StoreError> {
        self.read(move |connection| connection.prepare_cached(ONE)?.query_row([id.0], job).optional()).await
    }

    /// The jobs of a session, or all, oldest first; without those that were removed.
    pub async fn jobs(&self, session: Option<&str>) -> Result<Vec<JobRow>, StoreError> {
        let session = session.map(str::to_owned);
        self.read(move |connection| match session {
            Some(session) => connection.prepare_cached(LIST)?.query_map([session], job)?.collect(),
            None => connection.prepare_cached(ALL)?.query_map([], job)?.collect(),
        })
        .await
    }

    /// When the next job is due, in milliseconds since 1970.
    pub async fn next_due(&self) -> Result<Option<i64>, StoreError> {
        self.read(|connection| connection.prepare_cached(NEXT_DUE)?.query_row([], |row| row.get(0)).optional()).await
    }

    /// At most `limit` jobs that are due at `now` (milliseconds since 1970), the longest waiting first.
    pub async fn due_jobs(&self, now: i64, limit: u32) -> Result<Vec<JobRow>, StoreError> {
        self.read(move |connection| connection.prepare_cached(DUE)?.query_map(params![now, limit], job)?.collect())
            .await
    }

    /// Lets a quarantined or disabled job run, next at `next_due`; returns whether it was one.
    pub async fn approve_job(&self, id: JobId, next_due: i64) -> Result<bool, StoreError> {
        self.change("approve-job", Promise::Durable, APPROVE, (id.0, next_due)).await
    }

    /// Removes a job, only of `session` if one is named, and takes its message back if no turn has begun with it.
    /// Returns whether there was such a job.
    pub async fn remove_job(&self, id: JobId, session: Option<&str>) -> Result<bool, StoreError> {
        let session = session.map(str::to_owned);
        self.write("remove-job", Promise::Durable, move |connection| Ok(remove(connection, id, session.as_deref())?))
            .await
    }
}
