//! The OpenAI-compatible provider against a server that follows a script.

use chiton_providers::{
    ChatRequest, ErrorClass, Finish, HttpProvider, Provider, ProviderError, ProviderOptions, Reply as Answered,
    StreamEvent, Timeouts, find_servers_on,
};
use chiton_tests::fake_openai::{Answer, End, FakeOpenAi, Reply, Script};
use serde_json::{Value, json};
use std::io::{Read, Seek};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const TOOLS: &str = r#"[{"type":"function","function":{"name":"read_file","parameters":{"type":"object"}}}]"#;

struct Outcome {
    reply: Result<Answered, ProviderError>,
    events: Vec<StreamEvent>,
}

impl Outcome {
    fn text(&self) -> String {
        let texts = self.events.iter().filter_map(|event| match event {
            StreamEvent::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    fn retries(&self) -> usize {
        self.events.iter().filter(|event| matches!(event, StreamEvent::Retrying { .. })).count()
    }

    fn error(self) -> ProviderError {
        self.reply.expect_err("the request should have failed")
    }
}

fn options(base_url: &str) -> ProviderOptions {
    let mut options = ProviderOptions::new("acme", base_url, None);
    options.retries.first_pause = Duration::from_millis(1);
    options.timeouts.header = Duration::from_millis(800);
    options.timeouts.idle = Duration::from_millis(800);
    options
}

fn user(text: &str) -> Arc<str> {
    json!({ "role": "user", "content": text }).to_string().into()
}

async fn ask(provider: &HttpProvider, messages: &[Arc<str>]) -> Outcome {
    let request = ChatRequest {
        model: "m",
        messages,
        tools: Some(TOOLS),
        max_tokens: None,
        temperature: Some(0.1),
        extra_body: None,
    };
    let mut events = Vec::new();
    let reply = provider.chat(request, &mut |event| events.push(event)).await;
    Outcome { reply, events }
}

/// One question to a server with this script.
async fn play(script: Script) -> (Outcome, FakeOpenAi) {
    let fake = FakeOpenAi::start(script).await;
    let provider = HttpProvider::new(options(&fake.base_url())).expect("the options are good");
    (ask(&provider, &[user("hi")]).await, fake)
}

fn chunk(delta: Value, finish: Option<&str>) -> String {
    format!("data: {}\n\n", json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] }))
}

#[tokio::test]
async fn an_answer_streams_and_ends_with_its_usage() {
    let reply = Reply { reasoning: "let me see".into(), usage: Some((12, 3)), ..Reply::text("Hello, wörld") };
    let (outcome, fake) = play(Script::new().then(reply)).await;
    assert_eq!(outcome.text(), "Hello, wörld");
    assert!(outcome.events.len() > 2, "it came in one piece");
    let reply = outcome.reply.unwrap();
    assert_eq!(
        (reply.text.as_str(), reply.reasoning.as_str(), &reply.finish),
        ("Hello, wörld", "let me see", &Finish::Stop)
    );
    assert_eq!((reply.usage.input_tokens, reply.usage.output_tokens), (12, 3));
    assert_eq!(fake.chats()[0].body["temperature"], 0.1);
}

#[tokio::test]
async fn tool_calls_and_their_results_make_a_conversation_the_server_accepts() {
    let calls = Reply::call("read_file", json!({ "path": "a" })).and_call("read_file", json!({ "path": "b" }));
    let fake = FakeOpenAi::start(Script::new().then(calls).then(Reply::text("done"))).await;
    let provider = HttpProvider::new(options(&fake.base_url())).unwrap();
    let mut messages = vec![user("read both")];
    let reply = ask(&provider, &messages).await.reply.unwrap();
    assert_eq!(reply.finish, Finish::ToolCalls);
    let paths: Vec<_> = reply.tool_calls.iter().map(|call| call.arguments.as_ref().unwrap()["path"].clone()).collect();
    assert_eq!(paths, ["a", "b"]);
    messages.push(reply.message.clone());
    for call in &reply.tool_calls {
        messages.push(json!({ "role": "tool", "tool_call_id": call.id, "content": "text" }).to_string().into());
    }
    assert_eq!(ask(&provider, &messages).await.reply.unwrap().text, "done");
    assert_eq!(fake.chats()[1].messages().len(), 4);
}

#[tokio::test]
async fn a_rate_limit_is_waited_out_as_long_as_the_server_says() {
    let limited = Answer::status(429, "slow down").header("retry-after-ms", "120");
    let begin = Instant::now();
    let (outcome, fake) = play(Script::new().then(limited).then(Reply::text("ok"))).await;
    assert!(begin.elapsed() >= Duration::from_millis(120));
    let pause = StreamEvent::Retrying {
        after: Duration::from_millis(120),
        reason: "acme limits the rate of requests (status 429: slow down); try again in 1 s".into(),
    };
    assert_eq!(outcome.events[0], pause);
    assert_eq!((outcome.reply.unwrap().text.as_str(), fake.chats().len()), ("ok", 2));
}

#[tokio::test]
async fn a_pause_longer_than_the_limit_is_an_error_at_once() {
    let (outcome, fake) =
        play(Script::new().always(Answer::status(429, "slow down").header("retry-after", "3600"))).await;
    let error = outcome.error();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert!(error.to_string().ends_with("try again in 3600 s"), "{error}");
    assert_eq!(fake.chats().len(), 1);
}

#[tokio::test]
async fn failures_that_may_pass_are_tried_again_and_then_reported() {
    for status in [408, 409, 425, 429, 500, 503, 529] {
        let (outcome, fake) = play(Script::new().then(Answer::status(status, "busy")).then(Reply::text("ok"))).await;
        assert_eq!((outcome.retries(), fake.chats().len()), (1, 2), "{status}");
        assert!(outcome.reply.is_ok(), "{status}");
    }
    let (outcome, fake) = play(Script::new().always(Answer::status(500, "broken"))).await;
    assert_eq!((outcome.retries(), fake.chats().len()), (3, 4));
    assert_eq!(outcome.error().class(), ErrorClass::Retry);
}

#[tokio::test]
async fn refusals_are_not_tried_again() {
    for status in [400, 401, 402, 403, 404, 422] {
        let (outcome, fake) = play(Script::new().always(Answer::status(status, "no"))).await;
        assert_eq!(outcome.error().class(), ErrorClass::Fatal, "{status}");
        assert_eq!(fake.chats().len(), 1, "{status}");
    }
    let (outcome, _fake) = play(Script::new().always(Answer::status(400, "maximum context length is 10 tokens"))).await;
    assert_eq!(outcome.error().class(), ErrorClass::ContextOverflow);
}

#[tokio::test]
async fn a_wrong_key_is_named_but_never_shown_and_the_right_one_works() {
    let fake = FakeOpenAi::start(Script::new().with_key("right").always(Reply::text("ok"))).await;
    let with_key = |key: Option<&str>| {
        let mut options = options(&fake.base_url());
        options.api_key = key.map(|key| key.to_string().into());
        HttpProvider::new(options).unwrap()
    };
    let wrong = ask(&with_key(Some("canary-1234")), &[user("hi")]).await.error();
    assert!(matches!(wrong, ProviderError::BadKey { .. }), "{wrong}");
    assert!(wrong.to_string().contains("providers.acme.apiKey") && !format!("{wrong} {wrong:?}").contains("canary"));
    assert!(matches!(ask(&with_key(None), &[user("hi")]).await.error(), ProviderError::KeyMissing { .. }));
    assert!(matches!(with_key(Some("canary-1234")).models().await, Err(ProviderError::BadKey { .. })));
    assert!(ask(&with_key(Some("right")), &[user("hi")]).await.reply.is_ok());
    assert_eq!(with_key(Some("right")).models().await.unwrap(), ["fake"]);
}

#[tokio::test]
async fn no_error_repeats_a_secret_the_server_sends_back() {
    let echo = "your key canary-key and token canary-token, in full";
    let mut answers: Vec<Answer> =
        [400, 401, 402, 403, 404, 413, 429, 500].map(|status| Answer::status(status, echo)).into();
    answers.push(Answer::body("text/plain", echo));
    answers.push(Answer::raw([format!("data: {}\n\n", json!({ "error": { "message": echo } }))]));
    for answer in answers {
        let fake = FakeOpenAi::start(Script::new().always(answer)).await;
        let mut options = options(&fake.base_url());
        options.retries.count = 0;
        options.api_key = Some("canary-key".to_string().into());
        options.extra_headers.push(("x-token".into(), "canary-token".to_string().into()));
        let error = ask(&HttpProvider::new(options).unwrap(), &[user("hi")]).await.error();
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
        assert_eq!(fake.chats()[0].header("x-token"), Some("canary-token"));
    }
}

#[tokio::test]
async fn no_log_line_holds_a_secret_or_a_message() {
    let mut log = tempfile::tempfile().unwrap();
    let lines = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(Arc::new(log.try_clone().unwrap()))
        .finish();
    let _guard = tracing::subscriber::set_default(lines);
    let fake =
        FakeOpenAi::start(Script::new().then(Answer::status(500, "canary-key")).then(Reply::text("canary-answer")))
            .await;
    let mut options = options(&fake.base_url());
    options.api_key = Some("canary-key".to_string().into());
    options.extra_headers.push(("x-token".into(), "canary-token".to_string().into()));
    let provider = HttpProvider::new(options).unwrap();
    assert!(ask(&provider, &[user("canary-question")]).await.reply.is_ok());
    let mut text = String::new();
    log.rewind().unwrap();
    log.read_to_string(&mut text).unwrap();
    assert!(text.contains("retrying") && !text.contains("canary"), "{text}");
}

#[tokio::test]
async fn a_stream_that_is_cut_gives_no_tool_call_and_is_not_sent_again() {
    for end in [End::Drop, End::Clean] {
        let cut = Reply { cut_after: Some(4), end, ..Reply::call("read_file", json!({ "path": "a-long-path" })) };
        let (outcome, fake) = play(Script::new().then(cut).always(Reply::text("again"))).await;
        assert!(matches!(outcome.error(), ProviderError::Truncated { .. }));
        assert_eq!(fake.chats().len(), 1);
    }
}

#[tokio::test]
async fn a_connection_lost_before_the_first_token_is_tried_again() {
    let lost = Reply { cut_after: Some(1), end: End::Drop, ..Reply::text("lost") };
    let (outcome, fake) = play(Script::new().then(lost).then(Reply::text("found"))).await;
    assert_eq!((outcome.text().as_str(), fake.chats().len()), ("found", 2));
}

#[tokio::test]
async fn a_stream_without_done_is_complete_and_one_without_a_reason_to_stop_is_not() {
    let (outcome, _fake) = play(Script::new().then(Reply { omit_done: true, ..Reply::text("ok") })).await;
    assert_eq!(outcome.reply.unwrap().text, "ok");
    let (outcome, _fake) = play(Script::new().then(Reply { omit_finish: true, ..Reply::text("ok") })).await;
    assert!(matches!(outcome.error(), ProviderError::Truncated { .. }));
}

#[tokio::test]
async fn silence_ends_a_stream_within_the_idle_time_and_slowness_does_not() {
    let stalled = Reply { cut_after: Some(3), end: End::Stall, ..Reply::text("a long answer") };
    let begin = Instant::now();
    let (outcome, _fake) = play(Script::new().always(stalled)).await;
    assert!(matches!(outcome.error(), ProviderError::TimedOut { .. }));
    assert!((Duration::from_millis(800)..Duration::from_secs(5)).contains(&begin.elapsed()));
    let (outcome, _fake) =
        play(Script::new().then(Reply { delay_ms: 100, chunk_chars: 2, ..Reply::text("a slow one") })).await;
    assert_eq!(outcome.reply.unwrap().text, "a slow one");
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_once_and_a_slow_one_is_not() {
    let (outcome, fake) = play(Script::new().always(Reply { first_delay_ms: 5_000, ..Reply::text("late") })).await;
    assert!(matches!(outcome.error(), ProviderError::TimedOut { .. }));
    assert_eq!(fake.chats().len(), 1);
    let (outcome, _fake) = play(Script::new().always(Reply { first_delay_ms: 150, ..Reply::text("late") })).await;
    assert!(outcome.reply.is_ok());
}

#[tokio::test]
async fn a_finished_stream_that_stays_open_does_not_hold_the_answer() {
    let pieces = [chunk(json!({ "content": "ok" }), Some("stop"))].to_vec();
    let open = Answer::Raw { content_type: "text/event-stream".into(), pieces, delay_ms: 0, end: End::Stall };
    let begin = Instant::now();
    let (outcome, _fake) = play(Script::new().then(open)).await;
    assert_eq!(outcome.reply.unwrap().text, "ok");
    assert!(begin.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn one_json_body_in_place_of_a_stream_is_read() {
    let reply = Reply { whole: true, ..Reply::call("read_file", json!({ "path": "a" })) };
    let (outcome, _fake) = play(Script::new().then(reply)).await;
    assert_eq!(outcome.reply.unwrap().tool_calls[0].name, "read_file");
    let (outcome, _fake) = play(Script::new().always(Answer::body("application/json", "{\"choices\":[{\"mess"))).await;
    assert!(matches!(outcome.error(), ProviderError::Truncated { .. }));
}

#[tokio::test]
async fn answers_of_something_else_are_named_for_what_they_are() {
    for (content_type, body) in
        [("text/html", "<html><body>Log in</body></html>"), ("application/json", "{\"hello\":1}"), ("text/plain", "  ")]
    {
        let (outcome, _fake) = play(Script::new().always(Answer::body(content_type, body))).await;
        let error = outcome.error();
        assert!(
            matches!(error, ProviderError::Unintelligible { .. } | ProviderError::Truncated { .. }),
            "{body}: {error}"
        );
    }
    let page = Answer::Status { status: 502, headers: Vec::new(), body: "<html>Bad gateway</html>".into() };
    let (outcome, _fake) = play(Script::new().always(page)).await;
    assert_eq!(outcome.error().to_string(), "acme failed (status 502: an HTML page); try again later");
}

#[tokio::test]
async fn an_error_inside_a_stream_is_retried_before_the_first_token_only() {
    let error = format!("data: {}\n\n", json!({ "error": { "message": "overloaded", "code": 529 } }));
    let (outcome, _fake) = play(Script::new().then(Answer::raw([error.clone()])).then(Reply::text("ok"))).await;
    assert_eq!(outcome.reply.unwrap().text, "ok");
    let late = Answer::raw([chunk(json!({ "content": "Hel" }), None), error]);
    let (outcome, fake) = play(Script::new().then(late).then(Reply::text("ok"))).await;
    assert!(matches!(outcome.error(), ProviderError::ServerFailed { .. }));
    assert_eq!(fake.chats().len(), 1);
}

#[tokio::test]
async fn a_stream_cut_inside_line_endings_and_characters_is_whole() {
    let stream = chunk(json!({ "content": "é😀" }), Some("stop")).replace('\n', "\r\n");
    let pieces = stream.chars().map(String::from);
    let answer = Answer::Raw {
        content_type: "text/event-stream".into(),
        pieces: pieces.collect(),
        delay_ms: 1,
        end: End::Clean,
    };
    let (outcome, _fake) = play(Script::new().then(answer)).await;
    assert_eq!(outcome.reply.unwrap().text, "é😀");
}

#[tokio::test]
async fn an_event_over_eight_mebibytes_is_refused() {
    let patient = async |script: Script| {
        let fake = FakeOpenAi::start(script).await;
        let options = ProviderOptions { timeouts: Timeouts::default(), ..options(&fake.base_url()) };
        ask(&HttpProvider::new(options).unwrap(), &[user("hi")]).await
    };
    let outcome = patient(Script::new().always(Answer::raw([format!("data: {}", "x".repeat(9 << 20))]))).await;
    assert!(matches!(outcome.error(), ProviderError::TooLarge { .. }));
    let large = Reply { chunk_chars: 0, ..Reply::text(&"x".repeat(4 << 20)) };
    let outcome = patient(Script::new().then(large)).await;
    assert_eq!(outcome.reply.unwrap().text.len(), 4 << 20);
}

#[tokio::test]
async fn a_redirect_does_not_take_the_key_along() {
    let target = FakeOpenAi::start(Script::new().always(Reply::text("stolen"))).await;
    let location = format!("{}/chat/completions?key=1", target.base_url());
    let redirect = Answer::status(307, "moved").header("location", &location);
    let fake = FakeOpenAi::start(Script::new().always(redirect)).await;
    let mut options = options(&fake.base_url());
    options.api_key = Some("secret".to_string().into());
    let error = ask(&HttpProvider::new(options).unwrap(), &[user("hi")]).await.error();
    assert!(error.to_string().contains(&format!("redirects to http://127.0.0.1:{},", target.port())), "{error}");
    assert!(target.requests().is_empty());
}

#[tokio::test]
async fn a_field_the_model_refuses_is_left_out_from_then_on() {
    let bodies = [
        json!({ "error": { "message": "Unsupported value", "param": "temperature", "code": "unsupported_value" } }),
        json!({ "detail": [{ "type": "extra_forbidden", "loc": ["body", "temperature"], "msg": "not permitted" }] }),
        json!({ "message": "temperature is not supported by this model" }),
    ];
    for body in bodies {
        let refusal = Answer::Status { status: 422, headers: Vec::new(), body };
        let fake = FakeOpenAi::start(Script::new().then(refusal).always(Reply::text("ok"))).await;
        let provider = HttpProvider::new(options(&fake.base_url())).unwrap();
        assert!(ask(&provider, &[user("hi")]).await.reply.is_ok());
        assert!(ask(&provider, &[user("hi")]).await.reply.is_ok());
        let sent: Vec<bool> = fake.chats().iter().map(|chat| chat.body.get("temperature").is_some()).collect();
        assert_eq!(sent, [true, false, false]);
    }
}

#[tokio::test]
async fn a_server_that_does_not_run_is_named_with_its_address() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let provider = HttpProvider::new(options(&format!("http://127.0.0.1:{port}/v1"))).unwrap();
    let outcome = ask(&provider, &[user("hi")]).await;
    assert_eq!(outcome.retries(), 3);
    let error = outcome.error().to_string();
    assert!(error.starts_with(&format!("cannot reach acme at http://127.0.0.1:{port} (")), "{error}");
    assert!(error.contains("apiBase"), "{error}");
}

#[tokio::test]
async fn dropping_the_request_closes_its_connection() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        assert!(socket.read(&mut [0; 4096]).await.unwrap() > 0);
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
        let first = head.to_string() + &chunk(json!({ "content": "Hel" }), None);
        socket.write_all(first.as_bytes()).await.unwrap();
        while socket.read(&mut [0; 1024]).await.is_ok_and(|count| count > 0) {}
    });
    let provider = HttpProvider::new(options(&base_url)).unwrap();
    let messages = [user("hi")];
    assert!(tokio::time::timeout(Duration::from_millis(200), ask(&provider, &messages)).await.is_err());
    assert!(tokio::time::timeout(Duration::from_secs(2), server).await.is_ok(), "it stayed open");
}

/// Runs [`a_question_through_the_environments_proxy`] in a process whose environment names a proxy.
#[test]
fn net_24_a_proxy_in_the_environment_is_ignored() {
    let server = FakeOpenAi::start_blocking(Script::new().always(Reply::text("ok")));
    let proxy = FakeOpenAi::start_blocking(Script::new().always(Reply::text("intercepted")));
    let address = proxy.base_url().replace("/v1", "");
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", "a_question_through_the_environments_proxy", "--ignored"])
        .env("CHITON_TEST_SERVER", server.base_url());
    for name in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        child.env(name, &address);
    }
    let output = child.env_remove("no_proxy").env_remove("NO_PROXY").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!((server.chats().len(), proxy.requests().len()), (1, 0));
}

#[tokio::test]
#[ignore = "started by net_24_a_proxy_in_the_environment_is_ignored"]
async fn a_question_through_the_environments_proxy() {
    let Ok(base_url) = std::env::var("CHITON_TEST_SERVER") else {
        return;
    };
    let provider = HttpProvider::new(options(&base_url)).unwrap();
    assert_eq!(ask(&provider, &[user("hi")]).await.reply.unwrap().text, "ok");
}

#[tokio::test]
async fn loc_06_a_model_server_on_this_machine_is_found_with_its_owner_and_other_servers_are_not() {
    let fake = FakeOpenAi::start(Script { models: vec!["a".into(), "b".into()], ..Script::new() }).await;
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let locked = FakeOpenAi::start(Script::new().with_key("k")).await;
    let begin = Instant::now();
    let found = find_servers_on(&[
        ("vllm", silent.local_addr().unwrap().port()),
        ("ollama", fake.port()),
        ("lmstudio", locked.port()),
    ])
    .await;
    assert!(begin.elapsed() < Duration::from_secs(3));
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].vendor, &found[0].base_url, &found[0].models),
        ("ollama", &fake.base_url(), &vec!["a".to_string(), "b".to_string()])
    );
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::MetadataExt;
        assert_eq!(found[0].owner_uid, Some(std::fs::metadata("/proc/self").unwrap().uid()));
    }
}
