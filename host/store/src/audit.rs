//! The audit trail: a ring of records, written along with other commits and never waited for.

use crate::error::StoreError;
use crate::records::{AuditFilter, AuditRow};
use crate::store::Store;
use crate::writer::Command;

use rusqlite::{Connection, Row, named_params, params};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many records may wait to be written.
const WAITING: usize = 8192;

pub(crate) struct AuditBuffer {
    rows: Mutex<Vec<AuditRow>>,
    lost: AtomicU64,
    capacity: u64,
}

impl AuditBuffer {
    pub(crate) fn new(capacity: u64) -> Self {
        Self { rows: Mutex::default(), lost: AtomicU64::new(0), capacity }
    }

    fn rows(&self) -> MutexGuard<'_, Vec<AuditRow>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether it is the first one, so that the writer must be told.
    fn push(&self, row: AuditRow) -> bool {
        let mut rows = self.rows();
        if rows.len() >= WAITING {
            self.lose(1);
            return false;
        }
        rows.push(row);
        rows.len() == 1
    }

    pub(crate) fn take(&self) -> Vec<AuditRow> {
        std::mem::take(&mut *self.rows())
    }

    pub(crate) fn lose(&self, count: usize) {
        self.lost.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// Writes `rows` and drops the oldest beyond the capacity.
    pub(crate) fn insert(&self, connection: &Connection, rows: &[AuditRow]) -> rusqlite::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut insert = connection.prepare_cached(
            "INSERT INTO audit (time_ms, session, component, digest, tool, operation, target, rule, verdict, duration_us)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?;
        for row in rows {
            insert.execute(params![
                row.time_ms,
                row.session,
                row.component,
                row.digest,
                row.tool,
                row.operation,
                row.target,
                row.rule,
                row.verdict,
                row.duration_us,
            ])?;
        }
        let beyond = connection.last_insert_rowid().saturating_sub_unsigned(self.capacity);
        connection.prepare_cached("DELETE FROM audit WHERE id <= ?1")?.execute([beyond]).map(drop)
    }
}

const QUERY: &str = "
    SELECT time_ms, session, component, digest, tool, operation, target, rule, verdict, duration_us FROM audit
    WHERE (:session IS NULL OR session = :session) AND (:tool IS NULL OR tool = :tool)
      AND (:verdict IS NULL OR verdict = :verdict) AND (:since IS NULL OR time_ms >= :since)
    ORDER BY id DESC LIMIT :limit";

fn record(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    Ok(AuditRow {
        time_ms: row.get(0)?,
        session: row.get(1)?,
        component: row.get(2)?,
        digest: row.get(3)?,
        tool: row.get(4)?,
        operation: row.get(5)?,
        target: row.get(6)?,
        rule: row.get(7)?,
        verdict: row.get(8)?,
        duration_us: row.get(9)?,
    })
}

impl Store {
    /// Takes one record of the audit trail; never waits. What cannot be kept is counted by [`Store::audit_lost`].
    /// It is on the disk with the next durable write, or 200 ms later.
    pub fn audit(&self, row: AuditRow) {
        let Some(writer) = self.writer() else {
            return self.buffer().lose(1);
        };
        if self.buffer().push(row) {
            // the writer lives as long as this store
            let _ = writer.send(Command::Audit);
        }
    }

    /// How many records were lost since the store was opened, because the disk was too slow or full.
    pub fn audit_lost(&self) -> u64 {
        self.buffer().lost.load(Ordering::Relaxed)
    }

    /// The newest records that pass `filter`, oldest first, those just taken included.
    pub async fn audit_query(&self, filter: AuditFilter) -> Result<Vec<AuditRow>, StoreError> {
        if self.writer().is_some() {
            self.flush().await?;
        }
        self.read(move |connection| {
            let mut query = connection.prepare_cached(QUERY)?;
            let parameters = named_params! {
                ":session": filter.session, ":tool": filter.tool, ":verdict": filter.verdict,
                ":since": filter.since_ms, ":limit": filter.limit,
            };
            let mut rows = query.query_map(parameters, record)?.collect::<rusqlite::Result<Vec<_>>>()?;
            rows.reverse();
            Ok(rows)
        })
        .await
    }
}
