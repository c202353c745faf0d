//! Writes a request body around messages that are wire JSON already.

use crate::vendors::{HistoryRules, Quirks};
use crate::{ChatRequest, openai::OpenAiOptions};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// Fields only this module writes.
const OURS: [&str; 3] = ["messages", "tools", "stream"];
/// Fields of an assistant message that strict servers refuse.
const EXTRA_MESSAGE_FIELDS: [&str; 2] = ["reasoning_content", "extra_content"];

/// The body of a streaming request; `without` names fields this model refused before.
pub fn body(options: &OpenAiOptions, request: &ChatRequest<'_>, without: &[&str]) -> Vec<u8> {
    let mut head = head(options, request);
    head.retain(|name, value| !value.is_null() && !without.contains(&name.as_str()));
    let messages: usize = request.messages.iter().map(|message| message.len() + 1).sum();
    let mut body = Value::Object(head).to_string().into_bytes();
    body.reserve(messages + request.tools.map_or(0, str::len) + 64);
    body.pop();
    body.extend_from_slice(b",\"messages\":[");
    for (at, message) in request.messages.iter().enumerate() {
        if at > 0 {
            body.push(b',');
        }
        body.extend_from_slice(fit(message, options.quirks.history).as_bytes());
    }
    body.push(b']');
    if let Some(tools) = request.tools.filter(|tools| *tools != "[]") {
        body.extend_from_slice(b",\"tools\":");
        body.extend_from_slice(tools.as_bytes());
    }
    body.push(b'}');
    body
}

fn head(options: &OpenAiOptions, request: &ChatRequest<'_>) -> Map<String, Value> {
    let mut head = Map::new();
    head.insert("model".into(), wire_model(&options.name, request.model, options.quirks).into());
    head.insert("stream".into(), true.into());
    head.insert("stream_options".into(), json!({ "include_usage": true }));
    if let Some(limit) = request.max_tokens {
        head.insert(options.quirks.max_tokens_field.into(), limit.into());
    }
    if let Some(temperature) = request.temperature {
        // Through its decimal form, so that 0.1 is not sent as 0.10000000149.
        head.insert("temperature".into(), temperature.to_string().parse::<f64>().unwrap_or_default().into());
    }
    let extra = options.extra_body.iter().chain(request.extra_body.into_iter().flatten());
    for (name, value) in extra.filter(|(name, _)| !OURS.contains(&name.as_str())) {
        head.insert(name.clone(), value.clone());
    }
    head
}

/// `deepseek/deepseek-chat` is `deepseek-chat` to DeepSeek, while gateways want the whole name.
fn wire_model<'m>(provider: &str, model: &'m str, quirks: Quirks) -> &'m str {
    if !quirks.strip_own_prefix {
        return model;
    }
    model.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/')).unwrap_or(model)
}

/// The message as it is, or without what this server refuses. A history may come from another vendor's model.
fn fit(message: &str, rules: HistoryRules) -> Cow<'_, str> {
    let has = |field: &str| memchr::memmem::find(message.as_bytes(), field.as_bytes()).is_some();
    let strip = rules != HistoryRules::Any && EXTRA_MESSAGE_FIELDS.iter().any(|field| has(field));
    let rename = rules == HistoryRules::NineCharacterIds && has("tool_call");
    if !strip && !rename {
        return message.into();
    }
    // Not valid JSON: the server says so better than this place could.
    let Ok(mut value) = serde_json::from_str::<Value>(message) else {
        return message.into();
    };
    if strip {
        remove_extra_fields(&mut value);
    }
    if rename {
        rename_ids(&mut value);
    }
    value.to_string().into()
}

fn remove_extra_fields(message: &mut Value) {
    let calls = message.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten();
    for object in calls.filter_map(Value::as_object_mut) {
        EXTRA_MESSAGE_FIELDS.iter().for_each(|field| drop(object.shift_remove(*field)));
    }
    if let Some(object) = message.as_object_mut() {
        EXTRA_MESSAGE_FIELDS.iter().for_each(|field| drop(object.shift_remove(*field)));
    }
}

fn rename_ids(message: &mut Value) {
    let rename = |id: &mut Value| {
        if let Some(text) = id.as_str() {
            *id = nine_characters(text).into();
        }
    };
    message.get_mut("tool_call_id").map(rename);
    let calls = message.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten();
    calls.filter_map(|call| call.get_mut("id")).for_each(rename);
}

/// The same id for the same text, so that calls and results still match.
fn nine_characters(id: &str) -> String {
    if id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return id.into();
    }
    // FNV-1a: stable across runs, and an accidental clash within one conversation is out of reach.
    let mut hash = id
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    (0..9)
        .map(|_| {
            let digit = (hash % 36) as u32;
            hash /= 36;
            char::from_digit(digit, 36).unwrap_or('0')
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    const PLAIN: ChatRequest<'static> =
        ChatRequest { model: "m", messages: &[], tools: None, max_tokens: None, temperature: None, extra_body: None };

    fn build(options: &OpenAiOptions, messages: &[&str], request: ChatRequest<'_>) -> Value {
        let messages: Vec<Arc<str>> = messages.iter().map(|message| Arc::from(*message)).collect();
        let request = ChatRequest { messages: &messages, ..request };
        serde_json::from_slice(&body(options, &request, &[])).unwrap()
    }

    fn options(name: &str) -> OpenAiOptions {
        OpenAiOptions::new(name, "http://127.0.0.1:1/v1", None)
    }

    const CALL: &str = r#"{"role":"assistant","content":null,"reasoning_content":"r","tool_calls":[{"id":"call_abc","type":"function","function":{"name":"x","arguments":"{}"},"extra_content":{"google":1}}]}"#;
    const RESULT: &str = r#"{"role":"tool","tool_call_id":"call_abc","content":"ok"}"#;

    #[test]
    fn messages_and_tools_are_sent_byte_for_byte() {
        let messages: Vec<Arc<str>> = vec![r#"{ "role" : "user", "content":"a\u0062" }"#.into()];
        let tools = r#"[ {"type":"function"} ]"#;
        let request = ChatRequest { messages: &messages, tools: Some(tools), ..PLAIN };
        let sent = String::from_utf8(body(&options("custom"), &request, &[])).unwrap();
        assert!(sent.contains(&*messages[0]) && sent.contains(tools));
        assert!(serde_json::from_str::<Value>(&sent).is_ok());
    }

    #[test]
    fn optional_fields_appear_only_when_given() {
        let plain = build(&options("custom"), &[RESULT], PLAIN);
        assert!(["max_tokens", "temperature", "tools"].iter().all(|field| plain.get(*field).is_none()));
        let bounded = ChatRequest { max_tokens: Some(5), ..PLAIN };
        let full = ChatRequest { temperature: Some(0.1), tools: Some("[]"), ..bounded };
        let full = build(&options("custom"), &[], full);
        assert_eq!((&full["max_tokens"], &full["temperature"], full.get("tools")), (&json!(5), &json!(0.1), None));
        let sent = build(&options("openai"), &[], bounded);
        assert_eq!(sent["max_completion_tokens"], 5);
    }

    #[test]
    fn extra_fields_win_over_ours_and_null_takes_one_away_but_the_messages_stay() {
        let mut options = options("custom");
        options.extra_body =
            json!({"top_k": 1, "stream_options": null, "messages": [], "stream": false}).as_object().cloned().unwrap();
        let extra = json!({"top_k": 2}).as_object().cloned().unwrap();
        let sent = build(&options, &[RESULT], ChatRequest { extra_body: Some(&extra), ..PLAIN });
        assert_eq!((&sent["top_k"], sent.get("stream_options"), &sent["stream"]), (&json!(2), None, &json!(true)));
        assert_eq!(sent["messages"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn mistral_gets_nine_character_ids_that_still_match() {
        let sent = build(&options("mistral"), &[CALL, RESULT], PLAIN);
        let id = sent["messages"][0]["tool_calls"][0]["id"].as_str().unwrap();
        assert!(id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
        assert_eq!(sent["messages"][1]["tool_call_id"], id);
        assert_eq!(build(&options("custom"), &[CALL], PLAIN)["messages"][0]["tool_calls"][0]["id"], "call_abc");
    }

    #[test]
    fn fields_of_one_vendor_do_not_reach_a_strict_one() {
        let strict = build(&options("openai"), &[CALL], PLAIN);
        assert!(strict["messages"][0].get("reasoning_content").is_none());
        assert!(strict["messages"][0]["tool_calls"][0].get("extra_content").is_none());
        let open = build(&options("moonshot"), &[CALL], PLAIN);
        assert_eq!(open["messages"][0]["reasoning_content"], "r");
    }

    #[test]
    fn a_vendors_own_prefix_is_taken_off_the_model_except_for_gateways() {
        for (provider, model, sent) in [
            ("deepseek", "deepseek/deepseek-chat", "deepseek-chat"),
            ("openrouter", "openrouter/auto", "openrouter/auto"),
            ("vllm", "org/name", "org/name"),
        ] {
            assert_eq!(wire_model(provider, model, options(provider).quirks), sent);
        }
    }
}
