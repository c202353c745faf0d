//! The outbox.

use super::{answer, begin, new_store};
use chiton_store::{OutboxId, Outcome, Store, StoreError};

async fn put(store: &Store, external_id: &str, text: &str) -> OutboxId {
    let turn = begin(store, external_id, "hello").await;
    store.finish_turn(turn.id, None, Outcome::Done, Some(answer(text))).await.unwrap().unwrap()
}

#[tokio::test]
async fn messages_wait_in_order_for_their_channel_only() {
    let (_folder, _path, store) = new_store();
    let ids = [put(&store, "1", "one").await, put(&store, "2", "two").await];
    let pending = store.pending_outbox("terminal").await.unwrap();
    assert_eq!(pending.iter().map(|message| message.id).collect::<Vec<_>>(), ids);
    assert!(store.pending_outbox("mail").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_delivered_message_waits_no_longer() {
    let (_folder, path, store) = new_store();
    let id = put(&store, "1", "one").await;
    store.mark_delivered(id).await.unwrap();
    drop(store);
    let store = Store::open(&path).unwrap();
    assert!(store.pending_outbox("terminal").await.unwrap().is_empty());
    assert!(matches!(store.mark_delivered(id).await, Err(StoreError::NotWaiting(_))));
}

#[tokio::test]
async fn a_failed_attempt_is_counted_and_the_message_waits_on() {
    let (_folder, _path, store) = new_store();
    let id = put(&store, "1", "one").await;
    for reason in ["timed out", "refused"] {
        store.mark_failed_attempt(id, reason).await.unwrap();
    }
    let pending = store.pending_outbox("terminal").await.unwrap();
    assert_eq!((pending[0].attempts, pending[0].last_error.as_deref()), (2, Some("refused")));
}

#[tokio::test]
async fn a_message_that_can_never_be_delivered_waits_no_longer() {
    let (_folder, _path, store) = new_store();
    let id = put(&store, "1", "one").await;
    store.mark_undeliverable(id, "the chat is gone").await.unwrap();
    assert!(store.pending_outbox("terminal").await.unwrap().is_empty());
}
