//! The steps of a turn, and how an interrupted one goes on.

use super::{SESSION, accept, answer, begin, message, new_store};
use chiton_store::{CallRow, Outcome, Store, StoreError, TurnId};

const ASKS: &str = r#"{"role":"assistant","tool_calls":[{"id":"c1"}]}"#;
const RESULT: &str = r#"{"role":"tool","tool_call_id":"c1","content":"done"}"#;
const FINAL: &str = r#"{"role":"assistant","content":"Done."}"#;

fn written(verdict: Option<&str>) -> CallRow {
    CallRow {
        round: 1,
        call_id: "c1".into(),
        tool: "write_file".into(),
        arguments: r#"{"path":"a"}"#.into(),
        read_only: false,
        verdict: verdict.map(str::to_owned),
    }
}

async fn start(store: &Store, turn: TurnId) {
    store.start_call(turn, "c1", "write_file", r#"{"path":"a"}"#, false).await.unwrap();
}

#[tokio::test]
async fn a_turn_begins_with_the_users_message() {
    let (_folder, _path, store) = new_store();
    let turn = begin(&store, "1", "say \"hi\"\n").await;
    assert!(!turn.resumed);
    assert_eq!(turn.session, SESSION);
    assert_eq!(turn.inbox.message, message("1", "say \"hi\"\n"));
    assert_eq!(turn.steps.len(), 1);
    assert_eq!(&*turn.steps[0], r#"{"role":"user","content":"say \"hi\"\n"}"#);
    assert_eq!((turn.calls.len(), turn.rounds), (0, 0));
}

#[tokio::test]
async fn messages_of_a_session_are_answered_in_their_order() {
    let (_folder, _path, store) = new_store();
    let ids = [accept(&store, "1", "one").await, accept(&store, "2", "two").await];
    for id in ids {
        let turn = store.next_turn(SESSION).await.unwrap().unwrap();
        assert_eq!(turn.inbox.id, id);
        store.finish_turn(turn.id, None, Outcome::Done, None).await.unwrap();
    }
    assert_eq!(store.next_turn(SESSION).await.unwrap(), None);
    assert_eq!(store.next_turn("terminal:other").await.unwrap(), None);
}

#[tokio::test]
async fn an_interrupted_turn_comes_before_the_next_message_with_all_its_steps() {
    let (_folder, path, store) = new_store();
    let turn = begin(&store, "1", "write a").await;
    store.append(turn.id, ASKS).await.unwrap();
    start(&store, turn.id).await;
    store.finish_call(turn.id, "c1", RESULT, "allowed").await.unwrap();
    accept(&store, "2", "later").await;
    drop(store);
    let store = Store::open(&path).unwrap();
    let resumed = store.next_turn(SESSION).await.unwrap().unwrap();
    assert!(resumed.resumed);
    assert_eq!((resumed.id, &resumed.inbox), (turn.id, &turn.inbox));
    assert_eq!(resumed.steps[1..].iter().map(AsRef::as_ref).collect::<Vec<&str>>(), [ASKS, RESULT]);
    assert_eq!(resumed.calls, [written(Some("allowed"))]);
    assert_eq!(resumed.rounds, 1);
}

#[tokio::test]
async fn a_call_that_started_and_has_no_result_is_told_apart() {
    let (_folder, _path, store) = new_store();
    let turn = begin(&store, "1", "write a").await;
    store.append(turn.id, ASKS).await.unwrap();
    start(&store, turn.id).await;
    let resumed = store.next_turn(SESSION).await.unwrap().unwrap();
    assert_eq!(resumed.calls, [written(None)]);
    assert!(!resumed.calls[0].finished());
    assert_eq!(resumed.steps.len(), 2);
}

#[tokio::test]
async fn a_call_that_runs_again_has_one_row() {
    let (_folder, _path, store) = new_store();
    let turn = begin(&store, "1", "write a").await;
    store.append(turn.id, ASKS).await.unwrap();
    start(&store, turn.id).await;
    start(&store, turn.id).await;
    store.finish_call(turn.id, "c1", RESULT, "allowed").await.unwrap();
    assert_eq!(store.next_turn(SESSION).await.unwrap().unwrap().calls, [written(Some("allowed"))]);
}

#[tokio::test]
async fn the_same_call_id_in_a_later_round_is_another_call() {
    let (_folder, _path, store) = new_store();
    let turn = begin(&store, "1", "write a").await;
    for _round in 0..2 {
        store.append(turn.id, ASKS).await.unwrap();
        start(&store, turn.id).await;
        store.finish_call(turn.id, "c1", RESULT, "allowed").await.unwrap();
    }
    let resumed = store.next_turn(SESSION).await.unwrap().unwrap();
    assert_eq!(resumed.calls.iter().map(|call| call.round).collect::<Vec<_>>(), [1, 2]);
    assert_eq!((resumed.steps.len(), resumed.rounds), (5, 2));
}

#[tokio::test]
async fn a_call_can_be_finished_without_having_been_started() {
    let (_folder, _path, store) = new_store();
    let turn = begin(&store, "1", "read a").await;
    store.append(turn.id, ASKS).await.unwrap();
    store.finish_call(turn.id, "c1", RESULT, "denied").await.unwrap();
    let resumed = store.next_turn(SESSION).await.unwrap().unwrap();
    assert_eq!(resumed.calls[0].verdict.as_deref(), Some("denied"));
    assert_eq!(resumed.steps.len(), 3);
}

#[tokio::test]
async fn the_end_of_a_turn_puts_its_answer_into_the_outbox() {
    let (_folder, _path, store) = new_store();
    let turn = begin(&store, "1", "hello").await;
    let id = store.finish_turn(turn.id, Some(FINAL), Outcome::Done, Some(answer("Done."))).await.unwrap().unwrap();
    let pending = store.pending_outbox("terminal").await.unwrap();
    assert_eq!((pending.len(), pending[0].id, pending[0].text.as_str()), (1, id, "Done."));
    assert_eq!(store.next_turn(SESSION).await.unwrap(), None);
    assert_eq!(store.waiting_sessions().await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_cancelled_or_failed_turn_is_over_and_stays_in_the_history() {
    let (_folder, _path, store) = new_store();
    for (id, outcome) in [("1", Outcome::Cancelled), ("2", Outcome::Failed("no model".into()))] {
        let turn = begin(&store, id, "hello").await;
        assert_eq!(store.finish_turn(turn.id, Some(FINAL), outcome, None).await.unwrap(), None);
        assert_eq!(store.next_turn(SESSION).await.unwrap(), None);
    }
    assert_eq!(store.history(SESSION, 10_000).await.unwrap().into_messages().len(), 4);
}

#[tokio::test]
async fn nothing_can_be_added_to_a_turn_that_is_over_or_never_was() {
    let (_folder, _path, store) = new_store();
    let turn = begin(&store, "1", "hello").await;
    store.finish_turn(turn.id, Some(FINAL), Outcome::Done, None).await.unwrap();
    let before = store.history(SESSION, 10_000).await.unwrap();
    for id in [turn.id, TurnId(99)] {
        let refused = [
            store.append(id, ASKS).await,
            store.start_call(id, "c1", "exec", "{}", false).await,
            store.finish_call(id, "c1", RESULT, "allowed").await,
            store.finish_turn(id, Some(FINAL), Outcome::Done, Some(answer("twice"))).await.map(drop),
            store.finish_turn(id, None, Outcome::Done, Some(answer("twice"))).await.map(drop),
        ];
        for result in refused {
            assert!(matches!(result, Err(StoreError::TurnOver(over)) if over == id), "{result:?}");
        }
    }
    assert_eq!(store.history(SESSION, 10_000).await.unwrap(), before);
    assert!(store.pending_outbox("terminal").await.unwrap().is_empty());
}
