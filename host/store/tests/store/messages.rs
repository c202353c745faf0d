//! Accepting messages.

use super::{SESSION, accept, message, new_store};
use chiton_store::{Accepted, NewMessage, Outcome, Store};

#[tokio::test]
async fn an_accepted_message_is_there_after_reopening() {
    let (_folder, path, store) = new_store();
    let id = accept(&store, "1", "hello").await;
    drop(store);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.waiting_sessions().await.unwrap(), [SESSION]);
    let turn = store.next_turn(SESSION).await.unwrap().unwrap();
    assert_eq!(turn.inbox.id, id);
    assert_eq!(turn.inbox.message, message("1", "hello"));
    assert!(turn.inbox.received_at > 1_700_000_000_000);
}

#[tokio::test]
async fn a_message_that_comes_again_is_kept_once() {
    let (_folder, _path, store) = new_store();
    let first = accept(&store, "1", "hello").await;
    assert_eq!(store.accept(message("1", "hello")).await.unwrap(), Accepted::Duplicate(first));
    let turn = store.next_turn(SESSION).await.unwrap().unwrap();
    store.finish_turn(turn.id, None, Outcome::Done, None).await.unwrap();
    assert_eq!(store.accept(message("1", "hello")).await.unwrap(), Accepted::Duplicate(first), "even when answered");
    assert_eq!(store.next_turn(SESSION).await.unwrap(), None);
}

#[tokio::test]
async fn the_same_id_on_another_channel_or_account_is_another_message() {
    let (_folder, _path, store) = new_store();
    accept(&store, "1", "hello").await;
    let other_channel = NewMessage { channel: "mail".into(), ..message("1", "hello") };
    let other_account = NewMessage { account: "second".into(), ..message("1", "hello") };
    for other in [other_channel, other_account] {
        assert!(matches!(store.accept(other).await.unwrap(), Accepted::New(_)));
    }
}

#[tokio::test]
async fn sessions_that_wait_are_named_oldest_first() {
    let (_folder, _path, store) = new_store();
    for (chat, id) in [("b", "1"), ("a", "2"), ("b", "3"), ("c", "4")] {
        store.accept(NewMessage { chat_id: chat.into(), ..message(id, "hello") }).await.unwrap();
    }
    assert_eq!(store.waiting_sessions().await.unwrap(), ["terminal:b", "terminal:a", "terminal:c"]);
    let interrupted = store.next_turn("terminal:c").await.unwrap().unwrap();
    assert_eq!(store.waiting_sessions().await.unwrap(), ["terminal:b", "terminal:a", "terminal:c"]);
    store.finish_turn(interrupted.id, None, Outcome::Done, None).await.unwrap();
    assert_eq!(store.waiting_sessions().await.unwrap(), ["terminal:b", "terminal:a"]);
}

#[tokio::test]
async fn sessions_are_listed_with_their_turns() {
    let (_folder, _path, store) = new_store();
    accept(&store, "1", "one").await;
    accept(&store, "2", "two").await;
    let turn = store.next_turn(SESSION).await.unwrap().unwrap();
    store.finish_turn(turn.id, None, Outcome::Done, None).await.unwrap();
    let sessions = store.sessions().await.unwrap();
    let [session] = sessions.as_slice() else { panic!("{sessions:?}") };
    assert_eq!((session.session.as_str(), session.turns, session.waiting), (SESSION, 1, 1));
    assert!(session.updated_at >= session.created_at);
}

#[tokio::test]
async fn a_hundred_messages_at_once_are_all_kept() {
    let (_folder, path, store) = new_store();
    let writers = (0..100).map(|number| {
        let store = store.clone();
        tokio::spawn(async move { accept(&store, &number.to_string(), "hello").await })
    });
    let mut ids = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        ids.push(writer.await.unwrap());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 100);
    drop(store);
    assert_eq!(Store::open(&path).unwrap().sessions().await.unwrap()[0].waiting, 100);
}

#[tokio::test]
async fn a_write_whose_caller_has_gone_is_still_done() {
    let (_folder, _path, store) = new_store();
    let mut asked = Box::pin(store.accept(message("1", "hello")));
    std::future::poll_fn(|context| {
        let _ = asked.as_mut().poll(context);
        std::task::Poll::Ready(())
    })
    .await;
    drop(asked);
    assert!(matches!(store.accept(message("1", "hello")).await.unwrap(), Accepted::Duplicate(_)));
}
