//! Summaries, resets, spending, revisions and sessions from elsewhere.

use super::{SESSION, begin, message, new_store};
use chiton_store::{ImportedMessage, NewMessage, Outcome, Spend, Spent, Store, StoreError, TurnId};

/// Plays a turn of one message.
async fn said(store: &Store, id: &str) -> TurnId {
    let turn = begin(store, id, id).await;
    store.finish_turn(turn.id, None, Outcome::Done, None).await.unwrap();
    turn.id
}

/// The summary and the turns of the history, in short.
async fn shown(store: &Store) -> (Option<String>, Vec<TurnId>) {
    let history = store.history(SESSION, 10_000).await.unwrap();
    (history.summary.map(|body| body.to_string()), history.turns.into_iter().map(|turn| turn.id).collect())
}

#[tokio::test]
async fn a_summary_stands_for_the_turns_it_covers() {
    let (_folder, path, store) = new_store();
    let (first, second, third) = (said(&store, "1").await, said(&store, "2").await, said(&store, "3").await);
    assert!(store.summarise(SESSION, second, "Two things.").await.unwrap());
    assert_eq!(shown(&store).await, (Some("Two things.".into()), vec![third]));
    assert!(!store.summarise(SESSION, first, "One thing.").await.unwrap(), "an older one comes too late");
    drop(store);
    let store = Store::open(&path).unwrap();
    assert_eq!(shown(&store).await, (Some("Two things.".into()), vec![third]));
    assert!(store.summarise(SESSION, third, "All of it.").await.unwrap());
    assert_eq!(shown(&store).await, (Some("All of it.".into()), vec![]));
}

#[tokio::test]
async fn a_summary_covers_ended_turns_of_its_own_session_only() {
    let (_folder, _path, store) = new_store();
    let other = NewMessage { chat_id: "other".into(), ..message("x", "hello") };
    store.accept(other).await.unwrap();
    let running = begin(&store, "1", "hello").await.id;
    assert!(!store.summarise("terminal:other", running, "Not mine.").await.unwrap());
    assert!(!store.summarise(SESSION, running, "Too early.").await.unwrap());
}

#[tokio::test]
async fn after_a_reset_nothing_older_is_shown_and_all_of_it_can_be_read() {
    let (_folder, _path, store) = new_store();
    let (first, second) = (said(&store, "1").await, said(&store, "2").await);
    store.summarise(SESSION, first, "One thing.").await.unwrap();
    store.reset(SESSION).await.unwrap();
    assert_eq!(shown(&store).await, (None, vec![]));
    assert!(!store.summarise(SESSION, second, "Written before the reset.").await.unwrap());
    let third = said(&store, "3").await;
    assert_eq!(shown(&store).await, (None, vec![third]));
    assert_eq!(store.read_messages(SESSION, None, 10).await.unwrap().len(), 3);
    store.reset("terminal:never seen").await.unwrap();
}

#[tokio::test]
async fn a_session_is_known_with_its_model() {
    let (_folder, _path, store) = new_store();
    assert_eq!(store.session(SESSION).await.unwrap(), None);
    assert!(!store.set_model(SESSION, Some("large")).await.unwrap());
    said(&store, "1").await;
    store.accept(message("2", "waits")).await.unwrap();
    assert!(store.set_model(SESSION, Some("large")).await.unwrap());
    let state = store.session(SESSION).await.unwrap().unwrap();
    assert_eq!((state.model.as_deref(), state.turns, state.waiting), (Some("large"), 1, 1));
    assert!(state.created_at > 0 && state.updated_at >= state.created_at);
    store.set_model(SESSION, None).await.unwrap();
    assert_eq!(store.session(SESSION).await.unwrap().unwrap().model, None);
}

#[tokio::test]
async fn what_requests_took_is_summed_for_the_session_and_for_all() {
    let (_folder, _path, store) = new_store();
    let turn = begin(&store, "1", "hello").await.id;
    let spend = Spend { model: "m".into(), input: 10, cached: 4, output: 3, reasoning: 1, microdollars: Some(70) };
    store.spend(turn, spend.clone()).await.unwrap();
    store.spend(turn, Spend { microdollars: None, ..spend.clone() }).await.unwrap();
    store.spend(TurnId(99), Spend { model: "other".into(), ..spend }).await.unwrap();
    let twice = Spent { requests: 2, input: 20, cached: 8, output: 6, microdollars: 70, unpriced: 1 };
    assert_eq!(store.spent(Some(SESSION), 0).await.unwrap(), twice);
    let all = Spent { requests: 3, input: 30, cached: 12, output: 9, microdollars: 140, unpriced: 1 };
    assert_eq!(store.spent(None, 0).await.unwrap(), all);
    let began = store.session(SESSION).await.unwrap().unwrap().created_at;
    assert_eq!(store.spent(None, began - 60_000).await.unwrap(), all);
    assert_eq!(store.spent(None, began + 3_600_000).await.unwrap(), Spent::default());
    assert_eq!(store.spent(Some("terminal:other"), 0).await.unwrap(), Spent::default());
}

#[tokio::test]
async fn the_newest_fifty_versions_of_a_file_are_kept_and_equal_ones_once() {
    let (_folder, _path, store) = new_store();
    assert!(store.keep_revision("SOUL.md", "calm", "dream").await.unwrap());
    assert!(!store.keep_revision("SOUL.md", "calm", "again").await.unwrap());
    assert!(store.keep_revision("USER.md", "calm", "dream").await.unwrap());
    for number in 0..60 {
        store.keep_revision("SOUL.md", &format!("é{number}"), "edit").await.unwrap();
    }
    let kept = store.revisions("SOUL.md").await.unwrap();
    assert_eq!((kept.len(), kept[0].bytes, kept[0].reason.as_str()), (50, 4, "edit"));
    assert_eq!(store.revision(kept[0].id).await.unwrap().as_deref(), Some("é59"));
    assert_eq!(store.revisions("USER.md").await.unwrap().len(), 1);
    assert_eq!(store.revision(99_999).await.unwrap(), None);
}

fn lines(bodies: &[&str]) -> Vec<ImportedMessage> {
    let at = |number: usize| 1_000 + number as i64;
    bodies
        .iter()
        .enumerate()
        .map(|(number, body)| ImportedMessage { body: (*body).into(), at_ms: at(number) })
        .collect()
}

#[tokio::test]
async fn an_imported_session_has_whole_turns_and_goes_on() {
    let (_folder, _path, store) = new_store();
    let bodies = [
        r#"{"role":"user","content":"plant ferns"}"#,
        r#"{"role":"assistant","content":"","tool_calls":[{"id":"c1"}]}"#,
        r#"{"role":"tool","tool_call_id":"c1","content":"planted"}"#,
        r#"{"role":"assistant","content":"Done."}"#,
        r#"{"role":"user","content":"thanks"}"#,
    ];
    assert_eq!(store.import_session(SESSION, 500, lines(&bodies)).await.unwrap(), 2);
    let history = store.history(SESSION, 10_000).await.unwrap();
    assert_eq!(history.turns.iter().map(|turn| turn.messages.len()).collect::<Vec<_>>(), [4, 1]);
    assert_eq!(history.into_messages().iter().map(AsRef::as_ref).collect::<Vec<&str>>(), bodies);
    let state = store.session(SESSION).await.unwrap().unwrap();
    assert_eq!((state.created_at, state.updated_at, state.turns, state.waiting), (500, 1004, 2, 0));
    assert_eq!(store.next_turn(SESSION).await.unwrap(), None);
    said(&store, "1").await;
    assert_eq!(store.history(SESSION, 10_000).await.unwrap().turns.len(), 3);
}

#[tokio::test]
async fn an_import_names_the_line_that_is_no_message_and_keeps_nothing() {
    let (_folder, _path, store) = new_store();
    for bad in ["{", "[]", r#"{"content":"who says it?"}"#, ""] {
        let refused =
            store.import_session(SESSION, 1, lines(&[r#"{"role":"user","content":"a"}"#, bad])).await.unwrap_err();
        assert!(matches!(refused, StoreError::NoMessage { line: 2, .. }), "{refused:?}");
        assert!(refused.to_string().starts_with("line 2 is not a message"), "{refused}");
    }
    assert!(store.sessions().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_import_never_mixes_with_messages_that_are_there() {
    let (_folder, _path, store) = new_store();
    store.accept(message("1", "waits")).await.unwrap();
    let import = || store.import_session(SESSION, 1, lines(&[r#"{"role":"user","content":"a"}"#]));
    assert!(matches!(import().await, Err(StoreError::Taken(key)) if key == SESSION));
    let nowhere = store.import_session("nowhere", 1, Vec::new()).await;
    assert!(matches!(nowhere, Err(StoreError::NoKey(_))), "{nowhere:?}");
}

#[tokio::test]
async fn an_export_imported_under_another_key_is_the_same_session() {
    let (_folder, _path, store) = new_store();
    let bodies = [r#"{"role":"user","content":"a"}"#, r#"{"z":1,"role":"assistant","content":[],"a":2.50}"#];
    store.import_session(SESSION, 5, lines(&bodies)).await.unwrap();
    let exported = store.export(SESSION).await.unwrap();
    assert_eq!(exported, lines(&bodies));
    store.import_session("mail:b", 5, exported.clone()).await.unwrap();
    assert_eq!(store.export("mail:b").await.unwrap(), exported);
    assert!(matches!(store.export("terminal:none").await, Err(StoreError::NoSession(_))));
}

#[tokio::test]
async fn a_fork_goes_its_own_way_from_the_turn_it_was_made_at() {
    let (_folder, _path, store) = new_store();
    let (first, second) = (said(&store, "1").await, said(&store, "2").await);
    said(&store, "3").await;
    store.set_model(SESSION, Some("large")).await.unwrap();
    store.summarise(SESSION, first, "One thing.").await.unwrap();
    begin(&store, "4", "still runs").await;
    assert_eq!(store.fork(SESSION, "terminal:b", Some(second)).await.unwrap(), 2);
    assert_eq!(store.fork(SESSION, "terminal:c", None).await.unwrap(), 3);
    let history = store.history("terminal:b", 10_000).await.unwrap();
    assert_eq!((history.summary.as_deref(), history.turns.len()), (Some("One thing."), 1));
    assert_eq!(&*history.turns[0].messages[0], r#"{"role":"user","content":"2"}"#);
    assert_eq!(store.session("terminal:b").await.unwrap().unwrap().model.as_deref(), Some("large"));
    assert_eq!(store.next_turn("terminal:b").await.unwrap(), None);
    assert!(matches!(store.fork(SESSION, "terminal:b", None).await, Err(StoreError::Taken(_))));
    assert!(matches!(store.fork("terminal:none", "terminal:d", None).await, Err(StoreError::NoSession(_))));
    assert_eq!(store.delete_person("ann").await.unwrap().sessions.len(), 3, "a fork remembers who wrote");
}

#[tokio::test]
async fn a_fork_from_before_a_summary_does_not_tell_what_came_later() {
    let (_folder, _path, store) = new_store();
    let first = said(&store, "1").await;
    let second = said(&store, "2").await;
    store.summarise(SESSION, second, "Both things.").await.unwrap();
    store.fork(SESSION, "terminal:b", Some(first)).await.unwrap();
    let history = store.history("terminal:b", 10_000).await.unwrap();
    assert_eq!((history.summary, history.turns.len()), (None, 1));
}
