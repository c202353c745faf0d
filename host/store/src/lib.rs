//! Durable state of one home: sessions, inbox, outbox, approvals, grants and the audit trail, in one SQLite file.
//!
//! A write is answered after its COMMIT. One thread writes and commits whatever is waiting together; reads go
//! through a small pool of their own connections. Messages, grants and digests are opaque strings here.

mod approvals;
mod audit;
mod connection;
mod error;
pub mod failpoint;
mod history;
mod home;
mod inbox;
mod outbox;
pub mod place;
#[cfg(test)]
mod plans;
mod readers;
mod records;
mod store;
mod turn;
mod writer;

pub use connection::sqlite_version;
pub use error::StoreError;
pub use home::{Home, HomeError, HostLock};
pub use place::PlaceError;
pub use records::{
    Accepted, ApprovalRow, AuditFilter, AuditRow, CallRow, Inbound, InboxId, NewMessage, NewOutbox, OutboxId,
    OutboxMessage, Outcome, SessionRow, Turn, TurnId,
};
pub use store::{Store, StoreOptions};
