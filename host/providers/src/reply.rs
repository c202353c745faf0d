//! Puts a reply together from the chunks of a stream, or reads it whole.

use crate::calls::{CallPieces, TooManyCalls};
use crate::chat::{Finish, Reply, StreamEvent, Usage};
use crate::inline::{InlineText, Piece, read_calls};
use crate::refusal::{Failure, Refuser};
use crate::sse::SseEvent;
use crate::vendors::Quirks;
use crate::{ChatRequest, ProviderError};
use serde_json::{Value, json};

/// Receives the events of one reply.
pub type Events<'e> = &'e mut (dyn FnMut(StreamEvent) + Send);

/// One reply while it arrives.
#[derive(Debug)]
pub struct ReplyBuilder {
    quirks: Quirks,
    inline: InlineText,
    text: String,
    reasoning: String,
    calls: CallPieces,
    usage: Usage,
    finish: Option<Finish>,
    started: bool,
}

impl ReplyBuilder {
    /// An empty reply of a server with these quirks; `with_tools` when the request offered any.
    pub fn new(quirks: Quirks, with_tools: bool) -> Self {
        Self {
            quirks,
            inline: InlineText::new(with_tools && quirks.text_tool_calls),
            text: String::new(),
            reasoning: String::new(),
            calls: CallPieces::default(),
            usage: Usage::default(),
            finish: None,
            started: false,
        }
    }

    /// Is told the model's name: some begin inside a thought, where the server does not sort it out.
    pub fn of_model(mut self, model: &str) -> Self {
        if self.quirks.text_tool_calls {
            self.inline.expect_thought(model);
        }
        self
    }

    /// Has anything of the answer arrived? Then the request is not sent again.
    pub fn has_started(&self) -> bool {
        self.started
    }

    /// Has the model said why it stopped? Only then the reply is complete.
    pub fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// Takes one event and says whether it was the last one.
    pub fn take_event(&mut self, event: &SseEvent, refuser: &Refuser<'_>, events: Events<'_>) -> Result<bool, Failure> {
        let data = event.data.as_str();
        if let Ok(chunk) = serde_json::from_str::<Value>(data) {
            if event.name == "error" {
                return Err(refuser.in_stream(&chunk));
            }
            self.take_chunk(&chunk, refuser, events)?;
            return Ok(false);
        }
        // Servers that leave out the blank line put several chunks into one event.
        for line in data.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if line == "[DONE]" {
                return Ok(true);
            }
            let chunk = serde_json::from_str(line)
                .map_err(|_| refuser.unintelligible(&format!("a chunk that is not JSON: {line}")))?;
            self.take_chunk(&chunk, refuser, &mut *events)?;
        }
        Ok(false)
    }

    /// Takes one chunk of a stream, or a whole completion.
    pub fn take_chunk(&mut self, chunk: &Value, refuser: &Refuser<'_>, events: Events<'_>) -> Result<(), Failure> {
        if chunk.get("error").is_some_and(|error| !error.is_null()) || chunk["object"] == "error" {
            return Err(refuser.in_stream(chunk));
        }
        let choice = &chunk["choices"][0];
        for usage in [&chunk["usage"], &choice["usage"], &chunk["x_groq"]["usage"]] {
            read_usage(usage, &mut self.usage);
        }
        for message in [&choice["delta"], &choice["message"]] {
            self.take_message(message, &mut *events)
                .map_err(|TooManyCalls| refuser.too_large("more than 128 tool calls"))?;
        }
        match choice["finish_reason"].as_str() {
            None | Some("") => Ok(()),
            Some("error" | "network_error") => {
                Err(refuser.in_stream(&json!({ "error": "the model ended with an error" })))
            }
            Some(reason) => {
                self.finish = Some(finish(reason));
                Ok(())
            }
        }
    }

    fn take_message(&mut self, message: &Value, events: Events<'_>) -> Result<(), TooManyCalls> {
        // Servers name the same words twice for different clients, so the first field that has any counts.
        let reasoning = ["reasoning_content", "reasoning", "thinking"]
            .iter()
            .find_map(|field| message[*field].as_str().filter(|text| !text.is_empty()));
        if let Some(reasoning) = reasoning {
            self.inline.expect_no_thought();
            self.emit(Piece::Reasoning(reasoning.into()), events);
        }
        match &message["content"] {
            Value::String(text) => self.take_text(text, events),
            Value::Array(parts) => parts.iter().for_each(|part| self.take_part(part, events)),
            _ => {}
        }
        if let Some(text) = message["refusal"].as_str() {
            self.take_text(text, events);
        }
        let pieces = message["tool_calls"].as_array().map(Vec::as_slice).unwrap_or_default();
        for (position, piece) in pieces.iter().enumerate() {
            self.calls.push(piece, position, pieces.len())?;
        }
        if message["function_call"].is_object() {
            self.calls.push(&json!({ "index": 0, "function": message["function_call"] }), 0, 1)?;
        }
        self.started |= !self.calls.is_empty();
        Ok(())
    }

    fn take_part(&mut self, part: &Value, events: Events<'_>) {
        if let Some(text) = part["text"].as_str() {
            self.take_text(text, events);
        }
        match &part["thinking"] {
            Value::String(text) => self.emit(Piece::Reasoning(text.clone()), events),
            Value::Array(parts) => {
                for text in parts.iter().filter_map(|part| part["text"].as_str()) {
                    self.emit(Piece::Reasoning(text.into()), events);
                }
            }
            _ => {}
        }
    }

    fn take_text(&mut self, text: &str, events: Events<'_>) {
        self.started |= !text.is_empty();
        for piece in self.inline.push(text) {
            self.emit(piece, events);
        }
    }

    fn emit(&mut self, piece: Piece, events: Events<'_>) {
        self.started = true;
        match piece {
            Piece::Text(text) => {
                self.text.push_str(&text);
                events(StreamEvent::Text(text));
            }
            Piece::Reasoning(text) => {
                self.reasoning.push_str(&text);
                events(StreamEvent::Reasoning(text));
            }
        }
    }

    /// The complete reply to `request`.
    ///
    /// # Errors
    /// [`ProviderError::Truncated`] with `reason` when the model never said why it stopped.
    pub fn complete(
        mut self,
        request: &ChatRequest<'_>,
        reason: &str,
        refuser: &Refuser<'_>,
        events: Events<'_>,
    ) -> Result<Reply, Failure> {
        let Some(finish) = self.finish.take() else {
            return Err(ProviderError::Truncated { provider: refuser.provider.into(), reason: reason.into() }.into());
        };
        self.settle_text(request, refuser, events)?;
        if self.quirks.reasoning_as_content && self.text.is_empty() && self.calls.is_empty() {
            let answer = std::mem::take(&mut self.reasoning);
            self.emit(Piece::Text(answer), events);
        }
        let (tool_calls, wire) = self.calls.finish(|id| is_used(request, id), finish == Finish::Length);
        let finish = match finish {
            Finish::Stop | Finish::Other(_) if !tool_calls.is_empty() => Finish::ToolCalls,
            Finish::ToolCalls if tool_calls.is_empty() => Finish::Stop,
            other => other,
        };
        let reasoning = if self.quirks.replay_reasoning { self.reasoning.as_str() } else { "" };
        let message = assistant_message(&self.text, reasoning, wire).into();
        Ok(Reply { text: self.text, reasoning: self.reasoning, tool_calls, usage: self.usage, finish, message })
    }

    /// Decides about text that was held back because it may be tool calls.
    fn settle_text(
        &mut self,
        request: &ChatRequest<'_>,
        refuser: &Refuser<'_>,
        events: Events<'_>,
    ) -> Result<(), Failure> {
        let (last, held) = std::mem::replace(&mut self.inline, InlineText::new(false)).finish(self.calls.is_empty());
        for piece in last {
            self.emit(piece, events);
        }
        let Some(held) = held else { return Ok(()) };
        let found = if self.calls.is_empty() { read_calls(&held, request.tools.unwrap_or_default()) } else { None };
        match found {
            Some(calls) => {
                self.calls.add_inline(calls).map_err(|TooManyCalls| refuser.too_large("more than 128 tool calls"))
            }
            None => {
                self.emit(Piece::Text(held), events);
                Ok(())
            }
        }
    }
}

/// Does the conversation hold this id already? Some servers begin to count anew in every reply.
fn is_used(request: &ChatRequest<'_>, id: &str) -> bool {
    let quoted = format!("\"{id}\"");
    let finder = memchr::memmem::Finder::new(&quoted);
    request.messages.iter().any(|message| finder.find(message.as_bytes()).is_some())
}

/// The assistant message as wire JSON. Empty content beside tool calls is `null`, the one form every server takes.
pub fn assistant_message(text: &str, reasoning: &str, calls: Vec<Value>) -> String {
    let content = if text.is_empty() && !calls.is_empty() { Value::Null } else { text.into() };
    let mut message = json!({ "role": "assistant", "content": content });
    if !calls.is_empty() {
        if !reasoning.is_empty() {
            message["reasoning_content"] = reasoning.into();
        }
        message["tool_calls"] = calls.into();
    }
    message.to_string()
}

fn finish(reason: &str) -> Finish {
    match reason {
        "stop" | "end_turn" | "eos" | "eos_token" | "stop_sequence" => Finish::Stop,
        "tool_calls" | "tool_use" | "function_call" => Finish::ToolCalls,
        "length" | "max_tokens" | "model_length" => Finish::Length,
        "content_filter" | "sensitive" | "safety" => Finish::ContentFilter,
        other => Finish::Other(other.chars().take(64).collect()),
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
