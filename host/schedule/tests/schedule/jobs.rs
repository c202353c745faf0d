//! Adding, approving, removing and running jobs.

use super::{NewJob, Room, SESSION, Told, at, every, job, time};
use chiton_schedule::{ScheduleError, Timing, TimingError};
use chiton_store::{JobId, JobState, Outcome};
use jiff::SignedDuration;

#[tokio::test]
async fn agt_08_a_quarantined_job_waits_for_its_approval_and_then_keeps_to_its_time() {
    let mut room = Room::running();
    let quarantine = Some("it was made while reading https://example.com/".to_owned());
    let made = room.scheduler.add(NewJob { quarantine, ..at("2026-11-22T10:00") }).await.unwrap();
    assert_eq!((made.row.state, &made.next), (JobState::Quarantined, &None));
    let why = "quarantined: it was made while reading https://example.com/; `chiton cron approve 1` lets it run";
    assert_eq!(made.state(), why);
    let refused = room.scheduler.run_now(made.row.id).await.unwrap_err();
    assert!(refused.to_string().contains("approve it if it is quarantined"), "{refused}");
    room.scheduler.approve(made.row.id).await.unwrap();
    room.silent().await;
    room.clock.advance(SignedDuration::from_hours(1));
    room.turn().await;
}

#[tokio::test]
async fn a_one_shot_that_was_approved_after_its_time_runs_at_once() {
    let mut room = Room::running();
    let made = room.scheduler.add(NewJob { quarantine: Some("why".into()), ..at("2026-11-22T10:00") }).await.unwrap();
    room.clock.advance(SignedDuration::from_hours(5));
    room.silent().await;
    room.scheduler.approve(made.row.id).await.unwrap();
    room.turn().await;
    let again = room.scheduler.approve(made.row.id).await.unwrap_err();
    assert!(matches!(again, ScheduleError::NotStopped(_)), "{again}");
}

#[tokio::test]
async fn agt_08_the_rights_of_a_job_are_those_it_was_made_with() {
    let mut room = Room::running();
    let rights_json = r#"{"effects":["reads_files"]}"#.to_owned();
    room.scheduler.add(NewJob { rights_json, ..every(60) }).await.unwrap();
    room.clock.advance(SignedDuration::from_mins(1));
    let turn = room.turn().await;
    assert!(turn.inbox.message.metadata.unwrap().contains(r#""rights":{"effects":["reads_files"]}"#));
}

#[tokio::test]
async fn a_job_is_removed_by_its_chat_only_and_does_not_run_any_more() {
    let mut room = Room::running();
    let id = room.scheduler.add(every(60)).await.unwrap().row.id;
    assert!(matches!(room.scheduler.remove(id, Some("terminal:other")).await, Err(ScheduleError::NoJob(_))));
    room.scheduler.remove(id, Some(SESSION)).await.unwrap();
    assert!(matches!(room.scheduler.remove(id, Some(SESSION)).await, Err(ScheduleError::NoJob(_))));
    room.clock.advance(SignedDuration::from_mins(1));
    room.silent().await;
}

#[tokio::test]
async fn a_job_can_be_run_at_any_time() {
    let mut room = Room::running();
    let id = room.scheduler.add(every(3600)).await.unwrap().row.id;
    room.scheduler.run_now(id).await.unwrap();
    let turn = room.turn().await;
    room.end(&turn, Outcome::Done).await;
    let job = room.scheduler.list(Some(SESSION)).await.unwrap().remove(0);
    assert_eq!(job.next.unwrap().timestamp(), time("2026-11-22T09:00:00Z"));
    assert_eq!(room.scheduler.history(id).await.unwrap().len(), 1);
    assert!(matches!(room.scheduler.run_now(JobId(9)).await, Err(ScheduleError::NoJob(_))));
}

#[tokio::test]
async fn a_job_that_is_run_before_the_scheduler_does_its_work_is_not_forgotten() {
    let mut room = Room::new();
    let id = room.scheduler.add(every(3600)).await.unwrap().row.id;
    room.scheduler.run_now(id).await.unwrap();
    room.run();
    room.turn().await;
}

#[tokio::test]
async fn a_job_has_the_zone_it_names_or_the_bots() {
    let room = Room::new();
    let new = NewJob { zone: "asia/kathmandu".into(), ..job(Timing::Cron("0 9 * * *".into())) };
    let named = room.scheduler.add(new).await.unwrap();
    assert_eq!(named.row.zone, "Asia/Kathmandu");
    assert_eq!(named.next.unwrap().to_string(), "2026-11-23T09:00:00+05:45[Asia/Kathmandu]");
    let bots = room.scheduler.add(job(Timing::Cron("0 10 * * *".into()))).await.unwrap();
    assert_eq!(bots.next.unwrap().to_string(), "2026-11-22T10:00:00+01:00[Europe/Berlin]");
    let unknown = room.scheduler.add(NewJob { zone: "Berlin".into(), ..every(60) }).await.unwrap_err();
    assert!(matches!(unknown, ScheduleError::Timing(TimingError::UnknownZone { .. })), "{unknown}");
}

#[tokio::test]
async fn a_job_without_a_name_is_named_by_its_message() {
    let room = Room::new();
    let message = "look whether the heating in the cellar is on".to_owned();
    let job = room.scheduler.add(NewJob { name: " ".into(), message, ..every(60) }).await.unwrap();
    assert_eq!(job.row.name, "look whether the heating in th");
}

#[tokio::test]
async fn res_13_empty_and_oversized_jobs_and_more_than_a_hundred_in_a_chat_are_refused() {
    let room = Room::new();
    let empty = room.scheduler.add(NewJob { message: " ".into(), ..every(60) }).await.unwrap_err();
    assert!(matches!(empty, ScheduleError::Empty));
    let long = room.scheduler.add(NewJob { message: "x".repeat(20_000), ..every(60) }).await.unwrap_err();
    assert!(long.to_string().contains("has 20000 bytes and may have 16384"), "{long}");
    assert!(room.scheduler.add(NewJob { name: "x".repeat(201), ..every(60) }).await.is_err());
    for _job in 0..100 {
        room.scheduler.add(every(60)).await.unwrap();
    }
    let many = room.scheduler.add(every(60)).await.unwrap_err();
    assert!(many.to_string().contains("100 scheduled jobs in this chat"), "{many}");
    room.scheduler.add(NewJob { chat_id: "other".into(), ..every(60) }).await.unwrap();
}

#[tokio::test]
async fn jobs_survive_a_restart() {
    let room = Room::new();
    room.scheduler.add(at("2026-11-22T10:00")).await.unwrap();
    let mut room = room.restart("2026-11-22T08:30:00Z");
    room.silent().await;
    room.clock.set(time("2026-11-22T09:00:00Z"));
    assert_eq!(room.told().await, Told::Wake(SESSION.into()));
}
