//! The home and its lock.

use super::CHILD;
use chiton_store::{Home, HomeError, PlaceError};
use rustix::fs::Mode;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn refused(root: &Path) -> PlaceError {
    match Home::open(root) {
        Err(HomeError::Place(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
#[ignore = "run by the test below in a process with its own umask"]
fn child_makes_a_home_under_umask_000() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    rustix::process::umask(Mode::empty());
    let home = Home::open(&folder.path().join("home")).unwrap();
    let _lock = home.lock().unwrap();
    for folder in [home.root().to_path_buf(), home.cache(), home.skills(), home.programs(), home.workspace()] {
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
    }
    assert_eq!(mode(&home.lock_file()), 0o600);
    assert!(home.warnings().is_empty());
}

#[test]
fn loc_01_a_new_home_is_private_under_umask_000() {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "home::child_makes_a_home_under_umask_000", "--ignored"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && out.contains("1 passed"), "{out}");
}

#[test]
fn loc_02_loose_modes_in_a_home_are_repaired_with_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("home");
    let home = Home::open(&root).unwrap();
    fs::write(home.config(), "{}").unwrap();
    fs::set_permissions(home.config(), Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(home.root(), Permissions::from_mode(0o755)).unwrap();
    let repaired = Home::open(&root).unwrap();
    assert_eq!(repaired.warnings().len(), 2, "{:?}", repaired.warnings());
    assert_eq!((mode(&home.config()), mode(home.root())), (0o600, 0o700));
    assert!(Home::open(&root).unwrap().warnings().is_empty());
}

#[test]
fn loc_02_a_home_of_another_user_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("home");
    fs::create_dir(&root).unwrap();
    // only root can give a folder away; the unit test in `place` covers the rule for everybody
    if std::os::unix::fs::chown(&root, Some(65533), None).is_ok() {
        assert!(matches!(refused(&root), PlaceError::NotYours { owner: 65533, .. }));
    }
}

#[test]
fn loc_03_links_inside_a_home_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("home");
    fs::create_dir(&root).unwrap();
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, root.join("cache")).unwrap();
    assert!(matches!(refused(&root), PlaceError::Link { .. }));
    fs::remove_file(root.join("cache")).unwrap();
    let home = Home::open(&root).unwrap();
    symlink(elsewhere.join("file"), home.lock_file()).unwrap();
    assert!(matches!(home.lock(), Err(HomeError::Place(PlaceError::Link { .. }))));
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
}

#[test]
fn loc_03_a_fifo_in_place_of_the_lock_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::open(&folder.path().join("home")).unwrap();
    let mode = Mode::RUSR | Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, home.lock_file(), rustix::fs::FileType::Fifo, mode, 0).unwrap();
    assert!(matches!(home.lock(), Err(HomeError::Place(PlaceError::WrongKind { .. }))));
}

#[test]
fn loc_07_a_home_below_a_folder_that_others_can_change_is_refused_and_below_a_sticky_one_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let shared = folder.path().join("shared");
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, Permissions::from_mode(0o777)).unwrap();
    assert!(matches!(refused(&shared.join("home")), PlaceError::OpenFolder { .. }));
    assert!(!shared.join("home").exists());
    fs::set_permissions(&shared, Permissions::from_mode(0o1777)).unwrap();
    Home::open(&shared.join("home")).unwrap();
}

#[test]
fn a_home_kept_elsewhere_through_the_owners_link_is_used_there() {
    let folder = tempfile::tempdir().unwrap();
    let real = folder.path().join("real");
    fs::create_dir(&real).unwrap();
    let link = folder.path().join("link");
    symlink(&real, &link).unwrap();
    assert_eq!(Home::open(&link).unwrap().root(), real.canonicalize().unwrap());
}

#[test]
fn a_home_has_one_host_and_the_second_is_told_which_process_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::open(&folder.path().join("home")).unwrap();
    let lock = home.lock().unwrap();
    let held = home.lock().unwrap_err();
    assert!(matches!(held, HomeError::Held { pid: Some(pid), .. } if pid == std::process::id()), "{held:?}");
    assert!(held.to_string().contains(&format!("process {}", std::process::id())), "{held}");
    drop(lock);
    home.lock().unwrap();
}
