//! The tour's first tool.

use chiton_sdk::prelude::*;

/// Greets somebody by name.
#[tool]
fn greet(arguments: Greet) -> ToolResult {
    Ok(format!("Hello, {}.", arguments.name))
}

#[arguments]
struct Greet {
    /// Whom to greet.
    name: String,
}

chiton_sdk::export!(greet);
