//! Skills: their versions, what the owner decided on each, and who publishes them.

use crate::error::StoreError;
use crate::records::words;
use crate::store::{Store, now};
use crate::writer::{Promise, Refusal};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;

/// Versions of a skill that are kept: the one that runs, and those before it.
const KEPT: u32 = 3;

words! {
    /// What became of a version of a skill.
    SkillState {
        /// The owner has not decided.
        Waiting = "waiting",
        /// It runs.
        Active = "active",
        /// Another version took its place.
        Retired = "retired",
        /// The owner said no.
        Refused = "refused",
        /// The owner took the approval back.
        Revoked = "revoked",
    }
}

/// One version of a skill. Grants mean nothing here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SkillRow {
    /// The skill's name.
    pub name: String,
    /// Digest of the whole package.
    pub digest: String,
    /// The version that it states, or nothing.
    pub version: String,
    /// The engine of its script, or nothing.
    pub engine: String,
    /// The file with its code, or nothing.
    pub file: String,
    /// Digest of that file.
    pub code: String,
    /// Digest of its tools' definitions.
    pub definitions: String,
    /// Where it came from.
    pub source: String,
    /// The grants that it asks for, as JSON.
    pub asked_json: String,
    /// The limits of its calls, as JSON, or nothing.
    pub limits_json: String,
    /// The grants that the owner gave, as JSON; none before the owner decided.
    pub granted_json: Option<String>,
    /// What became of it.
    pub state: SkillState,
    /// In milliseconds since 1970.
    pub added_at: i64,
    /// When the owner decided last.
    pub decided_at: Option<i64>,
}

/// Who publishes a skill.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Publisher {
    /// The key that versions are signed with; empty when they are not.
    pub key: String,
    /// The highest version that was approved.
    pub floor: String,
}

const COLUMNS: &str = "SELECT name, digest, version, engine, file, code, definitions, source, asked, limits, granted,
    state, added_at, decided_at FROM skills";
const ADD: &str = "
    INSERT OR REPLACE INTO skills (name, digest, version, engine, file, code, definitions, source, asked, limits, granted,
        state, added_at, decided_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
const PUBLISHED: &str = "INSERT OR REPLACE INTO publishers (name, key, floor) VALUES (?1, ?2, ?3)";
const DECIDE: &str = "UPDATE skills SET state = ?3, decided_at = ?4 WHERE name = ?1 AND digest = ?2";

fn skill(row: &Row<'_>) -> rusqlite::Result<SkillRow> {
    Ok(SkillRow {
        name: row.get(0)?,
        digest: row.get(1)?,
        version: row.get(2)?,
        engine: row.get(3)?,
        file: row.get(4)?,
        code: row.get(5)?,
        definitions: row.get(6)?,
        source: row.get(7)?,
        asked_json: row.get(8)?,
        limits_json: row.get(9)?,
        granted_json: row.get(10)?,
        state: row.get(11)?,
        added_at: row.get(12)?,
        decided_at: row.get(13)?,
    })
}

impl Store {
    /// Keeps a version that waits for the owner, in place of one that waited before.
    pub async fn add_skill(&self, row: SkillRow) -> Result<(), StoreError> {
        self.write("skill", Promise::Durable, move |connection| {
            connection.execute("DELETE FROM skills WHERE name = ?1 AND state = 'waiting'", [&row.name])?;
            insert(connection, &row)
        })
        .await
    }

    /// Makes a version the one that runs, with these grants, and keeps who publishes it. What `chiton grant` changed for
    /// the version before is gone with it. Versions that are too old are forgotten. Says whether there is such a version.
    pub async fn activate_skill(
        &self,
        name: &str,
        digest: &str,
        granted_json: &str,
        publisher: Publisher,
    ) -> Result<bool, StoreError> {
        let (name, digest, granted) = (name.to_owned(), digest.to_owned(), granted_json.to_owned());
        self.write("skill", Promise::Durable, move |connection| {
            let there = "SELECT 1 FROM skills WHERE name = ?1 AND digest = ?2";
            if connection.query_row(there, [&name, &digest], |_| Ok(())).optional()?.is_none() {
                return Ok(false);
            }
            let retire = "UPDATE skills SET state = 'retired' WHERE name = ?1 AND state = 'active' AND digest != ?2";
            connection.execute(retire, [&name, &digest])?;
            let activate = "UPDATE skills SET state = 'active', granted = ?3, decided_at = ?4
                WHERE name = ?1 AND digest = ?2";
            connection.execute(activate, params![name, digest, granted, now()])?;
            connection.execute("DELETE FROM tool_grants WHERE tool = ?1", [&name])?;
            connection.prepare_cached(PUBLISHED)?.execute([&name, &publisher.key, &publisher.floor])?;
            forget_old(connection, &name)?;
            Ok(true)
        })
        .await
    }

    /// Notes what the owner decided on a version; says whether there is such a one.
    pub async fn decide_skill(&self, name: &str, digest: &str, state: SkillState) -> Result<bool, StoreError> {
        self.change("skill", Promise::Durable, DECIDE, (name.to_owned(), digest.to_owned(), state, now())).await
    }

    /// Forgets a skill: its versions, who publishes it, its grants; and ends its jobs.
    pub async fn remove_skill(&self, name: &str) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.write("skill", Promise::Durable, move |connection| {
            connection.execute("DELETE FROM skills WHERE name = ?1", [&name])?;
            connection.execute("DELETE FROM publishers WHERE name = ?1", [&name])?;
            connection.execute("DELETE FROM tool_grants WHERE tool = ?1", [&name])?;
            end_jobs(connection, &name).map(drop)
        })
        .await
    }

    /// Ends the jobs that a component made; gives how many.
    pub async fn end_jobs_of(&self, component: &str) -> Result<usize, StoreError> {
        let component = component.to_owned();
        self.write("skill", Promise::Durable, move |connection| end_jobs(connection, &component)).await
    }

    /// All versions of all skills by name, the newest decision last.
    pub async fn skills(&self) -> Result<Vec<SkillRow>, StoreError> {
        self.read(|connection| {
            let all = format!("{COLUMNS} ORDER BY name, coalesce(decided_at, added_at), digest");
            connection.prepare_cached(&all)?.query_map([], skill)?.collect()
        })
        .await
    }

    /// Who publishes a skill, if a version of it was ever approved.
    pub async fn publisher(&self, name: &str) -> Result<Option<Publisher>, StoreError> {
        let name = name.to_owned();
        self.read(move |connection| {
            let publisher = |row: &Row<'_>| Ok(Publisher { key: row.get(0)?, floor: row.get(1)? });
            let mut query = connection.prepare_cached("SELECT key, floor FROM publishers WHERE name = ?1")?;
            query.query_row([name], publisher).optional()
        })
        .await
    }

    /// What a component did since a time: operation, target, verdict and how often, the most frequent first.
    pub async fn audit_summary(
        &self,
        component: &str,
        since_ms: i64,
    ) -> Result<Vec<(String, String, String, u32)>, StoreError> {
        let component = component.to_owned();
        self.read(move |connection| {
            let mut query = connection.prepare_cached(
                "SELECT operation, CASE WHEN operation = 'call' THEN tool WHEN verdict = 'denied' THEN rule ELSE target END, verdict, count(*) FROM audit
                 WHERE component = ?1 AND time_ms >= ?2 GROUP BY 1, 2, 3 ORDER BY 4 DESC LIMIT 1000",
            )?;
            let line = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
            query.query_map(params![component, since_ms], line)?.collect()
        })
        .await
    }
}

fn insert(connection: &Connection, row: &SkillRow) -> Result<(), Refusal> {
    connection.prepare_cached(ADD)?.execute(params![
        row.name,
        row.digest,
        row.version,
        row.engine,
        row.file,
        row.code,
        row.definitions,
        row.source,
        row.asked_json,
        row.limits_json,
        row.granted_json,
        row.state,
        row.added_at,
        row.decided_at
    ])?;
    Ok(())
}

fn end_jobs(connection: &Connection, component: &str) -> Result<usize, Refusal> {
    let end = "UPDATE jobs SET state = 'removed', reason = 'its skill is gone', next_due = NULL
        WHERE component = ?1 AND state IN ('active', 'disabled', 'quarantined')";
    Ok(connection.execute(end, [component])?)
}

fn forget_old(connection: &Connection, name: &str) -> Result<(), Refusal> {
    let old = "DELETE FROM skills WHERE name = ?1 AND state NOT IN ('active', 'waiting') AND digest NOT IN (
        SELECT digest FROM skills WHERE name = ?1 AND state = 'retired' ORDER BY decided_at DESC LIMIT ?2)";
    connection.execute(old, params![name, KEPT - 1])?;
    Ok(())
}
