//! The chat-completions protocol of OpenAI, as some forty vendors speak it. Kept messages are in its form already.

use super::{Codec, Draft};
use crate::chat::Usage;
use crate::fragments::{Fragment, Role};
use crate::refusal::Failure;
use crate::reply::ReplyBuilder;
use crate::vendors::HistoryRules;
use serde_json::{Value, json};

/// The protocol.
pub const CODEC: &Codec = &Codec {
    name: "chat completions",
    trims: &["/chat/completions"],
    chat: |_| "chat/completions".into(),
    models: "models",
    key: ("authorization", "Bearer "),
    headers: &[],
    ours: &["messages", "tools", "stream"],
    write,
    read,
    whole: &["choices"],
};

/// Fields of an assistant message that no server of this protocol knows.
const FOREIGN_FIELDS: &[&str] = &["thinking_blocks"];
/// The same, and those that strict servers refuse.
const EXTRA_FIELDS: &[&str] = &["thinking_blocks", "reasoning_content", "extra_content"];
/// The longest id of a call that strict servers take.
const ID_LIMIT: usize = 40;

fn write(draft: &Draft<'_>) -> String {
    let quirks = draft.options.quirks;
    let mut body = draft.open(json!({
        "model": draft.model(),
        "stream": true,
        "stream_options": { "include_usage": true },
        quirks.max_tokens_field: draft.request.max_tokens,
        "temperature": draft.temperature(),
    }));
    body.push_str(",\"messages\":[");
    for (at, message) in draft.request.messages.iter().enumerate() {
        body.push_str(if at > 0 { "," } else { "" });
        if fits(message, quirks.history) {
            body.push_str(message);
            continue;
        }
        // Nothing to change after all, or not valid JSON: the server says so better than this place could.
        let fragment = draft.fragments.of(message, false, || fit(message, quirks.history));
        body.push_str(if fragment.json.is_empty() { message } else { &fragment.json });
    }
    body.push(']');
    if let Some(tools) = draft.tools() {
        body.push_str(",\"tools\":");
        body.push_str(tools);
    }
    body.push('}');
    body
}

fn extra_fields(rules: HistoryRules) -> &'static [&'static str] {
    if rules == HistoryRules::Any { FOREIGN_FIELDS } else { EXTRA_FIELDS }
}

/// Has the message surely nothing that this server refuses?
fn fits(message: &str, rules: HistoryRules) -> bool {
    let has = |field: &str| memchr::memmem::find(message.as_bytes(), field.as_bytes()).is_some();
    let has_ids = rules != HistoryRules::Any && has("tool_call");
    !has_ids && !extra_fields(rules).iter().any(|field| has(field))
}

/// The message without what this server refuses; empty when it stays as it is. A history may come from another
/// vendor's model.
fn fit(message: &str, rules: HistoryRules) -> Fragment {
    let mut json = String::new();
    if let Ok(mut value) = serde_json::from_str::<Value>(message) {
        let before = value.clone();
        remove_fields(&mut value, extra_fields(rules));
        rename_ids(&mut value, rules);
        if value != before {
            json = value.to_string();
        }
    }
    Fragment { role: Role::User, json }
}

fn remove_fields(message: &mut Value, fields: &[&str]) {
    let remove = |object: &mut Value| {
        if let Some(object) = object.as_object_mut() {
            fields.iter().for_each(|field| drop(object.shift_remove(*field)));
        }
    };
    remove(message);
    message.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten().for_each(remove);
}

fn rename_ids(message: &mut Value, rules: HistoryRules) {
    let rename = |id: &mut Value| {
        let odd = |id: &&str| {
            rules == HistoryRules::NineCharacterIds || (rules == HistoryRules::KnownFields && id.len() > ID_LIMIT)
        };
        if let Some(text) = id.as_str().filter(odd) {
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

fn read(reply: &mut ReplyBuilder<'_>, chunk: &Value) -> Result<bool, Failure> {
    let choice = &chunk["choices"][0];
    for usage in [&chunk["usage"], &choice["usage"], &chunk["x_groq"]["usage"]] {
        read_usage(usage, &mut reply.usage);
    }
    for message in [&choice["delta"], &choice["message"]] {
        read_message(reply, message)?;
    }
    if let Some("error" | "network_error") = choice["finish_reason"].as_str() {
        return Err(reply.failed("the model ended with an error"));
    }
    reply.stop(&choice["finish_reason"]);
    Ok(false)
}

fn read_message(reply: &mut ReplyBuilder<'_>, message: &Value) -> Result<(), Failure> {
    // Servers name the same words twice for different clients, so the first field that has any counts.
    let reasoning = ["reasoning_content", "reasoning", "thinking"]
        .iter()
        .find_map(|field| message[*field].as_str().filter(|text| !text.is_empty()));
    reply.reasoning(reasoning.unwrap_or_default());
    match &message["content"] {
        Value::String(text) => reply.text(text),
        Value::Array(parts) => parts.iter().for_each(|part| read_part(reply, part)),
        _ => {}
    }
    reply.text(message["refusal"].as_str().unwrap_or_default());
    let pieces = message["tool_calls"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (position, piece) in pieces.iter().enumerate() {
        reply.call(piece, position, pieces.len())?;
    }
    if message["function_call"].is_object() {
        reply.call(&json!({ "index": 0, "function": message["function_call"] }), 0, 1)?;
    }
    Ok(())
}

fn read_part(reply: &mut ReplyBuilder<'_>, part: &Value) {
    reply.text(part["text"].as_str().unwrap_or_default());
    match &part["thinking"] {
        Value::String(text) => reply.reasoning(text),
        Value::Array(parts) => {
            parts.iter().filter_map(|part| part["text"].as_str()).for_each(|text| reply.reasoning(text));
        }
        _ => {}
    }
}

fn read_usage(usage: &Value, into: &mut Usage) {
    let count = |value: &Value| value.as_u64().or_else(|| value.as_f64().map(|float| float.max(0.0) as u64));
    let first = |values: &[&Value]| values.iter().find_map(|value| count(value));
    let fields: [(&mut u64, &[&Value]); 4] = [
        (&mut into.input_tokens, &[&usage["prompt_tokens"], &usage["input_tokens"]]),
        (&mut into.output_tokens, &[&usage["completion_tokens"], &usage["output_tokens"]]),
        (
            &mut into.cached_tokens,
            &[
                &usage["prompt_tokens_details"]["cached_tokens"],
                &usage["prompt_cache_hit_tokens"],
                &usage["cached_tokens"],
            ],
        ),
        (
            &mut into.reasoning_tokens,
            &[&usage["completion_tokens_details"]["reasoning_tokens"], &usage["reasoning_tokens"]],
        ),
    ];
    for (field, values) in fields {
        *field = first(values).unwrap_or(*field);
    }
}

#[cfg(test)]
mod tests;
