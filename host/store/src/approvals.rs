//! What the owner allowed: components by their digests, and grants that replace a tool's own.

use crate::error::StoreError;
use crate::records::ApprovalRow;
use crate::store::{Store, now};
use crate::writer::Promise;
use rusqlite::{Row, params};

const APPROVE: &str = "
    INSERT OR REPLACE INTO approvals
        (name, component_digest, definitions_digest, path, grants, approved_at, revoked_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const APPROVALS: &str = "
    SELECT name, component_digest, definitions_digest, path, grants, approved_at, revoked_at FROM approvals
    ORDER BY name";
const REVOKE: &str = "UPDATE approvals SET revoked_at = ?2 WHERE name = ?1 AND revoked_at IS NULL";
const GRANT: &str = "INSERT OR REPLACE INTO tool_grants (tool, grants) VALUES (?1, ?2)";
const UNGRANT: &str = "DELETE FROM tool_grants WHERE tool = ?1";
const GRANTS: &str = "SELECT tool, grants FROM tool_grants ORDER BY tool";

fn approval(row: &Row<'_>) -> rusqlite::Result<ApprovalRow> {
    Ok(ApprovalRow {
        name: row.get(0)?,
        component_digest: row.get(1)?,
        definitions_digest: row.get(2)?,
        path: row.get(3)?,
        grants_json: row.get(4)?,
        approved_at: row.get(5)?,
        revoked_at: row.get(6)?,
    })
}

impl Store {
    /// Keeps an approval; replaces the one under the same name.
    pub async fn approve(&self, row: ApprovalRow) -> Result<(), StoreError> {
        self.write("approve", Promise::Durable, move |connection| {
            let mut approve = connection.prepare_cached(APPROVE)?;
            approve.execute(params![
                row.name,
                row.component_digest,
                row.definitions_digest,
                row.path,
                row.grants_json,
                row.approved_at,
                row.revoked_at
            ])?;
            Ok(())
        })
        .await
    }

    /// Every approval by name, those taken back included.
    pub async fn approvals(&self) -> Result<Vec<ApprovalRow>, StoreError> {
        self.read(|connection| connection.prepare_cached(APPROVALS)?.query_map([], approval)?.collect()).await
    }

    /// Takes an approval back; returns whether there was one in force.
    pub async fn revoke(&self, name: &str) -> Result<bool, StoreError> {
        self.change("revoke", Promise::Durable, REVOKE, (name.to_owned(), now())).await
    }

    /// Replaces the grants of `tool` by `grants_json`, or with none returns it to its own.
    pub async fn set_tool_grants(&self, tool: &str, grants_json: Option<&str>) -> Result<(), StoreError> {
        let (tool, grants) = (tool.to_owned(), grants_json.map(str::to_owned));
        self.write("grant", Promise::Durable, move |connection| {
            match &grants {
                Some(grants) => connection.prepare_cached(GRANT)?.execute([&tool, grants])?,
                None => connection.prepare_cached(UNGRANT)?.execute([&tool])?,
            };
            Ok(())
        })
        .await
    }

    /// The tools whose grants were replaced, each with its grants as JSON, by name.
    pub async fn tool_grants(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.read(|connection| {
            let mut grants = connection.prepare_cached(GRANTS)?;
            grants.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
        .await
    }
}
