//! Each recorded stream is read as the JSON beside it says, with which the official SDKs agree (`make sdk-check`).

use crate::server::{Server, ask, client, folder};
use chiton_providers::{Finish, ProviderError, Reply};
use serde_json::{Value, json};

/// The reply in the words of the JSON files.
fn told(reply: &Reply, expected: &Value) -> Value {
    let kept: Value = serde_json::from_str(&reply.message).unwrap();
    let calls = reply.tool_calls.iter().enumerate().map(|(at, call)| {
        let mut told = json!({ "name": call.name, "arguments": call.arguments.as_ref().unwrap() });
        // Gemini may leave out ids: then there is one of ours.
        if expected["tool_calls"][at].get("id").is_some() {
            told["id"] = call.id.as_str().into();
        }
        if let Some(signature) = kept["tool_calls"][at]["extra_content"]["google"]["thought_signature"].as_str() {
            told["signature"] = signature.into();
        }
        told
    });
    let finish = match &reply.finish {
        Finish::Stop => "stop",
        Finish::ToolCalls => "tool_calls",
        Finish::Length => "length",
        Finish::ContentFilter => "content_filter",
        Finish::Other(other) => other,
    };
    let usage = reply.usage;
    json!({
        "text": reply.text,
        "reasoning": reply.reasoning,
        "thinking_blocks": kept.get("thinking_blocks").unwrap_or(&json!([])),
        "tool_calls": calls.collect::<Vec<_>>(),
        "finish": finish,
        "usage": { "input": usage.input_tokens, "cached": usage.cached_tokens, "output": usage.output_tokens },
    })
}

#[tokio::test]
async fn every_recorded_stream_is_read_as_its_vendors_sdk_reads_it() {
    let mut read = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "sse") {
            continue;
        }
        let expected: Value = serde_json::from_slice(&std::fs::read(path.with_extension("json")).unwrap()).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let vendor = name.split('-').next().unwrap();
        let server = Server::start(std::fs::read(&path).unwrap()).await;
        let question = r#"{"role":"user","content":"hi"}"#;
        match ask(&*client(vendor, format!("{}/v1", server.origin)), "m", &[question]).await {
            Ok(reply) => assert_eq!(told(&reply, &expected), expected, "{name}"),
            Err(error @ ProviderError::ServerFailed { .. }) => {
                assert!(
                    error.to_string().contains(expected["error"].as_str().unwrap().trim_end_matches('.')),
                    "{name}: {error}"
                );
            }
            Err(error) => panic!("{name}: {error}"),
        }
        read += 1;
    }
    assert!(read >= 15, "only {read} streams were found");
}
