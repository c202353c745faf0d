//! The store as its callers see it.
#![cfg(test)]

mod allowed;
mod audited;
mod crash;
mod deletion;
mod delivery;
mod disk;
mod history;
mod home;
mod jobs;
mod joined;
mod messages;
mod private;
mod recall;
mod sessions;
mod skills;
mod tasks;
mod turns;

use chiton_store::{Accepted, InboxId, NewMessage, NewOutbox, Store, Turn};
use std::path::PathBuf;
use tempfile::TempDir;

/// A message in the chat `terminal:default`.
fn message(external_id: &str, text: &str) -> NewMessage {
    NewMessage {
        channel: "terminal".into(),
        account: String::new(),
        external_id: external_id.into(),
        chat_id: "default".into(),
        sender: "ann".into(),
        text: text.into(),
        metadata: Some(r#"{"workspace":"/srv/notes"}"#.into()),
    }
}

const SESSION: &str = "terminal:default";
/// Set for a test that runs in a process of its own, because it changes the process.
const CHILD: &str = "CHITON_TEST_CHILD";

fn answer(text: &str) -> NewOutbox {
    NewOutbox { channel: "terminal".into(), chat_id: "default".into(), text: text.into() }
}

/// A new store in a folder of its own.
fn new_store() -> (TempDir, PathBuf, Store) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chiton.db");
    let store = Store::open(&path).unwrap();
    (folder, path, store)
}

async fn accept(store: &Store, external_id: &str, text: &str) -> InboxId {
    match store.accept(message(external_id, text)).await.unwrap() {
        Accepted::New(id) => id,
        Accepted::Duplicate(id) => panic!("{id:?} was there before"),
    }
}

async fn begin(store: &Store, external_id: &str, text: &str) -> Turn {
    accept(store, external_id, text).await;
    store.next_turn(SESSION).await.unwrap().unwrap()
}
