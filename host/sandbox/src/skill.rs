//! Skills: folders of scripts with grants of their own. A tool can act for one: then the call has the skill's rights
//! in place of the tool's, and it is the host that makes the switch.

use crate::snapshot::{LoadedTool, MAX_CALLS_PER_COMPONENT, Snapshot};
use crate::{Access, CallError, CallRequest, Capability, Effects, FileGrant, Grants, Rights};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// The `format` of the argument that names the skill a call acts for.
const FORMAT: &str = "skill";
/// The value of a `skills` grant that means every skill.
const EVERY: &str = "*";

/// A skill as it can be acted for now.
#[derive(Clone)]
pub(crate) struct Skill {
    pub(crate) folder: PathBuf,
    pub(crate) grants: Arc<Grants>,
    /// Ends calls that use grants which were taken back.
    pub(crate) withdrawn: CancellationToken,
    places: Arc<Semaphore>,
}

impl Skill {
    /// A skill in the place of one that was known. Calls that use grants which it has no longer end.
    pub(crate) fn after(before: Option<Self>, folder: PathBuf, grants: Grants) -> Self {
        let places = before.as_ref().map(|before| before.places.clone());
        let withdrawn = match before {
            Some(before) if before.grants.is_within(&grants) => before.withdrawn,
            Some(before) => {
                before.withdrawn.cancel();
                CancellationToken::new()
            }
            None => CancellationToken::new(),
        };
        let places = places.unwrap_or_else(|| Arc::new(Semaphore::new(MAX_CALLS_PER_COMPONENT)));
        Self { folder, grants: Arc::new(grants), withdrawn, places }
    }
}

/// The argument of `parameters` that names a skill, if there is one.
pub(crate) fn argument(parameters: &Value) -> Option<String> {
    let properties = parameters.get("properties")?.as_object()?;
    let names_skill = |schema: &Value| schema.get("format").and_then(Value::as_str) == Some(FORMAT);
    properties.iter().find(|(_, schema)| names_skill(schema)).map(|(name, _)| name.clone())
}

impl Snapshot {
    /// The tool as a call with these arguments uses it: with the rights of the skill that they name, if they name one.
    ///
    /// # Errors
    /// When there is no such skill.
    pub fn acting(&self, tool: &Arc<LoadedTool>, arguments: &Value) -> Result<Arc<LoadedTool>, CallError> {
        let named = tool.definition.skill.as_ref().and_then(|argument| arguments.get(argument));
        let Some(named) = named.filter(|value| !value.is_null()) else { return Ok(tool.clone()) };
        let name = named.as_str().unwrap_or_default();
        let Some(skill) = self.skills.get(name) else { return Err(self.unknown_skill(name)) };
        Ok(Arc::new(LoadedTool {
            slot: name.to_owned(),
            definition: tool.definition.clone(),
            component: tool.component.clone(),
            grants: Arc::new(Grants {
                limits: skill.grants.limits.clone().or_else(|| tool.grants.limits.clone()),
                ..Grants::clone(&skill.grants)
            }),
            grants_withdrawn: skill.withdrawn.clone(),
            places: skill.places.clone(),
            acts_in: Some(skill.folder.clone()),
        }))
    }

    fn unknown_skill(&self, name: &str) -> CallError {
        let known: Vec<&str> = self.skills.keys().map(String::as_str).collect();
        let known =
            if known.is_empty() { "there are none".to_owned() } else { format!("there are: {}", known.join(", ")) };
        CallError::NotFound(format!("there is no skill '{}'; {known}", crate::imports::shown(name)))
    }
}

/// The tool as this call uses it, if its `skills` grant names the skill that the call is for.
pub(crate) fn acting(
    snapshot: &Snapshot,
    tool: &Arc<LoadedTool>,
    request: &CallRequest,
) -> Result<Arc<LoadedTool>, CallError> {
    let acting = snapshot.acting(tool, &request.arguments)?;
    if acting.acts_in.is_none() {
        return Ok(acting);
    }
    let rights = Rights::of(&tool.grants, tool.definition.effects, &request.session);
    let granted = rights.capabilities.get(&Capability::Skills).map(Vec::as_slice).unwrap_or_default();
    match granted.iter().any(|value| value == EVERY || *value == acting.slot) {
        true => Ok(acting),
        false => Err(CallError::Denied {
            tool: tool.definition.name.clone(),
            component: tool.slot.clone(),
            grant: format!("skills={}", acting.slot),
        }),
    }
}

/// Lets a call that acts for a skill see the skill's folder, under the path that takes the place of the skill's name.
pub(crate) fn enter(tool: &LoadedTool, rights: &mut Rights, arguments: &mut Value) {
    let (Some(folder), Some(argument)) = (&tool.acts_in, &tool.definition.skill) else { return };
    let given = rights.files.iter().any(|grant| grant.path == *folder);
    if rights.effects.contains(Effects::READS_FILES) && !given {
        rights.files.push(FileGrant { path: folder.clone(), access: Access::Read, quota: None });
    }
    arguments[argument] = folder.to_string_lossy().into();
}
