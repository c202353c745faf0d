//! The outbox.

use super::{answer, begin, new_store};
use chiton_store::{Attachment, DeliveryState, MOST_ATTACHED_BYTES, OutboxId, Outcome, Store, StoreError};

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

fn picture(size: usize) -> Attachment {
    Attachment { name: "fern.png".into(), mime: "image/png".into(), data: vec![7; size] }
}

#[tokio::test]
async fn files_go_along_with_a_message_until_it_is_delivered() {
    let (_folder, path, store) = new_store();
    let id = store.send(answer("look"), vec![picture(3), picture(4)]).await.unwrap();
    drop(store);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.pending_outbox("terminal").await.unwrap()[0].text, "look");
    assert_eq!(store.attachments(id).await.unwrap(), [picture(3), picture(4)]);
    store.mark_failed_attempt(id, "timed out").await.unwrap();
    assert_eq!(store.attachments(id).await.unwrap().len(), 2);
    store.mark_delivered(id).await.unwrap();
    assert!(store.attachments(id).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_became_of_a_message_can_be_asked() {
    let (_folder, _path, store) = new_store();
    let id = store.send(answer("look"), Vec::new()).await.unwrap();
    store.mark_failed_attempt(id, "timed out").await.unwrap();
    let state = store.outbox_state(id).await.unwrap().unwrap();
    assert_eq!((state.state, state.last_error.as_deref()), (DeliveryState::Pending, Some("timed out")));
    store.mark_delivered(id).await.unwrap();
    assert_eq!(store.outbox_state(id).await.unwrap().unwrap().state, DeliveryState::Delivered);
    assert_eq!(store.outbox_state(OutboxId(99)).await.unwrap(), None);
}

#[tokio::test]
async fn too_many_or_too_large_files_are_refused_and_nothing_is_sent() {
    let (_folder, _path, store) = new_store();
    let many = store.send(answer("look"), vec![picture(1); 6]).await.unwrap_err();
    assert!(many.to_string().contains("5 files"), "{many}");
    let large = store.send(answer("look"), vec![picture(MOST_ATTACHED_BYTES), picture(1)]).await.unwrap_err();
    assert!(matches!(large, StoreError::TooMuchAttached { .. }), "{large}");
    assert!(store.pending_outbox("terminal").await.unwrap().is_empty());
    store.send(answer("look"), vec![picture(MOST_ATTACHED_BYTES)]).await.unwrap();
}
