//! Messages that wait to be delivered.

use crate::attachments;
use crate::error::StoreError;
use crate::records::{OutboxId, OutboxMessage};
use crate::store::{Store, now};
use crate::writer::Promise;
use rusqlite::{Params, Row};

pub(crate) const PENDING: &str = "
    SELECT id, channel, chat_id, text, attempts, last_error, created_at FROM outbox
    WHERE channel = ?1 AND state = 'pending' ORDER BY id";
pub(crate) const DELIVERED: &str =
    "UPDATE outbox SET state = 'delivered', delivered_at = ?2 WHERE id = ?1 AND state = 'pending'";
pub(crate) const FAILED: &str =
    "UPDATE outbox SET attempts = attempts + 1, last_error = ?2 WHERE id = ?1 AND state = 'pending'";
pub(crate) const UNDELIVERABLE: &str = "
    UPDATE outbox SET state = 'undeliverable', attempts = attempts + 1, last_error = ?2
    WHERE id = ?1 AND state = 'pending'";

fn message(row: &Row<'_>) -> rusqlite::Result<OutboxMessage> {
    Ok(OutboxMessage {
        id: OutboxId(row.get(0)?),
        channel: row.get(1)?,
        chat_id: row.get(2)?,
        text: row.get(3)?,
        attempts: row.get(4)?,
        last_error: row.get(5)?,
        created_at: row.get(6)?,
    })
}

impl Store {
    /// The messages that `channel` has still to deliver, oldest first.
    pub async fn pending_outbox(&self, channel: &str) -> Result<Vec<OutboxMessage>, StoreError> {
        let channel = channel.to_owned();
        self.read(move |connection| connection.prepare_cached(PENDING)?.query_map([channel], message)?.collect()).await
    }

    /// Says that a message has reached its chat.
    pub async fn mark_delivered(&self, id: OutboxId) -> Result<(), StoreError> {
        self.settle("delivered", Promise::Durable, DELIVERED, id, (id.0, now())).await
    }

    /// Says that a message could not be delivered this time; it stays pending.
    pub async fn mark_failed_attempt(&self, id: OutboxId, error: &str) -> Result<(), StoreError> {
        self.settle("failed-attempt", Promise::Committed, FAILED, id, (id.0, error.to_owned())).await
    }

    /// Says that a message can never be delivered; it is kept, but no longer pending.
    pub async fn mark_undeliverable(&self, id: OutboxId, error: &str) -> Result<(), StoreError> {
        self.settle("undeliverable", Promise::Durable, UNDELIVERABLE, id, (id.0, error.to_owned())).await
    }

    async fn settle(
        &self,
        kind: &'static str,
        promise: Promise,
        sql: &'static str,
        id: OutboxId,
        parameters: impl Params + Clone + Send + 'static,
    ) -> Result<(), StoreError> {
        self.write(kind, promise, move |connection| {
            if connection.prepare_cached(sql)?.execute(parameters.clone())? == 0 {
                return Err(StoreError::NotWaiting(id).into());
            }
            if sql != FAILED {
                // nobody will send its files again
                connection.prepare_cached(attachments::DROP)?.execute([id.0])?;
            }
            Ok(())
        })
        .await
    }
}
