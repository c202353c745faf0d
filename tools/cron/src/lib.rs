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
