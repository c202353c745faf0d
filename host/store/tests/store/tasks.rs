//! Tasks of sub-agents.

use super::{SESSION, new_store};
use chiton_store::{NewMessage, NewTask, Outcome, Store, StoreError, TaskLimits, TaskRow, TaskState, TurnId};

pub(crate) const LIMITS: TaskLimits = TaskLimits { of_parent: 2, in_all: 3, depth: 2 };

pub(crate) fn task(parent: &str, depth: u32) -> NewTask {
    NewTask {
        parent: parent.into(),
        label: "plants".into(),
        task: "find out which plants need water".into(),
        text: "Your task: find out which plants need water".into(),
        rights_json: r#"{"effects":[]}"#.into(),
        depth,
    }
}

async fn start(store: &Store, parent: &str, depth: u32) -> TaskRow {
    store.start_task(task(parent, depth), LIMITS).await.unwrap()
}

pub(crate) fn announcement(task: &TaskRow) -> NewMessage {
    NewMessage {
        channel: "terminal".into(),
        account: String::new(),
        external_id: format!("answer:{}", task.id.0),
        chat_id: "default".into(),
        sender: task.session.clone(),
        text: "The ferns.".into(),
        metadata: None,
    }
}

async fn turn(store: &Store, task: &TaskRow) -> TurnId {
    store.next_turn(&task.session).await.unwrap().unwrap().id
}

#[tokio::test]
async fn agt_13_a_task_has_a_session_of_its_own_with_the_rights_it_was_given() {
    let (_folder, _path, store) = new_store();
    let task = start(&store, SESSION, 1).await;
    assert_eq!((task.session.as_str(), task.parent.as_str(), task.state), ("agent:1", SESSION, TaskState::Running));
    assert_eq!(store.waiting_sessions().await.unwrap(), ["agent:1"]);
    let message = store.next_turn("agent:1").await.unwrap().unwrap().inbox.message;
    assert_eq!(message.text, "Your task: find out which plants need water");
    let metadata: serde_json::Value = serde_json::from_str(&message.metadata.unwrap()).unwrap();
    assert_eq!(metadata, serde_json::json!({ "rights": { "effects": [] }, "task": 1, "depth": 1 }));
}

#[tokio::test]
async fn an_answer_is_announced_once_with_the_end_of_its_turn() {
    let (_folder, path, store) = new_store();
    let task = start(&store, SESSION, 1).await;
    let turn = turn(&store, &task).await;
    let message = announcement(&task);
    let row = store.finish_task(turn, None, Outcome::Done, "The ferns.", Some(message.clone())).await.unwrap();
    drop(store);
    let store = Store::open(&path).unwrap();
    let told = store.next_turn(SESSION).await.unwrap().unwrap();
    assert_eq!((Some(told.inbox.id), told.inbox.message.text.as_str()), (row, "The ferns."));
    let ended = store.task(task.id).await.unwrap().unwrap();
    assert_eq!((ended.state, ended.answer.as_deref(), ended.announced), (TaskState::Done, Some("The ferns."), true));
    assert_eq!(store.announce_task(task.id, message).await.unwrap(), None);
    assert!(!store.claim_task(task.id).await.unwrap());
}

#[tokio::test]
async fn an_answer_that_nobody_took_can_be_announced_after_a_restart() {
    let (_folder, path, store) = new_store();
    let task = start(&store, SESSION, 1).await;
    let turn = turn(&store, &task).await;
    store.finish_task(turn, None, Outcome::Failed("no model".into()), "", None).await.unwrap();
    drop(store);
    let store = Store::open(&path).unwrap();
    let waiting = store.unannounced_tasks().await.unwrap();
    assert_eq!((waiting.len(), waiting[0].state), (1, TaskState::Failed));
    assert_eq!(waiting[0].answer.as_deref(), Some("no model"));
    assert!(store.announce_task(task.id, announcement(&task)).await.unwrap().is_some());
    assert!(store.unannounced_tasks().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_answer_that_was_waited_for_is_not_announced() {
    let (_folder, _path, store) = new_store();
    let task = start(&store, SESSION, 1).await;
    let turn = turn(&store, &task).await;
    store.finish_task(turn, None, Outcome::Done, "The ferns.", None).await.unwrap();
    assert!(store.claim_task(task.id).await.unwrap());
    assert_eq!(store.announce_task(task.id, announcement(&task)).await.unwrap(), None);
}

#[tokio::test]
async fn res_13_tasks_of_a_session_in_all_and_below_each_other_are_limited() {
    let (_folder, _path, store) = new_store();
    let first = start(&store, SESSION, 1).await;
    start(&store, SESSION, 1).await;
    let refused = |error: StoreError, what: &str| assert!(error.to_string().contains(what), "{error}");
    refused(store.start_task(task(SESSION, 1), LIMITS).await.unwrap_err(), "2 sub-agents of this chat");
    refused(store.start_task(task(&first.session, 3), LIMITS).await.unwrap_err(), "2 levels of sub-agents");
    start(&store, &first.session, 2).await;
    refused(store.start_task(task("terminal:other", 1), LIMITS).await.unwrap_err(), "3 sub-agents at work");
    store.cancel_task(first.id, None).await.unwrap();
    start(&store, SESSION, 1).await;
}

#[tokio::test]
async fn a_cancelled_task_takes_its_own_tasks_along_and_is_not_announced() {
    let (_folder, _path, store) = new_store();
    let task = start(&store, SESSION, 1).await;
    let turn = turn(&store, &task).await;
    let child = start(&store, &task.session, 2).await;
    assert!(store.cancel_task(task.id, Some("terminal:other")).await.unwrap().is_empty());
    let cancelled = store.cancel_task(task.id, Some(SESSION)).await.unwrap();
    assert_eq!(cancelled.iter().map(|task| task.id).collect::<Vec<_>>(), [task.id, child.id]);
    assert_eq!(store.next_turn(&child.session).await.unwrap(), None);
    let told = store.finish_task(turn, None, Outcome::Cancelled, "", Some(announcement(&task))).await.unwrap();
    assert_eq!(told, None);
    assert_eq!(store.tasks(SESSION).await.unwrap()[0].state, TaskState::Cancelled);
    assert!(store.unannounced_tasks().await.unwrap().is_empty());
}
