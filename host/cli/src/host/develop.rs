//! A skill that is being written: it runs from its folder, and whatever changes there takes the place of what ran.

use super::Host;
use super::inspect::waiting;
use crate::exit::{Exit, Failure};
use crate::live;
use crate::request::Reply;
use crate::rows;
use crate::skills::{self, Running};
use crate::watch::Watch;
use chiton_sandbox::{Access, Digest, Limits, Validity};
use chiton_skills::Package;
use chiton_store::SkillRow;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Quiet time after the last change of a file before it is read.
const QUIET: Duration = Duration::from_millis(40);

impl Host {
    /// Runs the skill in `place` with `granted` until whoever asked leaves; what is approved runs again then.
    pub(super) async fn develop(
        &self,
        place: &Path,
        granted: Vec<String>,
        replies: &mpsc::Sender<Reply>,
    ) -> Result<Value, Failure> {
        self.refuse_writable(place).await?;
        let mut watch = Watch::new().map_err(Failure::because(Exit::Failure))?.after(QUIET);
        let mut lines = live::lines();
        let mut running: Option<(String, Digest)> = None;
        let mut limits = None;
        loop {
            for folder in folders(place) {
                // What a build makes for a moment need not be there any more.
                let watched = watch.add(&folder);
                if folder.exists() {
                    watched.map_err(Failure::because(Exit::Failure))?;
                }
            }
            let told = self
                .exchange(place, &granted, &mut limits, &mut running)
                .await
                .unwrap_or_else(|failure| Some(format!("not taken, what ran goes on: {}", failure.message)));
            if let Some(line) = told {
                replies.send(Reply::Progress(line)).await.ok();
            }
            loop {
                tokio::select! {
                    _ = watch.changed() => break,
                    () = replies.closed() => {
                        if let Some((name, _)) = running {
                            let _changing = self.inner.changing.lock().await;
                            self.temporary().remove(&name);
                            self.end_skill(&name).await?;
                        }
                        return Ok(Value::Null);
                    }
                    Ok((component, line)) = lines.recv() => {
                        if running.as_ref().is_some_and(|(name, _)| *name == component) {
                            replies.send(Reply::Progress(line)).await.ok();
                        }
                    }
                }
            }
        }
    }

    /// Puts what is in the folder now in the place of what ran; says what happened, if anything did.
    async fn exchange(
        &self,
        place: &Path,
        granted: &[String],
        limits: &mut Option<Limits>,
        running: &mut Option<(String, Digest)>,
    ) -> Result<Option<String>, Failure> {
        let begun = Instant::now();
        let _changing = self.inner.changing.lock().await;
        self.refuse_writable(place).await?;
        let package = Package::read(place)?;
        let (name, digest) = (package.name().to_owned(), package.digest());
        if running.as_ref().is_some_and(|(_, runs)| *runs == digest) {
            return Ok(None);
        }
        self.check_skill_name(&name).await?;
        let asked = package.asked();
        if let Some(more) = asked.iter().find(|grant| !granted.contains(grant)) {
            let message =
                format!("it asks for {more} too; end this and start `chiton skill dev` again to approve that");
            return Err(Failure::new(Exit::Denied, message));
        }
        let wanted = package.manifest().map(|manifest| skills::limits(&manifest.limits)).unwrap_or_default();
        let first = limits.get_or_insert_with(|| wanted.clone());
        if wanted.at_most(first) != wanted {
            let message = "its limits are higher than those that it began with; end this and start `chiton skill dev` again to approve them";
            return Err(Failure::new(Exit::Denied, message));
        }
        let component = self.inspect(&package).await?;
        let sandbox = self.sandbox().await?;
        if let Some(component) = &component {
            sandbox.check_names(&name, component)?;
        }
        let row = waiting(&package, component.as_deref(), &asked, place.display().to_string());
        let row = SkillRow { granted_json: Some(rows::to_json(&asked)), ..row };
        if let Some((before, _)) = running.take().filter(|(before, _)| *before != name) {
            self.temporary().remove(&before);
            self.end_skill(&before).await?;
        }
        let developed = Running { row, folder: place.to_owned(), validity: Validity::Always, seal: None };
        self.temporary().insert(name.clone(), developed);
        self.publish_skills(sandbox).await?;
        let tools: Vec<_> = component.iter().flat_map(|component| component.tools()).map(|tool| &*tool.name).collect();
        let tools = if tools.is_empty() { "no tools".to_owned() } else { tools.join(", ") };
        let line = format!("{name} runs ({tools}), taken in {} ms", begun.elapsed().as_millis());
        *running = Some((name, digest));
        Ok(Some(line))
    }

    /// Refuses a folder that a tool could write to: what is there runs without being asked about again.
    async fn refuse_writable(&self, place: &Path) -> Result<(), Failure> {
        let (settings, rows) = self.rows().await?;
        if place.starts_with(settings.home.root()) {
            let message = "a skill in the home of Chiton is not developed there; move it to a folder of your own";
            return Err(Failure::new(Exit::Refused, message));
        }
        for (name, _) in rows.iter() {
            let reaches = |path: &PathBuf| place.starts_with(path) || path.starts_with(place);
            if rows.grants(name).files.iter().any(|grant| grant.access == Access::Write && reaches(&grant.path)) {
                let message = format!(
                    "'{name}' may write to {}, so a skill there would change without you; move it to a folder that no tool can write to",
                    place.display()
                );
                return Err(Failure::new(Exit::Refused, message));
            }
        }
        Ok(())
    }
}

/// A folder and those in it that belong to a skill.
fn folders(place: &Path) -> Vec<PathBuf> {
    let mut all = vec![place.to_owned()];
    let mut next = 0;
    while next < all.len() && all.len() < chiton_skills::MOST_FILES {
        let inner = std::fs::read_dir(&all[next]).into_iter().flatten().flatten();
        let inner = inner.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let part = |name: &std::ffi::OsStr| !chiton_skills::LEFT_OUT.iter().any(|left| name == *left);
        all.extend(inner.filter(|entry| part(&entry.file_name())).map(|entry| entry.path()));
        next += 1;
    }
    all
}
