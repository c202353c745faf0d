//! A home with a workspace, a store, a sandbox with the probe, and a model that follows a script.

use async_trait::async_trait;
use chiton_agent::{Agent, AgentOptions, AgentSettings, OwnerDesk, Submitted, TurnEvent, init_workspace};
use chiton_providers::{ChatRequest, OneModel, Provider, ProviderError, Reply, StreamEvent};
use chiton_sandbox::{Access, Compiler, FileGrant, Grants, Limits, Sandbox, SandboxOptions, SessionRights};
use chiton_store::{NewMessage, Store};
use serde_json::{Map, Value, json};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the model does when it is asked.
pub enum Say {
    Reply(Reply),
    Error(ProviderError),
    /// Streams a word and never ends.
    Hang,
}

/// What the model was asked.
#[derive(Clone)]
pub struct Asked {
    pub messages: Vec<Arc<str>>,
    pub tools: Option<String>,
}

impl Asked {
    /// Role and content of each message but the first.
    pub fn talk(&self) -> Vec<(String, String)> {
        let read = |message: &Arc<str>| {
            let message: Value = serde_json::from_str(message).unwrap();
            (message["role"].as_str().unwrap().to_owned(), message["content"].as_str().unwrap_or_default().to_owned())
        };
        self.messages[1..].iter().map(read).collect()
    }

    pub fn roles(&self) -> String {
        self.talk().iter().map(|(role, _)| role.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// The last result of a tool.
    pub fn result(&self) -> String {
        self.talk().into_iter().rev().find(|(role, _)| role == "tool").unwrap().1
    }

    /// Bytes of the request's parts that grow.
    pub fn size(&self) -> usize {
        self.messages.iter().map(|message| message.len()).sum::<usize>() + self.tools.as_ref().map_or(0, String::len)
    }
}

#[derive(Default)]
pub struct Script {
    replies: Mutex<VecDeque<Say>>,
    asked: Mutex<Vec<Asked>>,
}

#[async_trait]
impl Provider for Script {
    fn name(&self) -> &str {
        "script"
    }

    async fn chat(
        &self,
        request: ChatRequest<'_>,
        events: &mut (dyn FnMut(StreamEvent) + Send),
    ) -> Result<Reply, ProviderError> {
        let asked = Asked { messages: request.messages.to_vec(), tools: request.tools.map(str::to_owned) };
        self.asked.lock().unwrap().push(asked);
        let say = self.replies.lock().unwrap().pop_front();
        match say.unwrap_or_else(|| Say::Reply(Reply::text("the script is over"))) {
            Say::Reply(reply) => {
                events(StreamEvent::Text(reply.text.clone()));
                Ok(reply)
            }
            Say::Error(error) => Err(error),
            Say::Hang => {
                events(StreamEvent::Text("half".into()));
                std::future::pending().await
            }
        }
    }

    async fn models(&self) -> Result<Vec<String>, ProviderError> {
        Ok(vec!["script".into()])
    }
}

pub struct House {
    _directory: tempfile::TempDir,
    pub store: Store,
    pub sandbox: Sandbox,
    pub script: Arc<Script>,
    pub settings: AgentSettings,
    pub desk: Option<Arc<dyn OwnerDesk>>,
    agent: Mutex<Option<Agent>>,
    messages: AtomicU64,
}

impl House {
    pub async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let workspace = directory.path().join("workspace");
        init_workspace(&workspace).unwrap();
        let sandbox = sandbox();
        let grants =
            Grants { files: vec![FileGrant::directory(&workspace, Access::Write).unwrap()], ..Grants::default() };
        let probe = sandbox.load(chiton_hostile::probe()).await.unwrap();
        sandbox.publish("probe", probe, grants).unwrap();
        Self {
            store: Store::open(directory.path().join("chiton.db")).unwrap(),
            settings: AgentSettings {
                timezone: Some("UTC".into()),
                undo: Some(directory.path().join("undo")),
                ..AgentSettings::new(workspace)
            },
            _directory: directory,
            sandbox,
            script: Arc::default(),
            desk: None,
            agent: Mutex::default(),
            messages: AtomicU64::new(0),
        }
    }

    pub fn workspace(&self) -> PathBuf {
        self.settings.workspace.clone()
    }

    /// The agent, made at the first use with the settings of that moment.
    pub fn agent(&self) -> Agent {
        self.agent.lock().unwrap().get_or_insert_with(|| self.new_agent()).clone()
    }

    /// Another agent on the same store, as after a start.
    pub fn new_agent(&self) -> Agent {
        Agent::new(AgentOptions {
            sandbox: self.sandbox.clone(),
            store: self.store.clone(),
            models: Arc::new(OneModel::new(self.script.clone(), "script")),
            desk: self.desk.clone(),
            settings: self.settings.clone(),
        })
        .unwrap()
    }

    /// Forgets the agent, as when the host ends.
    pub fn restart(&self) {
        *self.agent.lock().unwrap() = None;
    }

    pub fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        self.says(replies.into_iter().map(Say::Reply));
    }

    pub fn says(&self, says: impl IntoIterator<Item = Say>) {
        self.script.replies.lock().unwrap().extend(says);
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.script.asked.lock().unwrap().clone()
    }

    pub fn message(&self, chat: &str, text: &str) -> NewMessage {
        NewMessage {
            channel: "test".into(),
            account: String::new(),
            external_id: self.messages.fetch_add(1, Ordering::Relaxed).to_string(),
            chat_id: chat.into(),
            sender: "ann".into(),
            text: text.into(),
            metadata: None,
        }
    }

    pub async fn submit(&self, chat: &str, text: &str) -> Submitted {
        let message = self.message(chat, text);
        let rights = SessionRights::of(message.session());
        self.agent().submit(message, rights).await.unwrap()
    }

    /// Asks in chat `a` and waits for the last event.
    pub async fn ask(&self, text: &str) -> Vec<TurnEvent> {
        to_end(self.submit("a", text).await).await
    }

    pub async fn outbox(&self) -> Vec<String> {
        self.store.pending_outbox("test").await.unwrap().into_iter().map(|message| message.text).collect()
    }

    /// What the store holds of chat `a`.
    pub async fn history(&self) -> Asked {
        let mut messages = vec![Arc::from("{}")];
        messages.extend(self.store.history("test:a", 1 << 30).await.unwrap().into_messages());
        Asked { messages, tools: None }
    }
}

fn sandbox() -> Sandbox {
    Sandbox::new(SandboxOptions {
        // Kept between runs, so that each component is compiled once.
        cache_dir: Path::new(env!("CARGO_TARGET_TMPDIR")).join("agent-code"),
        compiler: Compiler::InProcess,
        audit: Arc::new(|_| {}),
        ceiling: Limits::default(),
        total_memory: 512 << 20,
        protected: Vec::new(),
        closed_to_skills: Vec::new(),
    })
    .unwrap()
}

pub async fn to_end(mut submitted: Submitted) -> Vec<TurnEvent> {
    let mut events = Vec::new();
    let all = async {
        while let Some(event) = submitted.events.recv().await {
            events.push(event);
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all).await.expect("the turn ends");
    events
}

/// Waits until `holds`.
pub async fn until(mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..3_000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not come about within 30 s");
}

/// A reply that calls tools: `(id, tool, arguments)`.
pub fn calls<const N: usize>(calls: [(&str, &str, Value); N]) -> Reply {
    let object = |value: Value| match value {
        Value::Object(object) => object,
        _ => Map::new(),
    };
    Reply::calls("", calls.map(|(id, name, arguments)| (id, name, object(arguments))))
}

/// Arguments of a probe with one operation.
pub fn op(operation: Value) -> Value {
    json!({"ops": [operation]})
}

/// The text of the answer.
pub fn answer(events: &[TurnEvent]) -> &str {
    match events.last() {
        Some(TurnEvent::Finished { text, .. }) => text,
        other => panic!("no answer: {other:?}"),
    }
}

/// The error of a failed turn.
pub fn error(events: &[TurnEvent]) -> &str {
    match events.last() {
        Some(TurnEvent::Failed { error, .. }) => error,
        other => panic!("no failure: {other:?}"),
    }
}
