//! Brings scheduled jobs over.

use super::{Fate, Report, Source, Target, session};
use crate::exit::Failure;
use chiton_channels::Terminal;
use chiton_schedule::Timing;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::HashSet;

/// Brings the jobs of the owner's chats, with the rights that the owner has there.
pub async fn bring(source: &Source, config: &Value, target: &Target, report: &mut Report) -> Result<(), Failure> {
    let rows = match &target.store {
        Some(store) => store.jobs(None).await?,
        None => Vec::new(),
    };
    let mut taken: HashSet<_> = rows.into_iter().map(|row| (row.chat_id, row.message, row.timing)).collect();
    let defaults = &config["agents"]["defaults"];
    let usual_zone = if defaults["timezoneMode"] == "auto" { None } else { defaults["timezone"].as_str() };
    for job in read(source, report) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (name, message, what) =
            (text(&job["name"]), text(&job["payload"]["message"]), format!("job {}", text(&job["name"])));
        let (timing, chat) = match (timing(&job["schedule"]), chat(&job["payload"])) {
            _ if job["payload"]["kind"] == "system_event" => {
                report.add(Fate::Left, what, "it is NanoBot's own");
                continue;
            }
            (Ok(timing), Ok(chat)) => (timing.to_string(), chat),
            (Err(reason), _) | (_, Err(reason)) => {
                report.add(Fate::Left, what, reason);
                continue;
            }
        };
        if !taken.insert((chat.clone(), message.clone(), timing.clone())) {
            report.add(Fate::Kept, what, "there is the same job already");
            continue;
        }
        let disabled = (job["enabled"] == false).then(|| "it was disabled in NanoBot".to_owned());
        let mut why = format!("{timing} in {}", Terminal::session(&chat));
        if disabled.is_some() {
            why.push_str("; it stays disabled until `chiton cron approve`");
        }
        if let Some(host) = &target.host {
            let zone = job["schedule"]["tz"].as_str().or(usual_zone).unwrap_or_default().to_owned();
            if let Err(failure) = host.add_job(chat, name, message, &timing, zone, disabled).await {
                report.add(Fate::Left, what, failure.message);
                continue;
            }
        }
        report.add(Fate::Brought, what, why);
    }
    Ok(())
}

/// The jobs of `cron/jobs.json`, with the changes that wait in `cron/action.jsonl`.
fn read(source: &Source, report: &mut Report) -> Vec<Value> {
    const JOBS: &str = "cron/jobs.json";
    const CHANGES: &str = "cron/action.jsonl";
    let bytes = report.read(JOBS, source.read(JOBS)).unwrap_or_else(|| b"{}".to_vec());
    let file: Value = serde_json::from_slice(&bytes).unwrap_or_else(|_| {
        report.add(Fate::Left, JOBS, "it is not valid JSON");
        Value::Null
    });
    let mut jobs = file["jobs"].as_array().cloned().unwrap_or_default();
    let (changes, damaged) = report.read(CHANGES, source.lines(CHANGES)).unwrap_or_default();
    if damaged > 0 {
        report.add(Fate::Left, CHANGES, format!("damaged lines: {damaged}"));
    }
    for change in changes {
        let (job, removes) = (&change["params"], change["action"] == "del");
        let id = if removes { &job["job_id"] } else { &job["id"] };
        jobs.retain(|known| known["id"] != *id);
        if !removes {
            jobs.push(job.clone());
        }
    }
    jobs
}

fn timing(schedule: &Value) -> Result<Timing, &'static str> {
    let number = |camel: &str, snake: &str| schedule[camel].as_i64().or_else(|| schedule[snake].as_i64());
    let timing = match schedule["kind"].as_str() {
        Some("every") => number("everyMs", "every_ms").map(|span| Timing::Every(span.unsigned_abs() / 1000)),
        Some("cron") => schedule["expr"].as_str().map(|expression| Timing::Cron(expression.to_owned())),
        Some("at") => match number("atMs", "at_ms").and_then(|at| Timestamp::from_millisecond(at).ok()) {
            Some(at) if at <= Timestamp::now() => return Err("its time is over"),
            at => at.map(|at| Timing::At(at.to_string())),
        },
        _ => None,
    };
    timing.ok_or("it does not say when it is due")
}

/// The chat of the terminal that a job belongs to.
fn chat(payload: &Value) -> Result<String, &'static str> {
    let text = |names: [&str; 2]| names.iter().find_map(|name| payload[*name].as_str());
    let origin = |channel: [&str; 2], chat: [&str; 2]| Some(format!("{}:{}", text(channel)?, text(chat)?));
    let key = text(["sessionKey", "session_key"]).map(str::to_owned);
    let key = key.or_else(|| origin(["originChannel", "origin_channel"], ["originChatId", "origin_chat_id"]));
    let key = key.or_else(|| origin(["channel"; 2], ["to"; 2])).unwrap_or_else(|| "cli:direct".to_owned());
    match session(&key).split_once(':') {
        Some((Terminal::NAME, chat)) => Ok(chat.to_owned()),
        _ => Err("Chiton does not have its channel yet; add it with `chiton cron add`"),
    }
}
