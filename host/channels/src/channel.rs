//! What every chat platform looks like from inside.

use async_trait::async_trait;
use chiton_agent::{Agent, AgentError};
use chiton_store::{OutboxMessage, StoreError};
use tokio_util::sync::CancellationToken;

/// Why a channel cannot receive or send now.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The platform is not reached, is overloaded or asks for patience; it is tried again.
    #[error("{channel} cannot be reached ({reason}); it is tried again")]
    Away {
        /// The channel.
        channel: String,
        /// What happened.
        reason: String,
    },
    /// The platform will never take this message, so it is not tried again.
    #[error("{channel} refused the message ({reason}); it is kept, and not sent again")]
    Refused {
        /// The channel.
        channel: String,
        /// What the platform said.
        reason: String,
    },
    /// The message was not taken.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// What was promised cannot be kept or read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One chat platform.
#[async_trait]
pub trait Channel: Send + Sync {
    /// The first part of its session keys, such as `telegram`.
    fn name(&self) -> &str;

    /// Receives messages and submits them until `shutdown`. An update is acknowledged upstream after
    /// [`Agent::submit`] returned, never before.
    ///
    /// # Errors
    /// When the channel cannot go on; the caller starts it again.
    async fn run(&self, agent: Agent, shutdown: CancellationToken) -> Result<(), ChannelError>;

    /// Sends a message and returns when the platform has taken it. `message.id` is the idempotency key: after a
    /// crash the same message may come again.
    ///
    /// # Errors
    /// [`ChannelError::Refused`] when it can never be sent; every other error is tried again.
    async fn send(&self, message: &OutboxMessage) -> Result<(), ChannelError>;
}
