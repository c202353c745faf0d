//! A small pool of connections that only read.

use crate::connection::Place;
use crate::error::StoreError;
use rusqlite::Connection;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// How many reads run at once; also how many connections are kept.
const READERS: usize = 4;

#[derive(Clone)]
pub(crate) struct Readers(Arc<Pool>);

struct Pool {
    place: Place,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(crate) fn new(place: Place) -> Self {
        let permits = Arc::new(Semaphore::new(READERS));
        Self(Arc::new(Pool { place, idle: Mutex::new(Vec::new()), permits }))
    }

    /// Runs `work` on a connection of the pool, off the async threads.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = self.0.permits.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let pool = self.0.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            pool.run(work)
        });
        reading.await.map_err(|_| StoreError::Closed)?
    }
}

impl Pool {
    fn run<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.place.open_reader()?,
        };
        let result = work(&connection).map_err(|error| self.place.sqlite(&error));
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        result
    }
}
