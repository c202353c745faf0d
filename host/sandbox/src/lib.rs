//! The trusted base of Chiton: loads, checks, instantiates, limits, swaps and audits WASI components.
//!
//! Knows no agent, no channel and no HTTP client. Everything a component may reach beyond files is a
//! port that upper rooms implement; without one the call is denied and audited.

mod audit;
mod cache;
mod call;
mod compile;
mod component;
mod contract;
#[cfg(test)]
mod corpus;
mod digest;
mod engine;
mod error;
mod grants;
mod imports;
mod limiter;
mod load;
mod outbound;
mod pipe;
pub mod ports;
mod program;
mod sandbox;
mod schema;
mod script;
mod skill;
mod snapshot;
mod state;
mod subject;

pub use audit::{AuditRecord, AuditSink, Verdict};
pub use call::{CallOutcome, CallRequest, Part};
pub use chiton_files as files;
pub use chiton_files::{Access, FileGrant, FileGrantError, Quota};
pub use compile::{Compiler, check_engine, compile_child};
pub use component::{Component, ToolDefinition};
pub use digest::{Digest, DigestSyntax};
pub use error::{CallError, LoadError, SandboxError};
pub use grants::{
    Capabilities, Capability, Effects, GrantError, Grants, Limits, Rights, Seal, SessionRights, Single, Validity,
};
pub use imports::MAX_COMPONENT_BYTES;
pub use ports::Ports;
pub use program::ComponentBytes;
pub use sandbox::{Sandbox, SandboxOptions};
pub use script::{MAX_SCRIPT_BYTES, Script};
pub use snapshot::{LoadedTool, Snapshot};
