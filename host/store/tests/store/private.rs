//! Nobody else reads the database or puts another file in its place.

use super::{CHILD, accept, new_store};
use chiton_store::{PlaceError, Store, StoreError};
use rustix::fs::Mode;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn open_to_all(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn refused(path: &Path) -> PlaceError {
    match Store::open(path) {
        Err(StoreError::Place(error)) => error,
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("{} was opened", path.display()),
    }
}

#[tokio::test]
#[ignore = "run by the test below in a process with its own umask"]
async fn child_writes_under_umask_000() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let (folder, path, store) = new_store();
    drop(store);
    fs::remove_file(&path).unwrap();
    rustix::process::umask(Mode::empty());
    let store = Store::open(&path).unwrap();
    accept(&store, "1", "hello").await;
    let reader = Store::open_read_only(store.path()).unwrap();
    reader.sessions().await.unwrap();
    let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    assert_eq!(names.len(), 3, "database, log and its index: {names:?}");
    for path in names {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn loc_01_database_log_and_index_are_private_under_umask_000() {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "private::child_writes_under_umask_000", "--ignored"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && out.contains("1 passed"), "{out}");
}

#[tokio::test]
async fn loc_02_loose_modes_are_repaired_with_a_warning() {
    let (folder, path, store) = new_store();
    accept(&store, "1", "hello").await;
    let files = ["chiton.db", "chiton.db-wal", "chiton.db-shm"].map(|name| folder.path().join(name));
    for file in &files {
        open_to_all(file, 0o644);
    }
    let reader = Store::open_read_only(&path).unwrap();
    assert_eq!(reader.warnings().len(), 3, "{:?}", reader.warnings());
    for file in &files {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    drop((reader, store));
    open_to_all(&path, 0o666);
    let store = Store::open(&path).unwrap();
    assert!(store.warnings()[0].contains("mode 0666"), "{:?}", store.warnings());
    drop(store);
    assert!(Store::open(&path).unwrap().warnings().is_empty(), "tight modes are not warned about");
}

#[test]
fn loc_02_a_database_of_another_user_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chiton.db");
    fs::write(&path, "").unwrap();
    // only root can give a file away; the unit test in `place` covers the rule for everybody
    if std::os::unix::fs::chown(&path, Some(65533), None).is_ok() {
        assert_eq!(refused(&path), PlaceError::NotYours { path: path.canonicalize().unwrap(), owner: 65533 });
    }
}

#[test]
fn loc_03_a_link_in_place_of_the_database_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("target");
    fs::write(&target, "precious").unwrap();
    let path = folder.path().join("chiton.db");
    for target in [target.as_path(), Path::new("nowhere")] {
        symlink(target, &path).unwrap();
        assert!(matches!(refused(&path), PlaceError::Link { .. }));
        fs::remove_file(&path).unwrap();
    }
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
    assert!(!folder.path().join("nowhere").exists());
}

#[test]
fn loc_03_a_link_in_place_of_the_log_is_not_followed() {
    for suffix in ["-wal", "-shm", "-journal"] {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        fs::write(&target, "precious").unwrap();
        symlink(&target, folder.path().join(format!("chiton.db{suffix}"))).unwrap();
        assert!(matches!(refused(&folder.path().join("chiton.db")), PlaceError::Link { .. }), "{suffix}");
        assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
    }
}

#[test]
fn loc_03_a_fifo_or_folder_in_place_of_the_database_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo.db");
    let mode = Mode::RUSR | Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let inner = folder.path().join("folder.db");
    fs::create_dir(&inner).unwrap();
    for path in [fifo, inner] {
        assert!(matches!(refused(&path), PlaceError::WrongKind { .. }));
    }
}

#[test]
fn loc_07_a_folder_that_others_can_change_is_refused_and_a_sticky_one_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let shared = folder.path().join("shared");
    fs::create_dir_all(shared.join("mine")).unwrap();
    open_to_all(&shared, 0o777);
    for path in [shared.join("chiton.db"), shared.join("mine/chiton.db")] {
        let error = refused(&path);
        let named = matches!(&error, PlaceError::OpenFolder { folder, .. } if folder.ends_with("shared"));
        assert!(named, "{error:?}");
    }
    open_to_all(&shared, 0o1777);
    Store::open(shared.join("chiton.db")).unwrap();
}

#[test]
fn a_folder_reached_through_the_owners_link_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("real")).unwrap();
    symlink(folder.path().join("real"), folder.path().join("link")).unwrap();
    let store = Store::open(folder.path().join("link/chiton.db")).unwrap();
    assert!(store.path().ends_with("real/chiton.db"));
}
