//! Messages that a tool sends, with the files that go along.

use crate::error::StoreError;
use crate::records::{NewOutbox, OutboxId};
use crate::runs::DeliveryState;
use crate::store::{Store, now};
use crate::turn;
use crate::writer::{Promise, Refusal};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// Most files of one message.
pub const MOST_ATTACHMENTS: usize = 5;
/// Most bytes of all files of one message.
pub const MOST_ATTACHED_BYTES: usize = 10 << 20;
/// Most bytes of all files that wait to be delivered.
const MOST_WAITING_BYTES: i64 = 256 << 20;

/// A file that goes along with a message.
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    /// File name, without directories.
    pub name: String,
    /// The media type, such as `image/png`.
    pub mime: String,
    /// The bytes.
    pub data: Vec<u8>,
}

impl std::fmt::Debug for Attachment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}, {} bytes)", self.name, self.mime, self.data.len())
    }
}

/// How far a message of the outbox has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxState {
    /// What became of it.
    pub state: DeliveryState,
    /// Why it was not delivered, if an attempt failed.
    pub last_error: Option<String>,
}

pub(crate) const SESSION: &str = "SELECT id FROM sessions WHERE key = ?1";
/// Reads one short entry of an index for each file that waits; files are dropped when they were delivered.
pub(crate) const WAITING_BYTES: &str = "SELECT coalesce(sum(size), 0) FROM attachments";
pub(crate) const ATTACH: &str =
    "INSERT INTO attachments (outbox_id, size, name, mime, data) VALUES (?1, ?2, ?3, ?4, ?5)";
pub(crate) const ATTACHED: &str = "SELECT name, mime, data FROM attachments WHERE outbox_id = ?1 ORDER BY id";
pub(crate) const DROP: &str = "DELETE FROM attachments WHERE outbox_id = ?1";
pub(crate) const STATE: &str = "SELECT state, last_error FROM outbox WHERE id = ?1";

fn send(connection: &Connection, message: &NewOutbox, attachments: &[Attachment]) -> Result<OutboxId, Refusal> {
    let NewOutbox { channel, chat_id, text } = message;
    let key = format!("{channel}:{chat_id}");
    let session = connection.prepare_cached(SESSION)?.query_row([key], |row| row.get::<_, i64>(0)).optional()?;
    connection.prepare_cached(turn::ANSWER)?.execute(params![session, channel, chat_id, text, now()])?;
    let id = OutboxId(connection.last_insert_rowid());
    if attachments.is_empty() {
        return Ok(id);
    }
    let waiting: i64 = connection.prepare_cached(WAITING_BYTES)?.query_row([], |row| row.get(0))?;
    let bytes = bytes(attachments) as i64;
    if waiting + bytes > MOST_WAITING_BYTES {
        return Err(StoreError::TooMuchAttached { bytes: waiting + bytes, most: MOST_WAITING_BYTES }.into());
    }
    for Attachment { name, mime, data } in attachments {
        connection.prepare_cached(ATTACH)?.execute(params![id.0, data.len() as i64, name, mime, data])?;
    }
    Ok(id)
}

fn bytes(attachments: &[Attachment]) -> usize {
    attachments.iter().map(|attachment| attachment.data.len()).sum()
}

fn attachment(row: &Row<'_>) -> rusqlite::Result<Attachment> {
    Ok(Attachment { name: row.get(0)?, mime: row.get(1)?, data: row.get(2)? })
}

impl Store {
    /// Puts a message with its files into the outbox. The files are kept until it is delivered.
    pub async fn send(&self, message: NewOutbox, attachments: Vec<Attachment>) -> Result<OutboxId, StoreError> {
        if attachments.len() > MOST_ATTACHMENTS {
            return Err(StoreError::TooMany { what: "files for one message", most: MOST_ATTACHMENTS as u32 });
        }
        let (bytes, most) = (bytes(&attachments) as i64, MOST_ATTACHED_BYTES as i64);
        if bytes > most {
            return Err(StoreError::TooMuchAttached { bytes, most });
        }
        self.write("send", Promise::Durable, move |connection| send(connection, &message, &attachments)).await
    }

    /// The files of a message that waits to be delivered, in their order.
    pub async fn attachments(&self, id: OutboxId) -> Result<Vec<Attachment>, StoreError> {
        self.read(move |connection| connection.prepare_cached(ATTACHED)?.query_map([id.0], attachment)?.collect()).await
    }

    /// How far a message has come; none when there is no such message.
    pub async fn outbox_state(&self, id: OutboxId) -> Result<Option<OutboxState>, StoreError> {
        let state = |row: &Row<'_>| Ok(OutboxState { state: row.get(0)?, last_error: row.get(1)? });
        self.read(move |connection| connection.prepare_cached(STATE)?.query_row([id.0], state).optional()).await
    }
}
