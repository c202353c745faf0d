//! The process is killed at each commit of a turn; what was answered is there, and the turn ends as if nothing had been.

use super::jobs::{firing, job};
use super::tasks::{self, task};
use super::{SESSION, answer, message};
use chiton_store::failpoint::{COMMITS, JOB_COMMITS, SESSION_COMMITS, TASK_COMMITS};
use chiton_store::{
    Accepted, ImportedMessage, JobLimits, JobState, Outcome, RunOutcome, Spend, Store, TaskState, Turn, Verdict,
};
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

const DATABASE: &str = "CHITON_TEST_DATABASE";
const STEPS: [&str; 4] = [
    r#"{"role":"user","content":"write a"}"#,
    r#"{"role":"assistant","tool_calls":[{"id":"c1"}]}"#,
    r#"{"role":"tool","tool_call_id":"c1","content":"done"}"#,
    r#"{"role":"assistant","content":"Done."}"#,
];

/// Makes the commits of [`COMMITS`] beginning with number `from`; says each one that was answered.
async fn play(store: &Store, from: usize) {
    let steps = &STEPS[1..];
    if from < 1 {
        store.accept(message("1", "write a")).await.unwrap();
        say("accept");
    }
    if from < 6 {
        let turn = store.next_turn(SESSION).await.unwrap().unwrap().id;
        say("begin-turn");
        if from < 3 {
            store.append(turn, steps[0]).await.unwrap();
            say("append");
        }
        if from < 4 {
            store.start_call(turn, "c1", "write_file", "{}", false).await.unwrap();
            say("start-call");
        }
        if from < 5 {
            store.finish_call(turn, "c1", steps[1], "allowed").await.unwrap();
            say("finish-call");
        }
        store.finish_turn(turn, Some(steps[2]), Outcome::Done, Some(answer("Done."))).await.unwrap();
        say("finish-turn");
    }
    for waiting in store.pending_outbox("terminal").await.unwrap() {
        store.mark_delivered(waiting.id).await.unwrap();
        say("delivered");
    }
}

fn say(line: &str) {
    if std::env::var_os(DATABASE).is_none() {
        return;
    }
    let mut out = std::io::stdout();
    writeln!(out, "answered {line}").unwrap();
    out.flush().unwrap();
}

/// Which number of [`COMMITS`] comes next, by what the database holds.
async fn next_commit(store: &Store) -> usize {
    if store.sessions().await.unwrap().is_empty() {
        return 0;
    }
    match store.next_turn(SESSION).await.unwrap() {
        Some(Turn { starts: 1, .. }) => 1,
        Some(turn) => match (turn.steps.len(), turn.calls.first()) {
            (1, None) => 2,
            (2, None) => 3,
            (2, Some(call)) if !call.finished() => 4,
            (3, Some(call)) if call.finished() => 5,
            _ => panic!("no state of a turn: {turn:?}"),
        },
        None if store.pending_outbox("terminal").await.unwrap().len() == 1 => 6,
        None => COMMITS.len(),
    }
}

/// Runs a test of this program in a process of its own, to be killed at a fail point; returns what was answered.
fn killed(test: &str, database: &Path, failpoint: &str) -> Vec<String> {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env(DATABASE, database)
        .env("CHITON_FAILPOINT", failpoint)
        .output()
        .unwrap();
    let out = String::from_utf8(child.stdout).unwrap();
    assert_eq!(child.status.signal(), Some(9), "{failpoint}: {out}{}", String::from_utf8_lossy(&child.stderr));
    out.lines().filter_map(|line| line.split_once("answered ")).map(|(_, said)| said.to_owned()).collect()
}

#[tokio::test]
#[ignore = "run by the tests below in a process that is killed"]
async fn child_plays_a_turn() {
    let Ok(path) = std::env::var(DATABASE) else {
        return;
    };
    play(&Store::open(path).unwrap(), 0).await;
}

#[tokio::test]
#[ignore = "run by the tests below in a process that is killed"]
async fn child_accepts_many() {
    let Ok(path) = std::env::var(DATABASE) else {
        return;
    };
    let store = Store::open(path).unwrap();
    let writers = (0..200).map(|number| {
        let store = store.clone();
        tokio::spawn(async move {
            store.accept(message(&number.to_string(), "hello")).await.unwrap();
            say(&number.to_string());
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
}

/// Makes the commits of [`JOB_COMMITS`] that the database does not hold yet, with the turn between them.
async fn play_job(store: &Store) {
    if store.jobs(None).await.unwrap().is_empty() {
        store.add_job(job("plants", 1000), JobLimits { of_session: 10, in_all: 10 }, 1).await.unwrap();
        say("add-job");
    }
    for due in store.due_jobs(1000, 10).await.unwrap() {
        store.fire_jobs(vec![firing(&due, 1000, None)]).await.unwrap();
        say("fire-jobs");
    }
    if let Some(turn) = store.next_turn(SESSION).await.unwrap() {
        store.finish_turn(turn.id, None, Outcome::Done, None).await.unwrap();
    }
    for run in store.ended_runs(10).await.unwrap() {
        store.judge_run(run.id, Verdict::Ok).await.unwrap();
        say("judge-run");
    }
}

#[tokio::test]
#[ignore = "run by the tests below in a process that is killed"]
async fn child_plays_a_job() {
    let Ok(path) = std::env::var(DATABASE) else {
        return;
    };
    play_job(&Store::open(path).unwrap()).await;
}

#[tokio::test]
async fn a_job_killed_at_any_commit_runs_once_and_is_not_lost() {
    for (number, kind) in JOB_COMMITS.into_iter().enumerate() {
        for when in ["before", "after"] {
            let point = format!("{when}-{kind}");
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("chiton.db");
            assert_eq!(killed("crash::child_plays_a_job", &path, &point), JOB_COMMITS[..number], "{point}: answered");

            let store = Store::open(&path).unwrap();
            play_job(&store).await;
            let jobs = store.jobs(None).await.unwrap();
            assert_eq!((jobs.len(), jobs[0].state), (1, JobState::Done), "{point}: one job, done");
            let runs = store.job_runs(jobs[0].id).await.unwrap();
            assert_eq!((runs.len(), runs[0].outcome), (1, Some(RunOutcome::Ok)), "{point}: one run");
            assert_eq!(store.history(SESSION, 10_000).await.unwrap().into_messages().len(), 1, "{point}: told once");
            assert!(store.check().await.unwrap().is_empty(), "{point}: sound");
        }
    }
}

/// Makes the commits of [`TASK_COMMITS`] that the database does not hold yet.
async fn play_task(store: &Store) {
    if store.tasks(SESSION).await.unwrap().is_empty() {
        store.start_task(task(SESSION, 1), tasks::LIMITS).await.unwrap();
        say("start-task");
    }
    let given = store.tasks(SESSION).await.unwrap().remove(0);
    if let Some(turn) = store.next_turn(&given.session).await.unwrap() {
        let announcement = Some(tasks::announcement(&given));
        store.finish_task(turn.id, None, Outcome::Done, "The ferns.", announcement).await.unwrap();
        say("finish-task");
    }
}

#[tokio::test]
#[ignore = "run by the tests below in a process that is killed"]
async fn child_plays_a_task() {
    let Ok(path) = std::env::var(DATABASE) else {
        return;
    };
    play_task(&Store::open(path).unwrap()).await;
}

#[tokio::test]
async fn a_task_killed_at_any_commit_is_done_and_announced_once() {
    for (number, kind) in TASK_COMMITS.into_iter().enumerate() {
        for when in ["before", "after"] {
            let point = format!("{when}-{kind}");
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("chiton.db");
            assert_eq!(killed("crash::child_plays_a_task", &path, &point), TASK_COMMITS[..number], "{point}: answered");

            let store = Store::open(&path).unwrap();
            play_task(&store).await;
            let given = store.tasks(SESSION).await.unwrap();
            assert_eq!((given.len(), given[0].state), (1, TaskState::Done), "{point}: one task, done");
            assert!(store.unannounced_tasks().await.unwrap().is_empty(), "{point}: announced");
            let told = store.next_turn(SESSION).await.unwrap().unwrap();
            store.finish_turn(told.id, None, Outcome::Done, None).await.unwrap();
            assert_eq!(store.next_turn(SESSION).await.unwrap(), None, "{point}: announced once");
        }
    }
}

/// How many of [`SESSION_COMMITS`] the database holds.
async fn held(store: &Store) -> usize {
    if store.read_messages(SESSION, None, 9).await.unwrap().len() < 2 {
        return 0;
    }
    if store.spent(None, 0).await.unwrap().requests == 0 {
        return 1;
    }
    let history = store.history(SESSION, 10_000).await.unwrap();
    let waiting = store.session(SESSION).await.unwrap().unwrap().waiting > 0;
    let (imported, forked) = (store.session("mail:b").await.unwrap(), store.session("mail:c").await.unwrap());
    match (history.summary, store.revisions("SOUL.md").await.unwrap().len(), imported, forked) {
        (None, ..) if waiting || history.turns.len() == 1 => 2,
        (Some(_), ..) => 3,
        (None, 0, ..) => 4,
        (None, _, None, None) => 5,
        (None, _, Some(_), None) => 6,
        (None, _, Some(_), Some(_)) => 7,
        (None, _, None, Some(_)) => 8,
    }
}

/// Makes the commits of [`SESSION_COMMITS`] beginning with number `from`.
async fn play_session(store: &Store, from: usize) {
    if from < 3 {
        for id in ["1", "2"] {
            store.accept(message(id, "hello")).await.unwrap();
        }
        // one that has ended is only to be summarised
        if let Some(turn) = store.next_turn(SESSION).await.unwrap() {
            if from < 1 {
                assert_eq!(store.join_waiting(turn.id, 9).await.unwrap().len(), 1);
                say("join-waiting");
            }
            if from < 2 {
                store.spend(turn.id, Spend::default()).await.unwrap();
                say("spend");
            }
            store.finish_turn(turn.id, None, Outcome::Done, None).await.unwrap();
        }
        let turn = store.history(SESSION, 10_000).await.unwrap().turns[0].id;
        assert!(store.summarise(SESSION, turn, "Greetings.").await.unwrap());
        say("summarise");
    }
    if from < 4 {
        store.reset(SESSION).await.unwrap();
        say("reset");
    }
    if from < 5 {
        store.keep_revision("SOUL.md", "calm", "edit").await.unwrap();
        say("keep-revision");
    }
    if from < 6 {
        let said = ImportedMessage { body: STEPS[0].into(), at_ms: 1 };
        store.import_session("mail:b", 1, vec![said]).await.unwrap();
        say("import-session");
    }
    if from < 7 {
        store.fork("mail:b", "mail:c", None).await.unwrap();
        say("fork");
    }
    if from < 8 {
        store.delete_session("mail:b").await.unwrap();
        say("delete-session");
    }
}

#[tokio::test]
#[ignore = "run by the tests below in a process that is killed"]
async fn child_changes_a_session() {
    let Ok(path) = std::env::var(DATABASE) else {
        return;
    };
    play_session(&Store::open(path).unwrap(), 0).await;
}

#[tokio::test]
async fn a_session_whose_change_is_killed_at_any_commit_is_changed_whole_or_not_at_all() {
    for (number, kind) in SESSION_COMMITS.into_iter().enumerate() {
        for (when, done) in [("before", number), ("after", number + 1)] {
            let point = format!("{when}-{kind}");
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("chiton.db");
            let answered = killed("crash::child_changes_a_session", &path, &point);
            assert_eq!(answered, SESSION_COMMITS[..number], "{point}: answered before it was killed");

            let store = Store::open(&path).unwrap();
            assert_eq!(held(&store).await, done, "{point}: kept");
            play_session(&store, done).await;
            assert_eq!(held(&store).await, SESSION_COMMITS.len(), "{point}: everything is done");
            assert_eq!(store.export("mail:c").await.unwrap().len(), 1, "{point}: copied whole");
            assert!(store.check().await.unwrap().is_empty(), "{point}: sound");
        }
    }
}

#[tokio::test]
async fn a_turn_killed_at_any_commit_ends_as_if_nothing_had_been() {
    for (number, kind) in COMMITS.into_iter().enumerate() {
        for (when, done) in [("before", number), ("after", number + 1)] {
            let point = format!("{when}-{kind}");
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("chiton.db");
            let answered = killed("crash::child_plays_a_turn", &path, &point);
            assert_eq!(answered, COMMITS[..number], "{point}: answered before it was killed");

            let store = Store::open(&path).unwrap();
            assert_eq!(next_commit(&store).await, done, "{point}: kept");
            play(&store, done).await;
            let history = store.history(SESSION, 10_000).await.unwrap().into_messages();
            assert_eq!(history.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), STEPS, "{point}: history");
            assert_eq!(next_commit(&store).await, COMMITS.len(), "{point}: everything is done");
            let again = store.accept(message("1", "write a")).await.unwrap();
            assert!(matches!(again, Accepted::Duplicate(_)), "{point}: accepted once");
            assert!(store.check().await.unwrap().is_empty(), "{point}: sound");
        }
    }
}

#[tokio::test]
async fn what_was_answered_while_many_wrote_is_there_after_the_kill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chiton.db");
    let answered = killed("crash::child_accepts_many", &path, "after-accept:90");
    let store = Store::open(&path).unwrap();
    for number in &answered {
        let again = store.accept(message(number, "hello")).await.unwrap();
        assert!(matches!(again, Accepted::Duplicate(_)), "message {number} was answered and is lost");
    }
    assert!(store.check().await.unwrap().is_empty());
}
