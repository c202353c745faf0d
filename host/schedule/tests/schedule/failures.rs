//! Runs that fail.

use super::{Room, Told, at, every};
use chiton_schedule::Clock;
use chiton_store::{JobState, Outcome};
use jiff::SignedDuration;

fn failed() -> Outcome {
    Outcome::Failed("the model cannot be reached".into())
}

#[tokio::test]
async fn failures_in_a_row_make_pauses_that_double_and_the_fifth_turns_the_job_off_with_a_notice() {
    let mut room = Room::running();
    let job = room.scheduler.add(every(10)).await.unwrap().row.id;
    room.clock.advance(SignedDuration::from_secs(10));
    for minutes in [1, 2, 4, 8] {
        let turn = room.turn().await;
        room.end(&turn, failed()).await;
        let now = room.clock.now().as_millisecond();
        let row = room.store.job(job).await.unwrap().unwrap();
        assert_eq!(row.next_due_ms, Some(now + minutes * 60_000), "after {} failures", row.failures);
        room.clock.advance(SignedDuration::from_mins(minutes));
    }
    let turn = room.turn().await;
    room.end(&turn, failed()).await;
    assert_eq!(room.told().await, Told::OutboxGrew);
    let shown = room.scheduler.list(None).await.unwrap().remove(0);
    assert_eq!((shown.row.state, &shown.next), (JobState::Disabled, &None));
    let why = "disabled: it failed 5 times in a row (the model cannot be reached); `chiton cron approve 1` lets it run";
    assert_eq!(shown.state(), why);
    let told = room.store.pending_outbox("terminal").await.unwrap().pop().unwrap();
    assert!(told.text.starts_with("The scheduled job \"plants\" is off now: it failed 5 times"), "{}", told.text);
    room.clock.advance(SignedDuration::from_hours(48));
    room.silent().await;
    room.scheduler.approve(job).await.unwrap();
    room.clock.advance(SignedDuration::from_secs(10));
    room.turn().await;
}

#[tokio::test]
async fn a_run_that_goes_well_forgets_the_failures_before_it() {
    let mut room = Room::running();
    room.scheduler.add(every(60)).await.unwrap();
    room.clock.advance(SignedDuration::from_mins(1));
    let turn = room.turn().await;
    room.end(&turn, failed()).await;
    assert_eq!(room.scheduler.list(None).await.unwrap()[0].state(), "active, failed 1 times");
    room.clock.advance(SignedDuration::from_mins(2));
    let turn = room.turn().await;
    room.end(&turn, Outcome::Done).await;
    assert_eq!(room.scheduler.list(None).await.unwrap()[0].state(), "active");
}

#[tokio::test]
async fn a_one_shot_that_failed_is_tried_again_and_a_cancelled_one_is_not() {
    let mut room = Room::running();
    room.scheduler.add(at("2026-11-22T09:01")).await.unwrap();
    room.clock.advance(SignedDuration::from_mins(1));
    let turn = room.turn().await;
    room.end(&turn, failed()).await;
    room.clock.advance(SignedDuration::from_mins(1));
    let turn = room.turn().await;
    room.end(&turn, Outcome::Cancelled).await;
    room.clock.advance(SignedDuration::from_hours(10));
    room.silent().await;
    assert_eq!(room.scheduler.list(None).await.unwrap()[0].row.state, JobState::Done);
}

#[tokio::test]
async fn a_run_that_ended_when_the_host_did_is_judged_at_the_next_start() {
    let mut room = Room::running();
    room.scheduler.add(at("2026-11-22T09:01")).await.unwrap();
    room.clock.advance(SignedDuration::from_mins(1));
    let turn = room.turn().await;
    drop(room.running.take());
    room.store.finish_turn(turn.id, None, failed(), None).await.unwrap();
    let mut room = room.restart("2026-11-22T08:02:00Z");
    room.silent().await;
    room.clock.advance(SignedDuration::from_mins(1));
    room.turn().await;
}
