//! What the fake answers, in Rust or as JSON.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The answers, each used once in order unless it says otherwise.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// What `GET /v1/models` lists; `fake` when empty.
    pub models: Vec<String>,
    /// The key that requests must carry; any or none when absent.
    pub key: Option<String>,
    /// The first rule that fits and is not used up answers.
    pub rules: Vec<Rule>,
}

/// When to give which answer.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Rule {
    /// Words that the last message must contain, as JSON text.
    #[serde(default)]
    pub when: Option<String>,
    /// How often it may be used; 0 is without end.
    #[serde(default = "once")]
    pub times: u32,
    /// The answer.
    #[serde(flatten)]
    pub answer: Answer,
}

fn once() -> u32 {
    1
}

/// One answer.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// An assistant message as OpenAI sends it, streamed when the request asks for that.
    Reply(Reply),
    /// A refusal.
    Status {
        /// The status code.
        status: u16,
        /// Further headers, such as `retry-after`.
        #[serde(default)]
        headers: Vec<(String, String)>,
        /// The body; text is sent as it is, anything else as JSON.
        #[serde(default)]
        body: Value,
    },
    /// A 200 with exactly these pieces.
    Raw {
        /// The `content-type`.
        #[serde(default = "event_stream")]
        content_type: String,
        /// The pieces, each sent on its own.
        pieces: Vec<String>,
        /// The pause before each piece, in milliseconds.
        #[serde(default)]
        delay_ms: u64,
        /// How the body ends.
        #[serde(default)]
        end: End,
    },
}

fn event_stream() -> String {
    "text/event-stream".into()
}

/// How a body ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// As it should.
    #[default]
    Clean,
    /// The socket is dropped.
    Drop,
    /// Nothing more comes, and the socket stays open.
    Stall,
}

/// An assistant message and the faults of its delivery.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reply {
    /// The answer.
    pub text: String,
    /// Sent as `reasoning_content` before the answer.
    pub reasoning: String,
    /// The calls.
    pub tool_calls: Vec<Call>,
    /// Characters per chunk; 0 sends everything in one.
    pub chunk_chars: usize,
    /// The pause before each chunk, in milliseconds.
    pub delay_ms: u64,
    /// The pause before the headers, in milliseconds.
    pub first_delay_ms: u64,
    /// The reason to stop; found from the calls when absent.
    pub finish: Option<String>,
    /// Tokens of the request and of the reply; counted from the bytes when absent.
    pub usage: Option<(u64, u64)>,
    /// Answers with one JSON body although a stream was asked for.
    pub whole: bool,
    /// Leaves out `[DONE]`.
    pub omit_done: bool,
    /// Leaves out the reason to stop, the usage and `[DONE]`.
    pub omit_finish: bool,
    /// Ends after this many chunks, in the way of `end`.
    pub cut_after: Option<usize>,
    /// How it ends when it is cut.
    pub end: End,
}

/// One tool call.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Call {
    /// The tool.
    pub name: String,
    /// Its arguments: text is sent as it is, anything else as JSON text.
    pub arguments: Value,
    /// Its id; `call_` and a number when absent.
    #[serde(default)]
    pub id: Option<String>,
}

impl Default for Reply {
    fn default() -> Self {
        Self {
            text: String::new(),
            reasoning: String::new(),
            tool_calls: Vec::new(),
            chunk_chars: 8,
            delay_ms: 0,
            first_delay_ms: 0,
            finish: None,
            usage: None,
            whole: false,
            omit_done: false,
            omit_finish: false,
            cut_after: None,
            end: End::Clean,
        }
    }
}

impl Reply {
    /// An answer.
    pub fn text(text: &str) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// One tool call.
    pub fn call(name: &str, arguments: Value) -> Self {
        Self::default().and_call(name, arguments)
    }

    /// The same with one more call.
    pub fn and_call(mut self, name: &str, arguments: Value) -> Self {
        self.tool_calls.push(Call { name: name.into(), arguments, id: None });
        self
    }
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self::Reply(reply)
    }
}

impl Answer {
    /// A refusal in OpenAI's shape.
    pub fn status(status: u16, message: &str) -> Self {
        let body = json!({ "error": { "message": message, "type": "error", "param": null, "code": null } });
        Self::Status { status, headers: Vec::new(), body }
    }

    /// The same with one more header; other answers stay as they are.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Self::Status { headers, .. } = &mut self {
            headers.push((name.into(), value.into()));
        }
        self
    }

    /// An event stream of exactly these pieces.
    pub fn raw<S: Into<String>>(pieces: impl IntoIterator<Item = S>) -> Self {
        Self::Raw {
            content_type: event_stream(),
            pieces: pieces.into_iter().map(Into::into).collect(),
            delay_ms: 0,
            end: End::Clean,
        }
    }

    /// A body of another type, sent whole.
    pub fn body(content_type: &str, body: &str) -> Self {
        Self::Raw { content_type: content_type.into(), pieces: vec![body.into()], delay_ms: 0, end: End::Clean }
    }
}

impl Script {
    /// A script without answers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Then this answer, once.
    pub fn then(self, answer: impl Into<Answer>) -> Self {
        self.rule(None, 1, answer.into())
    }

    /// This answer, once, when the last message contains `words`.
    pub fn on(self, words: &str, answer: impl Into<Answer>) -> Self {
        self.rule(Some(words.into()), 1, answer.into())
    }

    /// This answer from here on.
    pub fn always(self, answer: impl Into<Answer>) -> Self {
        self.rule(None, 0, answer.into())
    }

    /// Requests must carry this key.
    pub fn with_key(mut self, key: &str) -> Self {
        self.key = Some(key.into());
        self
    }

    fn rule(mut self, when: Option<String>, times: u32, answer: Answer) -> Self {
        self.rules.push(Rule { when, times, answer });
        self
    }
}
