//! What is asked of a model and what comes back.

use crate::ProviderError;
use crate::calls::wire_call;
use crate::reply::assistant_message;
use async_trait::async_trait;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;

/// One request for one assistant message.
#[derive(Clone, Copy, Debug)]
pub struct ChatRequest<'a> {
    /// The model's name as the server knows it.
    pub model: &'a str,
    /// The conversation, oldest first: each item is one OpenAI chat message as JSON text. Where the server speaks
    /// another protocol it is translated, once for each `Arc`.
    pub messages: &'a [Arc<str>],
    /// The tools as a JSON array in OpenAI function format, or none.
    pub tools: Option<&'a str>,
    /// Upper bound of the reply in tokens; the server's own when absent.
    pub max_tokens: Option<u32>,
    /// Sampling temperature; the server's own when absent.
    pub temperature: Option<f32>,
    /// Further top-level fields. They win over the fields above and over the provider's own extra fields;
    /// a `null` takes a field away. `messages`, `tools` and `stream` cannot be replaced.
    pub extra_body: Option<&'a Map<String, Value>>,
}

/// What happens while a reply is on its way.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamEvent {
    /// A piece of the answer.
    Text(String),
    /// A piece of the model's reasoning.
    Reasoning(String),
    /// Something that the user should know, such as that another model answers.
    Notice(String),
    /// The request failed before anything arrived and is sent again.
    Retrying {
        /// The pause before the next attempt.
        after: Duration,
        /// Why, in one sentence.
        reason: String,
    },
}

/// A tool call the model asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolCall {
    /// Unique within the conversation that was sent.
    pub id: String,
    /// The tool's name as the model wrote it.
    pub name: String,
    /// The arguments, or what is wrong with them: then the call must be answered with that error, not run.
    pub arguments: Result<Map<String, Value>, MalformedArguments>,
}

/// Arguments that are not a JSON object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the arguments are not a JSON object ({reason}); send the call again with arguments as one JSON object")]
pub struct MalformedArguments {
    /// What the model sent, at most 2,000 bytes of it.
    pub raw: String,
    /// What is wrong.
    pub reason: String,
}

/// Tokens, as the server counts them; zero where it does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the request.
    pub input_tokens: u64,
    /// Tokens of the reply, reasoning included.
    pub output_tokens: u64,
    /// Tokens of the request that came from the server's cache.
    pub cached_tokens: u64,
    /// Tokens of the reply spent on reasoning.
    pub reasoning_tokens: u64,
}

/// Why the model stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The answer is complete.
    Stop,
    /// The model waits for the results of its tool calls.
    ToolCalls,
    /// The limit of tokens cut the reply.
    Length,
    /// The server withheld the reply or its rest.
    ContentFilter,
    /// A reason this table does not know, as the server wrote it.
    Other(String),
}

/// One complete assistant message.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// `PROVIDER/MODEL` that answered; empty for one that was made by hand.
    pub model: String,
    /// The answer; may be empty when there are tool calls.
    pub text: String,
    /// The reasoning, as far as the server shows it.
    pub reasoning: String,
    /// The calls, in the order the model made them.
    pub tool_calls: Vec<ToolCall>,
    /// What it cost.
    pub usage: Usage,
    /// Why it ended.
    pub finish: Finish,
    /// The assistant message as wire JSON for the history.
    pub message: Arc<str>,
}

impl Reply {
    /// A finished answer without tool calls, as a scripted model gives it.
    pub fn text(text: impl Into<String>) -> Self {
        Self::scripted(text.into(), Vec::new())
    }

    /// A reply that asks for tools: `(id, name, arguments)` each; a text before them may be empty.
    pub fn calls<I, N>(text: impl Into<String>, calls: impl IntoIterator<Item = (I, N, Map<String, Value>)>) -> Self
    where
        I: Into<String>,
        N: Into<String>,
    {
        let calls = calls.into_iter().map(|(id, name, arguments)| ToolCall {
            id: id.into(),
            name: name.into(),
            arguments: Ok(arguments),
        });
        Self::scripted(text.into(), calls.collect())
    }

    fn scripted(text: String, tool_calls: Vec<ToolCall>) -> Self {
        let wire = tool_calls.iter().map(|call| wire_call(call, None)).collect();
        let finish = if tool_calls.is_empty() { Finish::Stop } else { Finish::ToolCalls };
        Self {
            model: String::new(),
            message: assistant_message(&text, Map::new(), wire).into(),
            text,
            reasoning: String::new(),
            tool_calls,
            usage: Usage::default(),
            finish,
        }
    }
}

/// Something that answers chat requests.
#[async_trait]
pub trait Provider: Send + Sync {
    /// The name under `providers` in the configuration, such as `openrouter`.
    fn name(&self) -> &str;

    /// Asks for one assistant message. `events` is called while it arrives; dropping the future cancels the request.
    ///
    /// # Errors
    /// Every way in which the reply can fail to be complete; see [`ProviderError::class`].
    async fn chat(
        &self,
        request: ChatRequest<'_>,
        events: &mut (dyn FnMut(StreamEvent) + Send),
    ) -> Result<Reply, ProviderError>;

    /// The models the server offers.
    ///
    /// # Errors
    /// As for [`Provider::chat`].
    async fn models(&self) -> Result<Vec<String>, ProviderError>;
}
