//! Databases that cannot be used: damaged, foreign, newer, locked, missing.

use super::{SESSION, accept, message, new_store};
use chiton_store::{Store, StoreError, StoreOptions};
use rusqlite::Connection;
use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

fn refused(path: &Path) -> StoreError {
    let before = fs::read(path).unwrap();
    let Err(error) = Store::open(path) else { panic!("{} was opened", path.display()) };
    assert_eq!(fs::read(path).unwrap(), before, "{} was changed", path.display());
    error
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chiton.db");
    fs::write(&path, "these are my notes, and they are long enough to be looked at\n".repeat(100)).unwrap();
    let error = refused(&path);
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains("chiton.db") && error.to_string().contains("move it aside"), "{error}");
}

#[tokio::test]
async fn a_damaged_first_page_is_refused_and_left_as_it_is() {
    let (_folder, path, store) = new_store();
    accept(&store, "1", "hello").await;
    drop(store);
    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(100)).unwrap();
    file.write_all(&[0xff; 400]).unwrap();
    assert!(matches!(refused(&path), StoreError::Damaged { .. }));
}

#[tokio::test]
async fn damage_further_in_is_said_when_it_is_met() {
    let (_folder, path, store) = new_store();
    accept(&store, "1", "hello").await;
    drop(store);
    let page: i64 = Connection::open(&path)
        .unwrap()
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'sessions'", [], |row| row.get(0))
        .unwrap();
    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start((page as u64 - 1) * 4096)).unwrap();
    file.write_all(&[0xff; 4096]).unwrap();
    let store = Store::open(&path).unwrap();
    let error = store.accept(message("2", "hello")).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    assert!(matches!(store.sessions().await, Err(StoreError::Damaged { .. })));
    assert!(!store.check().await.unwrap().is_empty());
}

#[test]
fn a_database_of_another_program_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chiton.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (a)").unwrap();
    assert!(matches!(refused(&path), StoreError::Foreign { .. }));
}

#[tokio::test]
async fn a_database_of_a_newer_chiton_is_refused_and_left_as_it_is() {
    let (_folder, path, store) = new_store();
    drop(store);
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = refused(&path);
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error:?}");
    assert!(error.to_string().contains("made by a newer chiton"), "{error}");
    assert!(matches!(Store::open_read_only(&path), Err(StoreError::Newer { .. })));
}

#[tokio::test]
async fn a_locked_database_is_said_to_be_locked_and_works_afterwards() {
    let (_folder, path, store) = new_store();
    drop(store);
    let options = StoreOptions { busy_timeout: Duration::from_millis(50), ..StoreOptions::default() };
    let store = Store::open_with(&path, options).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store.accept(message("1", "hello")).await.unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error:?}");
    other.execute_batch("ROLLBACK").unwrap();
    accept(&store, "1", "hello").await;
}

#[test]
fn reading_a_database_that_is_not_there_makes_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chiton.db");
    assert!(matches!(Store::open_read_only(&path), Err(StoreError::Missing { .. })));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_database_whose_making_was_interrupted_is_none_to_read_and_is_made_by_the_next_host() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chiton.db");
    fs::write(&path, "").unwrap();
    assert!(matches!(Store::open_read_only(&path), Err(StoreError::Missing { .. })));
    Store::open(&path).unwrap();
    Store::open_read_only(&path).unwrap();
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let Err(error) = Store::open(folder.path().join("missing/chiton.db")) else { panic!("opened") };
    assert!(error.to_string().contains("missing"), "{error}");
}

#[tokio::test]
async fn a_store_for_reading_sees_what_a_running_host_writes_and_writes_nothing() {
    let (_folder, path, store) = new_store();
    let reader = Store::open_read_only(&path).unwrap();
    accept(&store, "1", "hello").await;
    assert_eq!(reader.waiting_sessions().await.unwrap(), [SESSION]);
    assert!(matches!(reader.accept(message("2", "hello")).await, Err(StoreError::ReadOnly)));
    assert!(matches!(reader.next_turn(SESSION).await, Err(StoreError::ReadOnly)));
}

#[tokio::test]
async fn a_sound_database_passes_the_check() {
    let (_folder, _path, store) = new_store();
    accept(&store, "1", "hello").await;
    assert!(store.check().await.unwrap().is_empty());
}

#[test]
fn the_linked_sqlite_is_one_that_does_not_corrupt() {
    assert!(chiton_store::sqlite_version() >= "3.51.3", "{}", chiton_store::sqlite_version());
}
