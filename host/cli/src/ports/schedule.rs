//! Jobs for components, by the scheduler.

use crate::builtin::BuiltIn;
use async_trait::async_trait;
use chiton_agent::{Agent, frozen_rights};
use chiton_sandbox::Effects;
use chiton_sandbox::ports::{self, Caller, PortError, ScheduledJob, Scheduling};
use chiton_schedule::{Due, Host, Job, NewJob, ScheduleError, Scheduler, Timing};
use chiton_store::JobId;

/// Why a job of a turn that read what strangers wrote waits for its owner.
const TAINTED: &str = "it was made in a turn that had read what strangers wrote";

/// Why a job of a skill waits for the owner.
const STRANGER: &str = "a skill made it";

/// The scheduler as components see it.
pub struct Schedule(pub Scheduler);

#[async_trait]
impl Scheduling for Schedule {
    async fn add(
        &self,
        caller: &Caller,
        name: String,
        message: String,
        due: ports::Due,
    ) -> Result<ScheduledJob, PortError> {
        let session = &caller.session.session;
        let (channel, chat_id) = session.split_once(':').unwrap_or(("", session));
        let (timing, zone) = match due {
            ports::Due::At(time) => (Timing::At(time), String::new()),
            ports::Due::Every(seconds) => (Timing::Every(seconds), String::new()),
            ports::Due::Cron(expression, zone) => (Timing::Cron(expression), zone),
        };
        // A job that could make jobs would never end.
        let mut rights = caller.session.clone();
        rights.effects = rights.effects.without(Effects::SCHEDULES);
        // What a skill wants said to the agent is the word of a stranger.
        let stranger = BuiltIn::named(&caller.component).is_none().then_some(STRANGER);
        let quarantine = stranger.or(caller.session.tainted.then_some(TAINTED)).map(str::to_owned);
        let new = NewJob {
            channel: channel.to_owned(),
            chat_id: chat_id.to_owned(),
            origin: session.clone(),
            component: caller.component.clone(),
            name,
            message,
            timing,
            zone,
            rights_json: frozen_rights(&rights),
            quarantine,
        };
        self.0.add(new).await.map(shown).map_err(told)
    }

    async fn jobs(&self, caller: &Caller) -> Result<Vec<ScheduledJob>, PortError> {
        let jobs = self.0.list(Some(&caller.session.session)).await.map_err(told)?;
        Ok(jobs.into_iter().filter(|job| is_of(caller, job)).map(shown).collect())
    }

    async fn remove(&self, caller: &Caller, id: String) -> Result<(), PortError> {
        let unknown = || PortError::NotFound(format!("there is no job '{id}'"));
        let number = id.parse().map_err(|_| unknown())?;
        let jobs = self.0.list(Some(&caller.session.session)).await.map_err(told)?;
        if jobs.iter().any(|job| job.row.id.0 == number && !is_of(caller, job)) {
            return Err(unknown());
        }
        self.0.remove(JobId(number), Some(&caller.session.session)).await.map_err(told)
    }
}

/// Whether a caller may see a job of its chat: a skill only what it made itself.
fn is_of(caller: &Caller, job: &Job) -> bool {
    BuiltIn::named(&caller.component).is_some() || job.row.component == caller.component
}

fn shown(job: Job) -> ScheduledJob {
    let (state, zone) = (job.state(), job.row.zone.clone());
    let due = match job.timing() {
        Some(Timing::Every(seconds)) => ports::Due::Every(seconds),
        Some(Timing::Cron(expression)) => ports::Due::Cron(expression, zone),
        Some(Timing::At(time)) => ports::Due::At(time),
        None => ports::Due::At(job.row.timing.clone()),
    };
    ScheduledJob {
        id: job.row.id.0.to_string(),
        name: job.row.name,
        message: job.row.message,
        due,
        next: job.next.map(|next| next.to_string()),
        state,
    }
}

fn told(error: ScheduleError) -> PortError {
    let text = error.to_string();
    match error {
        ScheduleError::NoJob(_) => PortError::NotFound(text),
        ScheduleError::Store(_) => PortError::Failed(text),
        _ => PortError::Invalid(text),
    }
}

/// Whom the scheduler wakes.
pub struct Woken(pub Agent);

impl Host for Woken {
    fn text(&self, due: &Due<'_>) -> String {
        self.0.with_facts(&due.text())
    }

    fn wake(&self, session: &str) {
        self.0.wake(session);
    }

    fn outbox_grew(&self) {
        self.0.outbox_grew();
    }
}
