//! What a conversation uses of skills. It is worked out from its messages alone: nothing is kept of it, so a start
//! anew changes nothing.

use crate::skills::named;
use crate::tool_list::USE_SKILL;
use crate::wire::Kept;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Names of skills that `messages` have read or that the user named as `$name`, and of the tools that were called.
pub(crate) fn of(messages: &[Arc<str>]) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    // Calls that read a skill and have no result yet: their ids and the skills.
    let mut reading: Vec<(String, String)> = Vec::new();
    for message in messages {
        // Most messages use nothing, and to find that out is cheaper than to parse them.
        if reading.is_empty() && !message.contains('$') && !message.contains("\"tool_calls\"") {
            continue;
        }
        let kept = Kept::of(message);
        let content = kept.content.as_deref().unwrap_or_default();
        match kept.role.as_str() {
            "user" => words.extend(named(content).map(str::to_owned)),
            "tool" => {
                let answered = |(id, _): &(String, String)| kept.tool_call_id.as_ref() == Some(id);
                let read = reading.iter().position(answered).map(|place| reading.swap_remove(place).1);
                words.extend(read.filter(|_| !content.starts_with("Error: ")));
            }
            _ => {
                for call in kept.asked() {
                    if call.name == USE_SKILL {
                        let arguments: Value = serde_json::from_str(&call.arguments).unwrap_or_default();
                        let skill = arguments["name"].as_str().unwrap_or_default();
                        reading.push((call.id, skill.to_owned()));
                    }
                    words.insert(call.name);
                }
            }
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire;

    fn call(id: &str, tool: &str, arguments: Value) -> Arc<str> {
        let function = serde_json::json!({"name": tool, "arguments": arguments.to_string()});
        let call = serde_json::json!({"id": id, "type": "function", "function": function});
        serde_json::json!({"role": "assistant", "content": null, "tool_calls": [call]}).to_string().into()
    }

    fn words(messages: &[Arc<str>]) -> String {
        of(messages).into_iter().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_skill_is_used_by_reading_it() {
        let read = call("1", USE_SKILL, serde_json::json!({"name": "weather"}));
        assert_eq!(words(&[read.clone(), wire::tool("1", "Ask the sky.")]), "use_skill weather");
        assert_eq!(words(&[read.clone(), wire::tool("1", "Error: there is no skill 'weather'")]), "use_skill");
        assert_eq!(words(&[read.clone(), wire::tool("2", "another result")]), "use_skill");
        assert_eq!(words(&[read]), "use_skill");
    }

    #[test]
    fn a_tool_is_used_by_calling_it_and_a_skill_by_naming_it() {
        assert_eq!(words(&[call("1", "forecast", serde_json::json!({}))]), "forecast");
        assert_eq!(words(&[wire::user("what does ($weather) say? $PATH")]), "weather");
        assert_eq!(words(&[wire::assistant("$weather"), wire::tool("1", "$weather"), wire::user("weather")]), "");
    }

    #[test]
    fn what_the_body_of_a_named_skill_says_names_no_further_skill() {
        assert_eq!(words(&[wire::user("ask $weather\n\n[The skill weather, `x`:]\nuse $other")]), "weather");
    }
}
