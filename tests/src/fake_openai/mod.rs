//! A server that speaks OpenAI's chat-completions API on a free loopback port and follows a script.
//!
//! It is strict where OpenAI is strict, its normal streams are read by the official Python SDK in a test, and it
//! keeps what it was sent. Faults are part of the script.

mod check;
mod script;
mod wire;

pub use script::{Answer, Call, End, Reply, Rule, Script};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream;
use serde::Serialize;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use wire::{Asked, Piece};

/// A request as it arrived.
#[derive(Clone, Debug, Serialize)]
pub struct Recorded {
    /// The path, such as `/v1/chat/completions`.
    pub path: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as JSON; null when it is none.
    pub body: Value,
    /// The body's bytes as text.
    pub raw: String,
}

impl Recorded {
    /// The first header named `name`.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// The messages of the request.
    pub fn messages(&self) -> &[Value] {
        self.body["messages"].as_array().map(Vec::as_slice).unwrap_or_default()
    }
}

struct Shared {
    script: Script,
    progress: Mutex<Progress>,
    on_request: Box<dyn Fn(&Recorded) + Send + Sync>,
}

#[derive(Default)]
struct Progress {
    used: Vec<u32>,
    answers: usize,
    requests: Vec<Recorded>,
}

impl Shared {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, path: &str, headers: &HeaderMap, body: &[u8]) -> Recorded {
        let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let recorded = Recorded {
            path: path.into(),
            headers: headers.iter().map(|(name, value)| (name.as_str().into(), text(value))).collect(),
            body: serde_json::from_slice(body).unwrap_or(Value::Null),
            raw: String::from_utf8_lossy(body).into_owned(),
        };
        self.progress().requests.push(recorded.clone());
        (self.on_request)(&recorded);
        recorded
    }

    /// The next answer that fits, and its number.
    fn next_answer(&self, last_message: &str) -> Option<(Answer, usize)> {
        let mut progress = self.progress();
        let Progress { used, answers, .. } = &mut *progress;
        used.resize(self.script.rules.len(), 0);
        let fits = |rule: &Rule, used: u32| {
            (rule.times == 0 || used < rule.times)
                && rule.when.as_deref().is_none_or(|words| last_message.contains(words))
        };
        let (rule, used) = self.script.rules.iter().zip(used).find(|(rule, used)| fits(rule, **used))?;
        *used += 1;
        *answers += 1;
        Some((rule.answer.clone(), *answers))
    }

    fn refuses_key(&self, recorded: &Recorded) -> bool {
        self.script.key.as_ref().is_some_and(|key| recorded.header("authorization") != Some(&format!("Bearer {key}")))
    }
}

/// The running server; it ends when this is dropped.
pub struct FakeOpenAi {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl FakeOpenAi {
    /// Starts it on a free port, with a thread of its own, so that a test that blocks does not block it.
    ///
    /// # Panics
    /// When no loopback port can be had.
    pub async fn start(script: Script) -> Self {
        Self::start_blocking(script)
    }

    /// The same outside async code.
    ///
    /// # Panics
    /// When no loopback port can be had.
    pub fn start_blocking(script: Script) -> Self {
        match Self::start_on(0, script, |_| ()) {
            Ok(fake) => fake,
            Err(error) => panic!("the fake model cannot listen on a loopback port: {error}"),
        }
    }

    /// The same on a given port (0 is a free one); `on_request` sees every request as it arrives.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub fn start_on(
        port: u16,
        script: Script,
        on_request: impl Fn(&Recorded) + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let shared = Arc::new(Shared { script, progress: Mutex::default(), on_request: Box::new(on_request) });
        let router = router(shared.clone());
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                let Ok(listener) = TcpListener::from_std(listener) else {
                    return;
                };
                tokio::select! {
                    _ = axum::serve(listener, router) => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Self { address, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// What to configure as `apiBase`, such as `http://127.0.0.1:40123/v1`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Everything that arrived so far.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.progress().requests.clone()
    }

    /// The chat requests that arrived so far.
    pub fn chats(&self) -> Vec<Recorded> {
        self.requests().into_iter().filter(|request| request.path.ends_with("/chat/completions")).collect()
    }
}

impl Drop for FakeOpenAi {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(chat))
        .route("/v1/models", get(models))
        .layer(axum::extract::DefaultBodyLimit::max(64 << 20))
        .with_state(shared)
}

async fn models(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    if shared.refuses_key(&shared.record("/v1/models", &headers, b"")) {
        return wrong_key();
    }
    let fallback = ["fake".to_string()];
    let names = if shared.script.models.is_empty() { &fallback[..] } else { &shared.script.models };
    let data: Vec<Value> = names
        .iter()
        .map(|name| json!({ "id": name, "object": "model", "created": 1_700_000_000, "owned_by": "fake" }))
        .collect();
    Json(json!({ "object": "list", "data": data })).into_response()
}

async fn chat(State(shared): State<Arc<Shared>>, headers: HeaderMap, bytes: Bytes) -> Response {
    let recorded = shared.record("/v1/chat/completions", &headers, &bytes);
    if shared.refuses_key(&recorded) {
        return wrong_key();
    }
    if let Err(message) = check::check(&recorded.body) {
        return refusal(StatusCode::BAD_REQUEST, "invalid_request_error", &message);
    }
    let last = recorded.messages().last().map(Value::to_string).unwrap_or_default();
    let Some((answer, number)) = shared.next_answer(&last) else {
        return refusal(StatusCode::BAD_REQUEST, "script_ended", "the script has no answer for this request");
    };
    match answer {
        Answer::Reply(reply) => send_reply(&reply, &recorded, number).await,
        Answer::Status { status, headers, body } => send_status(status, &headers, &body),
        Answer::Raw { content_type, pieces, delay_ms, end } => {
            let after = Duration::from_millis(delay_ms);
            send_pieces(&content_type, pieces.into_iter().map(|bytes| Piece { after, bytes }).collect(), end)
        }
    }
}

async fn send_reply(reply: &Reply, recorded: &Recorded, number: usize) -> Response {
    tokio::time::sleep(Duration::from_millis(reply.first_delay_ms)).await;
    let asked = Asked {
        model: recorded.body["model"].as_str().unwrap_or_default(),
        number,
        bytes: recorded.raw.len(),
        with_usage: recorded.body["stream_options"]["include_usage"] == true,
    };
    if reply.whole || recorded.body["stream"] != true {
        return Json(reply.completion(asked)).into_response();
    }
    let (pieces, end) = reply.events(asked);
    send_pieces("text/event-stream; charset=utf-8", pieces, end)
}

fn send_pieces(content_type: &str, pieces: Vec<Piece>, end: End) -> Response {
    let body = stream::unfold(pieces.into_iter(), move |mut pieces| async move {
        if let Some(piece) = pieces.next() {
            tokio::time::sleep(piece.after).await;
            return Some((Ok(piece.bytes), pieces));
        }
        match end {
            End::Clean => None,
            End::Drop => Some((Err(std::io::Error::other("scripted end")), pieces)),
            End::Stall => std::future::pending().await,
        }
    });
    ([("content-type", content_type.to_string())], Body::from_stream(body)).into_response()
}

fn send_status(status: u16, headers: &[(String, String)], body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = match body {
        Value::String(text) => (status, text.clone()).into_response(),
        other => (status, Json(other)).into_response(),
    };
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (axum::http::HeaderName::try_from(name), value.parse()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn wrong_key() -> Response {
    refusal(StatusCode::UNAUTHORIZED, "invalid_api_key", "Incorrect API key provided")
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    let error = json!({ "message": message, "type": "invalid_request_error", "param": null, "code": code });
    (status, Json(json!({ "error": error }))).into_response()
}
