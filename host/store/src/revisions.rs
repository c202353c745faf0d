//! Earlier versions of files that the owner edits and the agent too, so that every change can be undone.

use crate::error::StoreError;
use crate::store::{Store, now};
use crate::writer::Promise;
use rusqlite::{OptionalExtension, params};
use serde::Serialize;

/// How many versions of a file are kept.
const KEPT: u32 = 50;

pub(crate) const KEEP: &str = "
    INSERT INTO revisions (file, at, reason, text) SELECT ?1, ?2, ?3, ?4
    WHERE ?4 IS NOT (SELECT text FROM revisions WHERE file = ?1 ORDER BY id DESC LIMIT 1)";
pub(crate) const FORGET: &str = "
    DELETE FROM revisions WHERE file = ?1 AND id <= (
        SELECT id FROM revisions WHERE file = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)";
pub(crate) const LIST: &str =
    "SELECT id, at, reason, octet_length(text) FROM revisions WHERE file = ?1 ORDER BY id DESC";
pub(crate) const TEXT: &str = "SELECT text FROM revisions WHERE id = ?1";

pub(crate) const REWRITE: &str = "UPDATE revisions SET text = ?2, at = ?3 WHERE id = ?1";
pub(crate) const JUDGE: &str = "UPDATE revisions SET reason = ?2 WHERE id = ?1";

/// One version of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Revision {
    /// Its id; never used twice.
    pub id: i64,
    /// When it was kept, in milliseconds since 1970.
    pub at_ms: i64,
    /// What changed it.
    pub reason: String,
    /// Its size.
    pub bytes: u64,
}

impl Store {
    /// Keeps a version of a file, unless the newest one is the same; false then. The newest 50 of a file stay.
    pub async fn keep_revision(&self, file: &str, text: &str, reason: &str) -> Result<bool, StoreError> {
        let (file, text, reason) = (file.to_owned(), text.to_owned(), reason.to_owned());
        self.write("keep-revision", Promise::Durable, move |connection| {
            let kept = connection.prepare_cached(KEEP)?.execute(params![file, now(), reason, text])?;
            connection.prepare_cached(FORGET)?.execute(params![file, KEPT])?;
            Ok(kept > 0)
        })
        .await
    }

    /// Puts another text in the place of a version's.
    pub async fn rewrite_revision(&self, id: i64, text: &str) -> Result<(), StoreError> {
        let text = text.to_owned();
        self.write("rewrite-revision", Promise::Durable, move |connection| {
            connection.prepare_cached(REWRITE)?.execute(params![id, text, now()])?;
            Ok(())
        })
        .await
    }

    /// Gives a version another reason.
    pub async fn judge_revision(&self, id: i64, reason: &str) -> Result<(), StoreError> {
        let reason = reason.to_owned();
        self.write("judge-revision", Promise::Durable, move |connection| {
            connection.prepare_cached(JUDGE)?.execute(params![id, reason])?;
            Ok(())
        })
        .await
    }

    /// The versions of a file, newest first.
    pub async fn revisions(&self, file: &str) -> Result<Vec<Revision>, StoreError> {
        let file = file.to_owned();
        self.read(move |connection| {
            let mut list = connection.prepare_cached(LIST)?;
            let list = list.query_map([file], |row| {
                let bytes = row.get::<_, i64>(3)?.cast_unsigned();
                Ok(Revision { id: row.get(0)?, at_ms: row.get(1)?, reason: row.get(2)?, bytes })
            });
            list?.collect()
        })
        .await
    }

    /// The text of a version.
    pub async fn revision(&self, id: i64) -> Result<Option<String>, StoreError> {
        self.read(move |connection| connection.prepare_cached(TEXT)?.query_row([id], |row| row.get(0)).optional()).await
    }
}
