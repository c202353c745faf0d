//! The one thread that writes: whatever waits is committed together, then answered.

use crate::audit::AuditBuffer;
use crate::connection::Place;
use crate::error::StoreError;
use crate::failpoint;
use rusqlite::Connection;
use std::cell::Cell;
use std::ffi::c_int;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How many writes share one commit at most.
const BATCH: usize = 256;
/// How long audit records may wait for a commit to ride on.
const LINGER: Duration = Duration::from_millis(200);
/// The log is folded into the database beyond so many pages.
const LOG_PAGES: c_int = 1000;

/// Whether an answer must survive a power cut, or the process only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// On the disk before the answer.
    Durable,
    /// Committed before the answer; on the disk with the next durable write, or never after a power cut.
    Committed,
}

/// What the writer is asked to do.
pub(crate) enum Command {
    Write(Box<dyn Work>),
    /// The audit buffer is no longer empty.
    Audit,
}

/// One write in a batch; it can run again when the batch is lost to a neighbour.
pub(crate) trait Work: Send {
    fn kind(&self) -> &'static str;
    fn promise(&self) -> Promise;
    /// Returns whether its changes shall be kept.
    fn run(&mut self, connection: &Connection, place: &Place) -> bool;
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

/// Why a write is not kept.
pub(crate) enum Refusal {
    Sqlite(rusqlite::Error),
    Because(StoreError),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Because(error)
    }
}

pub(crate) struct Job<T, F> {
    pub(crate) kind: &'static str,
    pub(crate) promise: Promise,
    pub(crate) work: F,
    /// What `work` said when it ran last.
    pub(crate) result: Option<Result<T, StoreError>>,
    pub(crate) reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Work for Job<T, F>
where
    T: Send,
    F: FnMut(&Connection) -> Result<T, Refusal> + Send,
{
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn promise(&self) -> Promise {
        self.promise
    }

    fn run(&mut self, connection: &Connection, place: &Place) -> bool {
        let result = (self.work)(connection).map_err(|refusal| match refusal {
            Refusal::Sqlite(error) => place.sqlite(&error),
            Refusal::Because(error) => error,
        });
        self.result.insert(result).is_ok()
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let answer = match (self.result, committed) {
            (Some(Err(own)), _) => Err(own),
            (_, Err(shared)) => Err(shared),
            (Some(done), Ok(())) => done,
            (None, Ok(())) => Err(StoreError::Closed),
        };
        // the one who asked may have gone; what was written stays
        let _ = self.reply.send(answer);
    }
}

thread_local! {
    static PAGES_IN_LOG: Cell<c_int> = const { Cell::new(0) };
}

pub(crate) struct Writer {
    connection: Connection,
    place: Place,
    audit: Arc<AuditBuffer>,
}

impl Writer {
    pub(crate) fn new(connection: Connection, place: Place, audit: Arc<AuditBuffer>) -> Self {
        Self { connection, place, audit }
    }

    /// Works until the last sender is gone.
    pub(crate) fn work(mut self, commands: &Receiver<Command>) {
        // replaces SQLite's own checkpoint inside COMMIT, which would make a caller wait for it
        self.connection.wal_hook(Some(|_, pages| {
            PAGES_IN_LOG.set(pages);
            Ok(())
        }));
        let mut audit_due: Option<Instant> = None;
        loop {
            let command = match audit_due {
                None => commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => commands.recv_timeout(due.saturating_duration_since(Instant::now())),
            };
            let mut batch = Vec::new();
            match command {
                Ok(Command::Audit) => {
                    audit_due.get_or_insert_with(|| Instant::now() + LINGER);
                    continue;
                }
                Ok(Command::Write(first)) => {
                    batch.push(first);
                    let waiting = commands.try_iter().take(BATCH - 1);
                    batch.extend(waiting.filter_map(|command| match command {
                        Command::Write(work) => Some(work),
                        Command::Audit => None,
                    }));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            audit_due = None;
            self.commit_and_answer(batch);
            self.fold_log();
        }
        self.commit_and_answer(Vec::new());
    }

    fn commit_and_answer(&mut self, mut batch: Vec<Box<dyn Work>>) {
        let records = self.audit.take();
        if batch.is_empty() && records.is_empty() {
            return;
        }
        let together = self.commit(&mut batch, |connection| self.audit.insert(connection, &records));
        if together.is_err() {
            self.audit.lose(records.len());
        }
        // a neighbour's failure can take the whole transaction with it; alone, each gets what it deserves
        let shared = batch.len() > 1 || !records.is_empty();
        let alone = shared && together.as_ref().is_err_and(|error| !matches!(error, StoreError::Locked { .. }));
        for mut work in batch {
            let committed =
                if alone { self.commit(std::slice::from_mut(&mut work), |_| Ok(())) } else { together.clone() };
            work.answer(committed);
        }
    }

    fn commit(
        &self,
        batch: &mut [Box<dyn Work>],
        audit: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), StoreError> {
        let durable = batch.iter().any(|work| work.promise() == Promise::Durable);
        let outcome = self.transact(durable, batch, audit);
        if outcome.is_err() && !self.connection.is_autocommit() {
            // without it the next BEGIN fails; when it fails too, that BEGIN says so
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        outcome.map_err(|error| self.place.sqlite(&error))
    }

    fn transact(
        &self,
        durable: bool,
        batch: &mut [Box<dyn Work>],
        audit: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let run = |sql: &str| self.connection.prepare_cached(sql)?.execute([]).map(drop);
        // durable: the log is flushed at COMMIT; else with the next commit that is
        self.connection.execute_batch(if durable { "PRAGMA synchronous=FULL" } else { "PRAGMA synchronous=NORMAL" })?;
        run("BEGIN IMMEDIATE")?;
        for work in batch.iter_mut() {
            run("SAVEPOINT work")?;
            if !work.run(&self.connection, &self.place) {
                // fails when SQLite has already rolled back everything, as on a full disk
                run("ROLLBACK TO work")?;
            }
            run("RELEASE work")?;
        }
        audit(&self.connection)?;
        for work in batch.iter() {
            failpoint!("before-{}", work.kind());
        }
        run("COMMIT")?;
        for work in batch.iter() {
            failpoint!("after-{}", work.kind());
        }
        Ok(())
    }

    fn fold_log(&self) {
        if PAGES_IN_LOG.get() < LOG_PAGES {
            return;
        }
        PAGES_IN_LOG.set(0);
        let folded = self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        if let Err(error) = folded {
            tracing::warn!("the write-ahead log could not be folded into the database: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Accepted, NewMessage, NewOutbox, Outcome, Store, TurnId};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use tempfile::TempDir;

    fn new_store() -> (TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("chiton.db")).unwrap();
        (folder, store)
    }

    fn message(external_id: usize, length: usize) -> NewMessage {
        NewMessage {
            channel: "terminal".into(),
            account: String::new(),
            external_id: external_id.to_string(),
            chat_id: "default".into(),
            sender: "ann".into(),
            text: "x".repeat(length),
            metadata: None,
        }
    }

    /// Keeps the writer busy until the returned sender is used or dropped.
    fn hold(store: &Store) -> mpsc::Sender<()> {
        let (release, held) = mpsc::channel();
        let (started, running) = mpsc::channel();
        let store = store.clone();
        tokio::spawn(async move {
            let wait = move |_: &Connection| {
                let _ = started.send(());
                let _ = held.recv();
                Ok(())
            };
            store.write("hold", Promise::Committed, wait).await
        });
        std::thread::spawn(move || running.recv()).join().unwrap().unwrap();
        release
    }

    async fn limit_pages(store: &Store, more: i64) {
        let limit = move |connection: &Connection| {
            let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
            Ok(connection.query_row(&format!("PRAGMA max_page_count={}", pages + more), [], |_| Ok(()))?)
        };
        store.write("limit", Promise::Committed, limit).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_hundred_waiting_writes_share_one_commit() {
        let (_folder, store) = new_store();
        let commits = Arc::new(AtomicUsize::new(0));
        let counter = commits.clone();
        let count = move |connection: &Connection| {
            let counter = counter.clone();
            connection.commit_hook(Some(move || {
                counter.fetch_add(1, Ordering::SeqCst);
                false
            }))?;
            Ok(())
        };
        store.write("count", Promise::Committed, count).await.unwrap();
        let release = hold(&store);
        let before = commits.load(Ordering::SeqCst);
        let writes: Vec<_> = (0..100)
            .map(|number| {
                let store = store.clone();
                let mut write = Box::pin(async move { store.accept(message(number, 10)).await });
                // asked once, so that it is queued before the writer is released
                let waker = std::task::Waker::noop();
                assert!(write.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
                write
            })
            .collect();
        drop(release);
        for write in writes {
            assert!(matches!(write.await, Ok(Accepted::New(_))));
        }
        assert!(commits.load(Ordering::SeqCst) - before <= 2, "{} commits", commits.load(Ordering::SeqCst) - before);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_write_that_fails_leaves_its_neighbours_alone() {
        let (_folder, store) = new_store();
        let release = hold(&store);
        let (good, bad, other) = tokio::join!(
            store.accept(message(1, 10)),
            async {
                let bad = store.append(TurnId(7), "{}");
                drop(release);
                bad.await
            },
            store.accept(message(2, 10)),
        );
        assert!(matches!(bad, Err(StoreError::TurnOver(TurnId(7)))));
        assert!(matches!((good, other), (Ok(Accepted::New(_)), Ok(Accepted::New(_)))));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn on_a_full_disk_a_large_neighbour_does_not_take_a_small_one_with_it() {
        let (_folder, store) = new_store();
        limit_pages(&store, 3).await;
        let release = hold(&store);
        let (small, large, _) = tokio::join!(store.accept(message(1, 10)), store.accept(message(2, 100_000)), async {
            drop(release);
        });
        assert!(matches!(small, Ok(Accepted::New(_))), "{small:?}");
        assert!(matches!(large, Err(StoreError::Full { .. })), "{large:?}");
    }

    #[tokio::test]
    async fn a_full_disk_is_said_and_nothing_half_written() {
        let (_folder, store) = new_store();
        store.accept(message(1, 10)).await.unwrap();
        let turn = store.next_turn("terminal:default").await.unwrap().unwrap();
        limit_pages(&store, 0).await;
        let answer = NewOutbox { channel: "terminal".into(), chat_id: "default".into(), text: "x".repeat(100_000) };
        let full = store.finish_turn(turn.id, Some("{}"), Outcome::Done, Some(answer.clone())).await.unwrap_err();
        assert!(matches!(full, StoreError::Full { .. }), "{full:?}");
        assert!(full.to_string().contains("is full"), "{full}");
        let resumed = store.next_turn("terminal:default").await.unwrap().unwrap();
        assert_eq!((resumed.id, resumed.steps), (turn.id, turn.steps));
        assert!(store.pending_outbox("terminal").await.unwrap().is_empty());
        limit_pages(&store, 1000).await;
        assert!(store.finish_turn(turn.id, Some("{}"), Outcome::Done, Some(answer)).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn the_log_is_folded_into_the_database_and_does_not_grow_for_ever() {
        let (folder, store) = new_store();
        for number in 0..60 {
            store.accept(message(number, 300_000)).await.unwrap();
        }
        let log = std::fs::metadata(folder.path().join("chiton.db-wal")).unwrap().len();
        assert!(log < 8 << 20, "{log} bytes after 18 MB were written");
    }
}
