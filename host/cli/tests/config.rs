//! `chiton config`, and what a wrong configuration does to every command.
#![cfg(test)]

mod support;

use serde_json::json;
use std::io::Write;
use std::process::Stdio;
use support::{Home, mode};

#[test]
fn every_command_names_the_mistake_in_the_configuration() {
    let home = Home::empty();
    let table = [
        (r#"{"agents": {"defaults": {"modle": "x"}}}"#, "unknown key 'agents.defaults.modle'", "did you mean 'model'?"),
        (r#"{"channels": {}}"#, "'channels'", "is a NanoBot setting that Chiton does not have; remove it"),
        (r#"{"agents": {"defaults": {"maxTokens": "x"}}}"#, "'agents.defaults.maxTokens'", "expected u32"),
        (r#"{"providers": {"a": {"apiKey": "${CHITON_UNSET}"}}}"#, "${CHITON_UNSET}", "which is not set"),
        (r#"{"agents": "#, "is not valid JSON", "correct it there"),
        (r#"{"tools": {"file": {"grants": ["files=x"]}}}"#, "", ""),
    ];
    for (text, what, advice) in &table[..5] {
        home.configure(text);
        for command in [&["tool", "list"][..], &["config", "check"], &["chat", "-m", "x"], &["grant", "list"]] {
            home.run(command).bad(3, what).bad(3, advice);
        }
    }
    home.configure(table[5].0);
    home.run(&["grant", "list"]).bad(3, "tools.file.grants");
    home.configure(r#"{"tools": {"fiel": {"grants": []}}}"#);
    home.run(&["grant", "list"]).bad(3, "did you mean 'file'?");
}

#[test]
fn a_value_that_was_set_is_shown() {
    let home = Home::empty();
    home.run(&["config", "set", "agents.defaults.max_tokens", "12"]).good();
    assert_eq!(home.run(&["config", "get", "agents.defaults.maxTokens"]).good().stdout, "12\n");
    assert_eq!(home.run(&["config", "get", "agents.defaults.provider"]).good().stdout, "auto\n");
    home.run(&["config", "set", "agents.defaults.max_tokens", "null"]).good();
    assert_eq!(home.run(&["config", "get", "agents.defaults.maxTokens"]).good().stdout, "8192\n");
    home.run(&["config", "set", "agents.defaults.maxTokens", "none"]).bad(3, "agents.defaults.maxTokens");
    home.run(&["config", "get", "agents.defaults.model_name"]).bad(3, "did you mean 'model'?");
}

#[test]
fn comments_are_not_lost_by_accident() {
    let home = Home::empty();
    let text = "{\n  // keep me\n  agents: {},\n}\n";
    home.configure(text);
    home.run(&["config", "set", "agents.defaults.model", "m"]).bad(3, "has comments");
    assert_eq!(std::fs::read_to_string(home.root().join("config.json")).unwrap(), text);
    home.run(&["config", "set", "agents.defaults.model", "m", "--force"]).good();
}

#[test]
fn cred_10_a_secret_is_written_and_never_shown() {
    let home = Home::empty();
    home.run(&["config", "set", "providers.a.apiKey", "sk-canary-7f3a"]).bad(2, "can be seen by other users");
    let mut child = home.chiton(&["config", "set", "providers.a.apiKey"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"sk-canary-7f3a\n").unwrap();
    assert!(child.wait().unwrap().success());
    for command in [&["config", "get"][..], &["config", "get", "providers.a.apiKey"], &["config", "check"]] {
        let ran = home.run(command).good();
        assert!(!format!("{ran:?}").contains("canary"), "{ran:?}");
    }
    assert_eq!(mode(&home.root().join("config.json")), 0o600);
    assert!(std::fs::read_to_string(home.root().join("config.json")).unwrap().contains("sk-canary-7f3a"));
}

#[test]
fn the_schema_knows_every_key() {
    let schema = Home::empty().run(&["config", "schema"]).good().json();
    let defaults = &schema["properties"]["agents"]["properties"]["defaults"]["properties"];
    assert_eq!(defaults["maxToolIterations"]["maximum"], json!(200));
    assert!(schema["properties"]["providers"]["additionalProperties"]["properties"]["apiKey"].is_object());
}

#[test]
fn a_misspelt_provider_is_answered_with_the_nearest() {
    let home = Home::empty();
    home.configure(r#"{"agents": {"defaults": {"model": "m", "provider": "opnai"}}}"#);
    home.run(&["chat", "-m", "hi"]).bad(3, "did you mean 'openai'?");
    home.configure(r#"{"agents": {"defaults": {"model": "gpt-5"}}}"#);
    home.run(&["chat", "-m", "hi"]).bad(3, "OPENAI_API_KEY");
}
