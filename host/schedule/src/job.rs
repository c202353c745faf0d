//! Jobs as the scheduler shows and takes them.

use crate::timing::Timing;
use chiton_store::{JobRow, JobState};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// How late a run must be for the agent to be told, in seconds.
const LATE: i64 = 60;

/// A job to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// The channel of its chat.
    pub channel: String,
    /// The chat it belongs to, which its message goes to.
    pub chat_id: String,
    /// The session whose turn makes it; the chat's own when the owner does.
    pub origin: String,
    /// The component that makes it; empty for a person.
    pub component: String,
    /// Short name; when it is empty, the beginning of the message.
    pub name: String,
    /// What the agent is told when it is due.
    pub message: String,
    /// When it is due.
    pub timing: Timing,
    /// The IANA time zone of `timing`; the bot's when it is empty.
    pub zone: String,
    /// What its turns may do, as JSON; never changed afterwards.
    pub rights_json: String,
    /// Why it must not run before the owner approves it.
    pub quarantine: Option<String>,
}

/// A job with its next time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// What is kept of it.
    pub row: JobRow,
    /// When it is due next, in its zone; none while it does not run.
    pub next: Option<Zoned>,
}

impl Job {
    pub(crate) fn new(row: JobRow, zone: TimeZone) -> Self {
        let due = row.next_due_ms.filter(|_| row.state == JobState::Active);
        let next = due.and_then(|due| Timestamp::from_millisecond(due).ok()).map(|due| due.to_zoned(zone));
        Self { row, next }
    }

    /// In words: `active`, `done`, or why it does not run.
    pub fn state(&self) -> String {
        match (self.row.state, &self.row.reason) {
            (JobState::Active, _) if self.row.failures > 0 => format!("active, failed {} times", self.row.failures),
            (state @ (JobState::Disabled | JobState::Quarantined), Some(reason)) => {
                format!("{}: {reason}; `chiton cron approve {}` lets it run", state.as_str(), self.row.id.0)
            }
            (state, _) => state.as_str().to_owned(),
        }
    }

    /// When it is due, as it was given; `None` when the row is damaged.
    pub fn timing(&self) -> Option<Timing> {
        self.row.timing.parse().ok()
    }
}

/// A job that is due now.
#[derive(Clone, Debug)]
pub struct Due<'a> {
    /// The job.
    pub job: &'a JobRow,
    /// When it should have run, in its zone.
    pub due: Zoned,
    /// The present time.
    pub now: Timestamp,
}

impl Due<'_> {
    /// What the agent is told: the job's message, and what a reader of it must know.
    pub fn text(&self) -> String {
        let JobRow { id, name, message, .. } = self.job;
        let due = self.due.strftime("%Y-%m-%d %H:%M");
        let zone = self.due.time_zone().iana_name().unwrap_or("local time");
        let late = self.now.duration_since(self.due.timestamp()).as_secs();
        let late = if late >= LATE { format!(", {} late", duration(late)) } else { String::new() };
        format!("{message}\n\n(scheduled job {} \"{name}\", due {due} {zone}{late})", id.0)
    }
}

/// `seconds` in its largest unit, rounded down.
fn duration(seconds: i64) -> String {
    let (count, unit) = match seconds {
        ..60 => (seconds, "second"),
        60..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}
