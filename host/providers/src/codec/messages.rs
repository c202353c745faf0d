//! The messages protocol of Anthropic.

use super::history::{Part, calls, instructions, parts, push_turns, translated, turns};
use super::{Codec, Draft, functions};
use crate::fragments::Role;
use crate::refusal::Failure;
use crate::reply::ReplyBuilder;
use serde_json::{Value, json};

/// The protocol.
pub const CODEC: &Codec = &Codec {
    name: "messages",
    trims: &["/messages", "/v1"],
    chat: |_| "v1/messages".into(),
    models: "v1/models?limit=1000",
    key: ("x-api-key", ""),
    headers: &[("anthropic-version", "2023-06-01")],
    ours: &["messages", "tools", "stream", "system"],
    write,
    read,
    whole: &["content"],
};

/// The server demands a bound: this one where nobody set any.
const MAX_TOKENS: u64 = 8_192;
/// The bound where the one that was set is refused: every model allows it.
const MAX_TOKENS_ALLOWED: u64 = 4_096;
/// Ends the last block of what the server shall keep in its cache.
const CACHED: &str = r#","cache_control":{"type":"ephemeral"}}"#;
/// What blocks with thoughts hold; in text the quotes would be escaped.
const THOUGHTS: [&str; 2] = [r#""type":"thinking""#, r#""type":"redacted_thinking""#];
const OPENING: &str = r#"{"type":"text","text":"[Earlier messages are left out.]"}"#;

fn write(draft: &Draft<'_>) -> String {
    let fragments = translated(draft, false, |_, role, message| blocks(role, message));
    let turns = turns(&fragments, OPENING);
    // A round of tools that began without thinking cannot be gone on with by thinking.
    let thinks = |blocks: &str| THOUGHTS.iter().any(|mark| blocks.contains(mark));
    let unthought = matches!(turns.as_slice(), [.., asked, last] if last.results > 0 && !thinks(asked.blocks[0]));
    let mut without: Vec<_> = draft.without.iter().copied().filter(|field| *field != "max_tokens").collect();
    without.extend(unthought.then_some("thinking"));
    let mut body = Draft { without: &without, ..*draft }.open(json!({
        "model": draft.model(),
        "max_tokens": max_tokens(draft),
        "temperature": draft.temperature(),
        "stream": true,
    }));
    let system = instructions(&fragments);
    if !system.is_empty() {
        body.push_str(",\"system\":[");
        push_cached(&mut body, &system);
        body.push(']');
    }
    if let Some(tools) = draft.tools() {
        body.push_str(",\"tools\":");
        body.push_str(&draft.fragments.of_tools(tools, || write_tools(tools)));
    }
    body.push_str(",\"messages\":[");
    // The history up to each of the last two questions is in the cache already, or will be.
    let mut asked = (0..turns.len()).rev().filter(|at| !turns[*at].model);
    let (last, before) = (asked.next(), asked.next());
    let heads = [r#"{"role":"user","content":["#, r#"{"role":"assistant","content":["#];
    push_turns(&mut body, &turns, heads, |at| [last, before].contains(&Some(at)).then_some(CACHED));
    body
}

/// The bound of the reply, which has to hold the thoughts as well.
fn max_tokens(draft: &Draft<'_>) -> u64 {
    let wanted = match draft.without.contains(&"max_tokens") {
        true => MAX_TOKENS_ALLOWED,
        false => draft.request.max_tokens.map_or(MAX_TOKENS, u64::from),
    };
    let thoughts = draft.extra("thinking").and_then(|thinking| thinking["budget_tokens"].as_u64()).unwrap_or(0);
    if wanted > thoughts { wanted } else { wanted + thoughts }
}

/// Blocks of which the last one ends what the server shall keep in its cache.
fn push_cached(body: &mut String, blocks: &str) {
    body.push_str(blocks);
    body.pop();
    body.push_str(CACHED);
}

fn write_tools(tools: &str) -> String {
    let nothing = || json!({ "type": "object", "properties": {} });
    let tools = functions(tools).map(|tool| {
        let schema = tool.parameters.map_or_else(nothing, Value::Object);
        json!({ "name": tool.name, "description": tool.description, "input_schema": schema }).to_string()
    });
    let mut list = "[".to_string();
    push_cached(&mut list, &tools.collect::<Vec<_>>().join(","));
    list + "]"
}

fn blocks(role: Role, message: &Value) -> Vec<Value> {
    let mut blocks: Vec<Value> = parts(message).iter().map(block).collect();
    match role {
        Role::System | Role::User => blocks,
        Role::Tool => {
            let id = wire_id(message["tool_call_id"].as_str().unwrap_or_default());
            vec![json!({ "type": "tool_result", "tool_use_id": id, "content": blocks })]
        }
        Role::Model => {
            blocks.extend(calls(message).map(|call| {
                json!({ "type": "tool_use", "id": wire_id(call.id), "name": call.name, "input": call.arguments })
            }));
            // A message may not end with a thought.
            let thoughts = message["thinking_blocks"].as_array().filter(|_| !blocks.is_empty()).cloned();
            thoughts.into_iter().flatten().chain(blocks).collect()
        }
    }
}

fn block(part: &Part<'_>) -> Value {
    match part {
        Part::Text(text) => json!({ "type": "text", "text": text }),
        Part::Image(mime, data) => {
            json!({ "type": "image", "source": { "type": "base64", "media_type": mime, "data": data } })
        }
        Part::Link(url) => json!({ "type": "image", "source": { "type": "url", "url": url } }),
    }
}

/// Ids of other vendors hold characters that are refused here.
fn wire_id(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' }).collect()
}

fn read(reply: &mut ReplyBuilder<'_>, event: &Value) -> Result<bool, Failure> {
    let index = event["index"].as_u64().unwrap_or_default();
    match event["type"].as_str().unwrap_or_default() {
        "message_start" => read_usage(reply, &event["message"]["usage"]),
        "content_block_start" => begin(reply, index, &event["content_block"])?,
        "content_block_delta" => go_on(reply, index, &event["delta"])?,
        "message_delta" => {
            read_usage(reply, &event["usage"]);
            reply.stop(&event["delta"]["stop_reason"]);
        }
        "message_stop" => return Ok(true),
        "message" => {
            for (index, block) in (0..).zip(event["content"].as_array().into_iter().flatten()) {
                begin(reply, index, block)?;
            }
            read_usage(reply, &event["usage"]);
            reply.stop(&event["stop_reason"]);
        }
        // Pings, ends of blocks, and what is not known yet.
        _ => {}
    }
    Ok(false)
}

/// A block begins; in a reply that came whole it is there already.
fn begin(reply: &mut ReplyBuilder<'_>, index: u64, block: &Value) -> Result<(), Failure> {
    match block["type"].as_str().unwrap_or_default() {
        "text" => reply.text(block["text"].as_str().unwrap_or_default()),
        "thinking" | "redacted_thinking" => {
            reply.reasoning(block["thinking"].as_str().unwrap_or_default());
            reply.thoughts.push((index, block.clone()));
        }
        "tool_use" => {
            let arguments = Some(&block["input"]).filter(|input| input.as_object().is_some_and(|map| !map.is_empty()));
            let function = json!({ "name": block["name"], "arguments": arguments.map(Value::to_string) });
            reply.call(&json!({ "index": index, "id": block["id"], "function": function }), 0, 1)?;
        }
        _ => {}
    }
    Ok(())
}

fn go_on(reply: &mut ReplyBuilder<'_>, index: u64, delta: &Value) -> Result<(), Failure> {
    let text = |field: &str| delta[field].as_str().unwrap_or_default();
    match delta["type"].as_str().unwrap_or_default() {
        "text_delta" => reply.text(text("text")),
        "input_json_delta" => {
            reply.call(&json!({ "index": index, "function": { "arguments": delta["partial_json"] } }), 0, 1)?;
        }
        "thinking_delta" => {
            reply.reasoning(text("thinking"));
            lengthen(reply, index, "thinking", text("thinking"));
        }
        "signature_delta" => lengthen(reply, index, "signature", text("signature")),
        _ => {}
    }
    Ok(())
}

/// Puts `text` at the end of a field of a thought.
fn lengthen(reply: &mut ReplyBuilder<'_>, index: u64, field: &str, text: &str) {
    let thought = reply.thoughts.iter_mut().rfind(|(at, _)| *at == index);
    if let Some(Value::Object(thought)) = thought.map(|(_, thought)| thought) {
        match thought.entry(field).or_insert_with(|| "".into()) {
            Value::String(old) => old.push_str(text),
            other => *other = text.into(),
        }
    }
}

/// Tokens that were written into the cache or read from it are counted beside the others.
fn read_usage(reply: &mut ReplyBuilder<'_>, usage: &Value) {
    let count = |field: &str| usage[field].as_u64().unwrap_or_default();
    let cached = count("cache_read_input_tokens");
    let input = count("input_tokens") + cached + count("cache_creation_input_tokens");
    if input > 0 {
        (reply.usage.input_tokens, reply.usage.cached_tokens) = (input, cached);
    }
    reply.usage.output_tokens = reply.usage.output_tokens.max(count("output_tokens"));
}

#[cfg(test)]
mod tests;
