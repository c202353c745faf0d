//! Brings sessions over.

use super::{Fate, Report, Source, Target, session, without};
use crate::exit::Failure;
use chiton_store::{ImportedMessage, StoreError};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::path::Path;

/// What a message keeps; the rest is NanoBot's own.
const FIELDS: [&str; 5] = ["role", "content", "tool_calls", "tool_call_id", "reasoning_content"];

/// Brings every session that is not here.
pub async fn bring(source: &Source, target: &Target, report: &mut Report) -> Result<(), Failure> {
    let rows = match &target.store {
        Some(store) => store.sessions().await?,
        None => Vec::new(),
    };
    let mut taken: HashSet<String> =
        rows.into_iter().filter(|row| row.turns + row.waiting > 0).map(|row| row.session).collect();
    for file in
        source.files(Path::new("sessions"), 1).iter().filter(|file| file.extension().is_some_and(|end| end == "jsonl"))
    {
        let name = file.display().to_string();
        let Some((lines, damaged)) = report.read(&name, source.lines(file)) else { continue };
        let about = lines.iter().find(|line| line["_type"] == "metadata");
        let Some(theirs) = about.and_then(|about| about["key"].as_str()).filter(|key| key.contains(':')) else {
            report.add(Fate::Left, name, "its first line names no session");
            continue;
        };
        let (what, ours) = (format!("session {theirs}"), session(theirs));
        let created = about.and_then(|about| time(&about["created_at"])).unwrap_or_default();
        let (messages, dropped) = whole(messages(&lines, created));
        if messages.is_empty() {
            report.add(Fate::Left, what, "it has no messages");
            continue;
        }
        let why = format!("messages: {}, as {ours}{}", messages.len(), without(damaged + dropped, "damaged messages"));
        if !taken.insert(ours.clone()) {
            report.add(Fate::Kept, what, format!("{ours} has messages already"));
            continue;
        }
        if let (Some(store), Some(_)) = (&target.store, &target.host) {
            match store.import_session(&ours, created, messages).await {
                Err(error @ (StoreError::Taken(_) | StoreError::NoMessage { .. } | StoreError::NoKey(_))) => {
                    report.add(Fate::Left, what, error.to_string());
                    continue;
                }
                imported => drop(imported?),
            }
        }
        report.add(Fate::Brought, what, why);
    }
    Ok(())
}

/// The messages as wire JSON, with their times.
fn messages(lines: &[Value], created: i64) -> Vec<(Map<String, Value>, i64)> {
    let mut last = created;
    let mut messages = Vec::new();
    for line in lines.iter().filter(|line| line["_type"].is_null()) {
        last = time(&line["timestamp"]).unwrap_or(last);
        let kept = FIELDS.iter().filter_map(|field| Some(((*field).to_owned(), line.get(*field)?.clone())));
        messages.push((kept.filter(|(_, value)| !value.is_null()).collect(), last));
    }
    messages
}

/// Makes of it what servers accept: each call has one result, each result its call, and everybody says something.
/// Returns how many messages had to be left out.
fn whole(messages: Vec<(Map<String, Value>, i64)>) -> (Vec<ImportedMessage>, usize) {
    let role =
        |message: &Map<String, Value>| message.get("role").and_then(Value::as_str).unwrap_or_default().to_owned();
    let (mut kept, mut dropped, mut rest) = (Vec::new(), 0, messages.into_iter().peekable());
    while let Some((mut message, at)) = rest.next() {
        let results: Vec<_> = std::iter::from_fn(|| rest.next_if(|(next, _)| role(next) == "tool")).collect();
        let calls = message.get("tool_calls").and_then(Value::as_array).cloned().unwrap_or_default();
        let ids: Vec<Value> = calls.iter().map(|call| call["id"].clone()).filter(Value::is_string).collect();
        let calls = role(&message) == "assistant" && !ids.is_empty() && ids.len() == calls.len();
        let is_said = message.get("content").is_some_and(|content| *content != "");
        if !matches!(&*role(&message), "user" | "assistant") || !(calls || is_said) {
            dropped += 1 + results.len();
            continue;
        }
        let used = if calls { ids.len() } else { 0 };
        dropped += results.len().saturating_sub(used);
        if !calls {
            message.remove("tool_calls");
        } else if !is_said {
            message.insert("content".into(), Value::Null);
        }
        kept.push((message, at));
        for id in ids.into_iter().take(used) {
            let result = results.iter().find(|(result, _)| result.get("tool_call_id") == Some(&id)).cloned();
            kept.push(result.unwrap_or_else(|| (lost(id), at)));
        }
    }
    let imported = |(message, at_ms)| ImportedMessage { body: Value::Object(message).to_string(), at_ms };
    (kept.into_iter().map(imported).collect(), dropped)
}

/// In place of a result that NanoBot did not keep.
fn lost(id: Value) -> Map<String, Value> {
    let (role, content) = ("tool".into(), "(NanoBot did not keep this result)".into());
    Map::from_iter([("role".into(), role), ("tool_call_id".into(), id), ("content".into(), content)])
}

/// Milliseconds since 1970 of a time as Python writes it: without a zone it is the machine's.
fn time(value: &Value) -> Option<i64> {
    let text = value.as_str()?;
    let zoned = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::system()).ok().map(|zoned| zoned.timestamp());
    text.parse::<Timestamp>().ok().or_else(zoned).map(Timestamp::as_millisecond)
}
