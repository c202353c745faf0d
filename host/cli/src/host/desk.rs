//! What the owner asks of the host in a chat: the grants, and what waits for a word.

use super::{Host, Inner};
use crate::rows::Rows;
use async_trait::async_trait;
use chiton_agent::OwnerDesk;
use chiton_schedule::Job;
use chiton_store::{JobId, JobState};
use std::sync::Weak;

/// Answers for the host of a home, as long as it lives.
pub struct Desk(pub Weak<Inner>);

impl Desk {
    fn host(&self) -> Result<Host, String> {
        self.0.upgrade().map(|inner| Host { inner }).ok_or_else(|| "Chiton is stopping.".to_owned())
    }

    /// The number of a job that waits.
    async fn job(&self, number: &str) -> Result<JobId, String> {
        let waiting = self.waiting().await?;
        let known = waiting.iter().any(|(id, _)| id == number);
        let id = number.parse().ok().filter(|_| known).map(JobId);
        id.ok_or_else(|| format!("Nothing with the number {number} waits; `/approve` shows what does."))
    }
}

#[async_trait]
impl OwnerDesk for Desk {
    async fn grants(&self) -> Result<String, String> {
        let host = self.host()?;
        let rows = Rows::read(host.settings(), Some(host.store())).await.map_err(|failure| failure.message)?;
        let line = |name: &String| {
            let grants = rows.described(name).join("`, `");
            let grants = if grants.is_empty() { "nothing".to_owned() } else { format!("`{grants}`") };
            format!("- `{name}`: {grants}\n")
        };
        let lines: String = rows.iter().map(|(name, _)| line(name)).collect();
        Ok(lines + "\n`chiton grant add|remove TOOL KIND=VALUE` on this machine changes them.")
    }

    async fn waiting(&self) -> Result<Vec<(String, String)>, String> {
        let jobs = self.host()?.scheduler().list(None).await.map_err(|error| error.to_string())?;
        let waiting = jobs.into_iter().filter(|job| job.row.state == JobState::Quarantined);
        let told = |Job { row: job, .. }: Job| {
            let what = format!("the job '{}' ({}), made in {}: {}", job.name, job.timing, job.origin, job.message);
            (job.id.0.to_string(), chiton_agent::inert(&what).into_owned())
        };
        Ok(waiting.map(told).collect())
    }

    async fn approve(&self, number: &str) -> Result<String, String> {
        let id = self.job(number).await?;
        self.host()?.scheduler().approve(id).await.map_err(|error| error.to_string())?;
        Ok(format!("The job {number} runs from now on."))
    }

    async fn deny(&self, number: &str) -> Result<String, String> {
        let id = self.job(number).await?;
        self.host()?.scheduler().remove(id, None).await.map_err(|error| error.to_string())?;
        Ok(format!("The job {number} was removed."))
    }
}
