//! The tools as the model is told of them, serialised once per change of what is loaded.
//!
//! The tools of skills stand in every request while they are few. When they are many, only those stand there whose
//! skill is in use: what a conversation uses is worked out by [`crate::uses`] from its messages.

use crate::inert::inert;
use chiton_sandbox::{LoadedTool, Snapshot};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Most bytes of the tools of all skills that stand in every request.
const STANDING: usize = 6_000;
/// Lists that are kept, one for each set of skills in use.
const KEPT: usize = 64;
/// The tool that reads a skill; it stands nowhere while there is none.
pub(crate) const USE_SKILL: &str = "use_skill";
/// Tools that are shown only while a skill is in use that needs them.
const SHOWN_BY: [(&str, &str); 1] = [("propose_skill", "skill-creator")];

/// Tools that are not shown unless their skill is in use, by skill.
pub(crate) type Deferred = BTreeMap<String, Vec<String>>;

/// The skills in use, and the session if there are tools for it alone.
type Uses = (BTreeSet<String>, Option<String>);

/// The JSON arrays of the tools, kept until the snapshot's generation moves on.
#[derive(Default)]
pub(crate) struct ToolList {
    made_for: Option<(u64, bool)>,
    /// First those that always stand, so that requests begin with the same bytes.
    tools: Vec<Listed>,
    /// The skill that a word brings into use: its own name, or that of one of its tools.
    brought_by: BTreeMap<String, String>,
    deferred: Arc<Deferred>,
    lists: HashMap<Uses, Option<Arc<str>>>,
}

struct Listed {
    name: String,
    json: String,
    /// The skill that must be in use.
    shown_by: Option<String>,
    /// The only session that may call it.
    only: Option<String>,
}

impl ToolList {
    /// Takes what is loaded now, and gives the tools that wait for their skill. In a `crowded` catalogue all do.
    pub(crate) fn look(&mut self, snapshot: &Snapshot, crowded: bool) -> Arc<Deferred> {
        let made_for = Some((snapshot.generation, crowded));
        if self.made_for != made_for {
            *self = Self { made_for, ..Self::of(snapshot, crowded) };
        }
        self.deferred.clone()
    }

    /// The array for a conversation of `session` that uses these words; `None` when there is no tool, since servers
    /// refuse an empty array.
    pub(crate) fn json<'a>(&mut self, session: &str, words: impl Iterator<Item = &'a str>) -> Option<Arc<str>> {
        let in_use: BTreeSet<String> = words.filter_map(|word| self.brought_by.get(word)).cloned().collect();
        let own = self.tools.iter().any(|tool| tool.only.as_deref() == Some(session)).then(|| session.to_owned());
        let made_for = (in_use, own);
        if let Some(list) = self.lists.get(&made_for) {
            return list.clone();
        }
        if self.lists.len() == KEPT {
            self.lists.clear();
        }
        let shown = |tool: &&Listed| {
            tool.shown_by.as_ref().is_none_or(|skill| made_for.0.contains(skill))
                && (tool.only.is_none() || tool.only == made_for.1)
        };
        let shown: Vec<&str> = self.tools.iter().filter(shown).map(|tool| tool.json.as_str()).collect();
        let list: Option<Arc<str>> = (!shown.is_empty()).then(|| format!("[{}]", shown.join(",")).into());
        self.lists.insert(made_for, list.clone());
        list
    }

    fn of(snapshot: &Snapshot, crowded: bool) -> Self {
        let skills: BTreeSet<&str> = snapshot.skills().map(|(name, ..)| name).collect();
        let is_of_skill = |tool: &LoadedTool| skills.contains(tool.slot.as_str());
        let of_skills = snapshot.iter().filter(|tool| is_of_skill(tool)).map(|tool| rendered(tool).len());
        let deferring = crowded || of_skills.sum::<usize>() > STANDING;
        let mut list = Self::default();
        for tool in snapshot.iter().filter(|tool| !skills.is_empty() || tool.definition.name != USE_SKILL) {
            let name = tool.definition.name.clone();
            let needed = SHOWN_BY.iter().find(|(shown, _)| *shown == name).map(|(_, skill)| *skill);
            let shown_by = needed.or_else(|| (deferring && is_of_skill(tool)).then_some(tool.slot.as_str()));
            let only = tool.grants.validity.session().map(str::to_owned);
            list.tools.push(Listed { json: rendered(tool), name, shown_by: shown_by.map(str::to_owned), only });
        }
        list.tools.sort_by_key(|tool| tool.shown_by.is_some());
        let mut deferred = Deferred::new();
        for Listed { name, shown_by, .. } in &list.tools {
            let Some(skill) = shown_by else { continue };
            list.brought_by.insert(name.clone(), skill.clone());
            deferred.entry(skill.clone()).or_default().push(name.clone());
        }
        list.brought_by.extend(deferred.keys().map(|skill| (skill.clone(), skill.clone())));
        deferred.retain(|skill, _| skills.contains(skill.as_str()));
        list.deferred = Arc::new(deferred);
        list
    }
}

fn rendered(tool: &LoadedTool) -> String {
    let definition = &tool.definition;
    json!({"type": "function", "function": {
        "name": definition.name,
        "description": inert(&definition.description),
        "parameters": definition.parameters,
    }})
    .to_string()
}
