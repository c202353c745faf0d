//! The window of a session that a model is shown.

use super::{SESSION, begin, new_store};
use chiton_store::{Outcome, Store};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;

#[tokio::test]
async fn a_session_without_messages_has_no_history() {
    let (_folder, _path, store) = new_store();
    assert!(store.history(SESSION, 1000).await.unwrap().turns.is_empty());
}

#[tokio::test]
async fn the_turn_that_runs_is_not_yet_history() {
    let (_folder, _path, store) = new_store();
    play(&store, 1, &[0], 10).await;
    let turn = begin(&store, "2", "now").await;
    store.append(turn.id, r#"{"role":"assistant"}"#).await.unwrap();
    assert_eq!(store.history(SESSION, 10_000).await.unwrap().into_messages().len(), 2);
    store.finish_turn(turn.id, None, Outcome::Done, None).await.unwrap();
    assert_eq!(store.history(SESSION, 10_000).await.unwrap().into_messages().len(), 4);
}

#[tokio::test]
async fn a_turn_that_does_not_fit_is_left_out_whole() {
    let (_folder, _path, store) = new_store();
    play(&store, 1, &[0], 10).await;
    let first = size(&store.history(SESSION, 10_000).await.unwrap().into_messages());
    play(&store, 2, &[0], 10).await;
    let both = size(&store.history(SESSION, 10_000).await.unwrap().into_messages());
    assert_eq!(store.history(SESSION, both).await.unwrap().into_messages().len(), 4);
    assert_eq!(store.history(SESSION, both - 1).await.unwrap().into_messages().len(), 2);
    assert!(store.history(SESSION, both - first - 1).await.unwrap().turns.is_empty());
}

#[tokio::test]
async fn sessions_do_not_see_each_other() {
    let (_folder, _path, store) = new_store();
    play(&store, 1, &[2], 10).await;
    assert!(store.history("terminal:other", 10_000).await.unwrap().turns.is_empty());
}

/// Plays a turn whose rounds make so many calls each; returns the size of its messages.
async fn play(store: &Store, number: usize, rounds: &[usize], length: usize) {
    let turn = begin(store, &number.to_string(), "go").await;
    for (round, calls) in rounds.iter().enumerate() {
        let ids = (0..*calls).map(|call| format!("t{number}r{round}c{call}")).collect::<Vec<_>>();
        let asked =
            json!({ "role": "assistant", "tool_calls": ids.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>() });
        store.append(turn.id, &asked.to_string()).await.unwrap();
        for id in ids {
            let result = json!({ "role": "tool", "tool_call_id": id, "content": "x".repeat(length) }).to_string();
            store.start_call(turn.id, &id, "grep", "{}", true).await.unwrap();
            store.finish_call(turn.id, &id, &result, "allowed").await.unwrap();
        }
    }
    store.finish_turn(turn.id, None, Outcome::Done, None).await.unwrap();
}

fn size(messages: &[Arc<str>]) -> usize {
    messages.iter().map(|message| message.len()).sum()
}

/// Says what is wrong with a window, if anything.
fn torn(messages: &[Arc<str>]) -> Option<String> {
    let mut open = HashSet::new();
    for (position, message) in messages.iter().enumerate() {
        let message: Value = serde_json::from_str(message).unwrap();
        if position == 0 && message["role"] != "user" {
            return Some(format!("begins with {message}"));
        }
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            open.insert(call["id"].as_str().unwrap().to_owned());
        }
        if let Some(id) = message["tool_call_id"].as_str().filter(|id| !open.remove(*id)) {
            return Some(format!("{id} has a result and no call"));
        }
    }
    open.into_iter().next().map(|id| format!("{id} has a call and no result"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]
    #[test]
    fn a_window_never_splits_a_call_from_its_result(
        turns in prop::collection::vec((prop::collection::vec(0_usize..4, 0..4), 0_usize..300), 1..6),
        budgets in prop::collection::vec(0_usize..8000, 8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (_folder, _path, store) = new_store();
            for (number, (rounds, length)) in turns.iter().enumerate() {
                play(&store, number, rounds, *length).await;
            }
            let whole = store.history(SESSION, usize::MAX).await.unwrap().into_messages();
            for budget in budgets {
                let window = store.history(SESSION, budget).await.unwrap().into_messages();
                prop_assert!(whole.ends_with(&window));
                prop_assert!(size(&window) <= budget);
                prop_assert_eq!(torn(&window), None);
                // the next older turn would not have fitted
                let rest = &whole[..whole.len() - window.len()];
                let start = rest.iter().rposition(|message| message.contains(r#""role":"user""#));
                prop_assert!(start.is_none_or(|start| size(&whole[start..]) > budget));
            }
            Ok(())
        })?;
    }
}
