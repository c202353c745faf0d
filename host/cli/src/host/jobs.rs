//! Scheduled jobs of the owner.

use super::Host;
use crate::exit::{Exit, Failure};
use crate::request::Reply;
use chiton_agent::frozen_rights;
use chiton_channels::Terminal;
use chiton_sandbox::{Effects, SessionRights};
use chiton_schedule::{Job, NewJob, ScheduleError};
use chiton_store::JobId;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::mpsc;

/// How often a run is looked at while somebody waits for its end.
const LOOK: Duration = Duration::from_millis(50);

impl Host {
    /// Adds a job with the rights that the owner has in a chat of the terminal; with a `quarantine` it waits for
    /// an approval.
    pub async fn add_job(
        &self,
        chat: String,
        name: String,
        message: String,
        timing: &str,
        zone: String,
        quarantine: Option<String>,
    ) -> Result<Value, Failure> {
        let session = format!("{}:{chat}", Terminal::NAME);
        let mut rights = SessionRights::of(session.clone());
        // a job that could make jobs would never end
        rights.effects = rights.effects.without(Effects::SCHEDULES);
        let new = NewJob {
            channel: Terminal::NAME.to_owned(),
            chat_id: chat,
            origin: session,
            component: String::new(),
            name,
            message,
            timing: timing.parse().map_err(ScheduleError::from)?,
            zone,
            rights_json: frozen_rights(&rights),
            quarantine,
        };
        Ok(described(&self.scheduler().add(new).await?))
    }

    pub(super) async fn remove_job(&self, id: JobId) -> Result<Value, Failure> {
        self.scheduler().remove(id, None).await?;
        Ok(json!({ "id": id }))
    }

    pub(super) async fn approve_job(&self, id: JobId) -> Result<Value, Failure> {
        Ok(described(&self.scheduler().approve(id).await?))
    }

    /// Runs a job and waits for its end, unless whoever asked has left.
    pub(super) async fn run_job(&self, id: JobId, replies: &mpsc::Sender<Reply>) -> Result<Value, Failure> {
        // somebody must answer it
        self.agent().await?;
        let scheduler = self.scheduler();
        scheduler.run_now(id).await?;
        loop {
            if let Some(run) = scheduler.history(id).await?.into_iter().next() {
                if run.outcome.is_some() {
                    return Ok(json!(run));
                }
                if run.ended_at.is_some() {
                    scheduler.turn_ended();
                }
            }
            tokio::select! {
                () = replies.closed() => return Ok(Value::Null),
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }
}

/// A job for a screen or a program.
pub fn described(job: &Job) -> Value {
    json!({
        "id": job.row.id,
        "name": job.row.name,
        "message": job.row.message,
        "session": job.row.session(),
        "due": job.row.timing,
        "zone": job.row.zone,
        "next": job.next.as_ref().map(ToString::to_string),
        "state": job.row.state,
        "why": job.state(),
        "failures": job.row.failures,
    })
}

impl From<ScheduleError> for Failure {
    fn from(error: ScheduleError) -> Self {
        match error {
            ScheduleError::Store(error) => error.into(),
            ScheduleError::NoJob(_) => Self::new(Exit::NotFound, error),
            error => Self::new(Exit::Usage, error),
        }
    }
}
