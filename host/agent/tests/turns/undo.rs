//! What a turn changed in files is taken back, and nothing else.

use crate::house::{House, Say, answer, calls, to_end, until};
use chiton_agent::{UndoError, Undone};
use chiton_providers::Reply;
use chiton_sandbox::files::{Act, read_journal};
use chiton_sandbox::{Access, Capability, FileGrant, Grants, Ports};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const SESSION: &str = "test:a";

/// Everything in the workspace: kind and permissions, when it was written, bytes or the text of a link.
fn state(house: &House) -> BTreeMap<PathBuf, (u32, Option<SystemTime>, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![house.workspace()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = path.symlink_metadata().unwrap();
            let written = metadata.is_file().then(|| metadata.modified().unwrap());
            let content = match (metadata.is_file(), metadata.is_symlink()) {
                (true, _) => std::fs::read(&path).unwrap(),
                (_, true) => std::fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes(),
                _ => Vec::new(),
            };
            if metadata.is_dir() {
                waiting.push(path.clone());
            }
            found.insert(path, (metadata.mode(), written, content));
        }
    }
    found
}

/// A house with something in the workspace.
async fn house() -> House {
    let house = House::new().await;
    let at = |name: &str| house.workspace().join(name);
    std::fs::create_dir_all(at("sub/deep")).unwrap();
    std::fs::create_dir(at("empty")).unwrap();
    for (name, text) in [("note", "mine"), ("sub/note", "mine too"), ("sub/deep/note", "far down"), ("other", "other")]
    {
        std::fs::write(at(name), text).unwrap();
    }
    std::fs::set_permissions(at("note"), std::fs::Permissions::from_mode(0o750)).unwrap();
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_millis(1_234_567_890_123);
    std::fs::File::options().write(true).open(at("note")).unwrap().set_modified(long_ago).unwrap();
    std::os::unix::fs::symlink("note", at("link")).unwrap();
    house
}

/// A turn with one call of the probe for each group of operations, which must all succeed.
async fn turn(house: &House, groups: impl IntoIterator<Item = Value>) {
    let asked = house.asked().len();
    let groups: Vec<Value> = groups.into_iter().collect();
    let count = groups.len();
    house.script(groups.into_iter().map(|ops| calls([("1", "probe_everything", json!({ "ops": ops }))])));
    house.script([Reply::text("done")]);
    assert_eq!(answer(&house.ask("go").await), "done");
    for asked in &house.asked()[asked + 1..=asked + count] {
        assert!(!asked.result().contains("\"err\""), "{}", asked.result());
    }
}

async fn undo(house: &House) -> Undone {
    house.agent().undo(SESSION).await.unwrap()
}

fn names(house: &House, paths: &[String]) -> Vec<String> {
    let below = |path: &String| Path::new(path).strip_prefix(house.workspace()).unwrap().display().to_string();
    paths.iter().map(below).collect()
}

/// The lines of the newest journal, and where it is.
fn journal(house: &House) -> (PathBuf, String) {
    let journals = chiton_agent::journals(house.settings.undo.as_ref().unwrap(), SESSION);
    let newest = std::fs::read_dir(journals).unwrap().map(|entry| entry.unwrap().path()).max().unwrap();
    let log = newest.join("log");
    (log.clone(), std::fs::read_to_string(log).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_change_is_taken_back() {
    let changes = [
        json!([{"op": "write", "path": "note", "text": "theirs"}]),
        json!([{"op": "stream_write", "path": "note", "text": "theirs"}]),
        json!([{"op": "append", "path": "note", "text": ", and more"}]),
        json!([{"op": "truncate", "path": "note", "size": 1}]),
        json!([{"op": "utimes", "path": "note", "seconds": 1}]),
        json!([{"op": "unlink", "path": "note"}]),
        json!([{"op": "unlink", "path": "link"}]),
        json!([{"op": "rename", "path": "note", "to": "moved"}]),
        json!([{"op": "rename", "path": "note", "to": "other"}]),
        json!([{"op": "rename", "path": "sub", "to": "moved"}, {"op": "write", "path": "moved/note", "text": "x"}]),
        json!([{"op": "write", "path": "sub/note", "text": "x"}, {"op": "rename", "path": "sub", "to": "moved"}]),
        json!([{"op": "rename", "path": "sub", "to": "empty"}]),
        json!([{"op": "rmdir", "path": "empty"}]),
        json!([{"op": "rmdir", "path": "empty"}, {"op": "write", "path": "empty", "text": "x"}]),
        json!([{"op": "unlink", "path": "note"}, {"op": "mkdir", "path": "note"}, {"op": "write", "path": "note/a", "text": "x"}]),
        json!([{"op": "unlink", "path": "note"}, {"op": "write", "path": "note", "text": "again"}]),
        json!([{"op": "unlink", "path": "link"}, {"op": "symlink", "target": "other", "path": "link"}]),
        json!([{"op": "mkdir", "path": "new"}, {"op": "write", "path": "new/a", "text": "x"}, {"op": "mkdir", "path": "new/b"}]),
        json!([
            {"op": "unlink", "path": "sub/deep/note"}, {"op": "rmdir", "path": "sub/deep"},
            {"op": "unlink", "path": "sub/note"}, {"op": "rmdir", "path": "sub"},
        ]),
        json!([
            {"op": "write", "path": ".part", "text": "edited"}, {"op": "rename", "path": ".part", "to": "note"},
            {"op": "write", "path": ".part", "text": "twice"}, {"op": "rename", "path": ".part", "to": "note"},
        ]),
        json!([
            {"op": "rename", "path": "note", "to": "other"}, {"op": "rename", "path": "sub/note", "to": "other"},
            {"op": "write", "path": "note", "text": "new"}, {"op": "append", "path": "other", "text": "x"},
        ]),
    ];
    let house = house().await;
    let before = state(&house);
    for change in changes {
        turn(&house, [change.clone()]).await;
        assert_ne!(state(&house), before, "{change}");
        let undone = undo(&house).await;
        assert_eq!(undone.kept, [], "{change}");
        assert_eq!(state(&house), before, "{change}");
        // Call by call it is the same.
        turn(&house, change.as_array().unwrap().iter().map(|op| json!([op]))).await;
        assert_eq!(undo(&house).await.kept, [], "{change}, each in a call of its own");
        assert_eq!(state(&house), before, "{change}, each in a call of its own");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_tells_what_it_restored_and_what_it_removed() {
    let house = house().await;
    turn(
        &house,
        [
            json!([{"op": "write", "path": ".part", "text": "x"}, {"op": "rename", "path": ".part", "to": "note"}]),
            json!([{"op": "mkdir", "path": "new"}, {"op": "write", "path": "new/a", "text": "x"}]),
        ],
    )
    .await;
    let undone = undo(&house).await;
    assert!(names(&house, &undone.restored).contains(&"note".to_owned()), "{undone:?}");
    assert_eq!(names(&house, &undone.removed), ["new", "new/a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn turns_are_undone_one_after_the_other_and_those_without_changes_are_passed_over() {
    let house = house().await;
    let before = state(&house);
    turn(&house, [json!([{"op": "write", "path": "note", "text": "one"}])]).await;
    let between = state(&house);
    turn(&house, [json!([{"op": "write", "path": "note", "text": "two"}])]).await;
    turn(&house, [json!([{"op": "read", "path": "note"}])]).await;
    undo(&house).await;
    assert_eq!(state(&house), between);
    assert_eq!(undo(&house).await.kept, [], "what an undo restored is no foreign change");
    assert_eq!(state(&house), before);
    assert!(matches!(house.agent().undo(SESSION).await, Err(UndoError::Nothing)));
    assert!(matches!(house.agent().undo("test:b").await, Err(UndoError::Nothing)), "a chat undoes its own turns");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_only_reads_leaves_no_journal() {
    let house = house().await;
    turn(&house, [json!([{"op": "read", "path": "note"}, {"op": "list", "path": "sub"}])]).await;
    assert!(!house.settings.undo.as_ref().unwrap().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_owner_changed_since_is_left_alone_and_told() {
    let house = house().await;
    let at = |name: &str| house.workspace().join(name);
    turn(
        &house,
        [json!([
            {"op": "write", "path": "note", "text": "theirs"}, {"op": "unlink", "path": "other"},
            {"op": "mkdir", "path": "new"}, {"op": "rename", "path": "sub", "to": "moved"},
            {"op": "write", "path": "moved/note", "text": "theirs"},
        ])],
    )
    .await;
    std::fs::write(at("note"), "the owner's").unwrap();
    std::fs::write(at("other"), "the owner's").unwrap();
    std::fs::write(at("new/own"), "the owner's").unwrap();
    std::fs::write(at("moved/note"), "the owner's").unwrap();
    let undone = undo(&house).await;
    for name in ["note", "other", "new/own"] {
        assert_eq!(std::fs::read_to_string(at(name)).unwrap(), "the owner's", "{name}");
    }
    assert_eq!(std::fs::read_to_string(at("sub/note")).unwrap(), "the owner's", "the folder went back with it");
    let kept: Vec<_> = undone.kept.iter().map(|(path, _)| path.clone()).collect();
    let kept = names(&house, &kept);
    for name in ["note", "other", "new"] {
        assert!(kept.contains(&name.to_owned()), "{name}: {undone:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_owner_changed_between_two_calls_of_a_turn_is_not_lost() {
    let house = house().await;
    let note = house.workspace().join("note");
    turn(&house, [json!([{"op": "write", "path": "note", "text": "first"}])]).await;
    let (log, first) = journal(&house);
    std::fs::write(&note, "the owner's").unwrap();
    // The same turn goes on: its second call notes into the same journal.
    turn(&house, [json!([{"op": "truncate", "path": "note", "size": 0}])]).await;
    let (second_log, second) = journal(&house);
    std::fs::write(&log, first + &second).unwrap();
    for copy in std::fs::read_dir(second_log.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path()) {
        if copy != second_log {
            std::fs::copy(&copy, log.with_file_name(copy.file_name().unwrap())).unwrap();
        }
    }
    std::fs::remove_dir_all(second_log.parent().unwrap()).unwrap();
    let undone = undo(&house).await;
    assert_eq!(std::fs::read_to_string(&note).unwrap(), "the owner's");
    assert_eq!(undone.kept.len(), 1, "{undone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fs_04_a_link_planted_after_the_turn_leads_an_undo_nowhere() {
    let house = house().await;
    let outside = house.workspace().with_file_name("outside");
    std::fs::create_dir(&outside).unwrap();
    for name in ["note", "gone"] {
        std::fs::write(outside.join(name), "outside").unwrap();
    }
    let at = |name: &str| house.workspace().join(name);
    std::fs::write(at("sub/gone"), "mine").unwrap();
    turn(
        &house,
        [json!([
            {"op": "write", "path": "sub/note", "text": "theirs"}, {"op": "unlink", "path": "sub/gone"},
            {"op": "write", "path": "sub/new", "text": "theirs"}, {"op": "write", "path": "other", "text": "theirs"},
        ])],
    )
    .await;
    std::fs::rename(at("sub"), at("aside")).unwrap();
    std::os::unix::fs::symlink(&outside, at("sub")).unwrap();
    std::fs::remove_file(at("other")).unwrap();
    std::os::unix::fs::symlink(outside.join("note"), at("other")).unwrap();
    std::fs::remove_file(outside.join("gone")).unwrap();
    let undone = undo(&house).await;
    assert_eq!(std::fs::read_to_string(outside.join("note")).unwrap(), "outside");
    assert!(!outside.join("gone").exists(), "nothing is made behind a link");
    assert_eq!((undone.restored.len(), undone.removed.len()), (0, 0), "{undone:?}");
    assert!(undone.kept.len() >= 3, "{undone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fs_20_another_directory_in_the_place_of_the_granted_one_is_not_touched() {
    let house = house().await;
    turn(&house, [json!([{"op": "unlink", "path": "note"}])]).await;
    let workspace = house.workspace();
    std::fs::rename(&workspace, workspace.with_file_name("aside")).unwrap();
    std::fs::create_dir(&workspace).unwrap();
    let undone = undo(&house).await;
    assert_eq!(std::fs::read_dir(&workspace).unwrap().count(), 0);
    assert_eq!(undone.kept.len(), 1, "{undone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fs_17_a_journal_keeps_so_much_and_tells_what_it_did_not_keep() {
    let house = house().await;
    let big = house.workspace().join("big");
    std::fs::File::create(&big).unwrap().set_len((64 << 20) + 1).unwrap();
    turn(
        &house,
        [json!([{"op": "write", "path": "big", "text": "x"}, {"op": "rename", "path": "big", "to": "note"},
                {"op": "write", "path": "other", "text": "x"}])],
    )
    .await;
    let undone = undo(&house).await;
    assert_eq!(std::fs::read_to_string(house.workspace().join("other")).unwrap(), "other");
    assert_eq!(std::fs::read_to_string(house.workspace().join("note")).unwrap(), "mine", "a move needs no bytes");
    assert_eq!(big.metadata().unwrap().len(), (64 << 20) + 1, "and loses none");
    assert_eq!(undone.kept.len(), 1, "{undone:?}");
    assert!(undone.kept[0].1.contains("too large"), "{undone:?}");

    turn(&house, [json!([{"op": "write", "path": "copy", "text": "x"}, {"op": "unlink", "path": "big"}])]).await;
    let undone = undo(&house).await;
    assert!(house.workspace().join("copy").exists(), "it may be the copy of what is gone");
    assert_eq!(undone.kept.len(), 2, "{undone:?}");

    let many: Vec<Value> = (0..600).map(|n| json!({"op": "mkdir", "path": format!("d{n}")})).collect();
    let more: Vec<Value> = (600..1200).map(|n| json!({"op": "mkdir", "path": format!("d{n}")})).collect();
    turn(&house, [json!(many), json!(more)]).await;
    let size = journal(&house).1.len();
    assert!(size < 1 << 20, "{size} bytes");
    let undone = undo(&house).await;
    assert!(undone.removed.len() >= 900, "{}", undone.removed.len());
    assert!(undone.kept.iter().any(|(_, reason)| reason.contains("more than can be kept")), "{:?}", undone.kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_the_journal_and_the_change_leaves_nothing_to_undo() {
    let house = house().await;
    let before = state(&house);
    turn(&house, [json!([{"op": "write", "path": "note", "text": "theirs"}, {"op": "mkdir", "path": "new"}])]).await;
    let (log, lines) = journal(&house);
    let told: Vec<&str> = lines.lines().filter(|line| !line.contains("\"Left\"")).collect();
    // As it is after a crash: no word of what was left, and a line that breaks off.
    std::fs::write(&log, told.join("\n") + "\n{\"root\":[\"/").unwrap();
    std::fs::remove_dir(house.workspace().join("new")).unwrap();
    std::fs::write(house.workspace().join("note"), "half of it").unwrap();
    let undone = undo(&house).await;
    assert_eq!(std::fs::read_to_string(house.workspace().join("note")).unwrap(), "half of it");
    assert!(undone.kept.len() == 1 && undone.kept[0].1.contains("stopped while"), "{undone:?}");

    let undone_log = log.parent().unwrap().with_extension("undone");
    std::fs::rename(undone_log, log.parent().unwrap()).unwrap();
    let kept = read_journal(log.parent().unwrap()).unwrap();
    let copy = kept.iter().find_map(|line| match &line.act {
        Act::Changes(copy) if line.at.ends_with("note") => Some(log.with_file_name(copy)),
        _ => None,
    });
    assert_eq!(std::fs::read_to_string(copy.unwrap()).unwrap(), "mine", "the bytes of before are there");
    assert_eq!(before.len(), state(&house).len());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_undone_while_a_turn_runs() {
    let house = house().await;
    turn(&house, [json!([{"op": "write", "path": "note", "text": "theirs"}])]).await;
    house.says([Say::Hang]);
    let running = house.submit("a", "go on").await;
    until(async || house.asked().len() == 3).await;
    assert!(matches!(house.agent().undo(SESSION).await, Err(UndoError::Running)));
    assert!(house.agent().cancel(SESSION));
    to_end(running).await;
    until(async || !matches!(house.agent().undo(SESSION).await, Err(UndoError::Running))).await;
    assert_eq!(std::fs::read_to_string(house.workspace().join("note")).unwrap(), "mine");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_sub_agent_changed_is_undone_with_the_turn_that_gave_the_task() {
    let house = house().await;
    let before = state(&house);
    let grants = Grants {
        files: vec![FileGrant::directory(&house.workspace(), Access::Write).unwrap()],
        capabilities: [(Capability::Agents, vec!["spawn".to_owned()])].into(),
        ..Grants::default()
    };
    assert!(house.sandbox.set_grants("probe", grants));
    house.sandbox.set_ports(Ports { agents: Some(Arc::new(house.agent())), ..Ports::default() });
    let probe = |ops: Value| calls([("1", "probe_everything", json!({ "ops": ops }))]);
    house.script([
        probe(json!([{"op": "write", "path": "note", "text": "by the turn"},
                     {"op": "agent_start", "task": "write"}, {"op": "agent_wait", "id": "1"}])),
        probe(json!([{"op": "write", "path": "other", "text": "by the sub-agent"}])),
        Reply::text("written"),
        Reply::text("done"),
    ]);
    house.ask("go").await;
    assert_eq!(std::fs::read_to_string(house.workspace().join("other")).unwrap(), "by the sub-agent");
    until(async || !matches!(house.agent().undo(SESSION).await, Err(UndoError::Running))).await;
    assert_eq!(state(&house), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_ten_turns_can_be_undone() {
    let house = house().await;
    for number in 0..12 {
        turn(&house, [json!([{"op": "write", "path": format!("new{number}"), "text": "x"}])]).await;
    }
    for _ in 0..10 {
        undo(&house).await;
    }
    assert!(matches!(house.agent().undo(SESSION).await, Err(UndoError::Nothing)));
    assert!(house.workspace().join("new1").exists() && !house.workspace().join("new2").exists());
}
