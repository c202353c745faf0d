//! Approvals and grants: what the owner decides, made durable first and then true in the sandbox.

use super::Host;
use crate::builtin;
use crate::config;
use crate::exit::{Exit, Failure};
use crate::rows::{self, Rows, Source};
use crate::settings::Settings;
use crate::tools::{kept_bytes, read_component};
use chiton_store::ApprovalRow;
use serde_json::{Value, json};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

impl Host {
    /// Approves the bytes of `file` under `name`, with exactly `grants`, and runs them from now on.
    pub(super) async fn approve(&self, name: String, file: PathBuf, grants: Vec<String>) -> Result<Value, Failure> {
        check_name(&name)?;
        if !self.versions(&name).await?.is_empty() {
            let message = format!("'{name}' is the name of a skill; give another one with --name");
            return Err(Failure::new(Exit::Refused, message));
        }
        let bytes = read_component(&file)?;
        let sandbox = self.sandbox().await?;
        let component = sandbox.load(bytes.clone()).await?;
        let given = rows::parse_all(&grants, Path::new("/"))?.unwrap_or_default();
        let row = ApprovalRow {
            name: name.clone(),
            component_digest: component.digest().to_string(),
            definitions_digest: component.definitions_digest().to_string(),
            path: Some(file.display().to_string()),
            grants_json: rows::to_json(&grants),
            approved_at: jiff::Timestamp::now().as_millisecond(),
            revoked_at: None,
        };
        keep(&kept_bytes(self.settings(), &name, &row.component_digest), &bytes)?;
        let tools: Vec<_> = component.tools().iter().map(|tool| tool.name.clone()).collect();
        let answer = json!({"name": name, "digest": row.component_digest, "tools": tools, "grants": grants});
        let before = self.approval(&name).await?;
        sandbox.publish(&name, component, given)?;
        self.store().set_tool_grants(&name, None).await?;
        self.store().approve(row.clone()).await?;
        self.inner.approved.notify_one();
        if let Some(before) = before.filter(|before| before.component_digest != row.component_digest) {
            std::fs::remove_file(kept_bytes(self.settings(), &name, &before.component_digest)).ok();
        }
        Ok(answer)
    }

    /// Takes an approval back and ends the calls that run under it.
    pub(super) async fn revoke(&self, name: &str) -> Result<Value, Failure> {
        if builtin::GRANTS.iter().any(|(built_in, _)| *built_in == name) {
            let message =
                format!("'{name}' is built in and cannot be revoked; take its grants away with `chiton grant remove`");
            return Err(Failure::new(Exit::Usage, message));
        }
        let Some(approval) = self.approval(name).await? else {
            let approved = rows::approved(self.store()).await?;
            let names = approved.iter().map(|row| row.name.as_str());
            let advice = match config::nearest(name, names) {
                Some(near) => format!("did you mean '{near}'?"),
                None => "`chiton tool list` shows what is approved".to_owned(),
            };
            return Err(Failure::new(Exit::NotFound, format!("nothing is approved as '{name}'; {advice}")));
        };
        self.store().revoke(name).await?;
        self.store().set_tool_grants(name, None).await?;
        if let (Some(sandbox), Ok(digest)) = (self.started_sandbox(), approval.component_digest.parse()) {
            sandbox.revoke(&digest);
        }
        std::fs::remove_file(kept_bytes(self.settings(), name, &approval.component_digest)).ok();
        Ok(json!({"name": name, "digest": approval.component_digest}))
    }

    /// Gives a component one more grant.
    pub(super) async fn add_grant(&self, tool: &str, wanted: String) -> Result<Value, Failure> {
        let (settings, rows) = self.rows().await?;
        let name = self.component(tool, &rows).await?;
        let mut grants = rows.get(&name).map(|row| row.grants.clone()).unwrap_or_default();
        if rows.position(&name, &wanted, Path::new("/")).is_none() {
            // The same directory with another access replaces what was given before.
            let path =
                wanted.rsplit_once(':').filter(|_| wanted.starts_with("files=")).map(|(path, _)| format!("{path}:"));
            let same = |text: &String| path.as_ref().is_some_and(|path| rows.described_one(text).starts_with(path));
            match grants.iter().position(same) {
                Some(index) => grants[index] = wanted,
                None => grants.push(wanted),
            }
            self.set_row(settings, &name, grants, &rows).await?;
        }
        self.row_answer(&name).await
    }

    /// Takes one grant from a component.
    pub(super) async fn remove_grant(&self, tool: &str, grant: &str, base: &Path) -> Result<Value, Failure> {
        let (settings, rows) = self.rows().await?;
        let name = self.component(tool, &rows).await?;
        let Some(index) = rows.position(&name, grant, base) else {
            let given = rows.described(&name).join(", ");
            let given = if given.is_empty() { "no grants".to_owned() } else { given };
            return Err(Failure::new(
                Exit::NotFound,
                format!("'{name}' does not have the grant {grant}; it has {given}"),
            ));
        };
        let mut grants = rows.get(&name).map(|row| row.grants.clone()).unwrap_or_default();
        grants.remove(index);
        self.set_row(settings, &name, grants, &rows).await?;
        self.row_answer(&name).await
    }

    /// Makes `grants` the row of `name`: in the configuration if it is there, else in the store.
    async fn set_row(&self, settings: Settings, name: &str, grants: Vec<String>, rows: &Rows) -> Result<(), Failure> {
        if rows.get(name).is_some_and(|row| row.source == Source::Configuration) {
            let mut document = settings.document;
            if document.comments {
                let file = document.name();
                let message = format!(
                    "the grants of '{name}' are set in {file}, whose comments this command would remove; change tools.{name}.grants there"
                );
                return Err(Failure::new(Exit::Configuration, message));
            }
            config::set(&mut document, &format!("tools.{name}.grants"), grants.into())?;
        } else {
            self.store().set_tool_grants(name, Some(&rows::to_json(&grants))).await?;
        }
        if let Some(sandbox) = self.started_sandbox() {
            let rows = self.rows().await?.1;
            match self.runs_as_skill(name).await? {
                true => {
                    let _changing = self.inner.changing.lock().await;
                    self.publish_skills(sandbox).await?;
                }
                false => drop(sandbox.set_grants(name, rows.grants(name))),
            }
        }
        Ok(())
    }

    async fn row_answer(&self, name: &str) -> Result<Value, Failure> {
        Ok(json!({"name": name, "grants": self.rows().await?.1.described(name)}))
    }

    /// The rows as they are now; the configuration may have changed since the host started.
    pub(super) async fn rows(&self) -> Result<(Settings, Rows), Failure> {
        let settings = Settings::load()?;
        let rows = Rows::read(&settings, Some(self.store())).await?;
        Ok((settings, rows))
    }

    /// The component that is meant by its own name or by that of one of its tools.
    async fn component(&self, name: &str, rows: &Rows) -> Result<String, Failure> {
        if rows.get(name).is_some() {
            return Ok(name.to_owned());
        }
        let snapshot = self.sandbox().await?.snapshot();
        if let Some(tool) = snapshot.get(name) {
            return Ok(tool.slot.clone());
        }
        let names = rows.iter().map(|(name, _)| name.as_str());
        let near = snapshot.nearest(name).or_else(|| config::nearest(name, names));
        Err(unknown_tool(name, near))
    }

    async fn approval(&self, name: &str) -> Result<Option<ApprovalRow>, Failure> {
        let approved = rows::approved(self.store()).await?;
        Ok(approved.into_iter().find(|row| row.name == name))
    }
}

/// What to say when there is no such tool.
pub fn unknown_tool(name: &str, near: Option<&str>) -> Failure {
    let advice = match near {
        Some(near) => format!("did you mean '{near}'?"),
        None => "`chiton tool list` shows all".to_owned(),
    };
    Failure::new(Exit::NotFound, format!("there is no tool '{name}'; {advice}"))
}

fn check_name(name: &str) -> Result<(), Failure> {
    if !chiton_skills::is_name(name) {
        let message =
            format!("'{name}' is no name for a component; give one of 1 to 64 letters a-z, digits and '-' with --name");
        return Err(Failure::new(Exit::Usage, message));
    }
    if builtin::BuiltIn::named(name).is_some() {
        let message = format!("'{name}' is the name of a built-in component; give another one with --name");
        return Err(Failure::new(Exit::Refused, message));
    }
    Ok(())
}

/// Keeps bytes that will run, complete or not at all.
pub fn keep(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let staged = path.with_extension("new");
    std::fs::remove_file(&staged).ok();
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&staged)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&staged, path)
}
