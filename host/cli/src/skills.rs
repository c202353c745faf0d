//! The skills that run: which versions the owner approved, where they are, and how they get into the sandbox.

use crate::builtin::BuiltIn;
use crate::exit::{Exit, Failure};
use crate::programs;
use crate::rows::{self, Rows};
use crate::settings::Settings;
use chiton_agent::SkillSettings;
use chiton_sandbox::{Component, Digest, Grants, Limits, Sandbox, Script, Seal, Validity};
use chiton_skills::{Code, Package};
use chiton_store::{SkillRow, SkillState, Store};
use futures_util::future::join_all;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folder among the skills with the versions that were added.
const VERSIONS: &str = ".store";
/// Programs that start scripts for other bots; here `exec` does.
const RUNNERS: [&str; 2] = ["uv", "npx"];
/// The folder in a session's scratch directory with those of the skills.
pub const SCRATCH: &str = "skills";

/// A version of a skill that runs, and for which calls.
#[derive(Clone)]
pub struct Running {
    /// The version.
    pub row: SkillRow,
    /// Where its files are.
    pub folder: PathBuf,
    /// Whose calls may use it.
    pub validity: Validity,
    /// What holds its files to what was approved; none while it is written.
    pub seal: Option<Arc<dyn Seal>>,
}

impl Running {
    /// A version that was approved for such calls.
    pub fn approved(settings: &Settings, row: SkillRow, validity: Validity) -> Self {
        let folder = folder(settings, &row.name, &row.digest);
        // Of what cannot be read nothing was approved.
        let digest = row.digest.parse().unwrap_or(Digest::of(&[]));
        let seal = chiton_skills::Seal::new(folder.clone(), digest);
        Self { row, folder, validity, seal: Some(Arc::new(seal)) }
    }
}

/// The folder of a version.
pub fn folder(settings: &Settings, name: &str, digest: &str) -> PathBuf {
    settings.home.skills().join(VERSIONS).join(name).join(digest)
}

/// The versions that run for all calls, less those that the configuration turns off.
pub async fn active(settings: &Settings, store: Option<&Store>) -> Result<Vec<SkillRow>, Failure> {
    let Some(store) = store else { return Ok(Vec::new()) };
    let mut all = store.skills().await?;
    let off = &settings.config.agents.defaults.disabled_skills;
    all.retain(|row| row.state == SkillState::Active && !off.contains(&row.name));
    Ok(all)
}

/// What the agent tells the model of skills.
pub fn settings(settings: &Settings) -> SkillSettings {
    let built_in = BuiltIn::programs().flat_map(|program| program.names).map(|name| (*name).to_owned());
    let added = programs::added(settings).into_iter().filter_map(|(_, added)| added.ok());
    SkillSettings {
        disabled: settings.config.agents.defaults.disabled_skills.iter().cloned().collect(),
        programs: built_in.chain(added.flat_map(|added| added.names)).chain(RUNNERS.map(str::to_owned)).collect(),
        secrets: settings.config.secrets.keys().cloned().collect(),
    }
}

/// The grants of a version, with its own folder in place of the word `skill`.
pub fn granted(row: &SkillRow, own: &Path) -> Vec<String> {
    let placed = |grant: String| match grant.strip_prefix("files=skill") {
        Some(rest) if rest.starts_with([':', '/']) => format!("files={}{rest}", own.display()),
        _ => grant,
    };
    let grants = row.granted_json.as_deref().map(rows::from_json).unwrap_or_default();
    grants.into_iter().map(placed).collect()
}

/// A grant with the word `skill` in place of a version's own folder, which another version does not have.
pub fn named(grant: &str, own: &Path) -> String {
    let rest = grant.strip_prefix(&format!("files={}", own.display())).filter(|rest| rest.starts_with([':', '/']));
    rest.map_or_else(|| grant.to_owned(), |rest| format!("files=skill{rest}"))
}

/// What the sandbox gives to a version.
fn grants(rows: &Rows, running: &Running) -> Grants {
    let row = &running.row;
    let given = rows.grants(&row.name);
    let limits = serde_json::from_str(&row.limits_json).ok().or(given.limits);
    let own_scratch = Some(Path::new(SCRATCH).join(&row.name));
    Grants { limits, own_scratch, validity: running.validity.clone(), seal: running.seal.clone(), ..given }
}

/// Makes exactly these skills run; gives what cannot, and why.
pub async fn publish(
    sandbox: &Sandbox,
    settings: &Settings,
    rows: &Rows,
    running: &[Running],
) -> Vec<(String, String)> {
    let known = |running: &Running| (running.row.name.clone(), running.folder.clone(), grants(rows, running));
    let known: Vec<_> = running.iter().map(known).collect();
    sandbox.set_skills(known.clone());
    let loading = join_all(running.iter().map(|running| load(sandbox, settings, running))).await;
    let mut wrong = Vec::new();
    for ((name, _, grants), loaded) in known.into_iter().zip(loading) {
        let published = loaded.and_then(|component| match component {
            Some(component) => sandbox.publish(&name, component, grants).map_err(|error| error.to_string()),
            None => {
                sandbox.unload(&name);
                Ok(())
            }
        });
        if let Err(reason) = published {
            wrong.push((name, reason));
        }
    }
    wrong
}

/// Loads exactly the code that was approved; none if the version has no code.
pub async fn load(sandbox: &Sandbox, settings: &Settings, running: &Running) -> Result<Option<Arc<Component>>, String> {
    let row = &running.row;
    if row.file.is_empty() {
        return Ok(None);
    }
    let digest: Digest = row.code.parse().map_err(|error| format!("{error}"))?;
    let file = running.folder.join(&row.file);
    let component = if row.engine.is_empty() {
        let read = move || std::fs::read(&file);
        sandbox.load_known(digest, Arc::new(read)).await.map_err(|error| error.to_string())?
    } else {
        let text = std::fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        if Digest::of(&text) != digest {
            return Err(changed(&row.name));
        }
        script(sandbox, settings, &row.engine, &row.file, text).await?
    };
    match component.definitions_digest().to_string() == row.definitions {
        true => Ok(Some(component)),
        false => Err(changed(&row.name)),
    }
}

fn changed(name: &str) -> String {
    format!("its code is not what was approved; add it again, or `chiton skill rollback {name}` to the version before")
}

/// Loads a script on its engine.
pub async fn script(
    sandbox: &Sandbox,
    settings: &Settings,
    engine: &str,
    name: &str,
    text: Vec<u8>,
) -> Result<Arc<Component>, String> {
    let (digest, bytes) = programs::engine(settings, engine)?;
    let text = String::from_utf8(text).map_err(|_| format!("the script '{name}' is not UTF-8 text"))?;
    let script = Script { name: name.to_owned(), text };
    sandbox.load_script(digest, bytes, script).await.map_err(|error| error.to_string())
}

/// Loads the code of a package, which gives it no right.
pub async fn inspect(
    sandbox: &Sandbox,
    settings: &Settings,
    package: &Package,
) -> Result<Option<Arc<Component>>, Failure> {
    let refused = |reason: String| Failure::new(Exit::Refused, format!("'{}': {reason}", package.name()));
    Ok(match package.code() {
        Code::None => None,
        Code::Component { bytes, .. } => Some(sandbox.load(bytes.to_vec()).await?),
        Code::Script { engine, name, text } => {
            let text = text.as_bytes().to_vec();
            Some(script(sandbox, settings, engine.name(), name, text).await.map_err(refused)?)
        }
    })
}

/// The limits that a manifest states, and the defaults of what it does not.
pub fn limits(stated: &chiton_skills::Limits) -> Limits {
    let own = Limits::default();
    Limits {
        memory: stated.memory.map_or(own.memory, |size| size.0),
        time: stated.time.map_or(own.time, |time| time.0),
        output: stated.output.and_then(|size| usize::try_from(size.0).ok()).unwrap_or(own.output),
        ..own
    }
}
