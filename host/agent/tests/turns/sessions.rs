//! Sessions beside each other, messages one after another, and the owner's word to stop.

use crate::house::{House, Say, answer, calls, op, to_end, until};
use chiton_agent::{AgentError, AgentSettings, TurnEvent};
use chiton_providers::Reply;
use chiton_sandbox::{SessionRights, Verdict};
use serde_json::json;
use std::time::{Duration, Instant};

fn nap(ms: u64) -> Reply {
    calls([("1", "probe_none", op(json!({"op": "sleep", "ms": ms})))])
}

#[tokio::test]
async fn messages_of_one_session_are_answered_one_after_another() {
    let house = House::new().await;
    house.script([Reply::text("one"), Reply::text("two")]);
    let first = house.submit("a", "first").await;
    let second = house.submit("a", "second").await;
    assert_eq!(answer(&to_end(first).await), "one");
    assert_eq!(answer(&to_end(second).await), "two");
    let roles: Vec<_> = house.asked().iter().map(|asked| asked.roles()).collect();
    assert_eq!(roles, ["user", "user assistant user"]);
}

#[tokio::test]
async fn sessions_run_beside_each_other() {
    let house = House::new().await;
    house.script([nap(500), nap(500), nap(500), Reply::text("x"), Reply::text("x"), Reply::text("x")]);
    let start = Instant::now();
    let (a, b, c) = (house.submit("a", "go").await, house.submit("b", "go").await, house.submit("c", "go").await);
    tokio::join!(to_end(a), to_end(b), to_end(c));
    assert!(start.elapsed() < Duration::from_millis(1_300), "{:?}", start.elapsed());
}

#[tokio::test]
async fn no_more_turns_run_than_the_owner_allows() {
    let mut house = House::new().await;
    house.settings = AgentSettings { max_concurrent_turns: 1, ..house.settings };
    house.script([nap(300), Reply::text("x"), nap(300), Reply::text("x")]);
    let start = Instant::now();
    let (a, b) = (house.submit("a", "go").await, house.submit("b", "go").await);
    tokio::join!(to_end(a), to_end(b));
    assert!(start.elapsed() >= Duration::from_millis(600));
}

#[tokio::test]
async fn the_same_message_is_answered_once() {
    let house = House::new().await;
    let message = house.message("a", "hi");
    let rights = || SessionRights::of("test:a");
    let first = house.agent().submit(message.clone(), rights()).await.unwrap();
    let again = house.agent().submit(message, rights()).await.unwrap();
    assert!(again.duplicate && !first.duplicate && again.inbox == first.inbox);
    assert!(to_end(again).await.is_empty());
    to_end(first).await;
    assert_eq!(house.asked().len(), 1);
}

#[tokio::test]
async fn an_empty_or_endless_message_is_refused_in_one_sentence() {
    let house = House::new().await;
    let rights = || SessionRights::of("test:a");
    let empty = house.agent().submit(house.message("a", " \n"), rights()).await;
    assert!(matches!(empty, Err(AgentError::Empty)));
    let endless = house.agent().submit(house.message("a", &"x".repeat(10 << 20)), rights()).await;
    assert!(matches!(endless, Err(AgentError::TooLong { .. })));
    assert!(house.store.waiting_sessions().await.unwrap().is_empty());
}

#[tokio::test]
async fn cancelling_ends_a_reply_on_its_way() {
    let house = House::new().await;
    house.says([Say::Hang, Say::Reply(Reply::text("next"))]);
    let mut submitted = house.submit("a", "hi").await;
    assert!(matches!(submitted.events.recv().await, Some(TurnEvent::Text { .. })));
    assert!(house.agent().cancel("test:a"));
    assert_eq!(to_end(submitted).await.last(), Some(&TurnEvent::Cancelled));
    assert!(house.outbox().await.is_empty());
    assert_eq!(answer(&house.ask("go on").await), "next");
    let talk = house.asked()[1].talk();
    assert_eq!(house.asked()[1].roles(), "user assistant user");
    assert!(talk[1].1.starts_with("half\n[The user cancelled"), "{}", talk[1].1);
}

#[tokio::test]
async fn cancelling_ends_a_call_within_a_second_and_every_call_has_a_result() {
    let house = House::new().await;
    let nap = |id| (id, "probe_write", op(json!({"op": "sleep", "ms": 20_000})));
    house.script([calls([nap("1"), nap("2")])]);
    let submitted = house.submit("a", "wait").await;
    until(async || house.asked().len() == 1).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let start = Instant::now();
    assert!(house.agent().cancel("test:a"));
    let events = to_end(submitted).await;
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(events.last(), Some(&TurnEvent::Cancelled));
    let cancelled = |event: &&TurnEvent| matches!(event, TurnEvent::ToolFinished { verdict: Verdict::Cancelled, .. });
    assert_eq!(events.iter().filter(cancelled).count(), 2);
    assert_eq!(house.history().await.roles(), "user assistant tool tool assistant");
}

#[tokio::test]
async fn a_message_that_waits_can_be_cancelled_before_its_turn() {
    let mut house = House::new().await;
    house.settings = AgentSettings { max_concurrent_turns: 1, ..house.settings };
    house.script([nap(300), Reply::text("x")]);
    let busy = house.submit("b", "go").await;
    until(async || house.asked().len() == 1).await;
    let waiting = house.submit("a", "go").await;
    assert!(house.agent().cancel("test:a"));
    assert_eq!(to_end(waiting).await, [TurnEvent::Cancelled]);
    to_end(busy).await;
    assert!(!house.agent().cancel("test:a"));
}

#[tokio::test]
async fn a_reader_who_leaves_ends_nothing() {
    let house = House::new().await;
    house.script([nap(100), Reply::text("still here")]);
    drop(house.submit("a", "hi").await);
    until(async || house.outbox().await == ["still here"]).await;
}

#[tokio::test]
async fn a_long_session_is_sent_by_its_newest_part() {
    let mut house = House::new().await;
    house.settings = AgentSettings { context_window_tokens: 14_000, max_tokens: Some(1_000), ..house.settings };
    let text = "word ".repeat(400);
    for number in 0..60 {
        house.script([Reply::text(format!("{number} {text}"))]);
        house.ask(&text).await;
    }
    let largest = house.asked().iter().map(|asked| asked.size()).max().unwrap();
    assert!(largest <= 12_000 * 3 && largest > 12_000, "{largest}");
    let kept = house.store.read_messages("test:a", None, 200).await.unwrap();
    assert_eq!(kept.len(), 120, "what is not sent any more is kept");
}
