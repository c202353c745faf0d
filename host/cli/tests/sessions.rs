//! `chiton session`: what was said is listed, found, taken along and deleted.
#![cfg(test)]

mod support;

use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use support::{Home, mode};

/// A session as NanoBot writes it.
const NANOBOT: &str = r#"{"_type":"metadata","key":"telegram:42","created_at":"2026-03-01T08:16:13.097228","updated_at":"2026-03-02T08:16:13.5","metadata":{"_last_usage":{}},"last_archived":0,"last_consolidated":0}
{"_type":"provider_state","state":{}}
{"role":"user","content":"Where do ferns grow?","timestamp":"2026-03-01T08:16:13.100000","media":["a.png"]}
{"role":"assistant","content":"","tool_calls":[{"id":"call_1","type":"function","function":{"name":"list_dir","arguments":"{\"path\": \".\"}"}}],"timestamp":"2026-03-01T08:16:14"}
{"role":"tool","tool_call_id":"call_1","name":"list_dir","content":"ferns.md","timestamp":"2026-03-01T08:16:15"}
{"role":"assistant","content":"In the shade.","timestamp":"2026-03-01T08:16:16.250000","latency_ms":1200}
{"role":"user","content":"Thanks","timestamp":"2026-03-02T08:16:13.500000"}
"#;

fn imported() -> Home {
    let home = Home::empty();
    home.file("old.jsonl", NANOBOT.as_bytes());
    home.run(&["session", "import", "old.jsonl"]).good();
    home
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_session_of_nanobot_is_imported_listed_shown_and_found() {
    let home = imported();
    let listed = home.run(&["session", "list", "--json"]).good().json();
    assert_eq!((&listed[0]["session"], &listed[0]["turns"]), (&"telegram:42".into(), &2.into()));
    let shown = home.run(&["session", "show", "telegram:42"]).good().stdout;
    assert!(shown.contains("2026-03-01 08:16") && shown.contains("In the shade."), "{shown}");
    let last = home.run(&["session", "show", "telegram:42", "--limit", "1", "--json"]).good().json();
    assert_eq!((last[0]["text"].as_str(), last.as_array().unwrap().len()), (Some("Thanks"), 1));
    let found = home.run(&["session", "search", "grow", "FERNS"]).good().stdout;
    assert!(found.contains("Where do ferns grow?") && found.contains("[telegram:42]"), "{found}");
    assert_eq!(home.run(&["session", "search", "ferns.md", "--json"]).good().json(), serde_json::json!([]));
}

#[test]
fn an_export_has_nanobots_lines_and_imported_again_it_is_the_same() {
    let home = imported();
    let exported = home.run(&["session", "export", "telegram:42"]).good().stdout;
    let (written, read) = (lines(NANOBOT), lines(&exported));
    assert_eq!(read[0]["_type"], "metadata");
    assert_eq!((&read[0]["key"], &read[0]["last_consolidated"]), (&written[0]["key"], &0.into()));
    assert_eq!(read[0]["created_at"], "2026-03-01T08:16:13.097000");
    for (read, written) in read[1..].iter().zip(&written[2..]) {
        let told = |message: &Value| {
            let mut message = message.as_object().unwrap().clone();
            let time = message.shift_remove("timestamp").unwrap();
            (message, time.as_str().unwrap()[..19].to_owned())
        };
        assert_eq!(told(read), told(written));
    }
    home.run(&["session", "export", "telegram:42", "new.jsonl"]).good();
    assert_eq!(mode(&home.work().join("new.jsonl")), 0o600);
    home.run(&["session", "import", "new.jsonl", "--key", "terminal:copy"]).good();
    let again = home.run(&["session", "export", "terminal:copy"]).good().stdout;
    assert_eq!(again.replace("terminal:copy", "telegram:42"), exported);
}

#[test]
fn an_export_never_replaces_a_file() {
    let home = imported();
    home.run(&["session", "export", "telegram:42", "old.jsonl"]).bad(1, "cannot write old.jsonl");
    assert_eq!(std::fs::read_to_string(home.work().join("old.jsonl")).unwrap(), NANOBOT);
}

#[test]
fn an_import_names_the_line_that_is_wrong_and_keeps_nothing() {
    let home = Home::empty();
    for (bad, words) in [
        ("{", "line 2 is not a JSON object"),
        ("[]", "line 2 is not a JSON object"),
        (r#"{"content":"a"}"#, "line 2 has no role"),
        (r#"{"_type":"more"}"#, "line 2 has the unknown _type 'more'"),
        (r#"{"role":"user","timestamp":"soon"}"#, "line 2 has the time"),
    ] {
        home.file("bad.jsonl", format!("{{\"role\":\"user\",\"content\":\"a\"}}\n{bad}\n").as_bytes());
        home.run(&["session", "import", "bad.jsonl", "--key", "terminal:a"]).bad(2, words);
    }
    assert_eq!(home.run(&["session", "list", "--json"]).good().json(), serde_json::json!([]));
}

#[test]
fn an_import_needs_a_key_of_its_own() {
    let home = imported();
    home.file("plain.jsonl", b"{\"role\":\"user\",\"content\":\"a\"}\n");
    home.run(&["session", "import", "plain.jsonl"]).bad(2, "--key");
    home.run(&["session", "import", "plain.jsonl", "--key", "nowhere"]).bad(2, "CHANNEL:CHAT");
    home.run(&["session", "import", "plain.jsonl", "--key", "telegram:42"]).bad(2, "has messages already");
    home.run(&["session", "import", "missing.jsonl"]).bad(10, "missing.jsonl");
}

#[test]
fn an_unknown_session_is_answered_with_the_nearest_key() {
    let home = imported();
    for command in [
        &["session", "show", "telegram:43"][..],
        &["session", "export", "telegram:43"],
        &["session", "delete", "telegram:43", "--yes"],
        &["session", "fork", "telegram:43", "terminal:b"],
    ] {
        home.run(command).bad(10, "did you mean 'telegram:42'?");
    }
    Home::empty().run(&["session", "show", "terminal:a"]).bad(10, "there are none yet");
}

#[test]
fn a_copy_goes_its_own_way() {
    let home = imported();
    let told = home.run(&["session", "fork", "telegram:42", "terminal:b"]).good().stdout;
    assert!(told.contains("copied 2 turns into terminal:b"), "{told}");
    home.run(&["session", "delete", "telegram:42", "--yes"]).good();
    assert_eq!(lines(&home.run(&["session", "export", "terminal:b"]).good().stdout).len(), 6);
    home.run(&["session", "fork", "terminal:b", "terminal:b"]).bad(2, "has messages already");
}

#[test]
fn sec_a_deletion_is_confirmed_or_does_not_happen() {
    let home = imported();
    home.run(&["session", "delete", "telegram:42"]).bad(2, "add --yes");
    let mut piped = home.chiton(&["session", "delete", "telegram:42"]);
    let mut piped = piped.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    piped.stdin.take().unwrap().write_all(b"y\n").unwrap();
    assert_eq!(piped.wait_with_output().unwrap().status.code(), Some(2), "a pipe is not the owner");
    for unclear in [&["session", "delete", "--yes"][..], &["session", "delete", "a:b", "--person", "ann", "--yes"]] {
        assert_eq!(home.run(unclear).code, 2);
    }
    assert_eq!(home.run(&["session", "list", "--json"]).good().json().as_array().unwrap().len(), 1);
}

#[test]
fn sec_what_is_deleted_is_on_no_byte_of_the_home_and_its_scratch_is_gone() {
    let home = imported();
    let scratch = chiton_agent::scratch(&home.root().join("scratch"), "telegram:42").unwrap().path;
    std::fs::write(scratch.join("result.txt"), "In the shade.").unwrap();
    let told = home.run(&["session", "delete", "telegram:42", "--yes"]).good().stdout;
    assert!(told.contains("deleted 5 messages and telegram:42"), "{told}");
    assert!(!scratch.exists());
    assert_eq!(holding(&home.root(), "shade"), Vec::<String>::new());
}

#[test]
fn a_person_who_wrote_nothing_is_not_found() {
    imported().run(&["session", "delete", "--person", "ann", "--yes"]).bad(10, "nothing was kept of a sender 'ann'");
}

/// The files below `folder` that hold `text` in any case.
fn holding(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(holding(&path, text));
        } else if String::from_utf8_lossy(&std::fs::read(&path).unwrap_or_default()).to_lowercase().contains(text) {
            found.push(path.display().to_string());
        }
    }
    found
}
