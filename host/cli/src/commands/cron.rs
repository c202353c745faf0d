//! `chiton cron`

use super::{look, print_json, print_line, tell};
use crate::arguments::{Cron, CronAdd, Job, When};
use crate::exit::{Exit, Failure};
use crate::host::described;
use crate::request::Request;
use crate::settings::Settings;
use crate::terminal::style::Style;
use chiton_schedule::{Limits, Scheduler, SchedulerOptions, SystemClock, Timing};
use chiton_store::{JobId, JobState, RunOutcome, RunRow};
use jiff::{SignedDuration, Timestamp, Zoned, tz::TimeZone};
use serde_json::{Value, json};
use std::sync::Arc;

/// Lists, adds, removes, runs or approves jobs.
pub async fn run(command: Cron, json: bool) -> Result<(), Failure> {
    match command {
        Cron::List { session } => list(session.as_deref(), json).await,
        Cron::History(Job { id }) => history(id, json).await,
        Cron::Add(add) => tell(request(add)?, json, |job| format!("added {}", line(job))).await,
        Cron::Remove(Job { id }) => tell(Request::RemoveJob { id }, json, |_| format!("removed job {id}")).await,
        Cron::Run(Job { id }) => {
            tell(Request::RunJob { id }, json, |run| format!("job {id} ran: {}", ended(run))).await
        }
        Cron::Approve(Job { id }) => {
            tell(Request::ApproveJob { id }, json, |job| format!("approved {}", line(job))).await
        }
    }
}

fn request(add: CronAdd) -> Result<Request, Failure> {
    let CronAdd { message, name, when, tz, chat } = add;
    let timing = match when {
        When { at: Some(time), .. } => Timing::At(time),
        When { every: Some(span), .. } => Timing::Every(seconds(&span)?),
        When { cron, .. } => Timing::Cron(cron.unwrap_or_default()),
    };
    Ok(Request::AddJob { chat, name, message, timing: timing.to_string(), zone: tz })
}

/// A span such as `90s`, `10m`, `2h` or `1d`, in seconds.
fn seconds(span: &str) -> Result<u64, Failure> {
    let wrong =
        || Failure::new(Exit::Usage, format!("'{span}' is no span of time; write it such as 90s, 10m, 2h or 1d"));
    let days = span.strip_suffix('d').and_then(|days| days.parse::<u64>().ok());
    match days {
        Some(days) => days.checked_mul(86_400).ok_or_else(wrong),
        None => {
            let span: SignedDuration = span.parse().map_err(|_| wrong())?;
            u64::try_from(span.as_secs()).map_err(|_| wrong())
        }
    }
}

/// A scheduler for looking only; none where there is no database yet.
fn scheduler() -> Result<Option<Scheduler>, Failure> {
    let settings = Settings::load()?;
    let zone = chiton_agent::zone(settings.config.agents.defaults.timezone.as_deref());
    let options = |store| SchedulerOptions { store, zone, clock: Arc::new(SystemClock), limits: Limits::default() };
    Ok(look(&settings)?.map(|store| Scheduler::new(options(store))))
}

async fn list(session: Option<&str>, json: bool) -> Result<(), Failure> {
    let jobs = match scheduler()? {
        Some(scheduler) => scheduler.list(session).await?,
        None => Vec::new(),
    };
    let jobs: Vec<Value> = jobs.iter().map(described).collect();
    match json {
        true => print_json(&jobs.into()),
        false if jobs.is_empty() => print_line("no jobs; `chiton cron add --help` says how to add one"),
        false => jobs.iter().try_for_each(|job| print_line(&line(job))),
    }
}

async fn history(id: i64, json: bool) -> Result<(), Failure> {
    let runs = match scheduler()? {
        Some(scheduler) => scheduler.history(JobId(id)).await?,
        None => Vec::new(),
    };
    match json {
        true => print_json(&json!(runs)),
        false if runs.is_empty() => print_line(&format!("job {id} has not run yet")),
        false => runs.iter().try_for_each(|run| print_line(&run_line(run))),
    }
}

/// One job, such as `7  plants  cron 0 9 * * 1-5  next 2026-11-30 09:00 Europe/Berlin  active  [terminal:default]`.
fn line(job: &Value) -> String {
    let text = |key: &str| job[key].as_str().unwrap_or_default();
    let style = match text("state") {
        state if state == JobState::Active.as_str() => Style::Good,
        state if state == JobState::Done.as_str() => Style::Dim,
        _ => Style::Bad,
    };
    let next = job["next"].as_str().and_then(|next| next.parse::<Zoned>().ok());
    let next = next.map_or_else(String::new, |next| {
        let zone = next.time_zone().iana_name().map(|zone| format!(" {zone}")).unwrap_or_default();
        format!("  next {}{zone}", next.strftime("%Y-%m-%d %H:%M"))
    });
    let (name, due) = (chiton_agent::inert(text("name")), chiton_agent::inert(text("due")));
    let session = Style::Dim.paint(format!("[{}]", text("session")));
    format!("{}  {}  {due}{next}  {}  {session}", job["id"], Style::Bold.paint(name), style.paint(text("why")))
}

/// How a run ended, such as `ok, delivered`.
fn ended(run: &Value) -> String {
    let text = |key: &str| run[key].as_str();
    let mut words = text("outcome").unwrap_or("it goes on").to_owned();
    if let Some(error) = text("error") {
        words.push_str(&format!(": {}", chiton_agent::inert(error)));
    }
    if let Some(delivery) = text("delivery") {
        words.push_str(&format!(", its answer is {delivery}"));
    }
    words
}

fn run_line(run: &RunRow) -> String {
    let time = Timestamp::from_millisecond(run.due_at).unwrap_or(Timestamp::UNIX_EPOCH);
    let time = time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let style = match run.outcome {
        Some(RunOutcome::Ok) => Style::Good,
        Some(RunOutcome::Error) => Style::Bad,
        _ => Style::Notice,
    };
    format!("{}  {}", Style::Dim.paint(time), style.paint(ended(&json!(run))))
}
