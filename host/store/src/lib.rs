//! Durable state of one home: sessions, inbox, outbox, jobs, sub-agents' tasks, approvals, grants and the audit
//! trail, in one SQLite file.
//!
//! A write is answered after its COMMIT. One thread writes and commits whatever is waiting together; reads go
//! through a small pool of their own connections. Messages, grants and digests are opaque strings here.

mod approvals;
mod attachments;
mod audit;
mod connection;
mod copies;
mod deletion;
mod error;
pub mod failpoint;
mod history;
mod home;
mod inbox;
mod jobs;
mod messages;
mod outbox;
pub mod place;
#[cfg(test)]
mod plans;
mod readers;
mod recall;
mod records;
mod rested;
mod revisions;
mod runs;
mod session;
mod skills;
mod spending;
mod store;
mod tasks;
mod turn;
mod writer;

pub use attachments::{Attachment, MOST_ATTACHED_BYTES, MOST_ATTACHMENTS, OutboxState};
pub use connection::sqlite_version;
pub use copies::ImportedMessage;
pub use deletion::{Removed, Retention};
pub use error::StoreError;
pub use history::{History, HistoryTurn};
pub use home::{Home, HomeError, HostLock};
pub use inbox::MOST_WAITING;
pub use jobs::{JobLimits, JobRow, JobState, NewJob};
pub use messages::MessageRow;
pub use place::PlaceError;
pub use recall::{Found, Scope};
pub use records::{
    Accepted, ApprovalRow, AuditFilter, AuditRow, CallRow, Inbound, InboxId, JobId, NewMessage, NewOutbox, OutboxId,
    OutboxMessage, Outcome, RunId, SessionRow, TaskId, Turn, TurnId,
};
pub use rested::Rested;
pub use revisions::Revision;
pub use runs::{DeliveryState, EndedRun, Fired, Firing, RunOutcome, RunRow, SENDER as JOB_SENDER, Verdict};
pub use session::SessionState;
pub use skills::{Publisher, SkillRow, SkillState};
pub use spending::{Spend, Spent};
pub use store::{Store, StoreOptions};
pub use tasks::{NewTask, TASK_CHANNEL, TaskLimits, TaskRow, TaskState};
