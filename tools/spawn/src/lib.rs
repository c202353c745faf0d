//! The built-in tool `spawn`: tasks for sub-agents.

use chiton_sdk::bindings::chiton::tool::agents;
use chiton_sdk::prelude::*;

/// How many characters of the task label it when it was given no label.
const LABEL_FROM_TASK: usize = 30;

/// Gives a task to a sub-agent, which works in the background with a conversation of its own and at most your rights.
/// Its answer is announced in this chat when it is done; with wait you get it at once instead. Use it for long or
/// independent work. The sub-agent knows nothing of this conversation, so the task must say everything it needs. To stop
/// a sub-agent, give its id as cancel and no task.
#[tool(effects(spawns))]
fn spawn(arguments: Spawn) -> ToolResult {
    match arguments.request()? {
        Request::Cancel { id } => {
            agents::cancel(&id)?;
            Ok(format!("Cancelled sub-agent {id}."))
        }
        Request::Start { task, label, wait } => {
            let id = agents::start(&task, &label)?;
            if !wait {
                return Ok(started(&id, &label));
            }
            agents::wait(&id).map_err(|failure| not_yet(&id, failure))
        }
    }
}

#[arguments]
#[derive(Default)]
struct Spawn {
    /// What the sub-agent shall do, with everything it needs to know.
    task: Option<String>,
    /// Short name of the task (default: its beginning).
    label: Option<String>,
    /// Wait for the answer and return it (default false).
    #[serde(default)]
    wait: bool,
    /// Id of a sub-agent to stop.
    cancel: Option<String>,
}

#[derive(Debug, PartialEq)]
enum Request {
    Start { task: String, label: String, wait: bool },
    Cancel { id: String },
}

impl Spawn {
    fn request(self) -> Result<Request, Failure> {
        let given = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let refused = |sentence: &str| Err(Failure::InvalidArguments(sentence.to_owned()));
        match (given(self.task), given(self.cancel)) {
            (Some(task), None) => {
                let label = given(self.label).unwrap_or_else(|| task.chars().take(LABEL_FROM_TASK).collect());
                Ok(Request::Start { task, label, wait: self.wait })
            }
            (None, Some(id)) => Ok(Request::Cancel { id }),
            (None, None) => refused("give a task for the sub-agent, or the id of one to cancel"),
            (Some(_), Some(_)) => refused("give either a task to start or the id of a sub-agent to cancel, not both"),
        }
    }
}

fn started(id: &str, label: &str) -> String {
    format!(
        "Started sub-agent {id} \"{label}\". Its answer is announced in this chat when it is done; do not wait for it. \
         To stop it, use cancel=\"{id}\"."
    )
}

/// A wait that took too long does not end the task.
fn not_yet(id: &str, failure: Failure) -> Failure {
    match failure {
        Failure::TimedOut(_) => Failure::TimedOut(format!(
            "sub-agent {id} is still at work; it goes on, and its answer is announced in this chat"
        )),
        other => other,
    }
}

chiton_sdk::export!(spawn);

#[cfg(test)]
mod tests {
    use super::*;
    use chiton_sdk::{Effects, generated};

    #[test]
    fn agt_13_the_tool_may_start_sub_agents_and_nothing_else() {
        let tool = generated::definition::<spawn>();
        assert_eq!((tool.name.as_str(), tool.effects), ("spawn", Effects::SPAWNS));
        assert!(tool.parameters.contains(r#""wait""#), "{}", tool.parameters);
    }

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_task_is_labelled_by_its_beginning() {
        let asked = Spawn { task: text(" find out which plants need water "), ..Spawn::default() }.request().unwrap();
        let (task, label) = ("find out which plants need water".into(), "find out which plants need wat".into());
        assert_eq!(asked, Request::Start { task, label, wait: false });
    }

    #[test]
    fn a_sub_agent_is_cancelled_by_its_id() {
        let asked = Spawn { task: text(""), cancel: text("7"), ..Spawn::default() }.request().unwrap();
        assert_eq!(asked, Request::Cancel { id: "7".into() });
    }

    #[test]
    fn a_task_and_a_cancellation_at_once_or_neither_are_refused() {
        let both = Spawn { task: text("a"), cancel: text("7"), ..Spawn::default() }.request();
        assert!(matches!(both, Err(Failure::InvalidArguments(why)) if why.contains("not both")));
        let neither = Spawn::default().request();
        assert!(matches!(neither, Err(Failure::InvalidArguments(why)) if why.contains("give a task")));
    }

    #[test]
    fn a_wait_that_took_too_long_says_that_the_task_goes_on() {
        let failure = not_yet("7", Failure::TimedOut("the deadline passed".into()));
        assert!(matches!(failure, Failure::TimedOut(why) if why.starts_with("sub-agent 7 is still at work")));
        let denied = not_yet("7", Failure::Denied("agents=spawn".into()));
        assert!(matches!(denied, Failure::Denied(grant) if grant == "agents=spawn"));
    }
}
