//! What goes into the store and comes out of it.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

macro_rules! id {
    ($(#[$doc:meta] $name:ident),+ $(,)?) => {$(
        #[$doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);
    )+};
}

id! {
    /// A message that was accepted; never used twice.
    InboxId,
    /// One message being answered; never used twice.
    TurnId,
    /// A message to deliver, also its idempotency key; never used twice.
    OutboxId,
    /// A scheduled job; never used twice.
    JobId,
    /// One run of a job; never used twice.
    RunId,
    /// A task of a sub-agent; never used twice.
    TaskId,
}

/// An enumeration that is one word in the database, in JSON and on the screen.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$case_doc:meta])* $case:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$case_doc])* #[serde(rename = $word)] $case,)+
        }

        impl $name {
            /// Its word.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$case => $word,)+
                }
            }
        }

        impl rusqlite::types::FromSql for $name {
            fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
                match value.as_str()? {
                    $($word => Ok(Self::$case),)+
                    _ => Err(rusqlite::types::FromSqlError::InvalidType),
                }
            }
        }

        impl rusqlite::ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
                Ok(self.as_str().into())
            }
        }
    };
}
pub(crate) use words;

/// A message as a channel received it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewMessage {
    /// The channel's name, such as `terminal`.
    pub channel: String,
    /// Which of the bot's accounts on that channel received it; empty when there is only one.
    pub account: String,
    /// The platform's id of the message, unique within channel and account.
    pub external_id: String,
    /// The chat it belongs to.
    pub chat_id: String,
    /// Who wrote it, as the platform names them.
    pub sender: String,
    /// What was written.
    pub text: String,
    /// Anything else to keep with it, as JSON.
    pub metadata: Option<String>,
}

impl NewMessage {
    /// The session it belongs to: `channel:chat_id`.
    pub fn session(&self) -> String {
        format!("{}:{}", self.channel, self.chat_id)
    }
}

/// What became of an accepted message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It is new and now durable.
    New(InboxId),
    /// It was accepted before under this id; nothing changed.
    Duplicate(InboxId),
}

impl Accepted {
    /// The message's id in either case.
    pub fn id(self) -> InboxId {
        match self {
            Self::New(id) | Self::Duplicate(id) => id,
        }
    }
}

/// A message as it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbound {
    /// Its id.
    pub id: InboxId,
    /// The message.
    pub message: NewMessage,
    /// When it was accepted, in milliseconds since 1970.
    pub received_at: i64,
}

/// One message being answered, with every step that is already durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Its id.
    pub id: TurnId,
    /// The session it belongs to.
    pub session: String,
    /// The message it answers.
    pub inbox: Inbound,
    /// How often it was begun: more than once when it was interrupted.
    pub starts: u32,
    /// This turn's messages, oldest first, as wire JSON; the first is the user's.
    pub steps: Vec<Arc<str>>,
    /// This turn's calls in the order in which they started.
    pub calls: Vec<CallRow>,
    /// How many messages the model has answered with so far.
    pub rounds: u32,
}

/// One tool call of a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRow {
    /// The round that asked for it, counted from 1; call ids are unique within a round only.
    pub round: u32,
    /// The model's id of the call.
    pub call_id: String,
    /// The tool; empty when the call was finished without being started.
    pub tool: String,
    /// The arguments as JSON.
    pub arguments: String,
    /// Whether it may run again after a crash.
    pub read_only: bool,
    /// How it ended, in the words of the audit trail; none while it is started and nothing is known of its end.
    pub verdict: Option<String>,
}

impl CallRow {
    /// Whether its result message is among the turn's steps.
    pub fn finished(&self) -> bool {
        self.verdict.is_some()
    }
}

/// How a turn ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered.
    Done,
    /// The owner cancelled it.
    Cancelled,
    /// It could not be answered, for this reason.
    Failed(String),
}

/// A message to deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOutbox {
    /// The channel that delivers it.
    pub channel: String,
    /// The chat it goes to.
    pub chat_id: String,
    /// What it says.
    pub text: String,
}

/// A message that waits to be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxMessage {
    /// Its id and idempotency key.
    pub id: OutboxId,
    /// The channel that delivers it.
    pub channel: String,
    /// The chat it goes to.
    pub chat_id: String,
    /// What it says.
    pub text: String,
    /// How often delivery failed.
    pub attempts: u32,
    /// Why it failed last.
    pub last_error: Option<String>,
    /// When it was written, in milliseconds since 1970.
    pub created_at: i64,
}

/// A session in the list of sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionRow {
    /// `channel:chat_id`.
    pub session: String,
    /// When its first message was accepted, in milliseconds since 1970.
    pub created_at: i64,
    /// When it last changed, in milliseconds since 1970.
    pub updated_at: i64,
    /// How many turns it has.
    pub turns: u64,
    /// How many messages wait or are being answered.
    pub waiting: u64,
}

/// What the owner approved under one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRow {
    /// The component's name.
    pub name: String,
    /// Digest of its bytes.
    pub component_digest: String,
    /// Digest of its tool definitions.
    pub definitions_digest: String,
    /// The file it came from.
    pub path: Option<String>,
    /// The grants, as JSON.
    pub grants_json: String,
    /// When it was approved, in milliseconds since 1970.
    pub approved_at: i64,
    /// When the approval was taken back, in milliseconds since 1970.
    pub revoked_at: Option<i64>,
}

/// One record of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// Milliseconds since 1970.
    pub time_ms: i64,
    /// The session on whose behalf it happened; empty outside a session.
    pub session: String,
    /// The component's name.
    pub component: String,
    /// Digest of the bytes that ran.
    pub digest: String,
    /// The tool; empty at load.
    pub tool: String,
    /// What was tried.
    pub operation: String,
    /// On what.
    pub target: String,
    /// The rule that decided, or the missing grant.
    pub rule: String,
    /// The decision, such as `allowed` or `denied`.
    pub verdict: String,
    /// How long it took, in microseconds.
    pub duration_us: i64,
}

/// Which records of the audit trail to show; the default shows the newest 100.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only this session's.
    pub session: Option<String>,
    /// Only this tool's.
    pub tool: Option<String>,
    /// Only with this verdict.
    pub verdict: Option<String>,
    /// Only since this time, in milliseconds since 1970.
    pub since_ms: Option<i64>,
    /// At most so many, the newest ones.
    pub limit: u32,
}

impl Default for AuditFilter {
    fn default() -> Self {
        Self { session: None, tool: None, verdict: None, since_ms: None, limit: 100 }
    }
}
