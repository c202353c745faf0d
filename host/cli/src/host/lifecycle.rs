//! What becomes of skills while the host runs: versions are added, decided on, exchanged, put back and taken away.
//!
//! A version is kept on the disk first, then in the store as waiting, and runs only after the owner's word for exactly
//! these bytes. Whatever fails before that leaves the version that runs as it is.

use super::Host;
use super::inspect::{needs_no_word, nothing_waits, waiting};
use crate::config;
use crate::dialog::{self, Dialog};
use crate::exit::{Exit, Failure};
use crate::ports::shown_program;
use crate::request::Decision;
use crate::rows::{self, Source};
use crate::settings::Settings;
use crate::skills::{self, Running, folder};
use chiton_sandbox::{Sandbox, Single, Validity};
use chiton_skills::lock::{Lock, Locked};
use chiton_skills::{Package, Version};
use chiton_store::{Publisher, SkillRow, SkillState};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{MutexGuard, PoisonError};

/// The file in the home that tells which versions run.
const LOCK: &str = "skills.lock";

impl Host {
    /// Keeps the skill in `place` as a version that waits for the owner, or takes it at once where no new word is needed.
    pub(super) async fn add_skill(&self, place: &Path, source: String, downgrade: bool) -> Result<Value, Failure> {
        let package = Package::read(place)?;
        Ok(json!(self.take_package(&package, source, downgrade).await?))
    }

    /// What the version that waits asks and changes.
    pub(super) async fn describe_skill(&self, name: &str) -> Result<Value, Failure> {
        let all = self.store().skills().await?;
        let waits = |row: &&SkillRow| row.name == name && row.state == SkillState::Waiting;
        let Some(row) = all.iter().find(waits) else { return Err(nothing_waits(name, None, &all)) };
        let package = Package::read(&folder(self.settings(), name, &row.digest))?;
        let component = self.inspect(&package).await?;
        let before = all.iter().find(|row| row.name == name && row.state == SkillState::Active);
        let key = self.signer(&package, true).await?;
        Ok(json!(self.dialog(&package, component.as_deref(), row, before, key).await?))
    }

    /// The same for a package that was read.
    pub(super) async fn take_package(
        &self,
        package: &Package,
        source: String,
        downgrade: bool,
    ) -> Result<Dialog, Failure> {
        let _changing = self.inner.changing.lock().await;
        let (name, digest) = (package.name().to_owned(), package.digest().to_string());
        self.check_skill_name(&name).await?;
        let key = self.signer(package, downgrade).await?;
        let versions = self.versions(&name).await?;
        let before = versions.iter().find(|row| row.state == SkillState::Active);
        let component = self.inspect(package).await?;
        if let Some(component) = &component {
            self.sandbox().await?.check_names(&name, component)?;
        }
        let asked = dialog::asked(package);
        rows::may_be_asked(&asked, self.settings())?;
        let row = waiting(package, component.as_deref(), &asked, source);
        let mut dialog = self.dialog(package, component.as_deref(), &row, before, key.clone()).await?;
        if before.is_some_and(|before| before.digest == digest) {
            dialog.state = SkillState::Active;
            return Ok(dialog);
        }
        // What was approved for a session or a call only gives way to what is decided on now.
        if self.temporary().remove(&name).is_some() {
            self.end_skill(&name).await?;
        }
        keep(package, &folder(self.settings(), &name, &digest))?;
        self.store().add_skill(row.clone()).await?;
        self.sweep(&name, &versions).await?;
        let pinned = self.store().publisher(&name).await?.unwrap_or_default().key;
        let held = self.held(&name, before).await?;
        if let Some(granted) = before.and_then(|before| needs_no_word(before, &row, key.as_deref(), &pinned, &held)) {
            let granted = granted.into_iter().map(rows::kept).collect::<Result<Vec<_>, _>>()?;
            self.activate(&row, &granted, pinned).await?;
            dialog.state = SkillState::Active;
        }
        Ok(dialog)
    }

    /// What a skill was given by its approval, or by `chiton grant` since.
    pub(super) async fn held(&self, name: &str, before: Option<&SkillRow>) -> Result<Vec<String>, Failure> {
        let changed = self.store().tool_grants().await?.into_iter().find(|(tool, _)| tool == name);
        let approved = before.and_then(|before| before.granted_json.clone());
        let held = changed.map(|(_, grants)| grants).or(approved).map(|grants| rows::from_json(&grants));
        let own = before.map(|before| folder(self.settings(), name, &before.digest));
        let named = |grant| own.as_deref().map_or_else(|| String::clone(&grant), |own| skills::named(&grant, own));
        Ok(held.unwrap_or_default().into_iter().map(named).collect())
    }

    /// What the owner decides on the version that waits. `digest` is that of what the owner was shown.
    pub(super) async fn decide_skill(
        &self,
        name: &str,
        digest: &str,
        decision: Decision,
        grants: Option<Vec<String>>,
    ) -> Result<Value, Failure> {
        let _changing = self.inner.changing.lock().await;
        let versions = self.versions(name).await?;
        let waiting = versions.iter().find(|row| row.state == SkillState::Waiting);
        let Some(row) = waiting.filter(|row| row.digest == digest) else {
            return Err(nothing_waits(name, waiting, &self.store().skills().await?));
        };
        let granted = grants.unwrap_or_else(|| rows::from_json(&row.asked_json));
        rows::may_be_asked(&granted, self.settings())?;
        for grant in &granted {
            rows::check(grant, self.settings())?;
        }
        let granted = granted.into_iter().map(rows::kept).collect::<Result<Vec<_>, _>>()?;
        let runs = versions.iter().any(|row| row.state == SkillState::Active);
        let row = SkillRow { granted_json: Some(rows::to_json(&granted)), ..row.clone() };
        let validity = match decision {
            Decision::Refuse => {
                self.store().decide_skill(name, &row.digest, SkillState::Refused).await?;
                if self.temporary().remove(name).is_some() {
                    self.end_skill(name).await?;
                }
                std::fs::remove_dir_all(folder(self.settings(), name, &row.digest)).ok();
                return Ok(json!({"name": name, "digest": row.digest, "state": SkillState::Refused}));
            }
            Decision::Always => {
                let package = self.approved_files(&row)?;
                let key = self.signer(&package, true).await?;
                self.activate(&row, &granted, key.unwrap_or_default()).await?;
                return self.decided(name, &row, &granted).await;
            }
            Decision::Session { .. } | Decision::Once { .. } if runs => {
                let message =
                    format!("a version of '{name}' runs for everybody; the new one can be taken always, or refused");
                return Err(Failure::new(Exit::Usage, message));
            }
            Decision::Session { session } => Validity::Session(session),
            Decision::Once { session } => Validity::Once(Single::default(), session),
        };
        self.approved_files(&row)?;
        let running = Running::approved(self.settings(), row.clone(), validity);
        self.temporary().insert(name.to_owned(), running);
        let published = self.publish_skills(self.sandbox().await?).await;
        if published.is_err() {
            self.temporary().remove(name);
        }
        published?;
        self.decided(name, &row, &granted).await
    }

    /// The files of a version, if they are still those that it was added with.
    fn approved_files(&self, row: &SkillRow) -> Result<Package, Failure> {
        let package = Package::read(&folder(self.settings(), &row.name, &row.digest))?;
        match package.digest().to_string() == row.digest {
            true => Ok(package),
            false => {
                Err(Failure::new(Exit::Refused, format!("the files of '{}' were changed here; add it again", row.name)))
            }
        }
    }

    /// Makes a version the one that runs, in the sandbox first: what cannot run takes no other's place.
    async fn activate(&self, row: &SkillRow, granted: &[String], key: String) -> Result<(), Failure> {
        let sandbox = self.sandbox().await?;
        let refused = |reason| Failure::new(Exit::Refused, format!("the skill '{}' cannot run: {reason}", row.name));
        let running = Running::approved(self.settings(), row.clone(), Validity::Always);
        let component = skills::load(sandbox, self.settings(), &running).await.map_err(refused)?;
        if let Some(component) = component {
            sandbox.check_names(&row.name, &component)?;
        }
        let floor = self.store().publisher(&row.name).await?.map(|before| before.floor).unwrap_or_default();
        let floor = std::cmp::max_by_key(floor, row.version.clone(), |version| Version::try_from(version.clone()).ok());
        let before = self.versions(&row.name).await?;
        let publisher = Publisher { key, floor };
        if !self.store().activate_skill(&row.name, &row.digest, &rows::to_json(granted), publisher).await? {
            return Err(nothing_waits(&row.name, None, &self.store().skills().await?));
        }
        self.temporary().remove(&row.name);
        self.sweep(&row.name, &before).await?;
        self.publish_skills(sandbox).await
    }

    /// Removes what a command that was killed left behind, and the jobs of skills that are turned off.
    pub(super) async fn tidy_skills(&self) -> Result<(), Failure> {
        let _changing = self.inner.changing.lock().await;
        let rows = self.store().skills().await?;
        let known = |name: &str, digest: &str| rows.iter().any(|row| row.name == name && row.digest == digest);
        let inside = |place: &Path| std::fs::read_dir(place).into_iter().flatten().flatten();
        for skill in inside(&folder(self.settings(), "", "")) {
            for version in inside(&skill.path()) {
                if !known(&skill.file_name().to_string_lossy(), &version.file_name().to_string_lossy()) {
                    std::fs::remove_dir_all(version.path()).ok();
                }
            }
            // Only an empty one goes.
            std::fs::remove_dir(skill.path()).ok();
        }
        for name in &self.settings().config.agents.defaults.disabled_skills {
            self.store().end_jobs_of(name).await?;
        }
        Ok(())
    }

    /// Removes the folders of versions that the store forgot.
    async fn sweep(&self, name: &str, before: &[SkillRow]) -> Result<(), Failure> {
        let kept = self.versions(name).await?;
        for gone in before.iter().filter(|row| !kept.iter().any(|kept| kept.digest == row.digest)) {
            std::fs::remove_dir_all(folder(self.settings(), name, &gone.digest)).ok();
        }
        Ok(())
    }

    /// Puts the version that was added before the one that runs, or the one that is `wanted`, in its place.
    pub(super) async fn roll_back_skill(&self, name: &str, wanted: Option<&str>) -> Result<Value, Failure> {
        let _changing = self.inner.changing.lock().await;
        let versions = self.known_skill(name).await?;
        let now = versions.iter().find(|row| matches!(row.state, SkillState::Active | SkillState::Revoked));
        let before = |row: &&SkillRow| now.is_none_or(|now| row.added_at < now.added_at);
        let meant = |row: &&SkillRow| match wanted {
            None => before(row),
            Some(wanted) => row.digest.starts_with(wanted) || row.version == wanted,
        };
        let retired = versions.iter().filter(|row| row.state == SkillState::Retired);
        let Some(row) = retired.filter(meant).max_by_key(|row| row.added_at) else {
            let message =
                format!("there is no earlier version of '{name}' to go back to; `chiton skill show {name}` lists all");
            return Err(Failure::new(Exit::NotFound, message));
        };
        self.approved_files(row)?;
        let granted = row.granted_json.as_deref().map(rows::from_json).unwrap_or_default();
        let key = self.store().publisher(name).await?.map(|publisher| publisher.key).unwrap_or_default();
        self.activate(row, &granted, key).await?;
        self.decided(name, row, &granted).await
    }

    /// Takes the approval back: its calls end, its jobs too.
    pub(super) async fn revoke_skill(&self, name: &str) -> Result<Value, Failure> {
        let _changing = self.inner.changing.lock().await;
        let versions = self.known_skill(name).await?;
        let temporary = self.temporary().remove(name).map(|running| running.row);
        let active = versions.into_iter().find(|row| row.state == SkillState::Active);
        let Some(row) = active.clone().or(temporary) else {
            return Err(Failure::new(Exit::NotFound, format!("no version of '{name}' is approved")));
        };
        if active.is_some() {
            self.store().decide_skill(name, &row.digest, SkillState::Revoked).await?;
        }
        self.end_skill(name).await?;
        self.store().end_jobs_of(name).await?;
        Ok(json!({"name": name, "digest": row.digest}))
    }

    /// Forgets a skill with all that it left.
    pub(super) async fn remove_skill(&self, name: &str) -> Result<Value, Failure> {
        let _changing = self.inner.changing.lock().await;
        self.known_skill(name).await?;
        self.temporary().remove(name);
        self.store().remove_skill(name).await?;
        self.end_skill(name).await?;
        let versions = folder(self.settings(), name, "");
        std::fs::remove_dir_all(&versions).ok();
        for session in std::fs::read_dir(self.settings().home.scratch()).into_iter().flatten().flatten() {
            let own = session.path().join(skills::SCRATCH);
            // A tool may have put a link there, which leads elsewhere.
            if own.symlink_metadata().is_ok_and(|there| there.is_dir()) {
                std::fs::remove_dir_all(own.join(name)).ok();
            }
        }
        // What the owner put there is theirs; it is taken again at the next start.
        let owners = self.settings().home.skills().join(name);
        Ok(json!({"name": name, "stays": owners.is_dir().then_some(owners)}))
    }

    /// Ends what runs of a skill, and runs the others.
    pub(super) async fn end_skill(&self, name: &str) -> Result<(), Failure> {
        let Some(sandbox) = self.started_sandbox() else { return Ok(()) };
        sandbox.withdraw(name);
        self.publish_skills(sandbox).await
    }

    /// Makes the sandbox run exactly what is approved.
    pub(super) async fn publish_skills(&self, sandbox: &Sandbox) -> Result<(), Failure> {
        let (settings, mut rows) = self.rows().await?;
        let mut running: Vec<Running> = self.temporary().values().cloned().collect();
        for Running { row, folder, .. } in &running {
            rows.put(&row.name, skills::granted(row, folder), Source::Approval);
        }
        let mut active = skills::active(&settings, Some(self.store())).await?;
        active.retain(|row| !running.iter().any(|other| other.row.name == row.name));
        running.extend(active.into_iter().map(|row| Running::approved(&settings, row, Validity::Always)));
        write_lock(&settings, &running)?;
        for (name, reason) in skills::publish(sandbox, &settings, &rows, &running).await {
            self.notice_once(format!("the skill '{name}' does not run: {reason}"));
        }
        Ok(())
    }

    /// Whether a name is that of a skill which runs.
    pub(super) async fn runs_as_skill(&self, name: &str) -> Result<bool, Failure> {
        let active = skills::active(self.settings(), Some(self.store())).await?;
        Ok(active.iter().any(|row| row.name == name) || self.temporary().contains_key(name))
    }

    pub(super) fn temporary(&self) -> MutexGuard<'_, std::collections::BTreeMap<String, Running>> {
        self.inner.temporary.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was decided, with the tools that run now.
    async fn decided(&self, name: &str, row: &SkillRow, granted: &[String]) -> Result<Value, Failure> {
        let snapshot = self.sandbox().await?.snapshot();
        let tools: Vec<_> =
            snapshot.iter().filter(|tool| tool.slot == name).map(|tool| &tool.definition.name).collect();
        Ok(json!({
            "name": name, "version": row.version, "digest": row.digest, "state": SkillState::Active, "tools": tools,
            "grants": granted.iter().map(|grant| shown_program(grant)).collect::<Vec<_>>(),
        }))
    }

    /// The versions of a skill, of which there is at least one.
    async fn known_skill(&self, name: &str) -> Result<Vec<SkillRow>, Failure> {
        let versions = self.versions(name).await?;
        if !versions.is_empty() {
            return Ok(versions);
        }
        let all = self.store().skills().await?;
        let advice = match config::nearest(name, all.iter().map(|row| row.name.as_str())) {
            Some(near) => format!("did you mean '{near}'?"),
            None => "`chiton skill list` shows all".to_owned(),
        };
        Err(Failure::new(Exit::NotFound, format!("there is no skill '{name}'; {advice}")))
    }

    /// All versions of a skill, the newest decision last.
    pub(super) async fn versions(&self, name: &str) -> Result<Vec<SkillRow>, Failure> {
        let mut all = self.store().skills().await?;
        all.retain(|row| row.name == name);
        Ok(all)
    }
}

/// Writes which versions run, so that another home can add exactly these.
fn write_lock(settings: &Settings, running: &[Running]) -> Result<(), Failure> {
    let always = running.iter().filter(|running| running.row.state == SkillState::Active);
    let locked = |Running { row, .. }: &Running| {
        let name = row.name.clone().try_into().ok()?;
        let (version, digest) = (row.version.clone().try_into().ok(), row.digest.parse().ok()?);
        // What was proposed in a chat can be brought from nowhere.
        row.source.parse::<chiton_registry::Source>().ok()?;
        Some(Locked { name, version, source: row.source.clone(), digest, key: None })
    };
    let mut skills: Vec<Locked> = always.filter_map(locked).collect();
    skills.sort_by(|one, other| one.name.cmp(&other.name));
    let text = Lock { skills }.to_text().map_err(Failure::because(Exit::State))?;
    let file = settings.home.root().join(LOCK);
    if std::fs::read_to_string(&file).is_ok_and(|there| there == text) {
        return Ok(());
    }
    Ok(super::keep(&file, text.as_bytes())?)
}

/// Puts a package where its versions are, unless it is there already.
fn keep(package: &Package, place: &Path) -> Result<(), Failure> {
    if Package::read(place).is_ok_and(|there| there.digest() == package.digest()) {
        return Ok(());
    }
    // What is there is not whole.
    std::fs::remove_dir_all(place).ok();
    Ok(package.store(place)?)
}
