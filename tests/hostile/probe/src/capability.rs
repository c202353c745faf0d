//! Operations on interfaces that link for everybody and work with a grant only. The error is the
//! name of the failure's case and its text, such as `denied: network`.
//!
//! `fetch {url}` · `http {authority}` through `wasi:http` · `storage_get` · `storage_set` · `storage_remove` ·
//! `storage_keys` · `secret {name}` ·
//! `spawn {argv, directory, stdin, environment}`, which gives the exit code and what was written ·
//! `pipeline {stages, directory, kill}`, which gives the exit codes of all and what the last wrote · `schedule_add` · `schedule_jobs` · `schedule_remove` ·
//! `send {text, chat}` · `agent_start {task}` · `agent_wait {id}` · `agent_cancel` · `memory_search {text, chat}` ·
//! `memory_read {chat, before}` · `invoke {tool}` · `ask {text}`.

use crate::bindings::chiton::tool::tool_types::Failure;
use crate::bindings::chiton::tool::{
    agents, http, memory, messaging, model, programs, schedule, secrets, storage, tools_invoke,
};
use crate::bindings::wasi::http::outgoing_handler;
use crate::bindings::wasi::http::types::{Fields, OutgoingRequest, Scheme};
use crate::bindings::wasi::io::streams::InputStream;
use crate::{Operation, Outcome};
use serde_json::{Value, json};

pub(crate) fn run(op: &Operation) -> Option<Outcome> {
    Some(match op.name() {
        "fetch" => told(http::fetch(&http::Request {
            method: "GET".to_owned(),
            url: op.text("url").to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            redirects: 0,
        })),
        "http" => wasi_http(op),
        "storage_get" => told(storage::get("key")),
        "storage_set" => told(storage::set("key", b"value")),
        "storage_remove" => told(storage::remove("key")),
        "storage_keys" => told(storage::keys("")),
        "secret" => Ok(json!(secrets::available(op.text("name")))),
        "spawn" => spawn(op),
        "pipeline" => pipeline(op),
        "schedule_add" => told(schedule::add("job", "do it", &schedule::Timing::Every(1))),
        "schedule_jobs" => told(schedule::jobs()),
        "schedule_remove" => told(schedule::remove("1")),
        "send" => told(messaging::send(op.0["chat"].as_str(), op.text("text"), &[])),
        "agent_start" => text(agents::start(op.0["task"].as_str().unwrap_or("do it"), "label")),
        "agent_wait" => text(agents::wait(op.0["id"].as_str().unwrap_or("1"))),
        "agent_cancel" => told(agents::cancel("1")),
        "memory_search" => text(memory::search(op.text("text"), op.0["chat"].as_str(), 10)),
        "memory_read" => text(memory::read(op.0["chat"].as_str(), op.0["before"].as_i64(), 10)),
        "invoke" => told(tools_invoke::invoke(op.text("tool"), "{}")),
        "ask" => told(model::ask("", op.text("text"))),
        _ => return None,
    })
}

fn text(result: Result<String, Failure>) -> Outcome {
    result.map(|text| json!(text)).map_err(wrong)
}

fn told<T>(result: Result<T, Failure>) -> Outcome {
    result.map(|_| Value::Null).map_err(wrong)
}

fn wrong(failure: Failure) -> String {
    let (case, text) = match failure {
        Failure::InvalidArguments(text) => ("invalid-arguments", text),
        Failure::Denied(text) => ("denied", text),
        Failure::NotFound(text) => ("not-found", text),
        Failure::TimedOut(text) => ("timed-out", text),
        Failure::Failed(text) => ("failed", text),
    };
    format!("{case}: {text}")
}

fn spawn(op: &Operation) -> Outcome {
    let texts =
        |key: &str| op.0[key].as_array().into_iter().flatten().filter_map(|word| word.as_str().map(str::to_owned));
    let environment = op.0["environment"].as_object().into_iter().flatten();
    let environment = environment.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()));
    let command = programs::Command {
        argv: texts("argv").collect(),
        environment: environment.collect(),
        working_directory: op.text("directory").to_owned(),
    };
    let (stdin, input) = programs::pipe().map_err(wrong)?;
    let (output, stdout) = programs::pipe().map_err(wrong)?;
    let (errors, stderr) = programs::pipe().map_err(wrong)?;
    let process = programs::spawn(&command, stdin, stdout, stderr).map_err(wrong)?;
    for piece in op.text("stdin").as_bytes().chunks(4096) {
        // A program that does not read to the end is no failure of this one.
        if input.blocking_write_and_flush(piece).is_err() {
            break;
        }
    }
    drop(input);
    let (stdout, stderr) = (read_all(&output), read_all(&errors));
    let code = process.wait().map_err(wrong)?;
    Ok(json!({ "code": code, "stdout": stdout, "stderr": stderr }))
}

fn pipeline(op: &Operation) -> Outcome {
    let stages = op.0["stages"].as_array().cloned().unwrap_or_default();
    let (mut stdin, input) = programs::pipe().map_err(wrong)?;
    drop(input);
    let mut processes = Vec::new();
    for stage in &stages {
        let argv = stage.as_array().into_iter().flatten().filter_map(|word| word.as_str().map(str::to_owned)).collect();
        let command =
            programs::Command { argv, environment: Vec::new(), working_directory: op.text("directory").to_owned() };
        let (output, stdout) = programs::pipe().map_err(wrong)?;
        let (_unread, stderr) = programs::pipe().map_err(wrong)?;
        processes.push(programs::spawn(&command, stdin, stdout, stderr).map_err(wrong)?);
        stdin = output;
    }
    if let Some(killed) = op.index("kill").and_then(|index| processes.get(index)) {
        killed.kill();
    }
    let stdout = read_all(&stdin);
    let codes = processes.iter().map(programs::Process::wait).collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    Ok(json!({ "codes": codes, "stdout": stdout }))
}

fn read_all(stream: &InputStream) -> String {
    let mut written = Vec::new();
    while let Ok(bytes) = stream.blocking_read(4096) {
        written.extend(bytes);
    }
    String::from_utf8_lossy(&written).into_owned()
}

fn wasi_http(op: &Operation) -> Outcome {
    let request = OutgoingRequest::new(Fields::new());
    request
        .set_scheme(Some(&Scheme::Http))
        .and_then(|()| request.set_authority(Some(op.text("authority"))))
        .and_then(|()| request.set_path_with_query(Some("/")))
        .map_err(|()| "refused-by-setter".to_owned())?;
    let response = outgoing_handler::handle(request, None).map_err(|code| format!("{code:?}"))?;
    response.subscribe().block();
    match response.get() {
        Some(Ok(Ok(response))) => Ok(json!(response.status())),
        Some(Ok(Err(code))) => Err(format!("{code:?}")),
        _ => Err("no response".to_owned()),
    }
}
