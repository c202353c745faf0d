//! The next version of the tour's first tool, swapped in while the bot runs.

use chiton_sdk::prelude::*;

/// Greets somebody by name.
#[tool]
fn greet(arguments: Greet) -> ToolResult {
    Ok(format!("Ahoy, {}! I was swapped in while the bot was running.", arguments.name))
}

#[arguments]
struct Greet {
    /// Whom to greet.
    name: String,
}

chiton_sdk::export!(greet);
