//! When jobs run: on time, after a restart, after the clock was set.

use super::{Room, SESSION, Told, at, every, job, scheduler, time};
use async_trait::async_trait;
use chiton_schedule::{Clock, Timing};
use chiton_store::{JobState, Outcome};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn a_job_that_is_added_while_nothing_else_is_due_runs_on_time() {
    let mut room = Room::running();
    room.silent().await;
    let added = room.scheduler.add(at("2026-11-22T09:00:20")).await.unwrap();
    assert_eq!(added.next.unwrap().to_string(), "2026-11-22T09:00:20+01:00[Europe/Berlin]");
    room.clock.advance(SignedDuration::from_secs(19));
    room.silent().await;
    room.clock.advance(SignedDuration::from_secs(1));
    let turn = room.turn().await;
    let said = "water the plants\n\n(scheduled job 1 \"plants\", due 2026-11-22 09:00 Europe/Berlin)";
    assert_eq!(turn.inbox.message.text, said);
}

#[tokio::test]
async fn a_one_shot_that_was_missed_runs_once_at_the_next_start_and_says_how_late_it_is() {
    let room = Room::new();
    room.scheduler.add(at("2026-11-22T10:00")).await.unwrap();
    let mut room = room.restart("2026-11-22T12:30:00Z");
    let turn = room.turn().await;
    assert!(turn.inbox.message.text.ends_with("due 2026-11-22 10:00 Europe/Berlin, 3 hours late)"), "{turn:?}");
    room.end(&turn, Outcome::Done).await;
    let mut room = room.restart("2026-11-23T12:30:00Z");
    room.silent().await;
    assert_eq!(room.scheduler.list(None).await.unwrap()[0].row.state, JobState::Done);
}

#[tokio::test]
async fn an_interval_or_expression_that_was_missed_many_times_runs_once_and_then_regularly() {
    for (timing, next) in [
        (Timing::Every(60), "2026-11-23T09:31:00+01:00[Europe/Berlin]"),
        (Timing::Cron("*/10 * * * *".into()), "2026-11-23T09:40:00+01:00[Europe/Berlin]"),
    ] {
        let room = Room::new();
        room.scheduler.add(job(timing)).await.unwrap();
        let mut room = room.restart("2026-11-23T08:30:30Z");
        let turn = room.turn().await;
        room.end(&turn, Outcome::Done).await;
        room.silent().await;
        let job = room.scheduler.list(None).await.unwrap().remove(0);
        assert_eq!(job.next.unwrap().to_string(), next);
        assert_eq!(room.scheduler.history(job.row.id).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn an_interval_runs_again_and_again() {
    let mut room = Room::running();
    room.scheduler.add(every(60)).await.unwrap();
    for _run in 0..3 {
        room.clock.advance(SignedDuration::from_secs(60));
        let turn = room.turn().await;
        room.end(&turn, Outcome::Done).await;
    }
    assert_eq!(room.scheduler.list(None).await.unwrap()[0].state(), "active");
}

#[tokio::test]
async fn res_13_a_job_whose_turn_takes_longer_than_its_interval_does_not_pile_up() {
    let mut room = Room::running();
    let job = room.scheduler.add(every(10)).await.unwrap();
    room.clock.advance(SignedDuration::from_secs(10));
    let turn = room.turn().await;
    for _missed in 0..5 {
        room.clock.advance(SignedDuration::from_secs(10));
        room.silent().await;
    }
    room.end(&turn, Outcome::Done).await;
    assert_eq!(room.store.next_turn(SESSION).await.unwrap(), None);
    assert_eq!(room.scheduler.history(job.row.id).await.unwrap().len(), 6);
    room.clock.advance(SignedDuration::from_secs(10));
    room.turn().await;
}

#[tokio::test]
async fn a_clock_that_is_put_back_runs_nothing_twice() {
    let mut room = Room::running();
    room.scheduler.add(job(Timing::Cron("5 9 * * *".into()))).await.unwrap();
    room.clock.set(time("2026-11-22T08:05:00Z"));
    let turn = room.turn().await;
    room.end(&turn, Outcome::Done).await;
    room.clock.set(time("2026-11-22T08:00:00Z"));
    room.clock.set(time("2026-11-22T08:06:00Z"));
    room.silent().await;
    room.clock.set(time("2026-11-23T08:05:00Z"));
    room.turn().await;
}

#[tokio::test]
async fn many_jobs_that_are_due_together_all_run() {
    let mut room = Room::running();
    for number in 0..300 {
        let chat_id = format!("chat{}", number % 30);
        room.scheduler.add(super::NewJob { chat_id, ..every(60) }).await.unwrap();
    }
    room.clock.advance(SignedDuration::from_secs(60));
    let mut woken = BTreeSet::new();
    while woken.len() < 30 {
        match room.told().await {
            Told::Wake(session) => woken.insert(session),
            Told::OutboxGrew => panic!("nobody was answered"),
        };
    }
    while room.store.due_jobs(room.clock.now().as_millisecond(), 1).await.unwrap().len() == 1 {
        tokio::task::yield_now().await;
    }
    for job in room.scheduler.list(None).await.unwrap() {
        assert_eq!(room.scheduler.history(job.row.id).await.unwrap().len(), 1);
    }
}

/// A clock that waits as long as it was asked to when it was asked, as the system's does while the machine sleeps.
struct Sleeper(Mutex<Timestamp>);

#[async_trait]
impl Clock for Sleeper {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    async fn wait_until(&self, time: Timestamp) {
        tokio::time::sleep(Duration::try_from(time.duration_since(self.now())).unwrap()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_slept_is_noticed_within_a_minute() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(Sleeper(Mutex::new(time(super::SUNDAY))));
    let (scheduler, store) = scheduler(folder.path(), clock.clone());
    scheduler.add(at("2026-11-22T15:00")).await.unwrap();
    let (teller, mut told) = tokio::sync::mpsc::unbounded_channel();
    let (task, shutdown) = (scheduler.clone(), CancellationToken::new());
    let token = shutdown.clone();
    let running = tokio::spawn(async move { task.run(Arc::new(super::Listener(teller)), token).await });
    tokio::time::sleep(Duration::from_secs(10)).await;
    let slept = tokio::time::Instant::now();
    *clock.0.lock().unwrap() = time("2026-11-22T16:00:00Z");
    assert_eq!(told.recv().await, Some(Told::Wake(SESSION.into())));
    assert!(slept.elapsed() <= Duration::from_secs(61), "{:?}", slept.elapsed());
    assert!(store.next_due().await.unwrap().is_none());
    shutdown.cancel();
    running.await.unwrap();
}
