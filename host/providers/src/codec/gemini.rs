//! The protocol of Gemini: `generateContent`, streamed.

use super::history::{Part, calls, instructions, parts, push_turns, text, translated, turns};
use super::{Codec, Draft, functions};
use crate::fragments::Role;
use crate::refusal::Failure;
use crate::reply::ReplyBuilder;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The protocol.
pub const CODEC: &Codec = &Codec {
    name: "gemini",
    trims: &["/openai", "/v1beta"],
    chat: |model| match model.contains('/') {
        true => format!("v1beta/{model}:streamGenerateContent?alt=sse"),
        false => format!("v1beta/models/{model}:streamGenerateContent?alt=sse"),
    },
    models: "v1beta/models?pageSize=1000",
    key: ("x-goog-api-key", ""),
    headers: &[],
    ours: &["contents", "tools", "systemInstruction"],
    write,
    read,
    whole: &["candidates", "promptFeedback"],
};

const OPENING: &str = r#"{"text":"[Earlier messages are left out.]"}"#;
/// Stands for the signature of a call that another vendor's model made; documented for that purpose.
const UNSIGNED: &str = "skip_thought_signature_validator";

fn write(draft: &Draft<'_>) -> String {
    // Older models do not ask for signatures and may refuse the word that stands for one.
    let signed = !["gemini-1", "gemini-2"].iter().any(|old| draft.model().contains(old));
    let messages = draft.request.messages;
    let fragments = translated(draft, signed, |at, role, message| blocks(&messages[..at], role, message, signed));
    let limit = draft.request.max_tokens;
    let settings = [("maxOutputTokens", draft.unrefused("max_tokens", limit)), ("temperature", draft.temperature())];
    let settings: Map<String, Value> =
        settings.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.into(), value)).collect();
    let mut body = draft.open(json!({ "generationConfig": settings }));
    let system = instructions(&fragments);
    if !system.is_empty() {
        body.push_str(",\"systemInstruction\":{\"parts\":[");
        body.push_str(&system);
        body.push_str("]}");
    }
    if let Some(tools) = draft.tools() {
        body.push_str(",\"tools\":");
        body.push_str(&draft.fragments.of_tools(tools, || write_tools(tools)));
    }
    body.push_str(",\"contents\":[");
    let heads = [r#"{"role":"user","parts":["#, r#"{"role":"model","parts":["#];
    push_turns(&mut body, &turns(&fragments, OPENING), heads, |_| None);
    body
}

fn blocks(before: &[Arc<str>], role: Role, message: &Value, signed: bool) -> Vec<Value> {
    let parts = parts(message);
    let mut blocks: Vec<Value> = match role {
        Role::Tool => {
            let id = message["tool_call_id"].as_str().unwrap_or_default();
            let response = json!({ "result": text(message) });
            let name = tool_of(before, id);
            let pictures = parts.iter().filter(|part| !matches!(part, Part::Text(_))).map(block);
            let result = json!({ "functionResponse": { "id": id, "name": name, "response": response } });
            return std::iter::once(result).chain(pictures).collect();
        }
        _ => parts.iter().map(block).collect(),
    };
    for (at, call) in calls(message).enumerate() {
        let mut block = json!({ "functionCall": { "id": call.id, "name": call.name, "args": call.arguments } });
        match &call.extra["google"]["thought_signature"] {
            Value::String(signature) => block["thoughtSignature"] = signature.as_str().into(),
            // Of calls that are made together only the first is signed.
            _ if signed && at == 0 => block["thoughtSignature"] = UNSIGNED.into(),
            _ => {}
        }
        blocks.push(block);
    }
    blocks
}

/// The name of the tool that the call `id` was for: a result has to tell it.
fn tool_of(before: &[Arc<str>], id: &str) -> String {
    let quoted = format!("\"{id}\"");
    let finder = memchr::memmem::Finder::new(&quoted);
    let asked = before.iter().rev().filter(|message| finder.find(message.as_bytes()).is_some()).find_map(|message| {
        let message: Value = serde_json::from_str(message).ok()?;
        calls(&message).find(|call| call.id == id).map(|call| call.name.to_string())
    });
    asked.unwrap_or_else(|| "unknown".into())
}

fn block(part: &Part<'_>) -> Value {
    match part {
        Part::Text(text) => json!({ "text": text }),
        Part::Image(mime, data) => json!({ "inlineData": { "mimeType": mime, "data": data } }),
        Part::Link(url) => json!({ "fileData": { "fileUri": url } }),
    }
}

fn write_tools(tools: &str) -> String {
    let declarations = functions(tools).map(|tool| {
        let mut declaration = json!({ "name": tool.name, "description": tool.description });
        // An object without properties is refused; a tool without parameters is not.
        let parameters = tool.parameters.map(|schema| clean(&schema));
        if let Some(schema) = parameters.filter(|schema| schema.get("properties").is_some()) {
            declaration["parameters"] = schema;
        }
        declaration
    });
    json!([{ "functionDeclarations": declarations.collect::<Vec<_>>() }]).to_string()
}

/// Words of JSON Schema that are taken as they are.
const TAKEN: &[&str] = &[
    "title",
    "description",
    "default",
    "nullable",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
];
const FORMATS: &[&str] = &["enum", "date-time", "int32", "int64", "float", "double"];

/// A schema with only what is understood here. What it loses is checked again when the tool is called.
fn clean(schema: &Map<String, Value>) -> Value {
    let mut cleaned = Map::new();
    for (word, value) in schema {
        let value = match (word.as_str(), value) {
            ("type", Value::Array(types)) => {
                if types.iter().any(|kind| kind == "null") {
                    cleaned.insert("nullable".into(), true.into());
                }
                types.iter().find(|kind| *kind != "null").cloned()
            }
            ("type", kind) => Some(kind.clone()),
            ("format", format) => format.as_str().filter(|format| FORMATS.contains(format)).map(Value::from),
            ("const", Value::String(only)) => {
                cleaned.insert("enum".into(), json!([only]));
                None
            }
            ("enum", Value::Array(values)) if values.iter().all(Value::is_string) => Some(value.clone()),
            ("items", Value::Object(items)) => Some(clean(items)),
            ("properties", Value::Object(properties)) if !properties.is_empty() => {
                let cleaned = properties.iter().map(|(name, inner)| (name.clone(), clean_any(inner)));
                Some(Value::Object(cleaned.collect()))
            }
            ("anyOf" | "oneOf", Value::Array(choices)) => {
                cleaned.insert("anyOf".into(), choices.iter().map(clean_any).collect());
                None
            }
            ("required", Value::Array(names)) => {
                let known = |name: &&Value| name.as_str().is_some_and(|name| schema["properties"].get(name).is_some());
                schema.get("properties").map(|_| names.iter().filter(known).cloned().collect())
            }
            (word, value) => TAKEN.contains(&word).then(|| value.clone()),
        };
        if let Some(value) = value {
            cleaned.insert(word.clone(), value);
        }
    }
    complete(&mut cleaned);
    Value::Object(cleaned)
}

/// Adds what the server wants where it is missing: choices have a type, lists one of their items, objects properties.
fn complete(schema: &mut Map<String, Value>) {
    if schema.contains_key("enum") {
        schema.entry("type").or_insert("string".into());
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("array") if !schema.contains_key("items") => {
            schema.insert("items".into(), json!({ "type": "string" }));
        }
        Some("object") if !schema.contains_key("properties") => {
            schema.insert("type".into(), "string".into());
            let told = schema.get("description").and_then(Value::as_str).unwrap_or_default();
            schema.insert("description".into(), format!("{told} (a JSON object, as text)").trim().into());
        }
        _ => {}
    }
}

fn clean_any(schema: &Value) -> Value {
    schema.as_object().map_or_else(|| json!({}), clean)
}

fn read(reply: &mut ReplyBuilder<'_>, chunk: &Value) -> Result<bool, Failure> {
    let candidate = &chunk["candidates"][0];
    read_usage(reply, &chunk["usageMetadata"]);
    for part in candidate["content"]["parts"].as_array().into_iter().flatten() {
        let text = part["text"].as_str().unwrap_or_default();
        match part["thought"] == true {
            true => reply.reasoning(text),
            false => reply.text(text),
        }
        if part["functionCall"].is_object() {
            read_call(reply, part)?;
        }
    }
    reply.stop(&candidate["finishReason"]);
    if chunk["promptFeedback"]["blockReason"].is_string() {
        reply.stop(&"safety".into());
    }
    Ok(false)
}

/// A call comes whole; its signature is kept in the place where Google's OpenAI-compatible API puts it.
fn read_call(reply: &mut ReplyBuilder<'_>, part: &Value) -> Result<(), Failure> {
    let call = &part["functionCall"];
    let signature = part["thoughtSignature"].as_str();
    let extra = signature.map(|signature| json!({ "google": { "thought_signature": signature } }));
    let function = json!({ "name": call["name"], "arguments": call["args"] });
    let index = reply.call_count();
    reply.call(&json!({ "index": index, "id": call["id"], "function": function, "extra_content": extra }), 0, 1)
}

fn read_usage(reply: &mut ReplyBuilder<'_>, usage: &Value) {
    let count = |field: &str| usage[field].as_u64();
    let Some(input) = count("promptTokenCount") else { return };
    let thoughts = count("thoughtsTokenCount").unwrap_or_default();
    reply.usage.input_tokens = input + count("toolUsePromptTokenCount").unwrap_or_default();
    reply.usage.output_tokens = count("candidatesTokenCount").unwrap_or_default() + thoughts;
    reply.usage.cached_tokens = count("cachedContentTokenCount").unwrap_or_default();
    reply.usage.reasoning_tokens = thoughts;
}

#[cfg(test)]
mod tests;
