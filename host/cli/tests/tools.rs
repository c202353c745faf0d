//! `chiton tool`, `chiton grant` and `chiton audit`: a tool touches what its owner granted.
#![cfg(test)]

mod support;

use serde_json::json;
use std::time::{Duration, Instant};
use support::Home;

#[test]
fn the_built_in_tools_are_listed_and_described() {
    let home = Home::new();
    let list = home.run(&["tool", "list", "--json"]).good().json();
    let names: Vec<_> = list.as_array().unwrap().iter().filter_map(|tool| tool["name"].as_str()).collect();
    let expected = [
        "cron",
        "edit_file",
        "exec",
        "find_files",
        "grep",
        "list_dir",
        "message",
        "propose_skill",
        "read_file",
        "read_session",
        "search_memory",
        "spawn",
        "use_skill",
        "web_fetch",
        "web_search",
        "write_file",
    ];
    assert_eq!(names, expected);
    let shown = home.run(&["tool", "show", "read_file", "--json"]).good().json();
    assert_eq!(shown["effects"], json!(["reads-files"]));
    assert_eq!(shown["component"], "file");
    assert!(home.run(&["tool", "show", "read_file"]).good().stdout.contains("workspace:write"));
}

#[test]
fn a_call_works_in_the_workspace_and_needs_no_model() {
    let home = Home::new();
    home.call("write_file", json!({"path": "notes.md", "content": "hello\n"}), &[]).good();
    assert_eq!(std::fs::read_to_string(home.root().join("workspace/notes.md")).unwrap(), "hello\n");
    let read = home.call("read_file", json!({"path": "notes.md"}), &[]).good();
    assert!(read.stdout.contains("hello"), "{read:?}");
}

#[test]
fn a_denial_names_the_missing_grant_and_the_grant_makes_it_work() {
    let home = Home::new();
    let outside = home.file("secret.txt", b"canary\n");
    let path = json!({"path": outside});
    let grant = format!("files={}:read", home.work().display());
    let denied = home.call("read_file", path.clone(), &[]).bad(4, &format!("chiton grant add file {grant}"));
    assert!(!denied.stdout.contains("canary"));
    assert!(home.call("read_file", path.clone(), &[&grant]).good().stdout.contains("canary"));
    home.call("read_file", path.clone(), &[]).bad(4, &grant);
    home.run(&["grant", "add", "file", &grant]).good();
    assert!(home.call("read_file", path.clone(), &[]).good().stdout.contains("canary"));
    home.call("write_file", json!({"path": outside, "content": "x"}), &[]).bad(4, ":write");
    home.run(&["grant", "remove", "read_file", &grant]).good();
    home.call("read_file", path, &[]).bad(4, &grant);
}

#[test]
fn a_session_grant_replaces_the_tools_own_and_further_ones_add() {
    let home = Home::new();
    for name in ["a", "b"] {
        std::fs::create_dir(home.work().join(name)).unwrap();
        home.file(&format!("{name}/x.txt"), name.as_bytes());
    }
    home.call("write_file", json!({"path": "own.txt", "content": "own"}), &[]).good();
    let both = ["files=a:read", "files=b:read"];
    assert!(home.call("read_file", json!({"path": "x.txt"}), &both).good().stdout.contains('a'));
    let second = home.work().join("b/x.txt");
    assert!(home.call("read_file", json!({"path": second}), &both).good().stdout.contains('b'));
    let own = home.root().join("workspace/own.txt");
    home.call("read_file", json!({"path": own}), &both).bad(4, "files=");
    home.call("read_file", json!({"path": "own.txt"}), &[]).good();
}

#[test]
fn grants_are_kept_listed_and_taken_back() {
    let home = Home::new();
    let workspace = home.root().join("workspace");
    let own = format!("files={}:write", workspace.display());
    let work = home.work().display().to_string();
    let scratch = "files=scratch:read".to_owned();
    let listed = || home.run(&["grant", "list", "file", "--json"]).good().json()[0]["grants"].clone();
    assert_eq!(listed(), json!([own, scratch]));
    home.run(&["grant", "add", "file", "files=.:read"]).good();
    assert_eq!(listed(), json!([own, scratch, format!("files={work}:read")]));
    home.run(&["grant", "add", "file", "files=.:write"]).good();
    assert_eq!(listed(), json!([own, scratch, format!("files={work}:write")]));
    home.run(&["grant", "remove", "file", "files=.:write"]).good();
    home.run(&["grant", "remove", "file", "files=workspace:write"]).good();
    home.run(&["grant", "remove", "file", &scratch]).good();
    assert_eq!(listed(), json!([]));
    home.call("list_dir", json!({"path": "."}), &[]).bad(4, "files=");
}

#[test]
fn a_skill_is_read_by_its_name_and_what_it_was_granted_is_not_for_who_reads_it() {
    let home = Home::new();
    home.skill("weather", "Tells the weather.");
    let folder = home.root().join("skills/weather");
    std::fs::create_dir(folder.join("references")).unwrap();
    std::fs::write(folder.join("references/api.md"), "GET /v1").unwrap();
    let secret = home.file("secret.txt", b"canary");
    home.run(&["skill", "add", folder.to_str().unwrap(), "--approve"]).good();
    home.run(&["grant", "add", "weather", &format!("files={}:read", home.work().display())]).good();
    let used = |arguments| home.call("use_skill", arguments, &[]);
    let told = used(json!({"name": "weather"})).good().stdout;
    assert!(told.contains("Do it.\n") && told.contains("Other files of this skill: references/api.md."), "{told}");
    assert!(!told.contains("description:"), "the head is for the host: {told}");
    assert!(used(json!({"name": "weather", "file": "references/api.md"})).good().stdout.contains("GET /v1"));
    used(json!({"name": "weather", "file": secret})).bad(2, "is no file of the skill");
    used(json!({"name": "wether"})).bad(10, "there is no skill 'wether'");
}

#[test]
fn fs_18_no_tool_sees_the_folders_of_skills() {
    let home = Home::new();
    home.skill("weather", "Tells the weather.");
    let folder = home.root().join("skills/weather");
    home.call("read_file", json!({"path": folder.join("SKILL.md")}), &[]).bad(4, "files=");
    home.call("list_dir", json!({"path": folder}), &[]).bad(4, "files=");
    home.call("propose_skill", json!({"folder": folder}), &[]).bad(4, "files=");
}

#[test]
fn a_grant_that_cannot_be_given_says_why() {
    let home = Home::new();
    home.run(&["grant", "add", "file", "files=nowhere:read"]).bad(10, "nowhere");
    home.run(&["grant", "add", "file", "files=.:rw"]).bad(2, "'read' or 'write'");
    home.run(&["grant", "add", "file", "disk=."]).bad(2, "unknown kind of grant 'disk'");
    home.run(&["grant", "add", "file", "x"]).bad(2, "KIND=VALUE");
    home.run(&["grant", "add", "fil", "files=.:read"]).bad(10, "did you mean 'file'?");
    home.run(&["grant", "remove", "file", "files=.:read"]).bad(10, "does not have the grant");
}

#[test]
fn the_configuration_wins_over_the_table_and_is_edited_by_grant() {
    let home = Home::new();
    home.configure(r#"{"tools": {"file": {"grants": ["files=workspace:read"]}}}"#);
    home.call("write_file", json!({"path": "x", "content": "x"}), &[]).bad(4, ":write");
    home.run(&["grant", "add", "file", "files=.:write"]).good();
    let grants = home.run(&["config", "get", "tools.file.grants"]).good().json();
    assert_eq!(grants, json!(["files=workspace:read", format!("files={}:write", home.work().display())]));
}

#[test]
fn a_wrong_call_says_what_is_wrong() {
    let home = Home::new();
    home.call("read_fil", json!({}), &[]).bad(10, "did you mean 'read_file'?");
    home.call("read_file", json!({"path": 5}), &[]).bad(2, "'/path'");
    home.call("read_file", json!({}), &[]).bad(2, "path");
    home.run(&["tool", "call", "read_file", "[]"]).bad(2, "not a JSON object");
    home.run(&["tool", "call", "read_file", "{"]).bad(2, "not a JSON object");
    home.call("read_file", json!({"path": "none.txt"}), &[]).bad(10, "none.txt");
    home.run(&["tool", "show", "grpe"]).bad(10, "did you mean 'grep'?");
    assert_eq!(home.run(&["tool", "wat"]).code, 2);
}

#[test]
fn calls_and_denials_are_in_the_audit_trail() {
    let home = Home::new();
    assert_eq!(home.run(&["audit", "--json"]).good().json(), json!([]));
    home.call("list_dir", json!({"path": "."}), &[]).good();
    home.call("read_file", json!({"path": "/etc/passwd"}), &[]).bad(4, "files=/etc:read");
    let all = home.run(&["audit", "--json"]).good().json();
    assert_eq!(all[0]["tool"], "list_dir");
    assert_eq!(all[0]["verdict"], "allowed");
    let denied = home.run(&["audit", "--json", "--verdict", "denied"]).good().json();
    assert_eq!(denied.as_array().unwrap().len(), 1, "{denied}");
    assert!(denied[0]["rule"].as_str().unwrap().contains("files=/etc:read"), "{denied}");
    assert!(home.run(&["audit", "--since", "1h", "--tool", "list_dir"]).good().stdout.contains("list_dir"));
    home.run(&["audit", "--verdict", "maybe"]).bad(2, "the verdicts are");
    home.run(&["audit", "--since", "soon"]).bad(2, "is no span of time");
}

#[test]
fn an_approved_component_runs_until_it_is_revoked() {
    let home = Home::new();
    home.file("my_tool.wasm", &chiton_hostile::tool("hello"));
    home.call("hello", json!({}), &[]).bad(10, "there is no tool 'hello'");
    let approved = home.run(&["tool", "approve", "my_tool.wasm", "--json"]).good().json();
    assert_eq!((&approved["name"], &approved["tools"]), (&json!("my-tool"), &json!(["hello"])));
    assert!(home.call("hello", json!({}), &[]).good().stdout.contains("done"));
    assert!(home.run(&["grant", "list"]).good().stdout.contains("my-tool: nothing"));
    home.run(&["tool", "revoke", "my-tol"]).bad(10, "did you mean 'my-tool'?");
    home.run(&["tool", "revoke", "my-tool"]).good();
    home.call("hello", json!({}), &[]).bad(10, "there is no tool 'hello'");
    home.run(&["tool", "revoke", "file"]).bad(2, "is built in");
}

#[test]
fn cmp_14_what_was_approved_runs_and_not_what_the_file_became() {
    let home = Home::new();
    let file = home.file("greeter.wasm", &chiton_hostile::tool("hello"));
    home.run(&["tool", "approve", "greeter.wasm"]).good();
    std::fs::write(&file, chiton_hostile::tool("other")).unwrap();
    assert!(home.call("hello", json!({}), &[]).good().stdout.contains("done"));
    home.call("other", json!({}), &[]).bad(10, "there is no tool 'other'");
    home.run(&["tool", "approve", "greeter.wasm"]).good();
    home.call("other", json!({}), &[]).good();
    home.call("hello", json!({}), &[]).bad(10, "there is no tool 'hello'");
}

#[test]
fn cmp_15_changed_bytes_in_the_home_are_not_run() {
    let home = Home::new();
    home.file("greeter.wasm", &chiton_hostile::tool("hello"));
    home.run(&["tool", "approve", "greeter.wasm"]).good();
    let kept = std::fs::read_dir(home.root().join("skills")).unwrap().flatten().next().unwrap().path();
    std::fs::write(&kept, chiton_hostile::tool("hello2")).unwrap();
    std::fs::remove_dir_all(home.root().join("cache")).unwrap();
    home.call("hello", json!({}), &[]).bad(10, "there is no tool 'hello'");
    let list = home.run(&["tool", "list"]).good();
    assert!(list.stderr.contains("its bytes are not the approved ones"), "{list:?}");
    assert!(!list.stdout.contains("hello"));
}

#[test]
fn cmp_05_whatever_is_no_component_is_refused_in_a_sentence() {
    let home = Home::new();
    for (name, bytes) in chiton_hostile::files::all() {
        home.file("bad.wasm", &bytes);
        let ran = home.run(&["tool", "approve", "bad.wasm"]);
        assert_eq!(ran.code, 8, "{name}: {ran:#?}");
        assert_eq!(ran.stderr.lines().filter(|line| line.starts_with("chiton: ")).count(), 1, "{name}: {ran:#?}");
    }
    home.file("good.wasm", &chiton_hostile::tool("hello"));
    home.run(&["tool", "approve", "good.wasm"]).good();
}

#[test]
fn cmp_07_a_name_that_is_taken_stays_with_the_first() {
    let home = Home::new();
    home.file("thief.wasm", &chiton_hostile::tool("read_file"));
    home.run(&["tool", "approve", "thief.wasm"]).bad(8, "the name of the tool 'read_file' of 'file', which keeps it");
    home.run(&["tool", "approve", "thief.wasm", "--name", "file"]).bad(8, "is the name of a built-in component");
    home.run(&["tool", "approve", "thief.wasm", "--name", "../x"]).bad(2, "is no name for a component");
    home.file("honest.wasm", &chiton_hostile::tool("read_mail"));
    home.run(&["tool", "approve", "honest.wasm"]).good();
}

#[test]
fn fs_15_and_res_12_what_is_no_plain_file_or_too_large_is_refused_at_once() {
    let home = Home::new();
    let begun = Instant::now();
    home.run(&["tool", "approve", "none.wasm"]).bad(10, "none.wasm");
    home.run(&["tool", "approve", "."]).bad(8, "not a regular file");
    let made = std::process::Command::new("mkfifo").arg(home.work().join("pipe.wasm")).status().unwrap();
    assert!(made.success());
    home.run(&["tool", "approve", "pipe.wasm"]).bad(8, "not a regular file");
    let huge = std::fs::File::create(home.work().join("huge.wasm")).unwrap();
    huge.set_len(500 << 20).unwrap();
    home.run(&["tool", "approve", "huge.wasm"]).bad(8, "at most");
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn an_approved_component_has_the_grants_it_was_approved_with() {
    let home = Home::new();
    home.file("note.txt", b"canary");
    home.file("probe.wasm", &chiton_hostile::probe());
    let read = json!({"ops": [{"op": "read", "root": 0, "path": "note.txt"}]});
    home.run(&["tool", "approve", "probe.wasm"]).good();
    assert!(!home.call("probe_read", read.clone(), &[]).stdout.contains("ok\": \"canary"));
    home.run(&["tool", "approve", "probe.wasm", "--grant", "files=.:read"]).good();
    let given = home.call("probe_read", read.clone(), &[]).good();
    assert!(given.stdout.contains("canary"), "{given:?}");
    let effects = home.call("probe_none", read, &[]);
    assert!(!effects.stdout.contains("canary"), "{effects:?}");
}

#[test]
fn cmp_16_a_name_never_becomes_a_path_and_a_link_gives_only_what_it_led_to() {
    let home = Home::new();
    let first = home.file("first.wasm", &chiton_hostile::tool("first"));
    home.file("second.wasm", &chiton_hostile::tool("second"));
    for name in ["../x", "/x", "a/b", ".", "..", ""] {
        home.run(&["tool", "approve", "first.wasm", "--name", name]).bad(2, "is no name for a component");
    }
    std::os::unix::fs::symlink(&first, home.work().join("link.wasm")).unwrap();
    home.run(&["tool", "approve", "link.wasm", "--name", "linked"]).good();
    std::fs::remove_file(home.work().join("link.wasm")).unwrap();
    std::os::unix::fs::symlink("second.wasm", home.work().join("link.wasm")).unwrap();
    let listed = home.run(&["tool", "list"]).good();
    assert!(listed.stdout.contains("first") && !listed.stdout.contains("second"), "{listed:#?}");
}
