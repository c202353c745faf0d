//! Removing for good: what is deleted is in no index, on no free page and in no log.

use crate::error::StoreError;
use crate::store::{Store, now};
use crate::writer::Promise;
use rusqlite::{Connection, params};
use serde::Serialize;
use std::time::Duration;

/// How many sessions one commit removes when they are too old.
const AT_ONCE: u32 = 20;
/// How many pages of the index one commit writes anew.
const PAGES: i64 = 500;

/// The session, and those of the sub-agents that worked for it, however far down.
const FAMILY: &str = "
    WITH RECURSIVE family (id) AS (
        SELECT id FROM sessions WHERE key = ?1
        UNION SELECT inbox.session_id FROM family JOIN sessions ON sessions.id = family.id
            JOIN inbox ON inbox.sender = sessions.key AND channel = 'agent' AND external_id = 'task:' || chat_id)
    SELECT key, (SELECT count(*) FROM messages WHERE session_id = sessions.id) FROM family JOIN sessions USING (id)";
/// All of one session; its row takes along what belongs to it.
const WHOLE: [&str; 4] = [
    "DELETE FROM outbox WHERE channel || ':' || chat_id = ?1",
    "DELETE FROM jobs WHERE origin = ?1",
    "UPDATE audit SET target = '', rule = '' WHERE session = ?1",
    "DELETE FROM sessions WHERE key = ?1",
];
/// The sessions in which nobody else wrote.
const ALONE: &str = "
    SELECT key FROM sessions WHERE EXISTS (SELECT 1 FROM inbox WHERE session_id = sessions.id AND sender = ?1)
    AND NOT EXISTS (SELECT 1 FROM inbox
        WHERE session_id = sessions.id AND sender NOT IN (?1, 'job', '') AND sender NOT GLOB 'agent:*')";
/// The turns of a sender: where their messages begin and end, and when they ran.
const TURNS: &str = "
    SELECT turns.session_id, first_message, coalesce((SELECT first_message FROM turns later
        WHERE later.session_id = turns.session_id AND later.id > turns.id ORDER BY id LIMIT 1), 1 << 62),
        began_at, coalesce(ended_at, ?2)
    FROM inbox JOIN turns ON turns.inbox_id = inbox.id WHERE sender = ?1";
const MESSAGES: &str = "DELETE FROM messages WHERE session_id = ?1 AND id >= ?2 AND id < ?3";
const TASKS: &str = "
    SELECT key FROM tasks JOIN sessions ON sessions.id = session_id
    WHERE parent_id = ?1 AND tasks.created_at BETWEEN ?2 AND ?3";
/// What a turn left outside its messages.
const MEANWHILE: [&str; 4] = [
    "DELETE FROM outbox WHERE session_id = ?1 AND created_at BETWEEN ?2 AND ?3",
    "DELETE FROM jobs WHERE origin = (SELECT key FROM sessions WHERE id = ?1) AND created_at BETWEEN ?2 AND ?3",
    "UPDATE audit SET target = '', rule = ''
     WHERE session = (SELECT key FROM sessions WHERE id = ?1) AND time_ms BETWEEN ?2 AND ?3",
    "UPDATE summaries SET body = NULL WHERE session_id = ?1 AND ?2 <= ?3",
];
const SENT: &str = "DELETE FROM inbox WHERE sender = ?1";
/// Sessions that are too old or too many, and that nothing waits in.
const IDLE: &str = "
    SELECT key FROM sessions WHERE key NOT IN (SELECT value FROM json_each(?3))
    AND (updated_at < ?1 OR id NOT IN (SELECT id FROM sessions ORDER BY updated_at DESC, id DESC LIMIT ?2))
    AND NOT EXISTS (SELECT 1 FROM inbox INDEXED BY inbox_waiting
        WHERE session_id = sessions.id AND state IN ('queued', 'running'))
    AND NOT EXISTS (SELECT 1 FROM outbox WHERE session_id = sessions.id AND state = 'pending')
    AND NOT EXISTS (SELECT 1 FROM jobs
        WHERE session_id = sessions.id AND state IN ('active', 'disabled', 'quarantined'))
    AND NOT EXISTS (SELECT 1 FROM tasks WHERE parent_id = sessions.id AND state = 'running')
    ORDER BY updated_at LIMIT ?4";
const MERGE: &str = "INSERT INTO recall (recall, rank) VALUES ('merge', ?1)";

/// Which sessions stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Those that changed no longer ago.
    pub max_age: Duration,
    /// At most so many, the ones that changed last.
    pub max_sessions: u32,
    /// These, whatever their age.
    pub keep: Vec<String>,
}

/// What was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// The sessions that are gone, those of sub-agents included.
    pub sessions: Vec<String>,
    /// How many messages.
    pub messages: u64,
}

fn forget(connection: &Connection, key: &str, removed: &mut Removed) -> rusqlite::Result<()> {
    let mut family = connection.prepare_cached(FAMILY)?;
    let family = family.query_map([key], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))?;
    for (key, messages) in family.collect::<rusqlite::Result<Vec<(String, i64)>>>()? {
        for sql in WHOLE {
            connection.prepare_cached(sql)?.execute([&key])?;
        }
        removed.messages += messages.cast_unsigned();
        removed.sessions.push(key);
    }
    Ok(())
}

fn keys(connection: &Connection, sql: &str, parameters: impl rusqlite::Params) -> rusqlite::Result<Vec<String>> {
    connection.prepare_cached(sql)?.query_map(parameters, |row| row.get(0))?.collect()
}

/// Removes what `sender` wrote, and the turns that answered it.
fn forget_sender(connection: &Connection, sender: &str, removed: &mut Removed) -> rusqlite::Result<()> {
    let mut turns = connection.prepare_cached(TURNS)?;
    let turns = turns.query_map(params![sender, now()], |row| <(i64, i64, i64, i64, i64)>::try_from(row))?;
    for (session, first, next, began, ended) in turns.collect::<rusqlite::Result<Vec<_>>>()? {
        let tasks = keys(connection, TASKS, [session, began, ended])?;
        removed.messages += connection.prepare_cached(MESSAGES)?.execute([session, first, next])? as u64;
        for sql in MEANWHILE {
            connection.prepare_cached(sql)?.execute([session, began, ended])?;
        }
        for task in tasks {
            forget(connection, &task, removed)?;
            forget_sender(connection, &task, removed)?;
        }
    }
    connection.prepare_cached(SENT)?.execute([sender]).map(drop)
}

impl Store {
    /// Removes a session with all that was kept of it: messages, index, summary, calls, inbox, outbox, files, jobs,
    /// the sessions of its sub-agents, and the text in its audit records. What it cost stays in the sums of all.
    pub async fn delete_session(&self, session: &str) -> Result<Removed, StoreError> {
        let session = session.to_owned();
        let removed = self.remove("delete-session", move |connection, removed| forget(connection, &session, removed));
        self.scrubbed(removed.await?).await
    }

    /// Removes every session in which only `sender` wrote; in the others, what they wrote, the turns that answered
    /// it with all these left, and the summary.
    pub async fn delete_person(&self, sender: &str) -> Result<Removed, StoreError> {
        let sender = sender.to_owned();
        let removed = self.remove("delete-person", move |connection, removed| {
            for key in keys(connection, ALONE, [&sender])? {
                forget(connection, &key, removed)?;
            }
            forget_sender(connection, &sender, removed)
        });
        self.scrubbed(removed.await?).await
    }

    /// Removes sessions that are too old or too many. One stays in which a message, an answer, a job or a sub-agent
    /// waits.
    pub async fn retain(&self, retention: Retention) -> Result<Removed, StoreError> {
        let oldest = now().saturating_sub_unsigned(u64::try_from(retention.max_age.as_millis()).unwrap_or(u64::MAX));
        let (most, keep) = (retention.max_sessions, serde_json::json!(retention.keep).to_string());
        let mut all = Removed::default();
        loop {
            let keep = keep.clone();
            let some = self.remove("retain", move |connection, removed| {
                for key in keys(connection, IDLE, params![oldest, most, keep, AT_ONCE])? {
                    forget(connection, &key, removed)?;
                }
                Ok(())
            });
            let some = some.await?;
            if some.sessions.is_empty() {
                return self.scrubbed(all).await;
            }
            all.messages += some.messages;
            all.sessions.extend(some.sessions);
        }
    }

    async fn remove(
        &self,
        kind: &'static str,
        mut work: impl FnMut(&Connection, &mut Removed) -> rusqlite::Result<()> + Send + 'static,
    ) -> Result<Removed, StoreError> {
        // records of the audit trail that wait would be written after the others were cleared
        self.flush().await?;
        self.write(kind, Promise::Durable, move |connection| {
            let mut removed = Removed::default();
            work(connection, &mut removed)?;
            Ok(removed)
        })
        .await
    }

    /// Writes the index anew without what was removed, in small steps between which others write, and empties the log.
    async fn scrubbed(&self, removed: Removed) -> Result<Removed, StoreError> {
        let mut pages = -PAGES;
        while removed != Removed::default() {
            let merge = self.write("scrub", Promise::Committed, move |connection| {
                let before = connection.total_changes();
                connection.prepare_cached(MERGE)?.execute([pages])?;
                Ok(connection.total_changes() - before)
            });
            // SQLite counts the question itself
            if merge.await? < 2 {
                // What was removed is removed; another process that reads just now only delays that its bytes go.
                if let Err(error) = self.empty_log().await {
                    tracing::warn!("the bytes of what was removed go with the next deletion: {error}");
                }
                break;
            }
            pages = PAGES;
        }
        Ok(removed)
    }
}
