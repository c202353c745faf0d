//! The examples that a skill declares, run in a sandbox of their own: with what the skill asks for, with a workspace made
//! for the example, and with recorded answers in place of the network.

use crate::exit::{Exit, Failure};
use crate::ports::{Recorded, Recording};
use crate::rows;
use crate::settings::Settings;
use crate::skills::{self, Running};
use crate::tools;
use chiton_sandbox::{
    AuditRecord, AuditSink, CallError, CallRequest, Part, Ports, Sandbox, SessionRights, Validity, Verdict,
};
use chiton_skills::{Example, Package, Reply};
use chiton_store::SkillRow;
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// How one example went.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The tool that was called.
    pub tool: String,
    /// What is wrong; none when the example holds.
    pub wrong: Option<String>,
    /// How long the call took.
    pub milliseconds: f64,
    /// What the call used.
    pub used: Vec<String>,
    /// What the call was refused.
    pub denied: Vec<String>,
}

/// What a call did beside being called.
#[derive(Default)]
struct Trail(Mutex<Vec<AuditRecord>>);

impl Trail {
    fn take(&self) -> Vec<AuditRecord> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Runs all examples of the skill in `folder`.
///
/// # Errors
/// When the skill does not load, or there is no room for the examples.
pub async fn run(
    settings: &Settings,
    package: &Package,
    row: SkillRow,
    folder: &Path,
) -> Result<Vec<Outcome>, Failure> {
    let trail = Arc::new(Trail::default());
    let seen = trail.clone();
    let sink: Arc<dyn AuditSink> =
        Arc::new(move |record| seen.0.lock().unwrap_or_else(PoisonError::into_inner).push(record));
    let sandbox = tools::sandbox(settings, sink)?;
    let running = Running { row, folder: folder.to_owned(), validity: Validity::Always, seal: None };
    let refused = |reason| Failure::new(Exit::Refused, format!("'{}' does not load: {reason}", package.name()));
    let component = skills::load(&sandbox, settings, &running).await.map_err(refused)?;
    let examples = package.manifest().map(|manifest| manifest.examples.as_slice()).unwrap_or_default();
    let (Some(component), false) = (component, examples.is_empty()) else { return Ok(Vec::new()) };
    let mut outcomes = Vec::with_capacity(examples.len());
    for example in examples {
        let room = Room::new(settings, package, example)?;
        let grants = room.grants(package, folder)?;
        sandbox.publish(package.name(), component.clone(), grants)?;
        outcomes.push(one(&sandbox, package, example, &room, &trail).await?);
    }
    Ok(outcomes)
}

/// The folder of an example, which is gone with it.
struct Room(std::path::PathBuf);

impl Room {
    fn new(settings: &Settings, package: &Package, example: &Example) -> Result<Self, Failure> {
        let room = Self(settings.home.scratch().join(format!("example-{}", uuid::Uuid::now_v7())));
        let workspace = room.0.join("workspace");
        std::fs::create_dir_all(&workspace)?;
        std::fs::create_dir_all(room.0.join("scratch"))?;
        let from = example.files.as_deref().map(|files| format!("{}/", files.trim_end_matches('/')));
        for (place, file) in package.files() {
            let Some(inner) = from.as_ref().and_then(|from| place.strip_prefix(from)) else { continue };
            let path = workspace.join(inner);
            path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            std::fs::write(path, &file.bytes)?;
        }
        Ok(room)
    }

    /// What the skill asks for, in this room.
    fn grants(&self, package: &Package, folder: &Path) -> Result<chiton_sandbox::Grants, Failure> {
        let mut texts = Vec::new();
        for grant in package.asked() {
            let path = grant.strip_prefix("files=").and_then(|value| value.rsplit_once(':'));
            let root = path.map(|(path, access)| (path.split_once('/').unwrap_or((path, "")), access));
            texts.push(match root {
                Some((("workspace", inner), access)) => {
                    let place = self.0.join("workspace").join(inner);
                    std::fs::create_dir_all(&place)?;
                    format!("files={}:{access}", place.display())
                }
                Some((("skill", inner), access)) => format!("files={}:{access}", folder.join(inner).display()),
                Some((("scratch", _), _)) | None => grant,
                // A place of the machine has nothing to do with an example.
                Some(_) => continue,
            });
        }
        let mut grants = rows::parse_all(&texts, Path::new("/"))?.unwrap_or_default();
        grants.limits = package.manifest().map(|manifest| skills::limits(&manifest.limits));
        Ok(grants)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

async fn one(
    sandbox: &Sandbox,
    package: &Package,
    example: &Example,
    room: &Room,
    trail: &Trail,
) -> Result<Outcome, Failure> {
    let recordings = example.replies.iter().map(|reply| recording(package, reply)).collect::<Result<_, _>>();
    let secrets: BTreeSet<String> = example.secrets.iter().map(ToString::to_string).collect();
    let failed = |reason: String| Failure::new(Exit::Usage, format!("the example of '{}': {reason}", example.tool));
    let outbound = Recorded::new(recordings.map_err(failed)?, secrets).map_err(failed)?;
    sandbox.set_ports(Ports { outbound: Some(Arc::new(outbound)), ..Ports::default() });
    let mut session = SessionRights::of("command:example");
    session.scratch = Some(chiton_sandbox::FileGrant {
        path: room.0.join("scratch"),
        access: chiton_sandbox::Access::Write,
        quota: None,
    });
    trail.take();
    let called = sandbox.call(CallRequest {
        tool: example.tool.clone(),
        arguments: serde_json::Value::Object(example.arguments.clone()),
        session,
        limits: None,
        cancel: CancellationToken::new(),
        progress: None,
    });
    let called = called.await;
    let told = |error: CallError| match error {
        CallError::Denied { grant, .. } => format!("denied: it lacks {grant}; ask for it under [grants] in skill.toml"),
        CallError::Unset(name) => {
            format!("denied: the secret {name} has no value; name it in `secrets` of this example")
        }
        other => other.to_string(),
    };
    let result = called.result.map(|parts| text(&parts)).map_err(told);
    let records = trail.take();
    let lines = |denied: bool| -> Vec<String> {
        let meant =
            records.iter().filter(|record| record.operation != "call" && (record.verdict == Verdict::Denied) == denied);
        let line = |record: &AuditRecord| {
            if denied { record.rule.clone() } else { format!("{} {}", record.operation, record.target) }
        };
        meant.map(line).collect()
    };
    Ok(Outcome {
        tool: example.tool.clone(),
        wrong: wrong(example, &result),
        milliseconds: called.duration.as_secs_f64() * 1e3,
        used: lines(false),
        denied: lines(true),
    })
}

/// What is not as the example says.
fn wrong(example: &Example, result: &Result<String, String>) -> Option<String> {
    let (wanted, found, kind) = match (&example.fails, result) {
        (Some(wanted), Err(error)) => (wanted.as_str(), error, "error"),
        (Some(_), Ok(text)) => {
            return Some(format!("it should fail and gave: {}", chiton_skills::inert::brief(text, 300)));
        }
        (None, Err(error)) => return Some(format!("it failed: {error}")),
        (None, Ok(text)) => (example.expect.as_deref().unwrap_or_default(), text, "result"),
    };
    let shown = chiton_skills::inert::brief(found, 300);
    (!found.contains(wanted)).then(|| format!("the {kind} does not contain '{wanted}': {shown}"))
}

fn text(parts: &[Part]) -> String {
    let one = |part: &Part| match part {
        Part::Text(text) | Part::Json(text) => text.clone(),
        Part::Image { mime, data } | Part::File { mime, data } => format!("({mime}, {} bytes)", data.len()),
    };
    parts.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn recording(package: &Package, reply: &Reply) -> Result<Recording, String> {
    let body = match (&reply.body, &reply.file) {
        (Some(body), _) => body.clone().into_bytes(),
        (None, Some(file)) => match package.files().get(&**file) {
            Some(file) => file.bytes.clone(),
            None => return Err(format!("its reply is in '{}', which is not there", &**file)),
        },
        (None, None) => Vec::new(),
    };
    Ok(Recording {
        method: reply.method.as_ref().map_or_else(|| "GET".to_owned(), ToString::to_string),
        url: reply.url.clone(),
        status: reply.status,
        headers: reply.headers.clone().into_iter().collect(),
        body,
    })
}
