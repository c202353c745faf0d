//! The built-in tools `search_memory` and `read_session`: what was said before.

use chiton_sdk::bindings::chiton::tool::memory;
use chiton_sdk::prelude::*;
use serde_json::Value;
use std::fmt::Write;

/// Messages without a wish.
const USUAL: u32 = 10;

/// Finds earlier messages of this chat that have all the words, also those that you no longer see. Read on around one
/// with read_session.
#[tool]
fn search_memory(arguments: Search) -> ToolResult {
    let limit = arguments.limit.unwrap_or(USUAL);
    let found = memory::search(&arguments.query, arguments.chat.as_deref(), limit)?;
    Ok(shown(&found, "No message has all these words; try fewer or other ones."))
}

/// Reads earlier messages of this chat, oldest first: the newest ones, or those before a message.
#[tool]
fn read_session(arguments: Read) -> ToolResult {
    let limit = arguments.limit.unwrap_or(USUAL);
    let read = memory::read(arguments.chat.as_deref(), arguments.before, limit)?;
    Ok(shown(&read, "There are no earlier messages."))
}

#[arguments]
struct Search {
    /// The words; "quoted" ones stand together.
    query: String,
    /// Another chat, CHANNEL:CHAT, or * for all; needs a grant.
    chat: Option<String>,
    /// At most so many (default 10, at most 50).
    limit: Option<u32>,
}

#[arguments]
struct Read {
    /// Another chat, CHANNEL:CHAT; needs a grant.
    chat: Option<String>,
    /// Number of a message.
    before: Option<i64>,
    /// At most so many (default 10, at most 50).
    limit: Option<u32>,
}

/// Messages as lines; `nothing` if there are none.
fn shown(messages: &str, nothing: &str) -> String {
    let messages: Vec<Value> = serde_json::from_str(messages).unwrap_or_default();
    let mut lines = String::new();
    for message in &messages {
        let text = |key: &str| message[key].as_str().unwrap_or_default();
        let chat = message["chat"].as_str().map(|chat| format!(" in {chat}")).unwrap_or_default();
        let (at, role) = (text("at"), text("role"));
        let _ = writeln!(lines, "#{} {at}{chat}, {role}: {}", message["id"], text("text")); // a String takes everything
    }
    if lines.is_empty() { nothing.to_owned() } else { lines.trim_end().to_owned() }
}

chiton_sdk::export!(search_memory, read_session);

#[cfg(test)]
mod tests {
    use super::*;
    use chiton_sdk::{Effects, generated};

    #[test]
    fn the_tools_declare_no_effect_at_all() {
        let (search, read) = (generated::definition::<search_memory>(), generated::definition::<read_session>());
        assert_eq!((search.name.as_str(), search.effects), ("search_memory", Effects::empty()));
        assert_eq!((read.name.as_str(), read.effects), ("read_session", Effects::empty()));
        assert!(search.parameters.contains(r#""required":["query"]"#), "{}", search.parameters);
    }

    #[test]
    fn a_message_is_one_line_with_its_number_its_time_and_who_said_it() {
        let found = r#"[{"chat":"terminal:a","id":7,"role":"user","at":"2026-11-23T10:00:00Z","text":"likes tea"}]"#;
        assert_eq!(shown(found, ""), "#7 2026-11-23T10:00:00Z in terminal:a, user: likes tea");
        let read = r#"[{"id":7,"role":"user","at":"2026-11-23T10:00:00Z","text":"likes tea"}]"#;
        assert_eq!(shown(read, ""), "#7 2026-11-23T10:00:00Z, user: likes tea");
    }

    #[test]
    fn no_messages_are_told_as_such() {
        assert_eq!(shown("[]", "nothing"), "nothing");
    }
}
