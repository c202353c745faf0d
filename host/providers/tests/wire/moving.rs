//! A session moves between vendors in the middle: what one of them added does not reach another.

use crate::server::{Server, ask, client, stream};
use serde_json::Value;

const QUESTION: &str = r#"{"role":"user","content":"read it"}"#;
const FAMILIES: [(&str, &str); 3] =
    [("openai", "openai-tools"), ("anthropic", "anthropic-thinking"), ("gemini", "gemini-tools")];
/// Words that only one vendor knows.
const OWN: [(&str, &str); 4] =
    [("anthropic", "EqQBCgIYAhIM"), ("anthropic", "thinking_blocks"), ("gemini", "CiQB"), ("gemini", "extra_content")];

/// A round of tools as the first vendor began it.
async fn begun(name: &str, recorded: &str) -> Vec<String> {
    let server = Server::start(stream(recorded)).await;
    let reply = ask(&*client(name, format!("{}/v1", server.origin)), "m", &[QUESTION]).await.unwrap();
    let result = |id: &str| serde_json::json!({ "role": "tool", "tool_call_id": id, "content": "done" }).to_string();
    let results = reply.tool_calls.iter().map(|call| result(&call.id));
    [QUESTION.to_owned(), reply.message.to_string()].into_iter().chain(results).collect()
}

/// The ids of calls and those of results in a body, whatever its protocol.
fn ids(body: &Value) -> (Vec<String>, Vec<String>) {
    fn walk(value: &Value, calls: &mut Vec<String>, results: &mut Vec<String>) {
        let id = |value: &Value, field: &str| value[field].as_str().map(str::to_owned);
        if let Value::Object(map) = value {
            results.extend(id(value, "tool_call_id").or_else(|| id(value, "tool_use_id")));
            results.extend(id(&value["functionResponse"], "id"));
            calls.extend(id(&value["functionCall"], "id"));
            if value["type"] == "tool_use" || value["function"]["arguments"].is_string() {
                calls.extend(id(value, "id"));
            }
            map.values().for_each(|inner| walk(inner, calls, results));
        }
        value.as_array().into_iter().flatten().for_each(|inner| walk(inner, calls, results));
    }
    let (mut calls, mut results) = Default::default();
    walk(body, &mut calls, &mut results);
    (calls, results)
}

#[tokio::test]
async fn a_round_that_one_vendor_began_is_gone_on_with_by_every_other() {
    for (first, recorded) in FAMILIES {
        let messages = begun(first, recorded).await;
        let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
        for second in ["openai", "anthropic", "gemini", "mistral", "groq"] {
            let family = if ["anthropic", "gemini"].contains(&second) { second } else { "openai" };
            let server = Server::start(stream(&format!("{family}-text"))).await;
            ask(&*client(second, format!("{}/v1", server.origin)), "m", &messages).await.unwrap();
            let body = server.last().body;
            let text = body.to_string();
            for (owner, word) in OWN.iter().filter(|(owner, _)| *owner != second) {
                assert!(!text.contains(word), "{second} got {word} of {owner}: {text}");
            }
            let (calls, results) = ids(&body);
            assert!(!calls.is_empty() && calls == results, "{first} to {second}: {calls:?} {results:?}");
        }
    }
}

#[tokio::test]
async fn thoughts_and_signatures_go_back_to_the_vendor_that_made_them() {
    for (vendor, recorded, word) in
        [("anthropic", "anthropic-thinking", "EqQBCgIYAhIM+/=="), ("gemini", "gemini-tools", "CiQB")]
    {
        let messages = begun(vendor, recorded).await;
        let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
        let server = Server::start(stream(&format!("{vendor}-text"))).await;
        ask(&*client(vendor, format!("{}/v1", server.origin)), "m", &messages).await.unwrap();
        assert!(server.last().body.to_string().contains(word));
    }
}
