//! The time by which a request must be over.

use std::{
    pin::{Pin, pin},
    time::Duration,
};

use futures_util::future::{Either, select};
use tokio::{
    task::coop::unconstrained,
    time::{Sleep, sleep},
};

use crate::error::EgressError;

/// One timer for all steps of a request.
pub(crate) struct Deadline(Pin<Box<Sleep>>);

impl Deadline {
    pub(crate) fn after(time: Duration) -> Self {
        Self(Box::pin(sleep(time)))
    }

    /// What a step gives, if it ends in time.
    pub(crate) async fn bound<T>(&mut self, step: impl Future<Output = T>) -> Result<T, EgressError> {
        // A step that is always ready uses up the task's budget; the timer is asked all the same.
        match select(pin!(step), unconstrained(self.0.as_mut())).await {
            Either::Left((output, _)) => Ok(output),
            Either::Right(_) => Err(EgressError::TimedOut),
        }
    }
}
