//! The handle through which everything is read and written.

use crate::audit::AuditBuffer;
use crate::connection::Place;
use crate::error::StoreError;
use crate::readers::Readers;
use crate::writer::{Command, Job, Promise, Refusal, Writer};
use rusqlite::{Connection, Params};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::oneshot;

/// What can be chosen when a store is opened.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// How long to wait for another process that locks the database.
    pub busy_timeout: Duration,
    /// How many records the audit trail keeps.
    pub audit_capacity: u64,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { busy_timeout: Duration::from_secs(5), audit_capacity: 100_000 }
    }
}

/// The durable state of one home. Clones are the same store; dropping the last one closes the file.
///
/// A write that was asked for is done even when its future is dropped.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    place: Place,
    readers: Readers,
    writer: Option<Sender<Command>>,
    thread: Option<JoinHandle<()>>,
    audit: Arc<AuditBuffer>,
    warnings: Vec<String>,
}

impl Store {
    /// Opens the database at `path` with the default options; makes it when it is missing, in a folder that exists.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with(path, StoreOptions::default())
    }

    /// Opens the database at `path`; makes it when it is missing, in a folder that exists.
    pub fn open_with(path: impl AsRef<Path>, options: StoreOptions) -> Result<Self, StoreError> {
        let place = Place::find(path.as_ref(), options.busy_timeout)?;
        let mut warnings = Vec::new();
        let connection = place.open_writer(&mut warnings)?;
        let audit = Arc::new(AuditBuffer::new(options.audit_capacity));
        let (sender, commands) = mpsc::channel();
        let writer = Writer::new(connection, place.clone(), audit.clone());
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || writer.work(&commands))
            .map_err(|error| StoreError::Io { path: place.path.clone(), reason: error.to_string() })?;
        let readers = Readers::new(place.clone());
        let inner = Inner { place, readers, writer: Some(sender), thread: Some(thread), audit, warnings };
        Ok(Self(Arc::new(inner)))
    }

    /// Opens the database at `path` for reading, beside a host that may be running. Makes and migrates nothing.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let place = Place::find(path.as_ref(), StoreOptions::default().busy_timeout)?;
        let mut warnings = Vec::new();
        place.tighten_existing(&mut warnings)?;
        drop(place.open_reader()?);
        let readers = Readers::new(place.clone());
        let audit = Arc::new(AuditBuffer::new(0));
        Ok(Self(Arc::new(Inner { place, readers, writer: None, thread: None, audit, warnings })))
    }

    /// The database file, absolute and without links.
    pub fn path(&self) -> &Path {
        &self.0.place.path
    }

    /// What was repaired while opening it, one sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.0.warnings
    }

    /// Waits until everything taken so far, the audit trail included, is on the disk.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.write("flush", Promise::Durable, |_| Ok(())).await
    }

    /// Reads the whole file and returns what is wrong with it, one finding each; takes as long as the file is large.
    pub async fn check(&self) -> Result<Vec<String>, StoreError> {
        let found = self.read(|connection| {
            let mut check = connection.prepare("PRAGMA quick_check")?;
            let findings = check.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
            Ok(findings)
        });
        match found.await {
            Ok(findings) => Ok(findings.into_iter().filter(|finding| finding != "ok").collect()),
            Err(StoreError::Damaged { reason, .. }) => Ok(vec![reason]),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn writer(&self) -> Option<&Sender<Command>> {
        self.0.writer.as_ref()
    }

    pub(crate) fn buffer(&self) -> &AuditBuffer {
        &self.0.audit
    }

    /// Runs `work` in the next commit, all of it or nothing, and answers after that commit.
    /// `work` runs again when the commit it shared with others was lost.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        kind: &'static str,
        promise: Promise,
        work: impl FnMut(&Connection) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, StoreError> {
        let writer = self.writer().ok_or(StoreError::ReadOnly)?;
        let (reply, answer) = oneshot::channel();
        let job = Job { kind, promise, work, result: None, reply };
        writer.send(Command::Write(Box::new(job))).map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Runs one statement as a write; says whether it changed anything.
    pub(crate) async fn change(
        &self,
        kind: &'static str,
        promise: Promise,
        sql: &'static str,
        parameters: impl Params + Clone + Send + 'static,
    ) -> Result<bool, StoreError> {
        self.write(
            kind,
            promise,
            move |connection| Ok(connection.prepare_cached(sql)?.execute(parameters.clone())? > 0),
        )
        .await
    }

    /// Folds the whole log into the database and empties it.
    pub(crate) async fn empty_log(&self) -> Result<(), StoreError> {
        let place = self.0.place.clone();
        tokio::task::spawn_blocking(move || place.empty_log()).await.map_err(|_| StoreError::Closed)?
    }

    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.0.readers.read(work).await
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.writer = None;
        if let Some(thread) = self.thread.take() {
            // a writer that panicked has nothing left to save
            let _ = thread.join();
        }
    }
}

/// Now, in milliseconds since 1970.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
