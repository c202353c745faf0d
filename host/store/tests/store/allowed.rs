//! Approvals and grants.

use super::new_store;
use chiton_store::{ApprovalRow, Store};

fn approval(name: &str, digest: &str) -> ApprovalRow {
    ApprovalRow {
        name: name.into(),
        component_digest: digest.into(),
        definitions_digest: "d".into(),
        path: Some("/srv/weather.wasm".into()),
        grants_json: "{}".into(),
        approved_at: 1,
        revoked_at: None,
    }
}

#[tokio::test]
async fn approvals_are_kept_by_name_and_the_last_one_counts() {
    let (_folder, path, store) = new_store();
    for (name, digest) in [("weather", "a"), ("notes", "b"), ("weather", "c")] {
        store.approve(approval(name, digest)).await.unwrap();
    }
    drop(store);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.approvals().await.unwrap(), [approval("notes", "b"), approval("weather", "c")]);
}

#[tokio::test]
async fn an_approval_can_be_taken_back_once() {
    let (_folder, _path, store) = new_store();
    store.approve(approval("weather", "a")).await.unwrap();
    assert!(store.revoke("weather").await.unwrap());
    assert!(store.approvals().await.unwrap()[0].revoked_at.is_some());
    assert!(!store.revoke("weather").await.unwrap());
    assert!(!store.revoke("nothing").await.unwrap());
}

#[tokio::test]
async fn grants_of_a_tool_are_replaced_and_returned() {
    let (_folder, _path, store) = new_store();
    for (tool, grants) in [("file", Some("[1]")), ("exec", Some("[2]")), ("file", Some("[3]")), ("exec", None)] {
        store.set_tool_grants(tool, grants).await.unwrap();
    }
    assert_eq!(store.tool_grants().await.unwrap(), [("file".to_owned(), "[3]".to_owned())]);
}
