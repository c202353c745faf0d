//! The scheduler as its host sees it.
#![cfg(test)]

mod failures;
mod jobs;
mod times;

use chiton_schedule::{Clock, Host, Limits, NewJob, Scheduler, SchedulerOptions, Timing, VirtualClock, zone};
use chiton_store::{NewOutbox, Outcome, Store, Turn};
use jiff::Timestamp;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A Sunday in winter: 09:00 in Berlin.
const SUNDAY: &str = "2026-11-22T08:00:00Z";
const SESSION: &str = "terminal:default";

/// What the scheduler told its host.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Wake(String),
    OutboxGrew,
}

struct Listener(mpsc::UnboundedSender<Told>);

impl Host for Listener {
    fn wake(&self, session: &str) {
        self.0.send(Told::Wake(session.into())).unwrap();
    }

    fn outbox_grew(&self) {
        self.0.send(Told::OutboxGrew).unwrap();
    }
}

/// A scheduler over a store of its own.
struct Room {
    scheduler: Scheduler,
    store: Store,
    clock: VirtualClock,
    told: mpsc::UnboundedReceiver<Told>,
    teller: mpsc::UnboundedSender<Told>,
    running: Option<DropGuard>,
    folder: TempDir,
}

fn scheduler(folder: &Path, clock: Arc<dyn Clock>) -> (Scheduler, Store) {
    let store = Store::open(folder.join("chiton.db")).unwrap();
    let zone = zone("Europe/Berlin").unwrap();
    let options = SchedulerOptions { store: store.clone(), zone, clock, limits: Limits::default() };
    (Scheduler::new(options), store)
}

impl Room {
    /// A scheduler that does not run yet.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = VirtualClock::new(time(SUNDAY));
        let (scheduler, store) = scheduler(folder.path(), Arc::new(clock.clone()));
        let (teller, told) = mpsc::unbounded_channel();
        Self { scheduler, store, clock, told, teller, running: None, folder }
    }

    /// A scheduler that runs.
    fn running() -> Self {
        let mut room = Self::new();
        room.run();
        room
    }

    fn run(&mut self) {
        let shutdown = CancellationToken::new();
        let (scheduler, host) = (self.scheduler.clone(), Arc::new(Listener(self.teller.clone())));
        let token = shutdown.clone();
        tokio::spawn(async move { scheduler.run(host, token).await });
        self.running = Some(shutdown.drop_guard());
    }

    /// Ends it and begins anew at `now` with what is on the disk.
    fn restart(self, now: &str) -> Self {
        let Self { scheduler: old, store, told, teller, running, folder, .. } = self;
        drop((old, store, running));
        let clock = VirtualClock::new(time(now));
        let (scheduler, store) = scheduler(folder.path(), Arc::new(clock.clone()));
        let mut room = Self { scheduler, store, clock, told, teller, running: None, folder };
        room.run();
        room
    }

    async fn told(&mut self) -> Told {
        tokio::time::timeout(Duration::from_secs(10), self.told.recv()).await.unwrap().unwrap()
    }

    /// The turn that a wake of the default session is for.
    async fn turn(&mut self) -> Turn {
        assert_eq!(self.told().await, Told::Wake(SESSION.into()));
        self.store.next_turn(SESSION).await.unwrap().unwrap()
    }

    /// Ends a turn, and waits until its run was judged.
    async fn end(&mut self, turn: &Turn, outcome: Outcome) {
        let answer = NewOutbox { channel: "terminal".into(), chat_id: "default".into(), text: "Done.".into() };
        self.store.finish_turn(turn.id, None, outcome, Some(answer)).await.unwrap();
        self.scheduler.turn_ended();
        while !self.store.ended_runs(1).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Says nothing for as long as a pass could take.
    async fn silent(&mut self) {
        let silence = tokio::time::timeout(Duration::from_millis(100), self.told.recv()).await;
        assert!(silence.is_err(), "{silence:?}");
    }
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A job of the default session.
fn job(timing: Timing) -> NewJob {
    NewJob {
        channel: "terminal".into(),
        chat_id: "default".into(),
        component: String::new(),
        origin: SESSION.into(),
        name: "plants".into(),
        message: "water the plants".into(),
        timing,
        zone: String::new(),
        rights_json: "{}".into(),
        quarantine: None,
    }
}

fn at(text: &str) -> NewJob {
    job(Timing::At(text.into()))
}

fn every(seconds: u64) -> NewJob {
    job(Timing::Every(seconds))
}
