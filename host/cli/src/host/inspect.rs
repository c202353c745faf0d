//! A skill before it is decided on: whether it may be taken at all, what it is, and what the owner has to know.

use super::Host;
use crate::builtin::BuiltIn;
use crate::config;
use crate::dialog::{Dialog, number};
use crate::exit::{Exit, Failure};
use crate::ports::unpinned;
use crate::rows;
use crate::skills::{self, folder};
use chiton_sandbox::Component;
use chiton_skills::difference::{self, Side, difference, is_wider};
use chiton_skills::signature::{Signature, SignatureError, not_older, verify_pinned};
use chiton_skills::{Code, Package, Version, confusable};
use chiton_store::{Publisher, SkillRow, SkillState};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Most lines of what changes.
const LINES: usize = 60;

impl Host {
    /// Refuses names that belong to something else.
    pub(super) async fn check_skill_name(&self, name: &str) -> Result<(), Failure> {
        refuse_built_in(name)?;
        match rows::approved(self.store()).await?.iter().any(|row| row.name == name) {
            true => Err(taken(name, "an approved component")),
            false => Ok(()),
        }
    }

    /// The key that a package is signed with, if it is that of the skill's publisher and the version is not too low.
    pub(super) async fn signer(&self, package: &Package, downgrade: bool) -> Result<Option<String>, Failure> {
        let refuse = |error: SignatureError| Failure::new(Exit::Refused, format!("'{}': {error}", package.name()));
        let Publisher { key, floor } = self.store().publisher(package.name()).await?.unwrap_or_default();
        let pinned = (!key.is_empty()).then_some(key.as_str());
        let signature = verify_pinned(package, pinned).map_err(refuse)?;
        if let Some(floor) = Version::try_from(floor).ok().filter(|_| !downgrade) {
            not_older(package, &floor).map_err(refuse)?;
        }
        Ok(match signature {
            Signature::None => None,
            Signature::By { key, .. } => Some(key),
        })
    }

    /// Loads the code of a package, which gives it no right.
    pub(super) async fn inspect(&self, package: &Package) -> Result<Option<Arc<Component>>, Failure> {
        match package.code() {
            // What has no code needs no sandbox.
            Code::None => Ok(None),
            _ => skills::inspect(self.sandbox().await?, self.settings(), package).await,
        }
    }

    /// What the owner is told of a package, beside the version that runs.
    pub(super) async fn dialog(
        &self,
        package: &Package,
        component: Option<&Component>,
        row: &SkillRow,
        before: Option<&SkillRow>,
        signed_by: Option<String>,
    ) -> Result<Dialog, Failure> {
        let mut dialog = Dialog::of(self.settings(), package, component, &row.source);
        dialog.number = number(row);
        if let Some(before) = before {
            let old = rows::from_json(&before.asked_json);
            dialog.asked.iter_mut().for_each(|asked| asked.new = !old.contains(&asked.grant));
            let version = if before.version.is_empty() { "another version" } else { &before.version };
            dialog.runs = Some(version.to_owned());
            dialog.changes = self.changes(package, component, before, signed_by.as_deref()).await?;
            let lost = added_since(before, &self.held(&before.name, Some(before)).await?);
            dialog.changes.extend(lost.iter().map(|grant| {
                let (may, name) = (chiton_skills::words(unpinned(grant)), &before.name);
                format!(
                    "no longer: it may {may} (which you added; give it again with `chiton grant add {name} '{}'`)",
                    unpinned(grant)
                )
            }));
            if !row.version.is_empty() && before.version == row.version && before.digest != row.digest {
                dialog.warnings.push("it states the version that runs and has other files".to_owned());
            }
        }
        dialog.signed_by = signed_by;
        dialog.warnings.extend(self.confusable(package.name(), &dialog.source).await?);
        Ok(dialog)
    }

    async fn changes(
        &self,
        package: &Package,
        component: Option<&Component>,
        before: &SkillRow,
        signer: Option<&str>,
    ) -> Result<Vec<String>, Failure> {
        let key = self.store().publisher(&before.name).await?.unwrap_or_default().key;
        // What cannot be read any more can only be called different.
        let Ok(old) = Package::read(&folder(self.settings(), &before.name, &before.digest)) else {
            return Ok(vec!["the files of the version that runs cannot be read".to_owned()]);
        };
        let old_component = self.inspect(&old).await.unwrap_or_default();
        let old = Side {
            package: &old,
            tools: &tools(old_component.as_deref()),
            signer: Some(key.as_str()).filter(|key| !key.is_empty()),
        };
        let new = Side { package, tools: &tools(component), signer };
        let difference = difference(old, new);
        let mut lines: Vec<String> = difference.lines().take(LINES).map(str::to_owned).collect();
        let more = difference.lines().count().saturating_sub(LINES);
        lines.extend((more > 0).then(|| format!("and {more} lines more, which are not shown")));
        Ok(lines)
    }

    /// Warnings of names that could be taken for this one.
    async fn confusable(&self, name: &str, source: &str) -> Result<Vec<String>, Failure> {
        let all = self.store().skills().await?;
        let bundled = crate::bundled::all().iter().map(|skill| skill.name);
        let others: BTreeSet<&str> = all.iter().map(|row| row.name.as_str()).chain(bundled).collect();
        let near = others.into_iter().filter(|other| *other != name && confusable(name, other));
        let warning = |other| format!("its name is nearly that of the skill '{other}'; be sure that you mean this one");
        let taken = crate::bundled::named(name).filter(|skill| source != skill.name);
        let taken = taken.map(|_| "it takes the name of a skill that comes with Chiton, and its place".to_owned());
        Ok(near.map(warning).chain(taken).collect())
    }
}

/// Refuses the name of what is built in.
pub fn refuse_built_in(name: &str) -> Result<(), Failure> {
    BuiltIn::named(name).map_or(Ok(()), |_| Err(taken(name, "a built-in component")))
}

fn taken(name: &str, by: &str) -> Failure {
    let message = format!("'{name}' is the name of {by}, which keeps it; give the skill another name");
    Failure::new(Exit::Refused, message)
}

/// Tools as their changes are told.
fn tools(component: Option<&Component>) -> Vec<difference::Tool> {
    let tools = component.map(|component| component.tools()).unwrap_or_default();
    let tool = |tool: &Arc<chiton_sandbox::ToolDefinition>| difference::Tool {
        name: tool.name.clone(),
        description: tool.description.clone(),
        parameters: tool.parameters.to_string(),
        effects: tool.effects.names().map(str::to_owned).collect(),
    };
    tools.iter().map(tool).collect()
}

/// The row of a package that waits.
pub fn waiting(package: &Package, component: Option<&Component>, asked: &[String], source: String) -> SkillRow {
    let manifest = package.manifest();
    let (engine, file, code) = match package.code() {
        Code::None => Default::default(),
        Code::Component { file, bytes } => {
            (String::new(), file.to_owned(), chiton_sandbox::Digest::of(bytes).to_string())
        }
        Code::Script { engine, text, .. } => {
            let file = manifest.and_then(|manifest| manifest.script.as_deref()).unwrap_or_default();
            (engine.name().to_owned(), file.to_owned(), chiton_sandbox::Digest::of(text.as_bytes()).to_string())
        }
    };
    SkillRow {
        name: package.name().to_owned(),
        digest: package.digest().to_string(),
        version: manifest.map(|manifest| manifest.version.to_string()).unwrap_or_default(),
        engine,
        file,
        code,
        definitions: component.map(|component| component.definitions_digest().to_string()).unwrap_or_default(),
        source,
        asked_json: rows::to_json(asked),
        limits_json: manifest
            .and_then(|manifest| serde_json::to_string(&skills::limits(&manifest.limits)).ok())
            .unwrap_or_default(),
        granted_json: None,
        state: SkillState::Waiting,
        added_at: jiff::Timestamp::now().as_millisecond(),
        decided_at: None,
    }
}

/// What may be given to a version without asking: what the version that runs has, of what this one asks for. None when
/// the owner has to be asked: it asks for more, its tools say something else, or it is not signed by the same publisher.
pub(super) fn needs_no_word(
    before: &SkillRow,
    new: &SkillRow,
    signed: Option<&str>,
    pinned: &str,
    held: &[String],
) -> Option<Vec<String>> {
    let (old, asked) = (rows::from_json(&before.asked_json), rows::from_json(&new.asked_json));
    let trusted = signed.is_some_and(|key| key == pinned) && before.definitions == new.definitions;
    let same_limits = before.limits_json == new.limits_json;
    if !trusted || !same_limits || is_wider(&old, &asked) {
        return None;
    }
    // Only what the owner gave, and of that what the new version asks for. A program stays the file that it was.
    let plain: Vec<String> = held.iter().map(|grant| unpinned(grant).to_owned()).collect();
    let given = asked.into_iter().filter(|grant| !is_wider(&plain, std::slice::from_ref(grant)));
    let same = |grant: String| held.iter().find(|held| unpinned(held) == grant).cloned().unwrap_or(grant);
    Some(given.map(same).chain(added_since(before, held)).collect())
}

/// What the owner gave to a version beside what it asked for.
fn added_since(before: &SkillRow, held: &[String]) -> Vec<String> {
    let asked = rows::from_json(&before.asked_json);
    held.iter().filter(|grant| is_wider(&asked, &[unpinned(grant).to_owned()])).cloned().collect()
}

/// What to say when nothing with this digest waits.
pub(super) fn nothing_waits(name: &str, waiting: Option<&SkillRow>, all: &[SkillRow]) -> Failure {
    let message = match waiting {
        Some(waiting) => format!(
            "what waits of '{name}' has other files than what was shown; look at it again: chiton skill diff {}",
            waiting.name
        ),
        None => match config::nearest(name, all.iter().map(|row| row.name.as_str())) {
            Some(near) => format!("no version of '{name}' waits; did you mean '{near}'?"),
            None => format!("no version of '{name}' waits; `chiton skill list` shows what does"),
        },
    };
    Failure::new(Exit::NotFound, message)
}
