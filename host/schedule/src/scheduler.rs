//! The task that runs jobs, and what can be asked of it.

use crate::clock::Clock;
use crate::error::ScheduleError;
use crate::job::{Due, Job, NewJob};
use crate::timing::Timing;
use crate::zone;
use chiton_store::{EndedRun, Firing, JobId, JobLimits, JobRow, RunOutcome, RunRow, Store, StoreError, Verdict};
use futures_util::future::try_join_all;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How long the clock is trusted: a machine that slept or whose clock was set is noticed after so long.
const TRUSTED: SignedDuration = SignedDuration::from_secs(60);
/// How many jobs are run in one transaction; other writes come in between.
const BATCH: u32 = 128;
/// The pause after the first failure; it doubles with each further one in a row.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(60);
/// The longest pause after a failure.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(1);
/// After so many failures in a row a job is disabled.
const MOST_FAILURES: u32 = 5;
/// How many characters of the message name a job that was given no name.
const NAME_FROM_MESSAGE: usize = 30;

/// What bounds the jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many there may be.
    pub jobs: JobLimits,
    /// Most bytes of a name.
    pub name_bytes: usize,
    /// Most bytes of a message.
    pub message_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { jobs: JobLimits { of_session: 100, in_all: 10_000 }, name_bytes: 200, message_bytes: 16 << 10 }
    }
}

/// What a scheduler works with.
pub struct SchedulerOptions {
    /// Keeps the jobs.
    pub store: Store,
    /// The bot's time zone.
    pub zone: TimeZone,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Bounds the jobs.
    pub limits: Limits,
}

/// Whom the scheduler works for.
pub trait Host: Send + Sync {
    /// What the agent is told when a job is due.
    fn text(&self, due: &Due<'_>) -> String {
        due.text()
    }

    /// A message was put into this session.
    fn wake(&self, session: &str);

    /// A message was put into the outbox.
    fn outbox_grew(&self);
}

/// Runs jobs when they are due. Clones are handles of the same scheduler.
#[derive(Clone)]
pub struct Scheduler(Arc<Inner>);

struct Inner {
    options: SchedulerOptions,
    host: OnceLock<Arc<dyn Host>>,
    /// Something changed that the task has not seen.
    changed: Notify,
    /// Sessions that got a message beside the task, which wakes them.
    told: Mutex<Vec<String>>,
}

impl Scheduler {
    /// A scheduler that takes jobs; [`Scheduler::run`] runs them.
    pub fn new(options: SchedulerOptions) -> Self {
        Self(Arc::new(Inner { options, host: OnceLock::new(), changed: Notify::new(), told: Mutex::default() }))
    }

    /// Runs jobs until `shutdown`, beginning with those that were due while nobody did: each once, however often it
    /// was missed. Call it once.
    pub async fn run(&self, host: Arc<dyn Host>, shutdown: CancellationToken) {
        let clock = &self.0.options.clock;
        let host = self.0.host.get_or_init(|| host);
        loop {
            let next = tokio::select! {
                () = shutdown.cancelled() => return,
                next = self.pass(&**host) => next.unwrap_or_else(|error| {
                    tracing::error!("scheduled jobs cannot be run now: {error}");
                    None
                }),
            };
            let trusted = clock.now() + TRUSTED;
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.0.changed.notified() => {}
                () = clock.wait_until(next.map_or(trusted, |next| next.min(trusted))) => {}
            }
        }
    }

    /// Does all that is to be done now; returns when the next job is due.
    async fn pass(&self, host: &dyn Host) -> Result<Option<Timestamp>, StoreError> {
        let store = &self.0.options.store;
        let told = std::mem::take(&mut *self.0.told.lock().unwrap_or_else(PoisonError::into_inner));
        told.iter().for_each(|session| host.wake(session));
        self.judge(host).await?;
        loop {
            let now = self.0.options.clock.now();
            let due = store.due_jobs(now.as_millisecond(), BATCH).await?;
            if due.is_empty() {
                break;
            }
            let firings = due.iter().map(|job| self.firing(job, now, host)).collect();
            let fired = store.fire_jobs(firings).await?;
            let sessions: BTreeSet<&str> =
                fired.iter().filter(|fired| fired.inbox.is_some()).map(|fired| fired.session.as_str()).collect();
            for session in sessions {
                host.wake(session);
            }
        }
        Ok(store.next_due().await?.and_then(|due| Timestamp::from_millisecond(due).ok()))
    }

    fn firing(&self, job: &JobRow, now: Timestamp, host: &dyn Host) -> Firing {
        let due_ms = job.next_due_ms.unwrap_or_default();
        let next = self.next(job, now);
        Firing {
            job: job.id,
            due_ms,
            text: self.text(job, due_ms, now, Some(host)),
            next_due_ms: next.map(Timestamp::as_millisecond),
            next_if_busy_ms: next.unwrap_or(now + FIRST_PAUSE).as_millisecond(),
        }
    }

    fn text(&self, job: &JobRow, due_ms: i64, now: Timestamp, host: Option<&dyn Host>) -> String {
        let due = Timestamp::from_millisecond(due_ms).unwrap_or(now).to_zoned(self.zone_of(job));
        let due = Due { job, due, now };
        host.map_or_else(|| due.text(), |host| host.text(&due))
    }

    fn next(&self, job: &JobRow, now: Timestamp) -> Option<Timestamp> {
        let timing: Timing = job.timing.parse().ok()?;
        let made = Timestamp::from_millisecond(job.created_at).ok()?;
        timing.next(&self.zone_of(job), made, now)
    }

    /// The zone a job was made in; the bot's when that has no name or is gone.
    fn zone_of(&self, job: &JobRow) -> TimeZone {
        match &*job.zone {
            "" => self.0.options.zone.clone(),
            name => zone(name).unwrap_or_else(|_| self.0.options.zone.clone()),
        }
    }

    /// Draws the consequences of runs that have ended.
    async fn judge(&self, host: &dyn Host) -> Result<(), StoreError> {
        let store = &self.0.options.store;
        loop {
            let now = self.0.options.clock.now();
            let ended = store.ended_runs(BATCH).await?;
            if ended.is_empty() {
                return Ok(());
            }
            let verdicts: Vec<_> = ended.iter().map(|run| (run.id, verdict(run, now))).collect();
            let notice = verdicts.iter().any(|(_, verdict)| matches!(verdict, Verdict::Disable { .. }));
            // asked for together, so that they share a commit
            try_join_all(verdicts.into_iter().map(|(run, verdict)| store.judge_run(run, verdict))).await?;
            if notice {
                host.outbox_grew();
            }
        }
    }

    /// Says that a turn has ended, so that a run that ended with it is judged now; else that takes up to a minute.
    pub fn turn_ended(&self) {
        self.0.changed.notify_one();
    }

    /// Adds a job.
    ///
    /// # Errors
    /// When its time cannot be, a text is too long or empty, or there are too many.
    pub async fn add(&self, new: NewJob) -> Result<Job, ScheduleError> {
        let SchedulerOptions { store, limits, clock, .. } = &self.0.options;
        let message = new.message.trim().to_owned();
        if message.is_empty() {
            return Err(ScheduleError::Empty);
        }
        let name = match new.name.trim() {
            "" => message.chars().take(NAME_FROM_MESSAGE).collect(),
            name => name.to_owned(),
        };
        for (what, text, most) in [("name", &name, limits.name_bytes), ("message", &message, limits.message_bytes)] {
            if text.len() > most {
                return Err(ScheduleError::TooLong { what, bytes: text.len(), most });
            }
        }
        let zone = match new.zone.trim() {
            "" => self.0.options.zone.clone(),
            name => zone(name)?,
        };
        let now = clock.now();
        let first = new.timing.first(&zone, now)?;
        let kept = chiton_store::NewJob {
            channel: new.channel,
            chat_id: new.chat_id,
            origin: new.origin,
            component: new.component,
            name,
            message,
            timing: new.timing.to_string(),
            zone: zone.iana_name().unwrap_or_default().to_owned(),
            rights_json: new.rights_json,
            next_due_ms: first.as_millisecond(),
            quarantine: new.quarantine,
        };
        let row = store.add_job(kept, limits.jobs, now.as_millisecond()).await?;
        self.0.changed.notify_one();
        Ok(Job::new(row, zone))
    }

    /// The jobs of a session (`channel:chat_id`), or all, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn list(&self, session: Option<&str>) -> Result<Vec<Job>, ScheduleError> {
        let rows = self.0.options.store.jobs(session).await?;
        Ok(rows.into_iter().map(|row| self.shown(row)).collect())
    }

    fn shown(&self, row: JobRow) -> Job {
        let zone = self.zone_of(&row);
        Job::new(row, zone)
    }

    async fn one(&self, id: JobId) -> Result<JobRow, ScheduleError> {
        self.0.options.store.job(id).await?.ok_or(ScheduleError::NoJob(id))
    }

    /// Removes a job, only of `session` if one is named.
    ///
    /// # Errors
    /// [`ScheduleError::NoJob`] if there is none.
    pub async fn remove(&self, id: JobId, session: Option<&str>) -> Result<(), ScheduleError> {
        match self.0.options.store.remove_job(id, session).await? {
            true => Ok(()),
            false => Err(ScheduleError::NoJob(id)),
        }
    }

    /// Runs a job now and leaves its next time alone, as soon as [`Scheduler::run`] does its work. Quarantined jobs
    /// are refused.
    ///
    /// # Errors
    /// When there is no such job, or it runs already.
    pub async fn run_now(&self, id: JobId) -> Result<(), ScheduleError> {
        let (job, now) = (self.one(id).await?, self.0.options.clock.now());
        let host = self.0.host.get();
        let text = self.text(&job, now.as_millisecond(), now, host.map(|host| &**host));
        let fired = self.0.options.store.run_job(id, now.as_millisecond(), &text).await?;
        self.0.told.lock().unwrap_or_else(PoisonError::into_inner).push(fired.session);
        self.0.changed.notify_one();
        Ok(())
    }

    /// Lets a quarantined or disabled job run. One that should have run once meanwhile runs now.
    ///
    /// # Errors
    /// When there is no such job, or it needs no approval.
    pub async fn approve(&self, id: JobId) -> Result<Job, ScheduleError> {
        let (job, now) = (self.one(id).await?, self.0.options.clock.now());
        let planned = job.timing.parse().ok().and_then(|timing: Timing| timing.first(&self.zone_of(&job), now).ok());
        let next = self.next(&job, now).or(planned).unwrap_or(now);
        if !self.0.options.store.approve_job(id, next.as_millisecond()).await? {
            return Err(ScheduleError::NotStopped(id));
        }
        self.0.changed.notify_one();
        Ok(self.shown(self.one(id).await?))
    }

    /// The last runs of a job, newest first.
    ///
    /// # Errors
    /// When there is no such job.
    pub async fn history(&self, id: JobId) -> Result<Vec<RunRow>, ScheduleError> {
        self.one(id).await?;
        Ok(self.0.options.store.job_runs(id).await?)
    }
}

fn verdict(run: &EndedRun, now: Timestamp) -> Verdict {
    let failures = run.failures + 1;
    match run.outcome {
        RunOutcome::Cancelled => Verdict::Cancelled,
        RunOutcome::Error => {
            let error = run.error.clone().unwrap_or_else(|| "the turn failed".to_owned());
            if failures < MOST_FAILURES {
                let pause = FIRST_PAUSE.saturating_mul(1 << run.failures.min(16)).min(LONGEST_PAUSE);
                return Verdict::Retry { error, not_before_ms: (now + pause).as_millisecond() };
            }
            let reason = format!("it failed {failures} times in a row ({error})");
            let notice = format!(
                "The scheduled job \"{}\" is off now: {reason}. `chiton cron approve {}` turns it on again.",
                run.name, run.job.0
            );
            Verdict::Disable { error, reason, notice }
        }
        RunOutcome::Ok | RunOutcome::Missed => Verdict::Ok,
    }
}
