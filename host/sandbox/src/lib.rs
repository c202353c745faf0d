//! The trusted base of Chiton: loads, checks, instantiates, limits, swaps and audits WASI components.
//!
//! Knows no agent, no channel and no HTTP client. Everything a component may reach beyond files is a
//! port that upper rooms implement; without one the call is denied and audited.

mod audit;
mod digest;
mod grants;
pub mod files;

pub use audit::{AuditRecord, AuditSink, Verdict};
pub use digest::{Digest, DigestSyntax};
pub use grants::{
    Access, Effects, FileGrant, GrantError, Grants, Limits, Quota, Rights, SessionRights,
};
