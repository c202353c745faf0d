//! Scheduled jobs and their runs.

use super::{SESSION, new_store};
use chiton_store::{
    DeliveryState, Firing, JOB_SENDER, JobId, JobLimits, JobRow, JobState, NewJob, NewOutbox, Outcome, RunOutcome,
    Store, StoreError, Turn, Verdict,
};

const LIMITS: JobLimits = JobLimits { of_session: 3, in_all: 4 };
const RIGHTS: &str = r#"{"effects":["reads_files"]}"#;

/// A job of the chat `terminal:default`.
pub(crate) fn job(name: &str, next_due_ms: i64) -> NewJob {
    NewJob {
        channel: "terminal".into(),
        chat_id: "default".into(),
        component: String::new(),
        origin: SESSION.into(),
        name: name.into(),
        message: "water the plants".into(),
        timing: "every 60".into(),
        zone: "Europe/Berlin".into(),
        rights_json: RIGHTS.into(),
        next_due_ms,
        quarantine: None,
    }
}

pub(crate) async fn add(store: &Store, new: NewJob) -> JobRow {
    store.add_job(new, LIMITS, 1).await.unwrap()
}

pub(crate) fn firing(job: &JobRow, due_ms: i64, next_due_ms: Option<i64>) -> Firing {
    Firing { job: job.id, due_ms, text: job.message.clone(), next_due_ms, next_if_busy_ms: due_ms + 1 }
}

async fn fire(store: &Store, job: &JobRow, due_ms: i64, next_due_ms: Option<i64>) -> Turn {
    let fired = store.fire_jobs(vec![firing(job, due_ms, next_due_ms)]).await.unwrap();
    assert!(fired[0].inbox.is_some(), "{fired:?}");
    store.next_turn(SESSION).await.unwrap().unwrap()
}

async fn finish(store: &Store, turn: &Turn, outcome: Outcome) {
    let answer = NewOutbox { channel: "terminal".into(), chat_id: "default".into(), text: "Watered.".into() };
    store.finish_turn(turn.id, None, outcome, Some(answer)).await.unwrap();
}

async fn now(store: &Store, id: JobId) -> JobRow {
    store.job(id).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_due_job_becomes_a_message_of_its_chat_with_the_rights_it_was_made_with() {
    let (_folder, path, store) = new_store();
    let plants = add(&store, job("plants", 1000)).await;
    assert_eq!((plants.state, plants.next_due_ms, plants.session()), (JobState::Active, Some(1000), SESSION.into()));
    drop(store);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.next_due().await.unwrap(), Some(1000));
    assert!(store.due_jobs(999, 10).await.unwrap().is_empty());
    assert_eq!(store.due_jobs(1000, 10).await.unwrap(), std::slice::from_ref(&plants));
    let message = fire(&store, &plants, 1000, Some(61_000)).await.inbox.message;
    assert_eq!((message.text.as_str(), message.sender.as_str()), ("water the plants", JOB_SENDER));
    assert_eq!(message.session(), SESSION);
    let metadata: serde_json::Value = serde_json::from_str(&message.metadata.unwrap()).unwrap();
    assert_eq!(metadata, serde_json::json!({ "rights": { "effects": ["reads_files"] }, "job": 1, "due": 1000 }));
    assert_eq!(store.next_due().await.unwrap(), Some(61_000));
}

#[tokio::test]
async fn a_due_time_is_run_once_however_often_it_is_fired() {
    let (_folder, _path, store) = new_store();
    let plants = add(&store, job("plants", 1000)).await;
    let firing = firing(&plants, 1000, Some(2000));
    assert_eq!(store.fire_jobs(vec![firing.clone()]).await.unwrap().len(), 1);
    assert!(store.fire_jobs(vec![firing]).await.unwrap().is_empty());
    assert_eq!(store.job_runs(plants.id).await.unwrap().len(), 1);
}

#[tokio::test]
async fn jobs_are_given_the_longest_waiting_first() {
    let (_folder, _path, store) = new_store();
    for (name, due) in [("b", 2000), ("a", 1000), ("later", 9000)] {
        add(&store, job(name, due)).await;
    }
    let due = store.due_jobs(5000, 10).await.unwrap();
    assert_eq!(due.iter().map(|job| job.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(store.due_jobs(5000, 1).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_run_ends_with_its_turn_and_its_delivery_is_told_apart() {
    let (_folder, _path, store) = new_store();
    let plants = add(&store, job("plants", 1000)).await;
    let turn = fire(&store, &plants, 1000, None).await;
    assert!(store.ended_runs(10).await.unwrap().is_empty());
    finish(&store, &turn, Outcome::Done).await;
    let ended = store.ended_runs(10).await.unwrap();
    assert_eq!((ended.len(), ended[0].job, ended[0].outcome), (1, plants.id, RunOutcome::Ok));
    assert_eq!(now(&store, plants.id).await.state, JobState::Active);
    assert!(store.judge_run(ended[0].id, Verdict::Ok).await.unwrap());
    assert!(!store.judge_run(ended[0].id, Verdict::Ok).await.unwrap());
    assert_eq!(now(&store, plants.id).await.state, JobState::Done);
    let run = store.job_runs(plants.id).await.unwrap().remove(0);
    assert_eq!((run.outcome, run.delivery), (Some(RunOutcome::Ok), Some(DeliveryState::Pending)));
    store.mark_delivered(run.outbox.unwrap()).await.unwrap();
    assert_eq!(store.job_runs(plants.id).await.unwrap()[0].delivery, Some(DeliveryState::Delivered));
}

#[tokio::test]
async fn a_job_whose_last_run_has_not_ended_is_left_out_this_time() {
    let (_folder, _path, store) = new_store();
    let plants = add(&store, job("plants", 1000)).await;
    fire(&store, &plants, 1000, Some(2000)).await;
    let fired = store.fire_jobs(vec![firing(&plants, 2000, Some(3000))]).await.unwrap();
    assert_eq!(fired[0].inbox, None);
    assert_eq!(store.next_due().await.unwrap(), Some(2001));
    assert_eq!(store.job_runs(plants.id).await.unwrap()[0].outcome, Some(RunOutcome::Missed));
}

#[tokio::test]
async fn failures_are_counted_put_off_the_next_time_and_end_in_a_notice() {
    let (_folder, _path, store) = new_store();
    let plants = add(&store, job("plants", 1000)).await;
    let turn = fire(&store, &plants, 1000, Some(2000)).await;
    store.finish_turn(turn.id, None, Outcome::Failed("no model".into()), None).await.unwrap();
    let ended = store.ended_runs(10).await.unwrap().remove(0);
    assert_eq!((ended.outcome, ended.error.as_deref()), (RunOutcome::Error, Some("no model")));
    let retry = Verdict::Retry { error: "no model".into(), not_before_ms: 60_000 };
    store.judge_run(ended.id, retry).await.unwrap();
    let row = now(&store, plants.id).await;
    assert_eq!((row.failures, row.next_due_ms, row.state), (1, Some(60_000), JobState::Active));

    let turn = fire(&store, &plants, 60_000, Some(61_000)).await;
    store.finish_turn(turn.id, None, Outcome::Failed("no model".into()), None).await.unwrap();
    let ended = store.ended_runs(10).await.unwrap().remove(0);
    assert_eq!(ended.failures, 1);
    let (error, reason, notice) = ("no model".into(), "it failed 2 times".into(), "plants is off".into());
    store.judge_run(ended.id, Verdict::Disable { error, reason, notice }).await.unwrap();
    let row = now(&store, plants.id).await;
    assert_eq!(
        (row.state, row.reason.as_deref(), row.next_due_ms),
        (JobState::Disabled, Some("it failed 2 times"), None)
    );
    assert_eq!(store.pending_outbox("terminal").await.unwrap()[0].text, "plants is off");
    assert_eq!(store.next_due().await.unwrap(), None);

    assert!(store.approve_job(plants.id, 90_000).await.unwrap());
    let row = now(&store, plants.id).await;
    assert_eq!((row.state, row.failures, row.next_due_ms), (JobState::Active, 0, Some(90_000)));
}

#[tokio::test]
async fn agt_08_a_quarantined_job_does_not_run_before_it_is_approved() {
    let (_folder, _path, store) = new_store();
    let new = NewJob { quarantine: Some("made while reading a web page".into()), ..job("plants", 1000) };
    let plants = add(&store, new).await;
    assert_eq!((plants.state, plants.next_due_ms), (JobState::Quarantined, Some(1000)));
    assert_eq!(store.next_due().await.unwrap(), None);
    assert!(store.due_jobs(5000, 10).await.unwrap().is_empty());
    assert!(store.fire_jobs(vec![firing(&plants, 1000, None)]).await.unwrap().is_empty());
    assert!(matches!(store.run_job(plants.id, 1500, "now").await, Err(StoreError::NoJob(_))));
    assert!(store.approve_job(plants.id, 2000).await.unwrap());
    assert!(!store.approve_job(plants.id, 2000).await.unwrap());
    fire(&store, &plants, 2000, None).await;
}

#[tokio::test]
async fn res_13_jobs_of_a_chat_and_in_all_are_limited() {
    let (_folder, _path, store) = new_store();
    for name in ["a", "b", "c"] {
        add(&store, job(name, 1000)).await;
    }
    let refused = store.add_job(job("d", 1000), LIMITS, 1).await.unwrap_err();
    assert!(refused.to_string().starts_with("there are 3 scheduled jobs in this chat"), "{refused}");
    let elsewhere = |chat: &str| NewJob { chat_id: chat.into(), ..job("e", 1000) };
    add(&store, elsewhere("other")).await;
    let refused = store.add_job(elsewhere("third"), LIMITS, 1).await.unwrap_err();
    assert!(refused.to_string().starts_with("there are 4 scheduled jobs,"), "{refused}");
    assert!(store.remove_job(JobId(1), None).await.unwrap());
    add(&store, elsewhere("third")).await;
}

#[tokio::test]
async fn agt_08_a_job_is_removed_by_its_own_chat_only_and_its_waiting_message_with_it() {
    let (_folder, _path, store) = new_store();
    let plants = add(&store, job("plants", 1000)).await;
    assert!(!store.remove_job(plants.id, Some("terminal:other")).await.unwrap());
    store.fire_jobs(vec![firing(&plants, 1000, Some(2000))]).await.unwrap();
    assert!(store.remove_job(plants.id, Some(SESSION)).await.unwrap());
    assert!(!store.remove_job(plants.id, Some(SESSION)).await.unwrap());
    assert_eq!(store.next_turn(SESSION).await.unwrap(), None);
    assert_eq!(store.job_runs(plants.id).await.unwrap()[0].outcome, Some(RunOutcome::Cancelled));
    assert!(store.jobs(None).await.unwrap().is_empty());
    assert_eq!(store.next_due().await.unwrap(), None);
}

#[tokio::test]
async fn a_job_can_be_run_now_and_keeps_its_next_time() {
    let (_folder, _path, store) = new_store();
    let plants = add(&store, job("plants", 9000)).await;
    let fired = store.run_job(plants.id, 500, "now").await.unwrap();
    assert_eq!((fired.session.as_str(), fired.due_ms), (SESSION, 500));
    assert!(matches!(store.run_job(plants.id, 600, "now").await, Err(StoreError::JobRuns(_))));
    let turn = store.next_turn(SESSION).await.unwrap().unwrap();
    assert_eq!(turn.inbox.message.text, "now");
    finish(&store, &turn, Outcome::Done).await;
    let ended = store.ended_runs(10).await.unwrap().remove(0);
    store.judge_run(ended.id, Verdict::Ok).await.unwrap();
    let row = now(&store, plants.id).await;
    assert_eq!((row.state, row.next_due_ms), (JobState::Active, Some(9000)));
}

#[tokio::test]
async fn the_last_twenty_runs_and_ended_jobs_are_kept() {
    let (_folder, _path, store) = new_store();
    let plants = add(&store, job("plants", 0)).await;
    for due in 0..30 {
        let turn = fire(&store, &plants, due, Some(due + 1)).await;
        finish(&store, &turn, Outcome::Done).await;
        let ended = store.ended_runs(10).await.unwrap().remove(0);
        store.judge_run(ended.id, Verdict::Ok).await.unwrap();
    }
    let runs = store.job_runs(plants.id).await.unwrap();
    assert_eq!((runs.len(), runs[0].due_at, runs[19].due_at), (20, 29, 10));
    for _job in 0..25 {
        let once = add(&store, job("once", 99)).await;
        store.remove_job(once.id, None).await.unwrap();
    }
    assert!(store.job_runs(plants.id).await.unwrap().len() == 20 && store.job(plants.id).await.unwrap().is_some());
}
