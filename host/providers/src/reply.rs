//! Puts a reply together from what a codec reads, piece by piece or whole.

use crate::calls::{CallPieces, TooManyCalls};
use crate::chat::{Finish, Reply, StreamEvent, Usage};
use crate::inline::{InlineText, Piece, read_calls};
use crate::refusal::{Failure, Refuser};
use crate::sse::SseEvent;
use crate::transport::ProviderOptions;
use crate::{ChatRequest, ProviderError, models};
use serde_json::{Map, Value, json};

/// Receives the events of one reply.
pub type Events<'e> = &'e mut (dyn FnMut(StreamEvent) + Send);

/// One reply while it arrives.
pub struct ReplyBuilder<'a> {
    options: &'a ProviderOptions,
    refuser: Refuser<'a>,
    events: Events<'a>,
    inline: InlineText,
    text: String,
    reasoning: String,
    calls: CallPieces,
    finish: Option<Finish>,
    started: bool,
    /// What it cost.
    pub usage: Usage,
    /// Thoughts that go back as they came, each with the number of its block.
    pub thoughts: Vec<(u64, Value)>,
}

impl<'a> ReplyBuilder<'a> {
    /// An empty reply; `with_tools` when the request offered any.
    pub fn new(options: &'a ProviderOptions, refuser: Refuser<'a>, with_tools: bool, events: Events<'a>) -> Self {
        Self {
            options,
            refuser,
            events,
            inline: InlineText::new(with_tools && options.quirks.text_tool_calls),
            text: String::new(),
            reasoning: String::new(),
            calls: CallPieces::default(),
            finish: None,
            started: false,
            usage: Usage::default(),
            thoughts: Vec::new(),
        }
    }

    /// Is told the model's name: some begin inside a thought, where the server does not sort it out.
    pub fn of_model(mut self, model: &str) -> Self {
        if self.options.quirks.text_tool_calls {
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
    pub fn take_event(&mut self, event: &SseEvent) -> Result<bool, Failure> {
        let data = event.data.as_str();
        if let Ok(chunk) = serde_json::from_str::<Value>(data) {
            if event.name == "error" {
                return Err(self.refuser.in_stream(&chunk));
            }
            return self.take_chunk(&chunk);
        }
        // Servers that leave out the blank line put several chunks into one event.
        for line in data.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if line == "[DONE]" {
                return Ok(true);
            }
            let chunk = serde_json::from_str(line)
                .map_err(|_| self.refuser.unintelligible(&format!("a chunk that is not JSON: {line}")))?;
            if self.take_chunk(&chunk)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes one chunk of a stream, or a whole reply, and says whether it was the last one.
    pub fn take_chunk(&mut self, chunk: &Value) -> Result<bool, Failure> {
        if chunk.get("error").is_some_and(|error| !error.is_null()) || chunk["object"] == "error" {
            return Err(self.refuser.in_stream(chunk));
        }
        (self.options.codec.read)(self, chunk)
    }

    /// Is this JSON a reply that came whole, or an error?
    pub fn is_whole(&self, json: &Value) -> bool {
        let fields = self.options.codec.whole.iter().chain(&["error"]);
        json["object"] == "error" || fields.into_iter().any(|field| json.get(field).is_some())
    }

    /// The model said why it stopped, or nothing yet.
    pub fn stop(&mut self, reason: &Value) {
        if let Some(reason) = reason.as_str().filter(|reason| !reason.is_empty()) {
            self.finish = Some(finish(reason));
        }
    }

    /// An error that the server told as the reason to stop.
    pub fn failed(&self, what: &str) -> Failure {
        self.refuser.in_stream(&json!({ "error": what }))
    }

    /// A piece of a call, in the form of chat completions; `position` is its place among `of`.
    pub fn call(&mut self, piece: &Value, position: usize, of: usize) -> Result<(), Failure> {
        self.started = true;
        self.calls.push(piece, position, of).map_err(|TooManyCalls| self.too_many_calls())
    }

    /// How many calls there are so far.
    pub fn call_count(&self) -> usize {
        self.calls.len()
    }

    fn too_many_calls(&self) -> Failure {
        self.refuser.too_large("more than 128 tool calls")
    }

    /// A piece of the answer.
    pub fn text(&mut self, text: &str) {
        self.started |= !text.is_empty();
        for piece in self.inline.push(text) {
            self.emit(piece);
        }
    }

    /// A piece of the reasoning.
    pub fn reasoning(&mut self, text: &str) {
        if !text.is_empty() {
            self.inline.expect_no_thought();
            self.emit(Piece::Reasoning(text.into()));
        }
    }

    fn emit(&mut self, piece: Piece) {
        self.started = true;
        match piece {
            Piece::Text(text) => {
                self.text.push_str(&text);
                (self.events)(StreamEvent::Text(text));
            }
            Piece::Reasoning(text) => {
                self.reasoning.push_str(&text);
                (self.events)(StreamEvent::Reasoning(text));
            }
        }
    }

    /// The complete reply to `request`.
    ///
    /// # Errors
    /// [`ProviderError::Truncated`] with `reason` when the model never said why it stopped.
    pub fn complete(mut self, request: &ChatRequest<'_>, reason: &str) -> Result<Reply, Failure> {
        let Some(finish) = self.finish.take() else {
            let provider = self.refuser.provider.into();
            return Err(ProviderError::Truncated { provider, reason: reason.into() }.into());
        };
        self.settle_text(request)?;
        if self.options.quirks.reasoning_as_content && self.text.is_empty() && self.calls.is_empty() {
            let answer = std::mem::take(&mut self.reasoning);
            self.emit(Piece::Text(answer));
        }
        let (tool_calls, wire) = self.calls.finish(|id| is_used(request, id), finish == Finish::Length);
        let finish = match finish {
            Finish::Stop | Finish::Other(_) if !tool_calls.is_empty() => Finish::ToolCalls,
            Finish::ToolCalls if tool_calls.is_empty() => Finish::Stop,
            other => other,
        };
        let mut kept = Map::new();
        if self.options.quirks.replay_reasoning && !self.reasoning.is_empty() && !wire.is_empty() {
            kept.insert("reasoning_content".into(), self.reasoning.as_str().into());
        }
        if !self.thoughts.is_empty() {
            kept.insert("thinking_blocks".into(), self.thoughts.into_iter().map(|(_, thought)| thought).collect());
        }
        Ok(Reply {
            message: assistant_message(&self.text, kept, wire).into(),
            model: models::title(self.refuser.provider, self.refuser.model),
            text: self.text,
            reasoning: self.reasoning,
            tool_calls,
            usage: self.usage,
            finish,
        })
    }

    /// Decides about text that was held back because it may be tool calls.
    fn settle_text(&mut self, request: &ChatRequest<'_>) -> Result<(), Failure> {
        let (last, held) = std::mem::replace(&mut self.inline, InlineText::new(false)).finish(self.calls.is_empty());
        for piece in last {
            self.emit(piece);
        }
        let Some(held) = held else { return Ok(()) };
        let offered = request.tools.unwrap_or_default();
        match Some(held.as_str()).filter(|_| self.calls.is_empty()).and_then(|held| read_calls(held, offered)) {
            Some(calls) => self.calls.add_inline(calls).map_err(|TooManyCalls| self.too_many_calls()),
            None => {
                self.emit(Piece::Text(held));
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

/// The assistant message as wire JSON, with what its vendor wants back. Empty content beside tool calls is `null`,
/// the one form every server takes.
pub fn assistant_message(text: &str, kept: Map<String, Value>, calls: Vec<Value>) -> String {
    let content = if text.is_empty() && !calls.is_empty() { Value::Null } else { text.into() };
    let mut message = Map::from_iter([("role".into(), "assistant".into()), ("content".into(), content)]);
    message.extend(kept);
    if !calls.is_empty() {
        message.insert("tool_calls".into(), calls.into());
    }
    Value::Object(message).to_string()
}

fn finish(reason: &str) -> Finish {
    match reason.to_ascii_lowercase().as_str() {
        "stop" | "end_turn" | "eos" | "eos_token" | "stop_sequence" => Finish::Stop,
        "tool_calls" | "tool_use" | "function_call" => Finish::ToolCalls,
        "length" | "max_tokens" | "model_length" | "model_context_window_exceeded" => Finish::Length,
        "content_filter" | "sensitive" | "safety" | "refusal" | "recitation" | "blocklist" | "prohibited_content"
        | "spii" | "image_safety" | "language" => Finish::ContentFilter,
        _ => Finish::Other(reason.chars().take(64).collect()),
    }
}
