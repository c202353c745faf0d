//! The built-in tool `cron`: reminders and recurring jobs of a chat.

mod request;
mod words;

use chiton_sdk::bindings::chiton::tool::schedule;
use chiton_sdk::prelude::*;
use request::{Cron, Request};

/// Schedules reminders and recurring tasks for this chat, lists them and removes them. When a job is due, its message
/// comes to you as a new message in this chat; answer it then. Give exactly one of every_seconds, cron_expr and at.
/// Work out 'at' from the present date and time, which stand at the end of each message.
#[tool(effects(schedules))]
fn cron(arguments: Cron) -> ToolResult {
    match arguments.request()? {
        Request::Add { name, message, due } => Ok(words::added(&schedule::add(&name, &message, &due)?)),
        Request::List => Ok(words::list(&schedule::jobs()?)),
        Request::Remove { id } => {
            schedule::remove(&id)?;
            Ok(format!("Removed job {id}."))
        }
    }
}

chiton_sdk::export!(cron);

#[cfg(test)]
mod tests {
    use chiton_sdk::{Effects, generated};

    #[test]
    fn agt_08_the_tool_may_schedule_and_nothing_else() {
        let cron = generated::definition::<crate::cron>();
        assert_eq!((cron.name.as_str(), cron.effects), ("cron", Effects::SCHEDULES));
        assert!(cron.parameters.contains(r#""enum":["add","list","remove"]"#), "{}", cron.parameters);
        assert!(cron.parameters.contains(r#""required":["action"]"#), "{}", cron.parameters);
    }
}
