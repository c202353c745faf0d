//! Writes scripted replies as OpenAI does.

use super::script::{End, Reply};
use serde_json::{Value, json};
use std::time::Duration;

/// One piece of a body, after a pause.
#[derive(Debug)]
pub struct Piece {
    /// The pause before it.
    pub after: Duration,
    /// The bytes.
    pub bytes: String,
}

/// What a request wants to know about its answer.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Its model.
    pub model: &'a str,
    /// The number of the answer.
    pub number: usize,
    /// Bytes of the request.
    pub bytes: usize,
    /// Whether usage comes at the end of the stream.
    pub with_usage: bool,
}

impl Reply {
    /// The events of the stream and how it ends.
    pub fn events(&self, asked: Asked<'_>) -> (Vec<Piece>, End) {
        let mut deltas = vec![json!({ "role": "assistant", "content": "" })];
        deltas.extend(split(&self.reasoning, self.chunk_chars).map(|text| json!({ "reasoning_content": text })));
        deltas.extend(split(&self.text, self.chunk_chars).map(|text| json!({ "content": text })));
        deltas.extend(self.call_deltas(asked.number));
        let mut chunks: Vec<Value> =
            deltas.into_iter().map(|delta| chunk(asked, json!([choice("delta", delta, Value::Null)]))).collect();
        if !self.omit_finish {
            chunks.push(chunk(asked, json!([choice("delta", json!({}), self.finish_reason().into())])));
            if asked.with_usage {
                let mut last = chunk(asked, json!([]));
                last["usage"] = self.usage(asked);
                chunks.push(last);
            }
        }
        let mut events: Vec<String> = chunks.into_iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
        if !self.omit_done && !self.omit_finish {
            events.push("data: [DONE]\n\n".into());
        }
        let end = match self.cut_after {
            Some(count) if count < events.len() => {
                events.truncate(count);
                self.end
            }
            _ => End::Clean,
        };
        let after = Duration::from_millis(self.delay_ms);
        (events.into_iter().map(|bytes| Piece { after, bytes }).collect(), end)
    }

    /// The whole reply as one JSON body.
    pub fn completion(&self, asked: Asked<'_>) -> Value {
        let content = if self.text.is_empty() { Value::Null } else { self.text.as_str().into() };
        let mut message = json!({ "role": "assistant", "content": content, "refusal": null });
        if !self.tool_calls.is_empty() {
            message["tool_calls"] = (0..self.tool_calls.len()).map(|at| self.whole_call(at, asked.number)).collect();
        }
        let mut body = chunk(asked, json!([choice("message", message, self.finish_reason().into())]));
        body["object"] = "chat.completion".into();
        body["usage"] = self.usage(asked);
        body
    }

    fn call_deltas(&self, number: usize) -> Vec<Value> {
        let mut deltas = Vec::new();
        for (at, call) in self.tool_calls.iter().enumerate() {
            let id = self.call_id(at, number);
            let head = json!({ "index": at, "id": id, "type": "function", "function": { "name": call.name, "arguments": "" } });
            deltas.push(json!({ "tool_calls": [head] }));
            let arguments = self.arguments(at);
            deltas.extend(
                split(&arguments, self.chunk_chars)
                    .map(|text| json!({ "tool_calls": [{ "index": at, "function": { "arguments": text } }] })),
            );
        }
        deltas
    }

    fn whole_call(&self, at: usize, number: usize) -> Value {
        let function = json!({ "name": self.tool_calls[at].name, "arguments": self.arguments(at) });
        json!({ "id": self.call_id(at, number), "type": "function", "function": function })
    }

    fn call_id(&self, at: usize, number: usize) -> String {
        self.tool_calls[at].id.clone().unwrap_or_else(|| format!("call_{number}_{at}"))
    }

    fn arguments(&self, at: usize) -> String {
        match &self.tool_calls[at].arguments {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    fn finish_reason(&self) -> String {
        let found = if self.tool_calls.is_empty() { "stop" } else { "tool_calls" };
        self.finish.clone().unwrap_or_else(|| found.into())
    }

    fn usage(&self, asked: Asked<'_>) -> Value {
        let calls: usize = (0..self.tool_calls.len()).map(|at| self.arguments(at).len()).sum();
        let written = self.text.len() + self.reasoning.len() + calls;
        let (input, output) = self.usage.unwrap_or((asked.bytes as u64 / 4, written as u64 / 4 + 1));
        json!({ "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output })
    }
}

fn choice(field: &str, message: Value, finish: Value) -> Value {
    json!({ "index": 0, field: message, "logprobs": null, "finish_reason": finish })
}

fn chunk(asked: Asked<'_>, choices: Value) -> Value {
    json!({
        "id": format!("chatcmpl-fake{}", asked.number),
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": asked.model,
        "choices": choices,
    })
}

/// `text` in pieces of `size` characters; one piece when `size` is 0, none when it is empty.
fn split(text: &str, size: usize) -> impl Iterator<Item = String> {
    let characters: Vec<char> = text.chars().collect();
    let size = if size == 0 { characters.len().max(1) } else { size };
    characters.chunks(size).map(|piece| piece.iter().collect::<String>()).collect::<Vec<_>>().into_iter()
}
