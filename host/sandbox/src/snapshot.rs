//! What is loaded now: an immutable picture that readers take without a lock. Calls keep the
//! picture they began with, so a swap never touches a call in flight.

use crate::component::{Component, ToolDefinition};
use crate::skill::Skill;
use crate::{Grants, LoadError};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Calls of one component that may run at the same time; further ones wait.
pub(crate) const MAX_CALLS_PER_COMPONENT: usize = 64;

/// One tool as it can be called now.
pub struct LoadedTool {
    /// The name of its component, as `chiton grant` and `chiton tool` use it.
    pub slot: String,
    /// What the component says of the tool.
    pub definition: Arc<ToolDefinition>,
    /// The component that runs it.
    pub component: Arc<Component>,
    /// What the owner gave to the component.
    pub grants: Arc<Grants>,
    /// Ends calls that use grants which were taken back.
    pub(crate) grants_withdrawn: CancellationToken,
    /// Places for calls of this slot.
    pub(crate) places: Arc<Semaphore>,
    /// The folder of the skill that a call acts for.
    pub(crate) acts_in: Option<PathBuf>,
}

/// All tools that can be called, sorted by name, and the skills that they can act for.
#[derive(Default)]
pub struct Snapshot {
    /// Goes up by one with every change.
    pub generation: u64,
    tools: BTreeMap<String, Arc<LoadedTool>>,
    pub(crate) skills: BTreeMap<String, Skill>,
}

impl Snapshot {
    /// The tool of this name.
    pub fn get(&self, name: &str) -> Option<&Arc<LoadedTool>> {
        self.tools.get(name)
    }

    /// All tools, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<LoadedTool>> {
        self.tools.values()
    }

    /// The skills that tools can act for, sorted by name, each with its folder and what it was given.
    pub fn skills(&self) -> impl Iterator<Item = (&str, &Path, &Grants)> {
        self.skills.iter().map(|(name, skill)| (name.as_str(), skill.folder.as_path(), &*skill.grants))
    }

    /// The name most similar to `name`, if one is similar enough to be meant.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        let wanted = folded(name);
        self.tools
            .keys()
            .map(|known| (strsim::damerau_levenshtein(&wanted, &folded(known)), known))
            .min()
            .filter(|(distance, known)| *distance <= 1 + known.len() / 4)
            .map(|(_, known)| known.as_str())
    }

    /// This picture with `slot` running `component`, or without the slot.
    pub(crate) fn with_slot(
        &self,
        slot: &str,
        running: Option<(Arc<Component>, Arc<Grants>, CancellationToken)>,
    ) -> Result<Self, LoadError> {
        let mut places = None;
        let mut tools = self.tools.clone();
        tools.retain(|_, tool| {
            let stays = tool.slot != slot;
            if !stays {
                places = Some(tool.places.clone());
            }
            stays
        });
        if let Some((component, grants, grants_withdrawn)) = running {
            let places = places.unwrap_or_else(|| Arc::new(Semaphore::new(MAX_CALLS_PER_COMPONENT)));
            for definition in component.tools() {
                refuse_collision(&tools, slot, &definition.name)?;
                let tool = LoadedTool {
                    slot: slot.to_owned(),
                    definition: definition.clone(),
                    component: component.clone(),
                    grants: grants.clone(),
                    grants_withdrawn: grants_withdrawn.clone(),
                    places: places.clone(),
                    acts_in: None,
                };
                tools.insert(definition.name.clone(), Arc::new(tool));
            }
        }
        Ok(Self { generation: self.generation + 1, tools, skills: self.skills.clone() })
    }

    pub(crate) fn check_names(&self, slot: &str, component: &Component) -> Result<(), LoadError> {
        component.tools().iter().try_for_each(|tool| refuse_collision(&self.tools, slot, &tool.name))
    }

    /// This picture with exactly these skills. Calls that use what is taken away end.
    pub(crate) fn with_skills(&self, all: Vec<(String, PathBuf, Grants)>) -> Self {
        let mut before = self.skills.clone();
        let after = |(name, folder, grants): (String, PathBuf, Grants)| {
            let skill = Skill::after(before.remove(&name), folder, grants);
            (name, skill)
        };
        let skills = all.into_iter().map(after).collect();
        before.into_values().for_each(|gone| gone.withdrawn.cancel());
        Self { generation: self.generation + 1, tools: self.tools.clone(), skills }
    }
}

fn refuse_collision(tools: &BTreeMap<String, Arc<LoadedTool>>, slot: &str, name: &str) -> Result<(), LoadError> {
    let wanted = folded(name);
    let taken = tools.values().find(|tool| tool.slot != slot && folded(&tool.definition.name) == wanted);
    match taken {
        None => Ok(()),
        Some(tool) => Err(LoadError::Collision {
            tool: name.to_owned(),
            relation: if tool.definition.name == name { "is" } else { "resembles" },
            other: tool.definition.name.clone(),
            component: tool.slot.clone(),
        }),
    }
}

/// A name as careless eyes read it: case, separators and look-alike characters removed.
pub(crate) fn folded(name: &str) -> String {
    name.chars()
        .filter(|character| character.is_ascii_alphanumeric())
        .map(|character| match character.to_ascii_lowercase() {
            '0' => 'o',
            '1' | 'i' => 'l',
            '5' => 's',
            other => other,
        })
        .collect()
}
