//! Messages that arrive while their session's turn runs.

use super::{SESSION, accept, begin, message, new_store};
use chiton_store::{Accepted, MOST_WAITING, NewMessage, Outcome, Store, StoreError, TurnId};

async fn joined(store: &Store, turn: TurnId, most: usize) -> Vec<String> {
    let joined = store.join_waiting(turn, most).await.unwrap();
    joined.into_iter().map(|inbound| inbound.message.text).collect()
}

#[tokio::test]
async fn messages_that_wait_join_the_running_turn_in_their_order() {
    let (_folder, _path, store) = new_store();
    let turn = begin(&store, "1", "one").await;
    for (id, text) in [("2", "two"), ("3", "three"), ("4", "four")] {
        accept(&store, id, text).await;
    }
    assert_eq!(joined(&store, turn.id, 2).await, ["two", "three"]);
    assert_eq!(joined(&store, turn.id, 2).await, ["four"]);
    let resumed = store.next_turn(SESSION).await.unwrap().unwrap();
    assert_eq!((resumed.id, resumed.inbox.message.text.as_str()), (turn.id, "one"));
    let said = |text: &str| format!(r#"{{"role":"user","content":"{text}"}}"#);
    assert_eq!(
        resumed.steps.iter().map(AsRef::as_ref).collect::<Vec<&str>>(),
        ["one", "two", "three", "four"].map(said)
    );
}

#[tokio::test]
async fn a_joined_message_ends_with_its_turn_and_never_begins_one() {
    for outcome in [Outcome::Done, Outcome::Cancelled, Outcome::Failed("no model".into())] {
        let (_folder, path, store) = new_store();
        let turn = begin(&store, "1", "one").await;
        accept(&store, "2", "two").await;
        joined(&store, turn.id, 9).await;
        drop(store);
        let store = Store::open(&path).unwrap();
        assert_eq!(store.next_turn(SESSION).await.unwrap().unwrap().id, turn.id);
        store.finish_turn(turn.id, None, outcome, None).await.unwrap();
        assert_eq!(store.next_turn(SESSION).await.unwrap(), None);
        assert_eq!(store.waiting_sessions().await.unwrap(), [""; 0]);
        assert!(matches!(store.accept(message("2", "two")).await.unwrap(), Accepted::Duplicate(_)));
        assert_eq!(store.history(SESSION, 10_000).await.unwrap().turns.len(), 1);
    }
}

#[tokio::test]
async fn agt_a_message_of_another_sender_or_with_other_rights_does_not_join_nor_what_is_behind_it() {
    let others: [fn(NewMessage) -> NewMessage; 3] = [
        |message| NewMessage { sender: "bob".into(), ..message },
        |message| NewMessage { metadata: Some(r#"{"rights":"all"}"#.into()), ..message },
        |message| NewMessage { metadata: None, ..message },
    ];
    for other in others {
        let (_folder, _path, store) = new_store();
        let turn = begin(&store, "1", "one").await;
        store.accept(other(message("2", "two"))).await.unwrap();
        accept(&store, "3", "three").await;
        assert_eq!(joined(&store, turn.id, 9).await, [""; 0]);
        store.finish_turn(turn.id, None, Outcome::Done, None).await.unwrap();
        assert_eq!(store.next_turn(SESSION).await.unwrap().unwrap().inbox.message.text, "two");
    }
}

#[tokio::test]
async fn nothing_joins_a_turn_that_is_over() {
    let (_folder, _path, store) = new_store();
    let turn = begin(&store, "1", "one").await;
    store.finish_turn(turn.id, None, Outcome::Done, None).await.unwrap();
    accept(&store, "2", "two").await;
    assert_eq!(joined(&store, turn.id, 9).await, [""; 0]);
    assert_eq!(store.next_turn(SESSION).await.unwrap().unwrap().inbox.message.text, "two");
}

#[tokio::test]
async fn a_full_queue_refuses_new_messages_knows_old_ones_and_leaves_other_chats_alone() {
    let (_folder, _path, store) = new_store();
    begin(&store, "first", "I am being answered").await;
    for number in 0..MOST_WAITING {
        accept(&store, &number.to_string(), "hello").await;
    }
    let refused = store.accept(message("one more", "hello")).await.unwrap_err();
    assert!(matches!(refused, StoreError::TooMany { most: MOST_WAITING, .. }), "{refused:?}");
    assert!(refused.to_string().contains("200 messages waiting in this chat"), "{refused}");
    assert!(matches!(store.accept(message("7", "hello")).await.unwrap(), Accepted::Duplicate(_)));
    let elsewhere = NewMessage { chat_id: "other".into(), ..message("one more", "hello") };
    assert!(matches!(store.accept(elsewhere).await.unwrap(), Accepted::New(_)));
}
