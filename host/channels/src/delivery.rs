//! Brings what waits in the outbox to its channel: in order in each chat, again until it has arrived.

use crate::{Channel, ChannelError};
use chiton_store::{OutboxMessage, Store, StoreError, failpoint};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Points of a delivery at which a test can kill the process.
pub const FAILPOINTS: [&str; 2] = ["before-delivery", "after-delivery"];

/// The pause after the first failure; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// How often the outbox is looked at when nothing says that it changed.
const LOOK: Duration = Duration::from_secs(60);

/// Delivers the messages of one channel until `shutdown`. `changes` moves when the outbox grew
/// ([`chiton_agent::Agent::outbox_changes`]). A chat that fails waits without holding up the others.
pub async fn deliver(
    store: Store,
    channel: Arc<dyn Channel>,
    mut changes: watch::Receiver<()>,
    shutdown: CancellationToken,
) {
    let mut paused = HashMap::new();
    loop {
        changes.mark_unchanged();
        let next = tokio::select! {
            () = shutdown.cancelled() => return,
            next = round(&store, &*channel, &mut paused) => next,
        };
        let next = next.unwrap_or_else(|error| {
            tracing::error!(channel = channel.name(), "the outbox cannot be worked on: {error}");
            Instant::now() + LOOK
        });
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep_until(next) => {}
            changed = changes.changed() => if changed.is_err() { return },
        }
    }
}

/// Tries every message that is due. Returns when to look again.
async fn round(
    store: &Store,
    channel: &dyn Channel,
    paused: &mut HashMap<String, Instant>,
) -> Result<Instant, StoreError> {
    let mut held = Vec::new();
    for message in store.pending_outbox(channel.name()).await? {
        let due = paused.get(&message.chat_id).is_none_or(|until| *until <= Instant::now());
        if !due || held.contains(&message.chat_id) {
            held.push(message.chat_id);
            continue;
        }
        match attempt(store, channel, &message).await? {
            Some(pause) => {
                paused.insert(message.chat_id.clone(), Instant::now() + pause);
                held.push(message.chat_id);
            }
            None => {
                if let Entry::Occupied(entry) = paused.entry(message.chat_id) {
                    entry.remove();
                }
            }
        }
    }
    paused.retain(|chat, _| held.contains(chat));
    Ok(paused.values().copied().min().unwrap_or_else(|| Instant::now() + LOOK))
}

/// Sends one message and records how that went. Returns the pause before the next attempt, if one is needed.
async fn attempt(
    store: &Store,
    channel: &dyn Channel,
    message: &OutboxMessage,
) -> Result<Option<Duration>, StoreError> {
    failpoint!("before-delivery");
    let sent = channel.send(message).await;
    failpoint!("after-delivery");
    let (recorded, pause) = match sent {
        Ok(()) => (store.mark_delivered(message.id).await, None),
        Err(error @ ChannelError::Refused { .. }) => {
            tracing::error!(channel = channel.name(), chat = message.chat_id, "{error}");
            (store.mark_undeliverable(message.id, &error.to_string()).await, None)
        }
        Err(error) => {
            let pause = FIRST_PAUSE.saturating_mul(1 << message.attempts.min(16)).min(LONGEST_PAUSE);
            tracing::warn!(channel = channel.name(), chat = message.chat_id, "{error}");
            (store.mark_failed_attempt(message.id, &error.to_string()).await, Some(pause))
        }
    };
    match recorded {
        // Somebody else settled it meanwhile, which is as good.
        Ok(()) | Err(StoreError::NotWaiting(_)) => Ok(pause),
        Err(error) => Err(error),
    }
}
