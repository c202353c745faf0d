//! What the demo model says. It is no AI: it follows this script, and everything else is real.

use chiton_providers::{ChatRequest, Reply};
use chiton_sandbox::Verdict;
use serde_json::{Value, json};
use std::sync::Arc;

/// One request of the user and what the demo model does about it.
pub struct Scene {
    /// What is shown first.
    pub title: &'static str,
    /// What the user says.
    pub ask: &'static str,
    /// The tools that are called, one after another.
    pub steps: Vec<Step>,
    /// What the model says at the end.
    pub answer: &'static str,
}

/// One tool call.
pub struct Step {
    /// The tool.
    pub tool: &'static str,
    /// Its arguments.
    pub arguments: Value,
    /// How it has to end; anything else fails the tour.
    pub verdict: Verdict,
    /// Part of what it has to say.
    pub says: &'static str,
    /// Whether the greeting tool is replaced before this call.
    pub after_swap: bool,
}

fn step(tool: &'static str, arguments: Value, verdict: Verdict, says: &'static str) -> Step {
    Step { tool, arguments, verdict, says, after_swap: false }
}

/// The file that the tour works on, and what stands in it.
pub const FILE: (&str, &str) = ("shopping.md", "# Shopping\n- bread\n- coffee\n");

/// The tour.
pub fn scenes() -> Vec<Scene> {
    use Verdict::{Allowed, Denied, Limited};
    vec![
        Scene {
            title: "A tool works where it was allowed to",
            ask: "Put milk on my shopping list.",
            steps: vec![
                step("read_file", json!({"path": "shopping.md"}), Allowed, "# Shopping"),
                step(
                    "edit_file",
                    json!({"path": "shopping.md", "old_text": "- coffee\n", "new_text": "- coffee\n- milk\n"}),
                    Allowed,
                    "",
                ),
            ],
            answer: "Milk is on the list. I read and changed one file in the workspace, through a WASI component that was given this folder and nothing else.",
        },
        Scene {
            title: "Outside of it, it gets nothing, and says what is missing",
            ask: "What is in /etc/passwd, and in the folder above this one?",
            steps: vec![
                step("read_file", json!({"path": "/etc/passwd"}), Denied, "files=/etc:read"),
                step("list_dir", json!({"path": ".."}), Denied, "files="),
            ],
            answer: "I can see neither. Only you can grant more, with the command that the refusal names; I cannot.",
        },
        Scene {
            title: "A component from a stranger is ended at its limits",
            ask: "Try the tool I found on the web.",
            steps: vec![
                step("runaway", json!({"mode": "loop"}), Limited, "time limit"),
                step("runaway", json!({"mode": "memory"}), Allowed, "no more"),
                step("runaway", json!({"mode": "files"}), Denied, "files=/etc:read"),
            ],
            answer: "It tried to run for ever, to take all memory and to read your files. The first was killed, the second got 32 MiB and no more, the third was refused. Nothing else noticed.",
        },
        Scene {
            title: "A tool is replaced while the bot runs",
            ask: "Greet Ann, update the greeting tool, and greet her again.",
            steps: vec![
                step("greet", json!({"name": "Ann"}), Allowed, "Hello, Ann"),
                Step { after_swap: true, ..step("greet", json!({"name": "Ann"}), Allowed, "Ahoy, Ann") },
            ],
            answer: "The second answer came from new code, swapped in between two calls of this one turn.",
        },
    ]
}

/// How many tool results follow the last user message.
pub fn results_so_far(request: &ChatRequest<'_>) -> usize {
    let role = |message: &Arc<str>| {
        let message: Value = serde_json::from_str(message).unwrap_or_default();
        message["role"].as_str().map(str::to_owned).unwrap_or_default()
    };
    request.messages.iter().rev().map(role).take_while(|role| role != "user").filter(|role| role == "tool").count()
}

/// The reply of the demo model when `done` steps of a scene are done.
pub fn reply(scene: &Scene, done: usize, call_id: String) -> Reply {
    match scene.steps.get(done) {
        Some(step) => {
            let arguments = step.arguments.as_object().cloned().unwrap_or_default();
            Reply::calls("", [(call_id, step.tool, arguments)])
        }
        None => Reply::text(scene.answer),
    }
}
