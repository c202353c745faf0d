//! What time it is: the system's, or a test's.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tokio::sync::watch;

/// Tells the time and waits for it.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The present time.
    fn now(&self) -> Timestamp;

    /// Returns at `time`, or earlier or later when the clock is set meanwhile or the machine sleeps.
    async fn wait_until(&self, time: Timestamp);
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn wait_until(&self, time: Timestamp) {
        let left = Duration::try_from(time.duration_since(self.now())).unwrap_or_default();
        tokio::time::sleep(left).await;
    }
}

/// A clock that stands still until it is set. For tests.
#[derive(Clone, Debug)]
pub struct VirtualClock(watch::Sender<Timestamp>);

impl VirtualClock {
    /// A clock that stands at `time`.
    pub fn new(time: Timestamp) -> Self {
        Self(watch::Sender::new(time))
    }

    /// Puts it to `time`, which may be earlier.
    pub fn set(&self, time: Timestamp) {
        self.0.send_replace(time);
    }

    /// Puts it forwards, or back when `by` is negative.
    pub fn advance(&self, by: SignedDuration) {
        self.set(self.now() + by);
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }

    async fn wait_until(&self, time: Timestamp) {
        let mut changes = self.0.subscribe();
        // the sender lives as long as this clock
        let _ = changes.wait_for(|now| *now >= time).await;
    }
}
