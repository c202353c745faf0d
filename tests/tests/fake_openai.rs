//! The fake model as a program.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

fn post(url: &str, body: &Value) -> String {
    let address = url.trim_start_matches("http://").trim_end_matches("/v1");
    let mut socket = TcpStream::connect(address).expect("the fake listens");
    let body = body.to_string();
    write!(
        socket,
        "POST /v1/chat/completions HTTP/1.1\r\nhost: fake\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("the fake reads");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("the fake answers");
    answer
}

#[test]
fn a_script_file_is_played_and_every_request_is_logged_until_the_input_ends() {
    let folder = tempfile::tempdir().unwrap();
    let (script, log) = (folder.path().join("script.json"), folder.path().join("log"));
    let rules = json!({ "rules": [
        { "when": "weather", "answer": "reply", "tool_calls": [{ "name": "look", "arguments": { "city": "Bern" } }] },
        { "times": 0, "answer": "reply", "text": "hello" },
        { "answer": "status", "status": 500 },
        { "answer": "raw", "pieces": ["data: [DONE]\n\n"], "end": "drop" },
    ]});
    std::fs::write(&script, rules.to_string()).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_fake-openai"))
        .args([script.as_os_str(), "--until-eof".as_ref(), "--log".as_ref(), log.as_os_str()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let ask =
        |text: &str| post(url.trim(), &json!({ "model": "m", "messages": [{ "role": "user", "content": text }] }));
    assert!(ask("how is the weather?").contains("\\\"Bern\\\""));
    assert!(ask("how is the weather?").contains("hello"));
    assert!(ask("hi").contains("hello"));
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    let logged = std::fs::read_to_string(log).unwrap();
    assert_eq!(logged.lines().count(), 3);
    assert!(logged.lines().all(|line| serde_json::from_str::<Value>(line).unwrap()["path"] == "/v1/chat/completions"));
}

#[test]
fn a_script_it_cannot_read_is_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_fake-openai")).arg("/nowhere.json").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("/nowhere.json cannot be read"));
}
