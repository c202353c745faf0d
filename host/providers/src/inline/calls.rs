//! Tool calls written as text.

use super::marks::{CALL, END_OF_CALL};
use serde_json::{Map, Value};

/// Reads a held block: `<tool_call>` objects and nothing else, each naming one of the tools that were `offered`.
/// Anything else is an answer that merely talks about tool calls, and gives none.
pub fn read_calls(held: &str, offered: &str) -> Option<Vec<(String, Map<String, Value>)>> {
    let offered = tool_names(offered);
    let mut calls = Vec::new();
    let mut rest = held.trim();
    while !rest.is_empty() {
        let block = rest.strip_prefix(CALL)?;
        let (inner, after) = block.split_once(END_OF_CALL).unwrap_or((block, ""));
        let mut call: Map<String, Value> = serde_json::from_str(inner.trim()).ok()?;
        let name = call.get("name")?.as_str()?.to_string();
        if !offered.contains(&name) {
            return None;
        }
        let arguments = match call.remove("arguments").or_else(|| call.remove("parameters")) {
            Some(Value::Object(map)) => map,
            Some(Value::String(text)) => serde_json::from_str(&text).ok()?,
            None => Map::new(),
            Some(_) => return None,
        };
        calls.push((name, arguments));
        rest = after.trim_start();
    }
    Some(calls)
}

fn tool_names(tools: &str) -> Vec<String> {
    let tools: Vec<Value> = serde_json::from_str(tools).unwrap_or_default();
    tools.iter().filter_map(|tool| tool["function"]["name"].as_str()).map(str::to_string).collect()
}
