//! A session as a file that NanoBot reads and writes too: a line about it, then one message a line.

use crate::exit::{Exit, Failure};
use chiton_store::{ImportedMessage, SessionState};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::{Map, Value, json};

/// What a file tells of a session.
#[derive(Debug, Default)]
pub struct Transcript {
    /// Its key, if the file tells it.
    pub key: Option<String>,
    /// When it began, in milliseconds since 1970.
    pub created_at: Option<i64>,
    /// Its messages, oldest first.
    pub messages: Vec<ImportedMessage>,
}

/// The lines of a session.
pub fn write(key: &str, state: &SessionState, messages: &[ImportedMessage]) -> Result<String, Failure> {
    let mut lines = json!({
        "_type": "metadata", "key": key, "created_at": time(state.created_at), "updated_at": time(state.updated_at),
        "metadata": {}, "last_archived": 0, "last_consolidated": 0,
    })
    .to_string();
    for ImportedMessage { body, at_ms } in messages {
        let mut message: Map<String, Value> = serde_json::from_str(body).map_err(Failure::because(Exit::State))?;
        message.insert("timestamp".to_owned(), time(*at_ms).into());
        lines.push('\n');
        lines.push_str(&Value::Object(message).to_string());
    }
    lines.push('\n');
    Ok(lines)
}

/// Reads the lines of a session; the first that is wrong is named by its number.
pub fn read(text: &str) -> Result<Transcript, Failure> {
    let mut transcript = Transcript::default();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = |reason: &str| Failure::new(Exit::Usage, format!("line {} {reason}", number + 1));
        let mut message: Map<String, Value> = serde_json::from_str(line)
            .map_err(|error| wrong(&format!("is not a JSON object ({error}); correct it")))?;
        let at = |value: Option<Value>| match value {
            None => Ok(None),
            Some(value) => match value.as_str().and_then(milliseconds) {
                None => Err(wrong(&format!("has the time {value}; write it such as 2026-11-22T08:16:13"))),
                found => Ok(found),
            },
        };
        match message.get("_type").and_then(Value::as_str) {
            Some("metadata") => {
                transcript.key = message.get("key").and_then(Value::as_str).map(str::to_owned);
                transcript.created_at = at(message.remove("created_at"))?;
            }
            // what a provider wanted to remember is of no use to another program
            Some("provider_state") => {}
            Some(kind) => return Err(wrong(&format!("has the unknown _type '{kind}'; remove the line"))),
            None if !message.get("role").is_some_and(Value::is_string) => {
                return Err(wrong("has no role; a message needs one, such as user or assistant"));
            }
            None => {
                let before = transcript.messages.last().map(|message| message.at_ms).or(transcript.created_at);
                let at_ms = at(message.shift_remove("timestamp"))?.or(before).unwrap_or_default();
                transcript.messages.push(ImportedMessage { body: Value::Object(message).to_string(), at_ms });
            }
        }
    }
    Ok(transcript)
}

/// A time as NanoBot writes it: what the clock on the wall showed.
fn time(at: i64) -> String {
    let time = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::system());
    time.strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}

fn milliseconds(time: &str) -> Option<i64> {
    let local = || time.parse::<DateTime>().ok()?.to_zoned(TimeZone::system()).ok().map(|time| time.timestamp());
    time.parse::<Timestamp>().ok().or_else(local).map(Timestamp::as_millisecond)
}
