//! Which file runs: EXE-04 and EXE-14.

use crate::house::{House, hostile};
use chiton_native::{Directory, GrantError, NativeError, Pinned, ProgramGrant, Search};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use tokio_util::sync::CancellationToken;

/// A place with a program of ours, copied by another process so that no thread of this one holds it open for writing.
fn place(program: &Path, name: &str) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    copy(program, &place.path().join(name));
    place
}

fn copy(program: &Path, to: &Path) {
    let status = std::process::Command::new("/bin/cp").arg(program).arg(to).status().unwrap();
    assert!(status.success());
    mode(to, 0o755);
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn resolve(place: &Path, name: &str, writable: &[&Path]) -> Result<Pinned, GrantError> {
    let writable: Vec<_> = writable.iter().map(|path| path.canonicalize().unwrap()).collect();
    Pinned::resolve(ProgramGrant::parse(name).unwrap(), &Search::of(vec![place.to_owned()]), &writable)
}

fn reason(pinned: Result<Pinned, GrantError>) -> String {
    match pinned {
        Err(GrantError::Unsafe { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn exe_04_names_are_searched_in_the_systems_directories_only() {
    let pinned = House::approve("ls");
    assert!(pinned.path.starts_with("/usr/bin") || pinned.path.starts_with("/bin"), "{pinned:?}");
    assert_eq!(pinned.sha256.len(), 64);
    let unknown = Pinned::resolve(ProgramGrant::parse("chiton-native-hostile").unwrap(), &Search::default(), &[]);
    assert!(matches!(unknown, Err(GrantError::NotFound { .. })), "{unknown:?}");
    for name in ["./ls", "/tmp/ls", "bin/ls", "../ls", "-ls"] {
        assert!(matches!(ProgramGrant::parse(name), Err(GrantError::Name(_))), "{name}");
    }
}

#[tokio::test]
async fn exe_04_a_program_of_that_name_in_the_workspace_does_not_run() {
    let house = House::new();
    copy(&hostile(), &house.workspace().join("ls"));
    let outcome = house.allowed("ls", &["ls"]).await;
    assert_eq!(outcome.out(), "ls\n", "{outcome:?}");
}

#[test]
fn exe_04_a_program_that_a_tool_may_write_cannot_be_granted() {
    let place = place(&hostile(), "tool");
    assert!(reason(resolve(place.path(), "tool", &[place.path()])).contains("a tool may write"));
    assert!(reason(resolve(place.path(), "tool", &[place.path().parent().unwrap()])).contains("a tool may write"));
    assert!(resolve(place.path(), "tool", &[]).is_ok());
}

#[test]
fn exe_04_a_program_that_other_users_may_write_cannot_be_granted() {
    let place = place(&hostile(), "tool");
    let tool = place.path().join("tool");
    for bits in [0o775, 0o757] {
        mode(&tool, bits);
        assert!(reason(resolve(place.path(), "tool", &[])).contains("written by other users"));
    }
    mode(&tool, 0o755);
    mode(place.path(), 0o777);
    assert!(reason(resolve(place.path(), "tool", &[])).contains("written by other users"));
    mode(place.path(), 0o700);
    assert!(resolve(place.path(), "tool", &[]).is_ok());
}

#[test]
fn exe_04_set_uid_programs_and_scripts_cannot_be_granted() {
    let place = place(&hostile(), "tool");
    let tool = place.path().join("tool");
    for bits in [0o4755, 0o2755] {
        mode(&tool, bits);
        assert!(reason(resolve(place.path(), "tool", &[])).contains("rights of another"));
    }
    let script = place.path().join("lines");
    std::fs::write(&script, "#!/bin/sh\nid\n").unwrap();
    mode(&script, 0o755);
    assert!(reason(resolve(place.path(), "lines", &[])).contains("no compiled program"));
    std::fs::write(place.path().join("data"), "x").unwrap();
    mode(&place.path().join("data"), 0o644);
    assert!(reason(resolve(place.path(), "data", &[])).contains("no executable file"));
}

#[tokio::test]
async fn exe_14_a_changed_program_does_not_run_until_it_is_approved_again() {
    let house = House::new();
    let place = place(&hostile(), "tool");
    let tool = place.path().join("tool");
    let pinned = resolve(place.path(), "tool", &[]).unwrap();
    assert_eq!(house.run(&pinned, &["tool", "code", "7"]).await.code(), 7);

    // The same bytes in another file.
    let other = place.path().join("other");
    copy(&hostile(), &other);
    std::fs::rename(&other, &tool).unwrap();
    assert!(house.run(&pinned, &["tool", "code", "7"]).await.denied().starts_with("programs=tool"));

    // Other bytes in the same file.
    let pinned = resolve(place.path(), "tool", &[]).unwrap();
    let status = std::process::Command::new("/bin/sh")
        .args(["-c", "printf x >> \"$0\"", tool.to_str().unwrap()])
        .status()
        .unwrap();
    assert!(status.success());
    let outcome = house.run(&pinned, &["tool", "code", "7"]).await;
    assert!(matches!(outcome.result, Err(NativeError::Denied { ref reason, .. }) if reason.contains("has changed")));

    let again = resolve(place.path(), "tool", &[]).unwrap();
    assert_eq!(house.run(&again, &["tool", "code", "7"]).await.code(), 7);
}

#[tokio::test]
async fn exe_14_a_program_under_a_directory_that_became_writable_does_not_run() {
    let house = House::new();
    let place = place(&hostile(), "tool");
    let pinned = resolve(place.path(), "tool", &[]).unwrap();
    let directories = [house.directory(), Directory::open(place.path(), true).unwrap()];
    let argv = ["tool", "code", "0"];
    let outcome = house.run_in(&pinned, &argv, &directories, &house.workspace(), &CancellationToken::new()).await;
    assert_eq!(outcome.denied(), "programs=tool");
}

#[tokio::test]
async fn exe_14_a_moved_directory_is_not_replaced_by_another_of_its_name() {
    let house = House::new();
    let directories = [house.directory()];
    let elsewhere = house.root.path().join("elsewhere");
    std::fs::rename(house.workspace(), &elsewhere).unwrap();
    std::os::unix::fs::symlink("/usr", house.root.path().join("workspace")).unwrap();
    let cwd = directories[0].path().to_owned();
    let run = || house.run_in_ls(&directories, &cwd);
    assert!(run().await.denied().starts_with("files="));
    std::fs::remove_file(&cwd).unwrap();
    std::fs::create_dir(&cwd).unwrap();
    assert!(run().await.denied().starts_with("files="));
    std::fs::remove_dir(&cwd).unwrap();
    std::fs::rename(&elsewhere, &cwd).unwrap();
    assert_eq!(run().await.code(), 0);
}

impl House {
    async fn run_in_ls(&self, directories: &[Directory], cwd: &Path) -> crate::house::Outcome {
        self.run_in(&House::approve("ls"), &["ls"], directories, cwd, &CancellationToken::new()).await
    }
}
