//! The audit trail: one structured record per call and per denial.

use crate::Digest;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It was done.
    Allowed,
    /// A grant is missing.
    Denied,
    /// A limit ended it.
    Limited,
    /// The component failed by itself.
    Failed,
    /// The owner or the caller ended it.
    Cancelled,
    /// The approval was taken back while it ran.
    Revoked,
    /// A component was refused at load.
    Refused,
}

/// One record. Holds no secret and no file content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Milliseconds since 1970.
    pub time_ms: i64,
    /// The session on whose behalf it happened, such as `terminal:default`; empty outside a session.
    pub session: String,
    /// The component's name (its slot), such as `file`.
    pub component: String,
    /// The bytes that ran.
    pub digest: Digest,
    /// The tool, empty at load.
    pub tool: String,
    /// What was tried, such as `call`, `load`, `open`, `rename`, `socket`, `http`.
    pub operation: String,
    /// On what, canonical (an absolute host path, an import name); at most 1 KiB.
    pub target: String,
    /// The rule that decided, or the missing grant as `KIND=VALUE`.
    pub rule: String,
    /// The decision.
    pub verdict: Verdict,
    /// How long it took; zero for single operations.
    #[serde(with = "micros")]
    pub duration: Duration,
}

/// Where records go. Must not block: it is called on the path of every call.
pub trait AuditSink: Send + Sync + 'static {
    /// Takes one record.
    fn record(&self, record: AuditRecord);
}

impl<F: Fn(AuditRecord) + Send + Sync + 'static> AuditSink for F {
    fn record(&self, record: AuditRecord) {
        self(record);
    }
}

mod micros {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::time::Duration;

    pub fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(value.as_micros() as u64)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_micros)
    }
}
