//! F2, F3, F5, F6, F8, F9, F11: a folder that was granted is all there is, and no more is done to it than was granted.

use crate::support::Home;
use crate::{CANARY, files, gets_nothing, got, install, refused, was_refused};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

/// A folder with `a.txt` to grant, beside one with a canary.
fn granted(home: &Home) -> PathBuf {
    let folder = home.work().join("granted");
    for folder in [&folder, &home.work().join("outside")] {
        fs::create_dir(folder).unwrap();
    }
    fs::write(folder.join("a.txt"), "inside").unwrap();
    fs::write(home.work().join("outside/secret"), CANARY).unwrap();
    folder
}

#[test]
fn f2_no_spelling_of_a_path_leads_out_of_the_folder() {
    let home = Home::with_engine();
    let folder = granted(&home).display().to_string();
    let secret = home.work().join("outside/secret").display().to_string();
    install(&home, "thief", &files(&folder, "read"));
    let spellings = [
        "../outside/secret".to_owned(),
        secret.clone(),
        format!("/{secret}"),
        format!("{folder}/../outside/secret"),
        format!("{folder}//.//..//outside/secret"),
        "a.txt/../../outside/secret".to_owned(),
        "..\\outside\\secret".to_owned(),
        "%2e%2e/outside/secret".to_owned(),
        "~/work/outside/secret".to_owned(),
        "../OUTSIDE/SECRET".to_owned(),
        "../outside/secret\0".to_owned(),
        "a.txt\0/../outside/secret".to_owned(),
        format!("{}../outside/secret", "./".repeat(3_000)),
        "x".repeat(5_000),
    ];
    let work = spellings.iter().flat_map(|path| [json!(["read", path]), json!(["stat", path])]);
    gets_nothing(&home, "thief", work.collect());
    gets_nothing(&home, "thief", json!([["list", ".."], ["list", "/"], ["list", format!("{folder}/..")]]));
    was_refused(&home, "thief", &format!("files={}:read", home.work().join("outside").display()));
    assert_eq!(got(&home, "thief", json!([["read", "a.txt"], ["read", format!("{folder}/a.txt")]])), ["inside"; 2]);
}

#[test]
fn f3_a_link_leads_nowhere_outside() {
    let home = Home::with_engine();
    let folder = granted(&home);
    for (to, link) in [
        ("../outside/secret", "link"),
        ("link", "chained"),
        ("../outside", "folder"),
        ("nowhere", "dangling"),
        ("../outside/new", "new"),
        ("a.txt", "within"),
    ] {
        symlink(to, folder.join(link)).unwrap();
    }
    symlink(home.work().join("outside/secret"), folder.join("absolute")).unwrap();
    install(&home, "thief", &files(folder.display(), "write"));
    let links = ["link", "chained", "folder/secret", "folder", "dangling", "new", "absolute"];
    let work = links.iter().flat_map(|link| ["read", "stat", "list", "append"].map(|work| json!([work, link])));
    let escapes: Vec<Value> = work.filter(|work| *work != json!(["append", "dangling"])).collect();
    gets_nothing(&home, "thief", escapes.into());
    was_refused(&home, "thief", "link-leaves-grant");
    assert_eq!(fs::read_to_string(home.work().join("outside/secret")).unwrap(), CANARY);
    assert!(!home.work().join("outside/new").exists());
    assert_eq!(got(&home, "thief", json!([["read", "within"]])), ["inside"]);
}

#[test]
fn f5_what_was_granted_for_reading_stays_as_it_is() {
    let home = Home::with_engine();
    let folder = granted(&home);
    let before = fs::metadata(folder.join("a.txt")).unwrap().modified().unwrap();
    install(&home, "thief", &files(folder.display(), "read"));
    let changes = json!([
        ["write", "a.txt"],
        ["append", "a.txt"],
        ["remove", "a.txt"],
        ["rename", "a.txt", "b.txt"],
        ["write", "new"],
        ["make", "new"],
    ]);
    gets_nothing(&home, "thief", changes);
    was_refused(&home, "thief", &format!("files={}:write", folder.display()));
    assert_eq!(fs::read_to_string(folder.join("a.txt")).unwrap(), "inside");
    assert_eq!(fs::metadata(folder.join("a.txt")).unwrap().modified().unwrap(), before);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    install(&home, "editor", &files(folder.display(), "write"));
    got(&home, "editor", json!([["append", "a.txt"]]));
    assert_eq!(fs::read_to_string(folder.join("a.txt")).unwrap(), "insideevil");
}

#[test]
fn f6_what_is_no_plain_file_is_not_opened_and_a_file_with_two_names_not_written() {
    let home = Home::with_engine();
    let folder = granted(&home);
    fs::write(home.work().join("outside/shared"), "shared").unwrap();
    fs::hard_link(home.work().join("outside/shared"), folder.join("hard")).unwrap();
    assert!(Command::new("mkfifo").arg(folder.join("pipe")).status().unwrap().success());
    for (to, link) in [("/proc/self/environ", "environment"), ("/dev/zero", "zero"), ("/dev/fd/0", "input")] {
        symlink(to, folder.join(link)).unwrap();
    }
    install(&home, "thief", &files(folder.display(), "write"));
    let attempts = json!([
        ["read", "pipe"],
        ["write", "pipe"],
        ["read", "environment"],
        ["read", "zero"],
        ["read", "input"],
        ["read", "/proc/self/environ"],
        ["list", "/dev/fd"],
        ["write", "hard"],
        ["append", "hard"],
    ]);
    gets_nothing(&home, "thief", attempts);
    was_refused(&home, "thief", "not-a-regular-file");
    assert_eq!(fs::read_to_string(home.work().join("outside/shared")).unwrap(), "shared");
    assert_eq!(got(&home, "thief", json!([["write", "a.txt"]])), ["written"]);
}

#[test]
fn f8_a_folder_of_the_workspace_is_no_way_to_who_the_bot_is() {
    let home = Home::with_engine();
    let workspace = home.root().join("workspace");
    fs::create_dir_all(workspace.join("notes")).unwrap();
    fs::create_dir_all(workspace.join("memory")).unwrap();
    let own = ["AGENTS.md", "SOUL.md", "USER.md", "HEARTBEAT.md", "memory/MEMORY.md"];
    own.iter().for_each(|file| fs::write(workspace.join(file), CANARY).unwrap());
    install(&home, "thief", &files("workspace/notes", "write"));
    assert_eq!(got(&home, "thief", json!([["write", "note.md"]])), ["written"]);
    for file in own {
        let (beside, whole) = (format!("../{file}"), workspace.join(file));
        let rename = json!(["rename", "note.md", beside]);
        let work = ["read", "write", "append", "remove"].map(|work| [json!([work, beside]), json!([work, whole])]);
        gets_nothing(&home, "thief", work.into_iter().flatten().chain([rename]).collect());
        assert_eq!(fs::read_to_string(&whole).unwrap(), CANARY);
    }
    gets_nothing(&home, "thief", json!([["make", "../skills/evil"], ["list", ".."]]));
    was_refused(&home, "thief", &format!("files={}:write", workspace.display()));
}

#[test]
fn f8_the_whole_workspace_is_no_way_to_who_the_bot_is_either() {
    let home = Home::with_engine();
    let workspace = home.root().join("workspace");
    fs::create_dir_all(workspace.join("memory")).unwrap();
    let own = ["AGENTS.md", "SOUL.md", "USER.md", "HEARTBEAT.md", "memory/MEMORY.md"];
    own.iter().for_each(|file| fs::write(workspace.join(file), CANARY).unwrap());
    install(&home, "thief", &files("workspace", "write"));
    assert_eq!(got(&home, "thief", json!([["write", "note.md"]])), ["written"]);
    for file in own {
        let work = ["read", "write", "append", "remove"].map(|work| json!([work, file]));
        gets_nothing(&home, "thief", work.into_iter().chain([json!(["rename", "note.md", file])]).collect());
        assert_eq!(fs::read_to_string(workspace.join(file)).unwrap(), CANARY);
    }
    gets_nothing(&home, "thief", json!([["make", "skills/evil"], ["write", "skills/SKILL.md"], ["list", "memory"]]));
}

#[test]
fn f9_a_scratch_folder_is_its_skills_own() {
    let home = Home::with_engine();
    let scratch = files("scratch", "write");
    install(&home, "keeper", &scratch);
    install(&home, "thief", &scratch);
    assert_eq!(
        got(&home, "keeper", json!([["write", "own.txt"], ["list", "."]])),
        [json!("written"), json!(["own.txt"])]
    );
    let all = ["own.txt", "../keeper/own.txt", "../../results/call.txt"];
    let work = all.iter().flat_map(|path| [json!(["read", path]), json!(["remove", path])]);
    gets_nothing(&home, "thief", work.collect());
    gets_nothing(&home, "thief", json!([["list", ".."], ["list", "/tmp"], ["write", "../keeper/evil.txt"]]));
    assert_eq!(got(&home, "thief", json!([["list", "."]])), [json!([])]);
    was_refused(&home, "thief", "/skills/keeper:write");
    assert_eq!(got(&home, "keeper", json!([["list", "."], ["read", "own.txt"]])), [json!(["own.txt"]), json!("evil")]);
}

#[test]
fn f11_who_fills_its_folder_fills_nobody_elses() {
    let home = Home::with_engine();
    let scratch = files("scratch", "write");
    install(&home, "thief", &scratch);
    install(&home, "other", &scratch);
    gets_nothing(&home, "thief", json!([["fill", "."], ["write", "more"], ["make", "more"]]));
    assert!(refused(&home, "thief").contains(&"open quota".to_owned()), "{:?}", refused(&home, "thief"));
    assert_eq!(got(&home, "other", json!([["write", "own.txt"]])), ["written"]);
    home.call("write_file", json!({"path": "note.md", "content": "x"}), &[]).good();
    assert_eq!(got(&home, "thief", json!([["remove", "0.bin"], ["write", "0.bin"]])), ["removed", "written"]);
}
