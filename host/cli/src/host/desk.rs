//! What the owner asks of the host in a chat: the grants, and what waits for a word.

use super::{Host, Inner};
use crate::dialog::{Dialog, number};
use crate::request::Decision;
use crate::rows::Rows;
use async_trait::async_trait;
use chiton_agent::OwnerDesk;
use chiton_schedule::Job;
use chiton_store::{JobId, JobState, SkillRow, SkillState};
use std::sync::Weak;

/// Answers for the host of a home, as long as it lives.
pub struct Desk(pub Weak<Inner>);

impl Desk {
    pub(super) fn host(&self) -> Result<Host, String> {
        self.0.upgrade().map(|inner| Host { inner }).ok_or_else(|| "Chiton is stopping.".to_owned())
    }

    /// The number of a job that waits.
    async fn job(&self, number: &str) -> Result<JobId, String> {
        let waiting = self.host()?.jobs_waiting().await?;
        let known = waiting.iter().any(|job| job.row.id.0.to_string() == number);
        let id = number.parse().ok().filter(|_| known).map(JobId);
        id.ok_or_else(|| format!("Nothing with the number {number} waits; `/approve` shows what does."))
    }

    /// The version of a skill that waits under this number.
    async fn skill(&self, wanted: &str) -> Result<Option<SkillRow>, String> {
        let rows = self.host()?.store().skills().await.map_err(|error| error.to_string())?;
        let waits = |row: &SkillRow| row.state == SkillState::Waiting && number(row) == wanted;
        Ok(rows.into_iter().find(waits))
    }

    async fn decide(&self, row: &SkillRow, decision: Decision) -> Result<(), String> {
        let decided = self.host()?.decide_skill(&row.name, &row.digest, decision, None).await;
        decided.map(drop).map_err(|failure| failure.message)
    }
}

impl Host {
    async fn jobs_waiting(&self) -> Result<Vec<Job>, String> {
        let jobs = self.scheduler().list(None).await.map_err(|error| error.to_string())?;
        Ok(jobs.into_iter().filter(|job| job.row.state == JobState::Quarantined).collect())
    }

    /// What the owner is asked about each skill that waits, with its number.
    async fn skills_waiting(&self) -> Result<Vec<(String, String)>, String> {
        let rows = self.store().skills().await.map_err(|error| error.to_string())?;
        let mut waiting = Vec::new();
        for row in rows.iter().filter(|row| row.state == SkillState::Waiting) {
            let asked = match self.describe_skill(&row.name).await {
                Ok(value) => serde_json::from_value::<Dialog>(value).map(|dialog| dialog.text()).unwrap_or_default(),
                Err(failure) => format!("the skill {} cannot be shown: {}", row.name, failure.message),
            };
            // Nothing in it ends the block that it stands in.
            let block = format!("\n```\n{}\n```", asked.replace('`', "'"));
            waiting.push((number(row), block));
        }
        Ok(waiting)
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
        let host = self.host()?;
        let told = |Job { row: job, .. }: Job| {
            let what = format!("the job '{}' ({}), made in {}: {}", job.name, job.timing, job.origin, job.message);
            (job.id.0.to_string(), chiton_agent::inert(&what).into_owned())
        };
        let jobs = host.jobs_waiting().await?.into_iter().map(told);
        Ok(jobs.chain(host.skills_waiting().await?).collect())
    }

    async fn approve(&self, number: &str, words: &str, session: &str) -> Result<String, String> {
        if let Some(row) = self.skill(number).await? {
            let (decision, told) = match words {
                "" | "always" => (Decision::Always, "from now on"),
                "session" => (Decision::Session { session: session.to_owned() }, "in this session"),
                "once" => (Decision::Once { session: session.to_owned() }, "for one call in this session"),
                _ => return Err(format!("`/approve {number}` ends with nothing, `session` or `once`.")),
            };
            self.decide(&row, decision).await?;
            return Ok(format!("The skill {} runs {told}.", row.name));
        }
        let id = self.job(number).await?;
        self.host()?.scheduler().approve(id).await.map_err(|error| error.to_string())?;
        Ok(format!("The job {number} runs from now on."))
    }

    async fn deny(&self, number: &str) -> Result<String, String> {
        if let Some(row) = self.skill(number).await? {
            self.decide(&row, Decision::Refuse).await?;
            return Ok(format!("The skill {} is refused.", row.name));
        }
        let id = self.job(number).await?;
        self.host()?.scheduler().remove(id, None).await.map_err(|error| error.to_string())?;
        Ok(format!("The job {number} was removed."))
    }
}
