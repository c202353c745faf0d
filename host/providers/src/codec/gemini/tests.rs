//! What is written to Gemini, and what its streams hold.

use crate::codec::play::{Outcome, build, play};
use crate::{ChatRequest, Finish, ProviderOptions, StreamEvent, Usage};
use serde_json::{Value, json};

const REQUEST: ChatRequest<'static> = ChatRequest {
    model: "gemini-3-pro",
    messages: &[],
    tools: None,
    max_tokens: None,
    temperature: None,
    extra_body: None,
};
const SYSTEM: &str = r#"{"role":"system","content":"Be good."}"#;
const USER: &str = r#"{"role":"user","content":"hi"}"#;
const CALLS: &str = r#"{"role":"assistant","content":null,"thinking_blocks":[{"type":"thinking","thinking":"hm"}],"tool_calls":[{"id":"a","type":"function","function":{"name":"look","arguments":"{\"at\":\"x\"}"}},{"id":"b","type":"function","function":{"name":"read","arguments":"{}"}}]}"#;
const RESULT_A: &str = r#"{"role":"tool","tool_call_id":"a","content":"one"}"#;
const RESULT_B: &str = r#"{"role":"tool","tool_call_id":"b","content":"two"}"#;
const PICTURE: &str =
    r#"{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}"#;

fn options() -> ProviderOptions {
    ProviderOptions::new("gemini", "http://127.0.0.1:1/v1beta", None)
}

#[test]
fn a_conversation_with_tools_and_pictures_is_written_as_contents() {
    let sent = build(&options(), &[SYSTEM, USER, CALLS, RESULT_A, RESULT_B, PICTURE], REQUEST);
    assert_eq!(sent["systemInstruction"], json!({ "parts": [{ "text": "Be good." }] }));
    let expected = json!([
        { "role": "user", "parts": [{ "text": "hi" }] },
        { "role": "model", "parts": [
            { "functionCall": { "id": "a", "name": "look", "args": { "at": "x" } }, "thoughtSignature": "skip_thought_signature_validator" },
            { "functionCall": { "id": "b", "name": "read", "args": {} } },
        ] },
        { "role": "user", "parts": [
            { "functionResponse": { "id": "a", "name": "look", "response": { "result": "one" } } },
            { "functionResponse": { "id": "b", "name": "read", "response": { "result": "two" } } },
            { "inlineData": { "mimeType": "image/png", "data": "AAAA" } },
        ] },
    ]);
    assert_eq!(sent["contents"], expected);
}

#[test]
fn older_models_get_no_stand_in_for_a_signature_and_a_real_one_goes_back() {
    let old = ChatRequest { model: "gemini/gemini-2.5-flash", ..REQUEST };
    let sent = build(&options(), &[USER, CALLS, RESULT_A, RESULT_B], old);
    assert!(!sent.to_string().contains("thoughtSignature"));
    let signed = CALLS.replacen(
        r#""type":"function""#,
        r#""type":"function","extra_content":{"google":{"thought_signature":"real"}}"#,
        1,
    );
    let sent = build(&options(), &[USER, &signed, RESULT_A, RESULT_B], old);
    assert_eq!(sent["contents"][1]["parts"][0]["thoughtSignature"], "real");
}

#[test]
fn settings_are_in_one_object_that_extra_fields_are_merged_into() {
    let mut options = options();
    let extra = json!({ "generationConfig": { "thinkingConfig": { "includeThoughts": true } }, "contents": [] });
    options.extra_body = extra.as_object().cloned().unwrap();
    let sent = build(&options, &[USER], ChatRequest { max_tokens: Some(5), temperature: Some(0.1), ..REQUEST });
    let expected = json!({ "maxOutputTokens": 5, "temperature": 0.1, "thinkingConfig": { "includeThoughts": true } });
    assert_eq!((&sent["generationConfig"], sent["contents"].as_array().unwrap().len()), (&expected, 1));
}

#[test]
fn a_schema_holds_only_what_gemini_takes() {
    let parameters = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "path": { "type": ["string", "null"], "format": "uri", "minLength": 1 },
            "kind": { "const": "file" },
            "count": { "type": "integer", "exclusiveMinimum": 0, "enum": [1, 2], "maximum": 9 },
            "list": { "type": "array", "items": { "type": "object", "properties": {}, "additionalProperties": {} } },
            "either": { "oneOf": [{ "type": "string" }, { "type": "number", "$comment": "x" }] },
            "additionalProperties": { "type": "string" },
        },
        "required": ["path", "gone"],
    });
    let tools = json!([
        { "type": "function", "function": { "name": "x", "description": "X.", "parameters": parameters } },
        { "type": "function", "function": { "name": "y", "parameters": { "type": "object", "properties": {} } } },
    ]);
    let tools = tools.to_string();
    let sent = build(&options(), &[USER], ChatRequest { tools: Some(&tools), ..REQUEST });
    let declarations = &sent["tools"][0]["functionDeclarations"];
    let expected = json!({
        "type": "object",
        "properties": {
            "path": { "nullable": true, "type": "string", "minLength": 1 },
            "kind": { "enum": ["file"], "type": "string" },
            "count": { "type": "integer", "maximum": 9 },
            "list": { "type": "array", "items": { "type": "string", "description": "(a JSON object, as text)" } },
            "either": { "anyOf": [{ "type": "string" }, { "type": "number" }] },
            "additionalProperties": { "type": "string" },
        },
        "required": ["path"],
    });
    assert_eq!(declarations[0]["parameters"], expected);
    assert_eq!(declarations[1], json!({ "name": "y", "description": "" }));
}

fn read(chunks: &[Value]) -> Outcome {
    let chunks: Vec<String> = chunks.iter().map(Value::to_string).collect();
    play("gemini", &[], "[]", &chunks.iter().map(String::as_str).collect::<Vec<_>>())
}

fn chunk(parts: Value, finish: Option<&str>) -> Value {
    json!({ "candidates": [{ "content": { "role": "model", "parts": parts }, "finishReason": finish, "index": 0 }] })
}

#[test]
fn thoughts_are_reasoning_and_calls_without_ids_get_ids_and_keep_their_signature() {
    let mut last = chunk(json!([{ "functionCall": { "name": "look", "args": {} } }]), Some("STOP"));
    last["usageMetadata"] = json!({ "promptTokenCount": 50, "cachedContentTokenCount": 20, "candidatesTokenCount": 7, "thoughtsTokenCount": 3 });
    let call = json!([{ "functionCall": { "name": "look", "args": { "at": "x" } }, "thoughtSignature": "sig" }]);
    let outcome = read(&[
        chunk(json!([{ "text": "hm", "thought": true }]), None),
        chunk(json!([{ "text": "I look." }]), None),
        chunk(call, None),
        last,
    ]);
    assert_eq!(outcome.events, [StreamEvent::Reasoning("hm".into()), StreamEvent::Text("I look.".into())]);
    let reply = outcome.reply.unwrap();
    assert_eq!((reply.tool_calls.len(), &reply.finish), (2, &Finish::ToolCalls));
    assert!(!reply.tool_calls[0].id.is_empty() && reply.tool_calls[0].id != reply.tool_calls[1].id);
    assert_eq!(reply.usage, Usage { input_tokens: 50, output_tokens: 10, cached_tokens: 20, reasoning_tokens: 3 });
    let kept: Value = serde_json::from_str(&reply.message).unwrap();
    assert_eq!(kept["tool_calls"][0]["extra_content"]["google"]["thought_signature"], "sig");
    assert!(kept["tool_calls"][1].get("extra_content").is_none());
    let sent = build(&options(), &[USER, &reply.message], REQUEST);
    assert_eq!(sent["contents"][1]["parts"][1]["thoughtSignature"], "sig");
    assert!(sent["contents"][1]["parts"][2].get("thoughtSignature").is_none());
}

#[test]
fn reasons_to_finish_are_understood_and_a_blocked_prompt_is_a_withheld_reply() {
    for (reason, finish) in [
        ("STOP", Finish::Stop),
        ("MAX_TOKENS", Finish::Length),
        ("SAFETY", Finish::ContentFilter),
        ("PROHIBITED_CONTENT", Finish::ContentFilter),
        ("MALFORMED_FUNCTION_CALL", Finish::Other("MALFORMED_FUNCTION_CALL".into())),
    ] {
        assert_eq!(read(&[chunk(json!([]), Some(reason))]).reply.unwrap().finish, finish);
    }
    let blocked = json!({ "promptFeedback": { "blockReason": "SAFETY" } });
    assert_eq!(read(&[blocked]).reply.unwrap().finish, Finish::ContentFilter);
}
