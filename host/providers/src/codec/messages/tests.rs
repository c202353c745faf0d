//! What is written to Anthropic, and what its streams hold.

use crate::codec::play::{Outcome, build, play};
use crate::{ChatRequest, ErrorClass, Finish, ProviderError, ProviderOptions, StreamEvent, Usage};
use serde_json::{Value, json};

const TOOLS: &str = r#"[{"type":"function","function":{"name":"look","description":"Looks.","parameters":{"type":"object","properties":{"at":{"type":"string"}}}}},{"type":"function","function":{"name":"bare"}}]"#;
const REQUEST: ChatRequest<'static> = ChatRequest {
    model: "anthropic/claude",
    messages: &[],
    tools: None,
    max_tokens: None,
    temperature: None,
    extra_body: None,
};
const SYSTEM: &str = r#"{"role":"system","content":"Be good."}"#;
const USER: &str = r#"{"role":"user","content":"hi"}"#;
const CALLS: &str = r#"{"role":"assistant","content":"I look.","thinking_blocks":[{"type":"thinking","thinking":"hm","signature":"s=="},{"type":"redacted_thinking","data":"d"}],"tool_calls":[{"id":"functions.look:0","type":"function","function":{"name":"look","arguments":"{\"at\":\"a\"}"},"extra_content":{"google":{"thought_signature":"g"}}},{"id":"b","type":"function","function":{"name":"look","arguments":"{}"}}]}"#;
const RESULT_A: &str = r#"{"role":"tool","tool_call_id":"functions.look:0","content":"one"}"#;
const RESULT_B: &str = r#"{"role":"tool","tool_call_id":"b","content":""}"#;
const PICTURE: &str = r#"{"role":"user","content":[{"type":"text","text":"see"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}"#;

fn options() -> ProviderOptions {
    ProviderOptions::new("anthropic", "http://127.0.0.1:1/v1", None)
}

fn written(messages: &[&str], request: ChatRequest<'_>) -> Value {
    build(&options(), messages, request)
}

fn with_extra(messages: &[&str], extra: Value) -> Value {
    let mut options = options();
    options.extra_body = extra.as_object().cloned().unwrap();
    build(&options, messages, ChatRequest { max_tokens: Some(1_000), ..REQUEST })
}

#[test]
fn a_round_of_tools_is_one_message_of_results_then_pictures_and_ids_match() {
    let sent = written(&[SYSTEM, USER, CALLS, RESULT_A, PICTURE, RESULT_B], REQUEST);
    assert_eq!(sent["system"][0]["text"], "Be good.");
    let messages = sent["messages"].as_array().unwrap();
    let roles: Vec<_> = messages.iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "user"]);
    let kinds = |at: usize| -> Vec<_> {
        messages[at]["content"].as_array().unwrap().iter().map(|block| block["type"].as_str().unwrap()).collect()
    };
    assert_eq!(kinds(1), ["thinking", "redacted_thinking", "text", "tool_use", "tool_use"]);
    assert_eq!(kinds(2), ["tool_result", "tool_result", "text", "image"]);
    assert_eq!(messages[1]["content"][0], json!({"type":"thinking","thinking":"hm","signature":"s=="}));
    assert_eq!(messages[1]["content"][3]["input"], json!({ "at": "a" }));
    assert_eq!(messages[1]["content"][3]["id"], "functions_look_0");
    assert_eq!(messages[2]["content"][0]["tool_use_id"], "functions_look_0");
    assert_eq!(messages[2]["content"][3]["source"], json!({"type":"base64","media_type":"image/png","data":"AAAA"}));
    assert!(!sent.to_string().contains("thought_signature"));
}

#[test]
fn the_cache_is_marked_after_the_tools_the_system_and_the_last_two_user_messages() {
    let answer = r#"{"role":"assistant","content":"yes"}"#;
    let sent = written(&[SYSTEM, USER, answer, USER, answer, USER], ChatRequest { tools: Some(TOOLS), ..REQUEST });
    let marked = |value: &Value| value["cache_control"]["type"] == "ephemeral";
    assert!(marked(&sent["system"][0]) && marked(&sent["tools"][1]) && !marked(&sent["tools"][0]));
    let messages = sent["messages"].as_array().unwrap();
    let places: Vec<_> = messages.iter().map(|message| marked(&message["content"][0])).collect();
    assert_eq!(places, [false, false, true, false, true]);
    assert_eq!(sent["tools"][0]["input_schema"]["properties"]["at"]["type"], "string");
    assert_eq!(sent["tools"][1]["input_schema"]["type"], "object");
}

#[test]
fn a_bound_is_always_sent_and_leaves_room_for_thoughts() {
    assert_eq!(written(&[USER], REQUEST)["max_tokens"], 8_192);
    assert_eq!(written(&[USER], ChatRequest { max_tokens: Some(7), ..REQUEST })["max_tokens"], 7);
    let thinking = json!({ "thinking": { "type": "enabled", "budget_tokens": 2_000 } });
    let sent = with_extra(&[USER], thinking.clone());
    assert_eq!((&sent["max_tokens"], &sent["thinking"]), (&json!(3_000), &thinking["thinking"]));
}

#[test]
fn a_round_that_another_model_began_goes_on_without_thinking() {
    let thinking = json!({ "thinking": { "type": "enabled", "budget_tokens": 2_000 } });
    let foreign = CALLS.replace("thinking_blocks", "other");
    assert!(with_extra(&[USER, &foreign, RESULT_A, RESULT_B], thinking.clone()).get("thinking").is_none());
    assert!(with_extra(&[USER, CALLS, RESULT_A, RESULT_B], thinking.clone()).get("thinking").is_some());
    assert!(
        with_extra(&[USER, &foreign, RESULT_A, RESULT_B, r#"{"role":"assistant","content":"x"}"#, USER], thinking)
            .get("thinking")
            .is_some()
    );
}

#[test]
fn a_conversation_begins_with_the_user_and_holds_no_empty_message() {
    let empty = r#"{"role":"assistant","content":""}"#;
    let sent = written(&[CALLS, RESULT_A, RESULT_B, empty, USER], REQUEST);
    let messages = sent["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 3);
    assert_eq!((&messages[0]["role"], &messages[1]["role"]), (&json!("user"), &json!("assistant")));
}

fn read(events: &[Value]) -> Outcome {
    let events: Vec<String> = events.iter().map(Value::to_string).collect();
    play("anthropic", &[], TOOLS, &events.iter().map(String::as_str).collect::<Vec<_>>())
}

fn stop(reason: &str) -> Value {
    json!({"type":"message_delta","delta":{"stop_reason":reason,"stop_sequence":null},"usage":{"output_tokens":15}})
}

#[test]
fn thoughts_are_kept_with_their_signatures_and_go_back_unchanged() {
    let outcome = read(&[
        json!({"type":"message_start","message":{"usage":{"input_tokens":10,"cache_read_input_tokens":200,"cache_creation_input_tokens":30,"output_tokens":1}}}),
        json!({"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}),
        json!({"type":"ping"}),
        json!({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"let "}}),
        json!({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"me"}}),
        json!({"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"sig=="}}),
        json!({"type":"content_block_stop","index":0}),
        json!({"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"xx"}}),
        json!({"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_1","name":"look","input":{}}}),
        json!({"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":""}}),
        json!({"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"at\":"}}),
        json!({"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"\"a\"}"}}),
        json!({"type":"content_block_stop","index":2}),
        stop("tool_use"),
        json!({"type":"message_stop"}),
    ]);
    assert_eq!(outcome.events, [StreamEvent::Reasoning("let ".into()), StreamEvent::Reasoning("me".into())]);
    let reply = outcome.reply.unwrap();
    assert_eq!(reply.usage, Usage { input_tokens: 240, output_tokens: 15, cached_tokens: 200, reasoning_tokens: 0 });
    assert_eq!((reply.tool_calls[0].id.as_str(), &reply.finish), ("toolu_1", &Finish::ToolCalls));
    assert_eq!(reply.tool_calls[0].arguments.as_ref().unwrap()["at"], "a");
    let kept: Value = serde_json::from_str(&reply.message).unwrap();
    let thoughts =
        json!([{"type":"thinking","thinking":"let me","signature":"sig=="},{"type":"redacted_thinking","data":"xx"}]);
    assert_eq!(kept["thinking_blocks"], thoughts);
    let sent = written(&[USER, &reply.message, &RESULT_B.replace('b', "toolu_1")], REQUEST);
    assert_eq!(sent["messages"][1]["content"].as_array().unwrap()[..2], thoughts.as_array().unwrap()[..]);
}

#[test]
fn reasons_to_stop_and_replies_that_come_whole_are_read() {
    for (reason, finish) in [
        ("end_turn", Finish::Stop),
        ("max_tokens", Finish::Length),
        ("refusal", Finish::ContentFilter),
        ("pause_turn", Finish::Other("pause_turn".into())),
    ] {
        let whole = json!({"type":"message","content":[{"type":"text","text":"hi"}],"stop_reason":reason,"usage":{"input_tokens":3,"output_tokens":2}});
        let reply = read(&[whole]).reply.unwrap();
        assert_eq!((reply.text.as_str(), reply.finish, reply.usage.input_tokens), ("hi", finish, 3));
    }
    let whole = json!({"type":"message","content":[{"type":"tool_use","id":"t","name":"look","input":{"at":"a"}}],"stop_reason":"tool_use"});
    assert_eq!(read(&[whole]).reply.unwrap().tool_calls[0].arguments.as_ref().unwrap()["at"], "a");
}

#[test]
fn an_error_inside_the_stream_is_of_its_class_and_a_cut_stream_is_no_reply() {
    for (kind, class) in [
        ("overloaded_error", ErrorClass::Retry),
        ("rate_limit_error", ErrorClass::Retry),
        ("api_error", ErrorClass::Retry),
        ("authentication_error", ErrorClass::Fatal),
        ("invalid_request_error", ErrorClass::Fatal),
    ] {
        let error = json!({"type":"error","error":{"type":kind,"message":"no"}});
        assert_eq!(read(&[error]).reply.unwrap_err().class(), class, "{kind}");
    }
    let cut = json!({"type":"content_block_start","index":0,"content_block":{"type":"text","text":"ha"}});
    assert!(matches!(read(&[cut]).reply, Err(ProviderError::Truncated { .. })));
}
