//! What the demo model says. It is no AI: it follows this script, and everything else is real.

use chiton_providers::{ChatRequest, Reply};
use chiton_sandbox::Verdict;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

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

/// What a sub-agent of the tour says, told by what its messages begin with.
const SUB_AGENT: &str = "You are a sub-agent";
/// What the reminder of the tour says.
pub const REMINDER: &str = "The tea is ready.";
/// How long the reminder takes.
pub const REMINDER_AFTER: Duration = Duration::from_secs(2);

fn step(tool: &'static str, arguments: Value, verdict: Verdict, says: &'static str) -> Step {
    Step { tool, arguments, verdict, says, after_swap: false }
}

/// The file that the tour works on, and what stands in it.
pub const FILE: (&str, &str) = ("shopping.md", "# Shopping\n- bread\n- coffee\n");

/// The page that the tour serves on this machine, and reads.
pub const PAGE: &str = "<html><head><title>Coffee prices</title><script>steal()</script></head><body><article>\
<h1>Coffee prices</h1><p>A kilo of <b>Arabica</b> costs 9.20 at the harbour this week, a tenth less than in October. \
Traders expect the price to stay there until the next harvest, because the stores are full and winter demand is low.</p>\
<p>A kilo of <b>Robusta</b> costs 5.10, as it did last week and the week before. Nobody in the trade expects a change \
before the new year, although freight from the east has become dearer since the summer.</p>\
</article></body></html>";

/// The tour; `page` is where its page can be read.
pub fn scenes(page: &str) -> Vec<Scene> {
    use Verdict::{Allowed, Denied, Failed, Limited};
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
        Scene {
            title: "A shell without one process",
            ask: "Which numbers below 500 contain 77? The two largest, please.",
            steps: vec![step(
                "exec",
                json!({"command": "seq 1 500 | grep 77 | sort -rn | head -2 | tee numbers.txt | paste -sd ' '"}),
                Allowed,
                "477 377",
            )],
            answer: "477 and 377. seq, grep, sort, head, tee and paste are components too: each ran in a sandbox of its own, with pipes between them and only the workspace to write to.",
        },
        Scene {
            title: "A page is read and summarised; what lies inside the network is out of reach",
            ask: "What does the page on coffee prices say? And what does the router say?",
            steps: vec![
                step("web_fetch", json!({"url": page}), Allowed, ""),
                step("web_fetch", json!({"url": "http://192.168.1.1/"}), Denied, "network="),
                step("web_fetch", json!({"url": "http://169.254.169.254/latest/meta-data/"}), Failed, "refused"),
            ],
            answer: "Arabica costs 9.20 and Robusta 5.10; Arabica got a tenth cheaper. The router is not granted, and the addresses of clouds for their machines' keys are never granted.",
        },
        Scene {
            title: "A sub-agent works on its own, with no more rights than its parent",
            ask: "Let somebody else count the lines of my shopping list.",
            steps: vec![step(
                "spawn",
                json!({"task": "Count the lines of shopping.md.", "label": "counter", "wait": true}),
                Allowed,
                "4 lines",
            )],
            answer: "The list has 4 lines, says my sub-agent. It had a conversation of its own and the same folder.",
        },
        Scene {
            title: "A reminder survives a restart",
            ask: "Remind me of the tea in two seconds.",
            steps: vec![step(
                "cron",
                json!({"action": "add", "name": "tea", "message": "Tell the user that the tea is ready."}),
                Allowed,
                "",
            )],
            answer: "I will. Now the bot is stopped and started again.",
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

/// The reply of the demo model to messages that no scene begins with: those of a sub-agent and of a reminder.
pub fn aside(request: &ChatRequest<'_>, done: usize, call_id: &str) -> Option<Reply> {
    let asked = request.messages.iter().rev().find_map(|message| {
        let message: Value = serde_json::from_str(message).ok()?;
        (message["role"] == "user").then(|| message["content"].as_str().unwrap_or_default().to_owned())
    })?;
    if asked.contains("(scheduled job") {
        return Some(Reply::text(REMINDER));
    }
    if !asked.starts_with(SUB_AGENT) {
        return None;
    }
    Some(match done {
        0 => {
            let arguments = json!({"command": "wc -l < shopping.md"});
            Reply::calls("", [(format!("{call_id}-aside"), "exec", arguments.as_object().cloned().unwrap_or_default())])
        }
        _ => Reply::text("shopping.md has 4 lines."),
    })
}

/// The reply of the demo model when `done` steps of a scene are done.
pub fn reply(scene: &Scene, done: usize, call_id: String) -> Reply {
    match scene.steps.get(done) {
        Some(step) => {
            let mut arguments = step.arguments.as_object().cloned().unwrap_or_default();
            if step.tool == "cron" {
                // However long the tour took until here, the reminder is due soon.
                let soon = jiff::Timestamp::now() + REMINDER_AFTER;
                arguments.insert("at".to_owned(), soon.to_string().into());
            }
            Reply::calls("", [(call_id, step.tool, arguments)])
        }
        None => Reply::text(scene.answer),
    }
}
