//! What is written, and the odd shapes of real servers, as chunks.

use crate::codec::play::{Outcome, build, play as play_events};
use crate::{ChatRequest, Finish, ProviderError, ProviderOptions, Reply, StreamEvent, Usage};
use serde_json::{Value, json};
use std::sync::Arc;

const TOOLS: &str = r#"[{"type":"function","function":{"name":"read_file","parameters":{}}}]"#;

/// What this vendor's server gives for these events, in a conversation with `messages`.
fn play(vendor: &str, messages: &[Arc<str>], events: &[&str]) -> Outcome {
    play_events(vendor, messages, TOOLS, events)
}

fn reply(vendor: &str, events: &[&str]) -> Reply {
    play(vendor, &[], events).reply.unwrap()
}

const STOP: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const CALLS: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#;

#[test]
fn text_arrives_piece_by_piece_and_whole() {
    let outcome = play(
        "openai",
        &[],
        &[
            r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"Hel"}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"lo"}}]}"#,
            STOP,
            "[DONE]",
        ],
    );
    assert_eq!(outcome.events, [StreamEvent::Text("Hel".into()), StreamEvent::Text("lo".into())]);
    let reply = outcome.reply.unwrap();
    assert_eq!((reply.text.as_str(), &reply.finish), ("Hello", &Finish::Stop));
    assert_eq!(&*reply.message, r#"{"role":"assistant","content":"Hello"}"#);
}

#[test]
fn a_reply_without_done_is_complete_and_one_without_a_reason_to_stop_is_not() {
    let call = r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"read_file","arguments":"{}"}}]}}]}"#;
    assert_eq!(reply("openai", &[call, CALLS]).tool_calls.len(), 1);
    for cut in [&[call][..], &[call, "[DONE]"][..], &[][..]] {
        let error = play("openai", &[], cut).reply.unwrap_err();
        assert!(matches!(error, ProviderError::Truncated { .. }), "{error}");
    }
}

#[test]
fn null_fields_in_a_delta_are_nothing() {
    let odd = r#"{"choices":[{"index":0,"delta":{"role":null,"content":null,"tool_calls":null,"function_call":null,"reasoning_content":null},"finish_reason":""}],"usage":null,"error":null}"#;
    assert_eq!(reply("openai", &[odd, STOP]).text, "");
}

#[test]
fn calls_end_a_reply_whatever_the_server_calls_it() {
    let call = r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"read_file","arguments":"{}"}}]}}]}"#;
    let with_stop = reply("openai", &[call, STOP]);
    assert_eq!(with_stop.finish, Finish::ToolCalls);
    assert_eq!(
        &*with_stop.message,
        r#"{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"read_file","arguments":"{}"}}]}"#
    );
    assert_eq!(reply("openai", &[CALLS]).finish, Finish::Stop);
}

#[test]
fn reasoning_is_found_under_each_of_its_names_and_taken_once() {
    for delta in [
        r#"{"reasoning_content":"hm"}"#,
        r#"{"reasoning":"hm"}"#,
        r#"{"thinking":"hm"}"#,
        r#"{"reasoning":"hm","reasoning_content":"hm"}"#,
        r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}]}"#,
        r#"{"content":"<think>hm</think>"}"#,
    ] {
        let reply = reply("custom", &[&format!(r#"{{"choices":[{{"delta":{delta}}}]}}"#), STOP]);
        assert_eq!((reply.reasoning.as_str(), reply.text.as_str()), ("hm", ""), "{delta}");
    }
}

#[test]
fn reasoning_goes_back_only_to_vendors_that_want_it_with_a_call() {
    let thought = r#"{"choices":[{"delta":{"reasoning_content":"hm"}}]}"#;
    let call = r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"read_file","arguments":"{}"}}]}}]}"#;
    assert!(reply("moonshot", &[thought, call, CALLS]).message.contains("reasoning_content"));
    assert!(!reply("openai", &[thought, call, CALLS]).message.contains("reasoning_content"));
    assert!(!reply("moonshot", &[thought, STOP]).message.contains("reasoning_content"));
}

#[test]
fn an_answer_sent_as_reasoning_is_the_answer_where_the_vendor_does_that() {
    let thought = r#"{"choices":[{"delta":{"reasoning":"42"}}]}"#;
    assert_eq!(reply("stepfun", &[thought, STOP]).text, "42");
    assert_eq!(reply("openai", &[thought, STOP]).text, "");
}

#[test]
fn usage_is_read_from_the_last_chunk_without_choices_and_from_its_other_places() {
    let last = r#"{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}}}"#;
    let expected = Usage { input_tokens: 10, output_tokens: 5, cached_tokens: 4, reasoning_tokens: 2 };
    assert_eq!(reply("openai", &[STOP, last]).usage, expected);
    let in_choice = r#"{"choices":[{"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":10,"completion_tokens":5,"cached_tokens":4}}]}"#;
    assert_eq!(reply("moonshot", &[in_choice]).usage, Usage { reasoning_tokens: 0, ..expected });
    let groq = r#"{"choices":[{"delta":{},"finish_reason":"stop"}],"x_groq":{"usage":{"prompt_tokens":10.0,"completion_tokens":5}}}"#;
    assert_eq!(reply("groq", &[groq]).usage, Usage { cached_tokens: 0, reasoning_tokens: 0, ..expected });
}

#[test]
fn an_error_object_inside_a_stream_is_an_error_of_its_class() {
    use crate::ErrorClass::{ContextOverflow, Fatal, Retry};
    for (chunk, class) in [
        (r#"{"error":{"message":"boom","type":"server_error","code":null}}"#, Retry),
        (r#"{"error":{"message":"slow down","code":429}}"#, Retry),
        (r#"{"error":{"message":"no","code":"401"}}"#, Fatal),
        (r#"{"error":"out of memory"}"#, Retry),
        (r#"{"object":"error","message":"This model's maximum context length is 10","code":400}"#, ContextOverflow),
        (r#"{"error":{"message":"too long","code":"context_length_exceeded"}}"#, ContextOverflow),
        (r#"{"choices":[{"delta":{},"finish_reason":"error"}]}"#, Retry),
    ] {
        let error = play("openai", &[], &[chunk, STOP]).reply.unwrap_err();
        assert_eq!(error.class(), class, "{chunk} gave {error}");
    }
}

#[test]
fn a_whole_message_in_place_of_deltas_is_read() {
    let whole = r#"{"choices":[{"message":{"role":"assistant","content":"hi","tool_calls":[{"id":"a","type":"function","function":{"name":"read_file","arguments":{"path":"x"}}}]},"finish_reason":"tool_calls"}]}"#;
    let reply = reply("openai", &[whole]);
    assert_eq!(
        (reply.text.as_str(), reply.tool_calls[0].arguments.as_ref().unwrap()["path"].as_str()),
        ("hi", Some("x"))
    );
}

#[test]
fn a_call_in_the_old_form_is_a_call() {
    let pieces = [
        r#"{"choices":[{"delta":{"function_call":{"name":"read_file","arguments":"{\"path\":"}}}]}"#,
        r#"{"choices":[{"delta":{"function_call":{"arguments":"\"x\"}"}}}]}"#,
        r#"{"choices":[{"delta":{},"finish_reason":"function_call"}]}"#,
    ];
    assert_eq!(reply("openai", &pieces).tool_calls[0].arguments.as_ref().unwrap()["path"], "x");
}

#[test]
fn calls_written_as_text_are_calls_for_local_models_and_text_for_hosted_ones() {
    let written = "<tool_call>{\\\"name\\\":\\\"read_file\\\",\\\"arguments\\\":{\\\"path\\\":\\\"x\\\"}}</tool_call>";
    let chunk = format!(r#"{{"choices":[{{"delta":{{"content":"I look.\n{written}"}}}}]}}"#);
    let local = play("llamacpp", &[], &[&chunk, STOP]);
    assert_eq!(local.events, [StreamEvent::Text("I look.\n".into())]);
    let local = local.reply.unwrap();
    assert_eq!((local.tool_calls[0].name.as_str(), &local.finish), ("read_file", &Finish::ToolCalls));
    let hosted = reply("openai", &[&chunk, STOP]);
    assert!(hosted.tool_calls.is_empty() && hosted.text.contains("<tool_call>"));
}

#[test]
fn an_id_that_the_conversation_has_already_is_replaced() {
    let messages: Vec<Arc<str>> = vec![r#"{"role":"tool","tool_call_id":"call_0","content":""}"#.into()];
    let call = r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"call_0","function":{"name":"read_file","arguments":"{}"}}]}}]}"#;
    let id = |messages: &[Arc<str>]| play("zhipu", messages, &[call, CALLS]).reply.unwrap().tool_calls[0].id.clone();
    assert_ne!(id(&messages), "call_0");
    assert_eq!(id(&[]), "call_0");
}

#[test]
fn chunks_separated_by_single_line_endings_are_told_apart() {
    let joined =
        [r#"{"choices":[{"delta":{"content":"a"}}]}"#, r#"{"choices":[{"delta":{"content":"b"}}]}"#, STOP, "[DONE]"]
            .join("\n");
    assert_eq!(reply("custom", &[&joined]).text, "ab");
}

#[test]
fn a_chunk_that_is_not_json_is_an_error() {
    assert!(matches!(play("openai", &[], &["{oops", STOP]).reply, Err(ProviderError::Unintelligible { .. })));
}

const PLAIN: ChatRequest<'static> =
    ChatRequest { model: "m", messages: &[], tools: None, max_tokens: None, temperature: None, extra_body: None };

fn options(name: &str) -> ProviderOptions {
    ProviderOptions::new(name, "http://127.0.0.1:1/v1", None)
}

const CALL: &str = r#"{"role":"assistant","content":null,"reasoning_content":"r","tool_calls":[{"id":"call_abc","type":"function","function":{"name":"x","arguments":"{}"},"extra_content":{"google":1}}]}"#;
const RESULT: &str = r#"{"role":"tool","tool_call_id":"call_abc","content":"ok"}"#;

#[test]
fn messages_and_tools_are_sent_byte_for_byte() {
    let messages: Vec<Arc<str>> = vec![r#"{ "role" : "user", "content":"a\u0062" }"#.into()];
    let tools = r#"[ {"type":"function"} ]"#;
    let request = ChatRequest { messages: &messages, tools: Some(tools), ..PLAIN };
    let provider = crate::HttpProvider::new(options("custom")).unwrap();
    let sent = String::from_utf8(provider.body(&request).to_vec()).unwrap();
    assert!(sent.contains(&*messages[0]) && sent.contains(tools));
    assert!(serde_json::from_str::<Value>(&sent).is_ok());
}

#[test]
fn optional_fields_appear_only_when_given() {
    let plain = build(&options("custom"), &[RESULT], PLAIN);
    assert!(["max_tokens", "temperature", "tools"].iter().all(|field| plain.get(*field).is_none()));
    let bounded = ChatRequest { max_tokens: Some(5), ..PLAIN };
    let full = ChatRequest { temperature: Some(0.1), tools: Some("[]"), ..bounded };
    let full = build(&options("custom"), &[], full);
    assert_eq!((&full["max_tokens"], &full["temperature"], full.get("tools")), (&json!(5), &json!(0.1), None));
    let sent = build(&options("openai"), &[], bounded);
    assert_eq!(sent["max_completion_tokens"], 5);
}

#[test]
fn extra_fields_win_over_ours_and_null_takes_one_away_but_the_messages_stay() {
    let mut options = options("custom");
    options.extra_body =
        json!({"top_k": 1, "stream_options": null, "messages": [], "stream": false}).as_object().cloned().unwrap();
    let extra = json!({"top_k": 2}).as_object().cloned().unwrap();
    let sent = build(&options, &[RESULT], ChatRequest { extra_body: Some(&extra), ..PLAIN });
    assert_eq!((&sent["top_k"], sent.get("stream_options"), &sent["stream"]), (&json!(2), None, &json!(true)));
    assert_eq!(sent["messages"].as_array().unwrap().len(), 1);
}

#[test]
fn mistral_gets_nine_character_ids_that_still_match() {
    let sent = build(&options("mistral"), &[CALL, RESULT], PLAIN);
    let id = sent["messages"][0]["tool_calls"][0]["id"].as_str().unwrap();
    assert!(id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
    assert_eq!(sent["messages"][1]["tool_call_id"], id);
    assert_eq!(build(&options("custom"), &[CALL], PLAIN)["messages"][0]["tool_calls"][0]["id"], "call_abc");
}

#[test]
fn fields_of_one_vendor_do_not_reach_a_strict_one() {
    let strict = build(&options("openai"), &[CALL], PLAIN);
    assert!(strict["messages"][0].get("reasoning_content").is_none());
    assert!(strict["messages"][0]["tool_calls"][0].get("extra_content").is_none());
    let open = build(&options("moonshot"), &[CALL], PLAIN);
    assert_eq!(open["messages"][0]["reasoning_content"], "r");
}

#[test]
fn a_vendors_own_prefix_is_taken_off_the_model_except_where_its_own_models_have_it() {
    for (provider, model, sent) in [
        ("deepseek", "deepseek/deepseek-chat", "deepseek-chat"),
        ("openrouter", "openrouter/auto", "openrouter/auto"),
        ("openrouter", "openrouter/qwen/qwen3", "qwen/qwen3"),
        ("groq", "groq/compound-mini", "groq/compound-mini"),
        ("groq", "groq/llama-3.3-70b", "llama-3.3-70b"),
        ("vllm", "org/name", "org/name"),
    ] {
        assert_eq!(build(&options(provider), &[], ChatRequest { model, ..PLAIN })["model"], sent);
    }
}

#[test]
fn what_only_other_protocols_know_reaches_no_server_of_this_one() {
    let foreign =
        r#"{"role":"assistant","content":"a","thinking_blocks":[{"type":"thinking","thinking":"t","signature":"s"}]}"#;
    for vendor in ["custom", "openai", "mistral", "moonshot"] {
        let sent = build(&options(vendor), &[foreign], PLAIN);
        assert_eq!(sent["messages"][0], json!({ "role": "assistant", "content": "a" }), "{vendor}");
    }
}

#[test]
fn an_id_that_is_too_long_for_a_strict_server_is_shortened_and_still_matches() {
    let (call, result) = (CALL.replace("call_abc", &"x".repeat(50)), RESULT.replace("call_abc", &"x".repeat(50)));
    let sent = build(&options("openai"), &[&call, &result], PLAIN);
    let id = sent["messages"][0]["tool_calls"][0]["id"].as_str().unwrap();
    assert_eq!((id.len(), &sent["messages"][1]["tool_call_id"]), (9, &json!(id)));
}
