//! A turn that was interrupted goes on from what was recorded.

use crate::house::{House, calls, op, until};
use chiton_providers::Reply;
use chiton_sandbox::{Effects, SessionRights};
use chiton_store::{Store, Turn};
use serde_json::{Value, json};
use std::sync::Arc;

fn write(path: &str) -> Value {
    op(json!({"op": "write", "path": path, "text": "again", "flags": ["create", "write"]}))
}

/// A turn in chat `a` whose host went away after the model had asked for `reply`.
async fn interrupted(house: &House, reply: &Reply) -> Turn {
    let mut message = house.message("a", "please");
    message.metadata = Some(json!({"rights": {"effects": Effects::ALL}}).to_string());
    house.store.accept(message).await.unwrap();
    let turn = house.store.next_turn("test:a").await.unwrap().unwrap();
    house.store.append(turn.id, &reply.message).await.unwrap();
    turn
}

async fn resumed(house: &House) -> String {
    assert_eq!(house.agent().resume().await.unwrap(), 1);
    until(async || !house.outbox().await.is_empty()).await;
    house.outbox().await.remove(0)
}

async fn record(store: &Store, turn: &Turn, id: &str, text: &str) {
    let message = json!({"role": "tool", "tool_call_id": id, "content": text}).to_string();
    store.finish_call(turn.id, id, &message, "allowed").await.unwrap();
}

#[tokio::test]
async fn a_message_that_was_only_accepted_is_answered_after_the_start() {
    let house = House::new().await;
    house.store.accept(house.message("a", "hello?")).await.unwrap();
    house.script([Reply::text("here")]);
    assert_eq!(resumed(&house).await, "here");
}

#[tokio::test]
async fn a_recorded_result_is_never_computed_twice() {
    let house = House::new().await;
    let reply = calls([("1", "probe_write", write("one")), ("2", "probe_write", write("two"))]);
    let turn = interrupted(&house, &reply).await;
    house.store.start_call(turn.id, "1", "probe_write", "{}", false).await.unwrap();
    record(&house.store, &turn, "1", "recorded").await;
    house.script([Reply::text("done")]);
    assert_eq!(resumed(&house).await, "done");
    assert!(!house.workspace().join("one").exists() && house.workspace().join("two").exists());
    let asked = house.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].roles(), "user assistant tool tool");
    assert_eq!(asked[0].talk()[2].1, "recorded");
}

#[tokio::test]
async fn a_call_that_had_begun_is_uncertain_to_the_model_and_to_the_owner() {
    let house = House::new().await;
    let turn = interrupted(&house, &calls([("1", "probe_write", write("one"))])).await;
    house.store.start_call(turn.id, "1", "probe_write", "{}", false).await.unwrap();
    house.script([Reply::text("done")]);
    let answer = resumed(&house).await;
    assert!(answer.starts_with("done") && answer.contains("`probe_write`") && answer.contains("not known"), "{answer}");
    assert!(house.asked()[0].result().contains("not known whether this call took effect"));
    assert!(!house.workspace().join("one").exists());
}

#[tokio::test]
async fn a_read_only_call_that_had_begun_runs_again() {
    let house = House::new().await;
    std::fs::write(house.workspace().join("note"), "four words in it").unwrap();
    let reply = calls([("1", "probe_read", op(json!({"op": "read", "path": "note"})))]);
    let turn = interrupted(&house, &reply).await;
    house.store.start_call(turn.id, "1", "probe_read", "{}", true).await.unwrap();
    house.script([Reply::text("done")]);
    assert_eq!(resumed(&house).await, "done");
    assert!(house.asked()[0].result().contains("four words"));
}

#[tokio::test]
async fn doubts_of_an_earlier_start_reach_the_owner_after_a_second_one() {
    let house = House::new().await;
    let turn = interrupted(&house, &calls([("1", "probe_write", write("one"))])).await;
    house.store.start_call(turn.id, "1", "probe_write", "{}", false).await.unwrap();
    let message = json!({"role": "tool", "tool_call_id": "1", "content": "uncertain"}).to_string();
    house.store.finish_call(turn.id, "1", &message, "uncertain").await.unwrap();
    house.script([Reply::text("done")]);
    assert!(resumed(&house).await.contains("`probe_write`"));
}

#[tokio::test]
async fn a_resumed_turn_has_the_rights_of_its_message_and_no_others() {
    let house = House::new().await;
    let mut message = house.message("a", "write");
    message.metadata = Some(json!({"rights": {"effects": Effects::READS_FILES}}).to_string());
    house.store.accept(message).await.unwrap();
    house.script([calls([("1", "probe_write", write("f"))]), Reply::text("done")]);
    resumed(&house).await;
    assert!(!house.workspace().join("f").exists());
}

#[tokio::test]
async fn a_shutdown_records_the_call_that_runs_and_the_next_start_goes_on() {
    let house = House::new().await;
    let slow = json!({"ops": [{"op": "sleep", "ms": 400}, {"op": "write", "path": "f", "text": "x", "flags": ["create", "write"]}]});
    house.script([calls([("1", "probe_write", slow), ("2", "probe_write", write("g"))])]);
    let submitted = house.submit("a", "go").await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    house.agent().shutdown().await;
    crate::house::to_end(submitted).await;
    assert!(house.workspace().join("f").exists() && !house.workspace().join("g").exists());
    let message = house.message("a", "x");
    let rights = SessionRights::of("test:a");
    assert!(house.agent().submit(message, rights).await.is_err());
    house.script([Reply::text("done")]);
    assert_eq!(house.new_agent().resume().await.unwrap(), 1);
    until(async || house.outbox().await == ["done"]).await;
    assert!(house.workspace().join("g").exists());
    assert_eq!(house.asked()[1].roles(), "user assistant tool tool");
}

#[tokio::test]
async fn a_history_of_a_resumed_turn_is_that_of_an_uninterrupted_one() {
    let (straight, broken) = (House::new().await, House::new().await);
    let reply = || calls([("1", "probe_none", op(json!({"op": "raw_output", "text": "x"})))]);
    straight.script([reply(), Reply::text("done")]);
    straight.ask("please").await;
    interrupted(&broken, &reply()).await;
    broken.script([Reply::text("done")]);
    resumed(&broken).await;
    let (straight, broken): (Vec<Arc<str>>, Vec<Arc<str>>) =
        (straight.history().await.messages, broken.history().await.messages);
    assert_eq!(straight[2..], broken[2..]);
}
