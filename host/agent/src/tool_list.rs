//! The tools as the model is told of them, serialised once per change of what is loaded.

use crate::inert::inert;
use chiton_sandbox::Snapshot;
use serde_json::json;
use std::sync::Arc;

/// The JSON array of the tools, kept until the snapshot's generation moves on.
#[derive(Default)]
pub(crate) struct ToolList {
    generation: Option<u64>,
    json: Option<Arc<str>>,
}

impl ToolList {
    /// The array for `snapshot`; `None` when no tool is loaded, since servers refuse an empty array.
    pub(crate) fn json(&mut self, snapshot: &Snapshot) -> Option<Arc<str>> {
        if self.generation != Some(snapshot.generation) {
            self.generation = Some(snapshot.generation);
            self.json = render(snapshot);
        }
        self.json.clone()
    }
}

fn render(snapshot: &Snapshot) -> Option<Arc<str>> {
    let tools: Vec<_> = snapshot
        .iter()
        .map(|tool| {
            let definition = &tool.definition;
            json!({"type": "function", "function": {
                "name": definition.name,
                "description": inert(&definition.description),
                "parameters": definition.parameters,
            }})
        })
        .collect();
    (!tools.is_empty()).then(|| json!(tools).to_string().into())
}
