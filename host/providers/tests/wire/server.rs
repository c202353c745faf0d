//! A server that answers every chat with one stream and tells what it was asked.

use chiton_providers::{ChatRequest, Provider, ProviderError, ProviderOptions, Reply, StreamEvent, connect};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub const TOOLS: &str = r#"[{"type":"function","function":{"name":"read_file","description":"Reads.","parameters":{"type":"object","properties":{"path":{"type":"string"}},"additionalProperties":false}}}]"#;

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub target: String,
    headers: Vec<(String, String)>,
    pub body: Value,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

pub struct Server {
    pub origin: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub async fn start(stream: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let log = asked.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(answer(connection, stream.clone(), log.clone()));
            }
        });
        Self { origin, asked }
    }

    pub fn last(&self) -> Asked {
        self.asked.lock().unwrap().last().unwrap().clone()
    }
}

async fn answer(mut connection: TcpStream, stream: Vec<u8>, log: Arc<Mutex<Vec<Asked>>>) {
    let mut bytes = Vec::new();
    let head = loop {
        if connection.read_buf(&mut bytes).await.unwrap() == 0 {
            return;
        }
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
    let mut lines = text.lines();
    let mut first = lines.next().unwrap().split(' ').map(str::to_owned);
    let (method, target) = (first.next().unwrap(), first.next().unwrap());
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers: Vec<_> = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut asked = Asked { method, target, headers, body: Value::Null };
    let length: usize = asked.header("content-length").map_or(0, |length| length.parse().unwrap());
    while bytes.len() < head + 4 + length {
        connection.read_buf(&mut bytes).await.unwrap();
    }
    asked.body = serde_json::from_slice(&bytes[head + 4..]).unwrap_or_default();
    log.lock().unwrap().push(asked);
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    connection.write_all(&[head.as_bytes(), &stream].concat()).await.unwrap();
    connection.shutdown().await.unwrap();
}

/// A client of `vendor` at `base`, with a key, that asks once.
pub fn client(vendor: &str, base: String) -> Arc<dyn Provider> {
    let mut options = ProviderOptions::new(vendor, base, Some("canary-key".to_string().into()));
    options.retries.count = 0;
    connect(options).unwrap()
}

/// One question.
pub async fn ask(provider: &dyn Provider, model: &str, messages: &[&str]) -> Result<Reply, ProviderError> {
    let messages: Vec<Arc<str>> = messages.iter().map(|message| Arc::from(*message)).collect();
    let request = ChatRequest {
        model,
        messages: &messages,
        tools: Some(TOOLS),
        max_tokens: Some(77),
        temperature: Some(0.5),
        extra_body: None,
    };
    provider.chat(request, &mut |_: StreamEvent| ()).await
}

/// The recorded streams.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/streams")
}

pub fn stream(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name).with_extension("sse")).unwrap()
}
