//! What is deleted is gone: from every table, the index, the file and its log.

use super::tasks::{LIMITS, announcement, task};
use super::{SESSION, accept, answer, begin, jobs, message, new_store};
use chiton_store::{
    Attachment, AuditFilter, AuditRow, JobLimits, NewMessage, NewOutbox, NewTask, Outcome, Removed, Retention, Scope,
    Spend, Store,
};
use std::path::Path;
use std::time::Duration;

const CANARY: &str = "zanzibarcanary";

/// How often the canary, in any case, is in the database and the files beside it.
fn canaries(database: &Path) -> usize {
    let folder = std::fs::read_dir(database.parent().unwrap()).unwrap();
    let count = |bytes: Vec<u8>| {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        text.matches(CANARY).count() + text.matches(&CANARY[1..]).count()
    };
    folder.map(|file| count(std::fs::read(file.unwrap().path()).unwrap())).sum()
}

fn record(session: &str) -> AuditRow {
    let text = || CANARY.to_owned();
    AuditRow {
        time_ms: now(),
        session: session.into(),
        component: "file".into(),
        digest: "d".into(),
        tool: "read_file".into(),
        operation: "open".into(),
        target: text(),
        rule: text(),
        verdict: "allowed".into(),
        duration_us: 1,
    }
}

fn now() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64
}

fn from(sender: &str, id: &str, text: &str) -> NewMessage {
    NewMessage { sender: sender.into(), metadata: None, ..message(id, text) }
}

/// A turn of `sender` that leaves the canary wherever a turn can leave text.
async fn leave_canaries(store: &Store, sender: &str, id: &str) {
    store.accept(from(sender, id, CANARY)).await.unwrap();
    let turn = store.next_turn(SESSION).await.unwrap().unwrap();
    store.append(turn.id, &format!(r#"{{"role":"assistant","content":"{CANARY}"}}"#)).await.unwrap();
    store.start_call(turn.id, "c1", "write_file", CANARY, false).await.unwrap();
    store.finish_call(turn.id, "c1", &format!(r#"{{"role":"tool","content":"{CANARY}"}}"#), CANARY).await.unwrap();
    let file = Attachment { name: CANARY.into(), mime: "text/plain".into(), data: CANARY.into() };
    store.send(answer(CANARY), vec![file]).await.unwrap();
    store.audit(record(SESSION));
    let job = chiton_store::NewJob { message: CANARY.into(), ..jobs::job(CANARY, now() + 1_000_000) };
    store.add_job(job, JobLimits { of_session: 9, in_all: 9 }, now()).await.unwrap();
    let given = NewTask { task: CANARY.into(), text: CANARY.into(), label: CANARY.into(), ..task(SESSION, 1) };
    let given = store.start_task(given, LIMITS).await.unwrap();
    store.spend(turn.id, Spend { model: "m".into(), input: 1, ..Spend::default() }).await.unwrap();
    store.finish_turn(turn.id, Some(CANARY), Outcome::Failed(CANARY.into()), Some(answer(CANARY))).await.unwrap();
    store.summarise(SESSION, turn.id, CANARY).await.unwrap();
    let own = store.next_turn(&given.session).await.unwrap().unwrap();
    let told = NewMessage { text: CANARY.into(), ..announcement(&given) };
    store.finish_task(own.id, Some(CANARY), Outcome::Done, CANARY, Some(told)).await.unwrap();
    let told = store.next_turn(SESSION).await.unwrap().unwrap();
    store.finish_turn(told.id, Some(CANARY), Outcome::Done, Some(answer(CANARY))).await.unwrap();
}

/// A turn of Bob with nothing of the canary.
async fn bob(store: &Store) {
    store.accept(from("bob", "b", "I like ferns")).await.unwrap();
    let turn = store.next_turn(SESSION).await.unwrap().unwrap();
    store.finish_turn(turn.id, Some("{}"), Outcome::Done, Some(answer("Nice."))).await.unwrap();
}

#[tokio::test]
async fn a_deleted_session_leaves_no_byte_of_it_and_its_cost_in_the_sum() {
    let (_folder, path, store) = new_store();
    leave_canaries(&store, "ann", "1").await;
    store.flush().await.unwrap();
    assert!(canaries(&path) > 10);
    let removed = store.delete_session(SESSION).await.unwrap();
    assert_eq!((removed.sessions.len(), removed.messages), (2, 8), "{removed:?}");
    assert_eq!(canaries(&path), 0);
    assert!(store.sessions().await.unwrap().is_empty() && store.jobs(None).await.unwrap().is_empty());
    assert!(store.pending_outbox("terminal").await.unwrap().is_empty());
    assert!(store.search(CANARY, Scope::All, 9).await.unwrap().is_empty());
    assert_eq!(store.spent(None, 0).await.unwrap().requests, 1);
    let audit = store.audit_query(AuditFilter::default()).await.unwrap();
    assert_eq!((audit.len(), audit[0].target.as_str(), audit[0].tool.as_str()), (1, "", "read_file"));
    assert!(store.check().await.unwrap().is_empty());
    assert_eq!(store.delete_session(SESSION).await.unwrap(), Removed::default());
    begin(&store, "again", "hello").await;
}

#[tokio::test]
async fn deleting_a_sub_agents_session_leaves_the_one_that_gave_the_task() {
    let (_folder, _path, store) = new_store();
    leave_canaries(&store, "ann", "1").await;
    assert_eq!(store.delete_session("agent:1").await.unwrap().sessions, ["agent:1"]);
    assert_eq!(store.sessions().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_deleted_person_is_gone_from_a_shared_chat_and_the_others_stay() {
    let (_folder, path, store) = new_store();
    bob(&store).await;
    leave_canaries(&store, "ann", "1").await;
    let own = NewMessage { chat_id: "private".into(), ..from("ann", "2", CANARY) };
    store.accept(own).await.unwrap();
    let waits = from("ann", "3", CANARY);
    store.accept(waits).await.unwrap();
    let removed = store.delete_person("ann").await.unwrap();
    assert_eq!(removed.sessions, ["terminal:private", "agent:1"]);
    assert_eq!(canaries(&path), 0);
    let left = store.history(SESSION, 10_000).await.unwrap();
    assert_eq!((left.turns.len(), left.summary), (0, None), "what was summarised stays out of requests");
    assert_eq!(store.read_messages(SESSION, None, 9).await.unwrap().len(), 2);
    assert_eq!(store.search("ferns", Scope::All, 9).await.unwrap().len(), 1);
    assert_eq!(store.pending_outbox("terminal").await.unwrap().len(), 1);
    assert_eq!(store.next_turn(SESSION).await.unwrap(), None);
    assert!(store.check().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_an_older_release_deleted_is_overwritten_by_the_first_start_of_this_one() {
    let (_folder, path, store) = new_store();
    drop(store);
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(&format!(
        "PRAGMA secure_delete = OFF; INSERT INTO tool_grants VALUES ('{CANARY}', hex(zeroblob(9000)) || '{CANARY}');
         DELETE FROM tool_grants; PRAGMA wal_checkpoint(TRUNCATE);"
    ))
    .unwrap();
    let steps = "
        DROP TABLE skills; DROP TABLE publishers; DROP INDEX jobs_of_component; DROP INDEX audit_of_component;
        ALTER TABLE jobs DROP COLUMN component; DROP TABLE revisions; DROP TABLE spending; DROP TABLE summaries; DROP TRIGGER messages_forgotten;
        DROP TABLE recall; ALTER TABLE messages DROP COLUMN at; ALTER TABLE sessions DROP COLUMN model;
        DROP INDEX sessions_rested; DROP INDEX audit_of_session; DROP INDEX jobs_of_origin; ALTER TABLE sessions DROP COLUMN consolidated; ALTER TABLE turns DROP COLUMN starts;
        DROP INDEX inbox_joined; DROP INDEX inbox_of_session; DROP INDEX outbox_of_session;
        ALTER TABLE inbox DROP COLUMN turn_id; PRAGMA user_version = 2;";
    old.execute_batch(steps).unwrap();
    drop(old);
    assert!(canaries(&path) > 0);
    drop(Store::open(&path).unwrap());
    assert_eq!(canaries(&path), 0);
}

async fn chat(store: &Store, name: &str) {
    store.accept(NewMessage { chat_id: name.into(), ..message(name, "hello") }).await.unwrap();
    let turn = store.next_turn(&format!("terminal:{name}")).await.unwrap().unwrap();
    store.finish_turn(turn.id, None, Outcome::Done, None).await.unwrap();
    tokio::time::sleep(Duration::from_millis(3)).await;
}

#[tokio::test]
async fn sessions_that_are_too_many_or_too_old_go_unless_they_are_kept_or_something_waits_in_them() {
    let (_folder, _path, store) = new_store();
    for name in ["old", "kept", "waiting", "answered", "new"] {
        chat(&store, name).await;
    }
    accept(&store, "x", "in another chat").await;
    let waits = NewMessage { chat_id: "waiting".into(), ..message("w", "hello") };
    store.accept(waits).await.unwrap();
    let unseen = NewOutbox { chat_id: "answered".into(), ..answer("seen?") };
    store.send(unseen, Vec::new()).await.unwrap();
    let keep = vec!["terminal:kept".to_owned()];
    let day = Duration::from_secs(86_400);
    let all = store.retain(Retention { max_age: day, max_sessions: 100, keep: keep.clone() }).await.unwrap();
    assert_eq!(all, Removed::default());
    let two = store.retain(Retention { max_age: day, max_sessions: 3, keep: keep.clone() }).await.unwrap();
    assert_eq!(two.sessions, ["terminal:old"]);
    let aged = store.retain(Retention { max_age: Duration::ZERO, max_sessions: 100, keep }).await.unwrap();
    assert_eq!(aged.sessions, ["terminal:new"]);
    assert_eq!(store.sessions().await.unwrap().len(), 4);
}
