//! What kept messages say, for the protocols that write them in another form.

use super::Draft;
use crate::fragments::{Fragment, Role};
use serde_json::{Map, Value};
use std::sync::Arc;

/// A piece of a message's content.
pub enum Part<'a> {
    /// Words.
    Text(&'a str),
    /// A picture: its media type and its base64 text.
    Image(&'a str, &'a str),
    /// The address of a picture elsewhere.
    Link(&'a str),
}

/// The pieces of a message's content that are not empty.
pub fn parts(message: &Value) -> Vec<Part<'_>> {
    match &message["content"] {
        Value::String(text) if !text.trim().is_empty() => vec![Part::Text(text)],
        Value::Array(parts) => parts.iter().filter_map(part).collect(),
        _ => Vec::new(),
    }
}

fn part(part: &Value) -> Option<Part<'_>> {
    if let Some(text) = part["text"].as_str() {
        return (!text.trim().is_empty()).then_some(Part::Text(text));
    }
    let url = part["image_url"]["url"].as_str()?;
    let inline = url.strip_prefix("data:").and_then(|data| data.split_once(";base64,"));
    Some(inline.map_or(Part::Link(url), |(mime, data)| Part::Image(mime, data)))
}

/// The words of a message in one piece.
pub fn text(message: &Value) -> String {
    let texts = parts(message).into_iter().filter_map(|part| match part {
        Part::Text(text) => Some(text),
        Part::Image(..) | Part::Link(_) => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// A call that an assistant message asks for.
pub struct Call<'a> {
    /// Its id.
    pub id: &'a str,
    /// The tool.
    pub name: &'a str,
    /// The arguments.
    pub arguments: Map<String, Value>,
    /// What its vendor wants back with it.
    pub extra: &'a Value,
}

/// The calls of an assistant message.
pub fn calls(message: &Value) -> impl Iterator<Item = Call<'_>> {
    message["tool_calls"].as_array().into_iter().flatten().map(|call| Call {
        id: call["id"].as_str().unwrap_or_default(),
        name: call["function"]["name"].as_str().unwrap_or_default(),
        arguments: serde_json::from_str(call["function"]["arguments"].as_str().unwrap_or_default()).unwrap_or_default(),
        extra: &call["extra_content"],
    })
}

/// The request's messages, each translated by `translate` from its place, role and content; `flavour` tells apart
/// two ways of doing so.
pub fn translated(
    draft: &Draft<'_>,
    flavour: bool,
    translate: impl Fn(usize, Role, &Value) -> Vec<Value>,
) -> Vec<Arc<Fragment>> {
    let one = |(at, message): (usize, &Arc<str>)| {
        draft.fragments.of(message, flavour, || {
            let value: Value = serde_json::from_str(message).unwrap_or_default();
            let role = match value["role"].as_str() {
                Some("system" | "developer") => Role::System,
                Some("assistant") => Role::Model,
                Some("tool") => Role::Tool,
                _ => Role::User,
            };
            let blocks: Vec<String> = translate(at, role, &value).iter().map(Value::to_string).collect();
            Fragment { role, json: blocks.join(",") }
        })
    };
    draft.request.messages.iter().enumerate().map(one).collect()
}

/// The instructions in one piece; empty when there are none.
pub fn instructions(fragments: &[Arc<Fragment>]) -> String {
    let system = fragments.iter().filter(|fragment| fragment.role == Role::System && !fragment.json.is_empty());
    system.map(|fragment| fragment.json.as_str()).collect::<Vec<_>>().join(",")
}

/// What one side says before the other side speaks.
#[derive(Default)]
pub struct Turn<'a> {
    /// The model speaks.
    pub model: bool,
    /// How many of the blocks are results of tools.
    pub results: usize,
    /// What is said: the results of tools first.
    pub blocks: Vec<&'a str>,
}

/// The conversation in turns. The user begins it, with `opening` where the history was cut.
pub fn turns<'a>(fragments: &'a [Arc<Fragment>], opening: &'a str) -> Vec<Turn<'a>> {
    let mut turns: Vec<Turn<'a>> = Vec::new();
    for fragment in fragments.iter().filter(|fragment| fragment.role != Role::System && !fragment.json.is_empty()) {
        let model = fragment.role == Role::Model;
        if turns.is_empty() && model {
            turns.push(Turn { blocks: vec![opening], ..Turn::default() });
        }
        if turns.last().is_none_or(|turn| turn.model != model) {
            turns.push(Turn { model, ..Turn::default() });
        }
        let Some(turn) = turns.last_mut() else { continue };
        if fragment.role == Role::Tool {
            turn.blocks.insert(turn.results, &fragment.json);
            turn.results += 1;
        } else {
            turn.blocks.push(&fragment.json);
        }
    }
    turns
}

/// Writes the turns and ends the body: `heads` begin a turn of the user and one of the model, `mark` gives another
/// end for the last block of the turn with that number.
pub fn push_turns(
    body: &mut String,
    turns: &[Turn<'_>],
    heads: [&str; 2],
    mark: impl Fn(usize) -> Option<&'static str>,
) {
    for (at, turn) in turns.iter().enumerate() {
        body.push_str(if at > 0 { "," } else { "" });
        body.push_str(heads[usize::from(turn.model)]);
        for (at, blocks) in turn.blocks.iter().enumerate() {
            body.push_str(if at > 0 { "," } else { "" });
            body.push_str(blocks);
        }
        if let Some(mark) = mark(at) {
            body.pop();
            body.push_str(mark);
        }
        body.push_str("]}");
    }
    body.push_str("]}");
}
