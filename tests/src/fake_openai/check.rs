//! What OpenAI refuses, refused in its words: a test that sends a broken conversation must fail.

use serde_json::Value;

/// Checks the body of a chat request.
///
/// # Errors
/// The sentence OpenAI answers with, status 400.
pub fn check(body: &Value) -> Result<(), String> {
    if body["model"].as_str().is_none_or(str::is_empty) {
        return Err("you must provide a model parameter".into());
    }
    let messages = body["messages"].as_array().filter(|messages| !messages.is_empty());
    check_messages(messages.ok_or("[] is too short - 'messages'")?)?;
    match &body["tools"] {
        Value::Null => Ok(()),
        Value::Array(tools) if tools.is_empty() => Err("[] is too short - 'tools'".into()),
        Value::Array(tools) => tools.iter().try_for_each(|tool| check_name(&tool["function"]["name"], "tools")),
        _ => Err("Invalid type for 'tools': expected an array".into()),
    }
}

fn check_messages(messages: &[Value]) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let role = message["role"].as_str().unwrap_or_default();
        if role != "tool" && !open.is_empty() {
            return Err(unanswered(&open));
        }
        let has_content = message["content"].is_string() || message["content"].is_array();
        match role {
            "system" | "developer" | "user" if has_content => {}
            "assistant" if message["tool_calls"].is_array() => open = check_calls(&message["tool_calls"], at)?,
            "assistant" if has_content => {}
            "tool" if has_content => answer(&mut open, &message["tool_call_id"], at)?,
            "system" | "developer" | "user" | "assistant" | "tool" => {
                return Err(format!(
                    "Invalid value for 'content': expected a string, got null. (messages.[{at}].content)"
                ));
            }
            other => return Err(format!("Invalid value: '{other}'. (messages[{at}].role)")),
        }
    }
    if open.is_empty() { Ok(()) } else { Err(unanswered(&open)) }
}

fn check_calls(calls: &Value, at: usize) -> Result<Vec<&str>, String> {
    let calls = calls.as_array().filter(|calls| !calls.is_empty());
    let mut ids: Vec<&str> = Vec::new();
    for call in calls.ok_or(format!("Invalid 'messages[{at}].tool_calls': empty array."))? {
        let id = call["id"].as_str().filter(|id| !id.is_empty() && !ids.contains(id));
        ids.push(id.ok_or(format!("Missing, empty or repeated 'messages[{at}].tool_calls[].id'."))?);
        check_name(&call["function"]["name"], "messages[].tool_calls[].function")?;
        let arguments = call["function"]["arguments"].as_str();
        if arguments.is_none_or(|text| serde_json::from_str::<Value>(text).is_err()) {
            return Err(format!(
                "Invalid 'messages[{at}].tool_calls[].function.arguments': expected JSON as a string."
            ));
        }
    }
    Ok(ids)
}

fn answer(open: &mut Vec<&str>, id: &Value, at: usize) -> Result<(), String> {
    let place = open.iter().position(|open| Some(*open) == id.as_str());
    open.remove(place.ok_or(format!(
        "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'. (messages.[{at}].role)"
    ))?);
    Ok(())
}

fn unanswered(open: &[&str]) -> String {
    format!(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: {}",
        open.join(", ")
    )
}

fn check_name(name: &Value, place: &str) -> Result<(), String> {
    let fits = |name: &str| {
        (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    };
    match name.as_str() {
        Some(name) if fits(name) => Ok(()),
        _ => Err(format!(
            "Invalid '{place}.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]{{1,64}}$'."
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal(messages: Value) -> Option<String> {
        check(&json!({ "model": "m", "messages": messages })).err()
    }

    fn call(id: &str, arguments: &str) -> Value {
        json!({"role":"assistant","content":null,"tool_calls":[{"id":id,"type":"function","function":{"name":"x","arguments":arguments}}]})
    }

    #[test]
    fn a_call_with_its_result_is_accepted_and_one_without_is_not() {
        let (user, result) =
            (json!({"role":"user","content":"hi"}), json!({"role":"tool","tool_call_id":"a","content":"ok"}));
        assert_eq!(refusal(json!([user, call("a", "{}"), result, user])), None);
        assert!(refusal(json!([user, call("a", "{}")])).unwrap().contains("did not have response messages: a"));
        assert!(refusal(json!([user, call("a", "{}"), user])).is_some());
        assert!(refusal(json!([user, result])).unwrap().contains("preceeding"));
        assert!(refusal(json!([user, call("a", "{"), result])).is_some());
    }

    #[test]
    fn empty_lists_and_odd_roles_are_refused() {
        assert!(refusal(json!([])).is_some());
        assert!(refusal(json!([{"role":"robot","content":"x"}])).is_some());
        assert!(refusal(json!([{"role":"assistant","content":null}])).is_some());
        assert!(check(&json!({"model":"m","messages":[{"role":"user","content":"x"}],"tools":[]})).is_err());
    }
}
