//! Every row of the table of vendors against one server.

use crate::server::{Asked, Server, ask, client, stream};
use chiton_providers::{VENDORS, Vendor, title};
use serde_json::{Value, json};

/// What one vendor must be asked like.
struct Row {
    name: &'static str,
    /// The host of its address; empty for one that the owner gives.
    host: &'static str,
    key: &'static str,
    /// A model whose name alone points to it.
    model: &'static str,
    target: &'static str,
    /// Where the body bounds the reply.
    limit: &'static str,
}

const fn row(
    name: &'static str,
    host: &'static str,
    key: &'static str,
    model: &'static str,
    target: &'static str,
    limit: &'static str,
) -> Row {
    Row { name, host, key, model, target, limit }
}

const CHAT: &str = "/v1/chat/completions";

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("openrouter", "openrouter.ai", "OPENROUTER_API_KEY", "", "/api/v1/chat/completions", "/max_tokens"),
    row("aihubmix", "aihubmix.com", "AIHUBMIX_API_KEY", "", CHAT, "/max_tokens"),
    row("anthropic", "api.anthropic.com", "ANTHROPIC_API_KEY", "claude-sonnet-4-5", "/v1/messages", "/max_tokens"),
    row("openai", "api.openai.com", "OPENAI_API_KEY", "gpt-5", CHAT, "/max_completion_tokens"),
    row("deepseek", "api.deepseek.com", "DEEPSEEK_API_KEY", "deepseek-chat", CHAT, "/max_tokens"),
    row("gemini", "generativelanguage.googleapis.com", "GEMINI_API_KEY", "gemini-2.5-pro", "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse", "/generationConfig/maxOutputTokens"),
    row("zhipu", "open.bigmodel.cn", "ZAI_API_KEY", "glm-4.6", "/api/paas/v4/chat/completions", "/max_tokens"),
    row("dashscope", "dashscope.aliyuncs.com", "DASHSCOPE_API_KEY", "qwen-max", "/compatible-mode/v1/chat/completions", "/max_tokens"),
    row("moonshot", "api.moonshot.ai", "MOONSHOT_API_KEY", "kimi-k2", CHAT, "/max_tokens"),
    row("minimax", "api.minimax.io", "MINIMAX_API_KEY", "MiniMax-M2", CHAT, "/max_tokens"),
    row("groq", "api.groq.com", "GROQ_API_KEY", "", "/openai/v1/chat/completions", "/max_tokens"),
    row("mistral", "api.mistral.ai", "MISTRAL_API_KEY", "mistral-large", CHAT, "/max_tokens"),
    row("xai", "api.x.ai", "XAI_API_KEY", "grok-4", CHAT, "/max_tokens"),
    row("stepfun", "api.stepfun.com", "STEPFUN_API_KEY", "step-3", CHAT, "/max_tokens"),
    row("ollama", "127.0.0.1", "", "", CHAT, "/max_tokens"),
    row("llamacpp", "127.0.0.1", "", "", CHAT, "/max_tokens"),
    row("vllm", "127.0.0.1", "", "", CHAT, "/max_tokens"),
    row("lmstudio", "127.0.0.1", "", "", CHAT, "/max_tokens"),
    row("custom", "", "", "", CHAT, "/max_tokens"),
];

fn family(name: &str) -> &str {
    if ["anthropic", "gemini"].contains(&name) { name } else { "openai" }
}

/// The same address on the server of the test.
fn base(vendor: &Vendor, origin: &str) -> String {
    let path = vendor.base_url.splitn(4, '/').nth(3).unwrap_or("v1");
    format!("{origin}/{path}")
}

#[tokio::test]
async fn every_vendor_is_asked_in_its_own_way_and_its_reply_is_read() {
    assert_eq!(ROWS.len(), VENDORS.len());
    for Row { name, host, key, model, target, limit } in ROWS {
        let vendor = Vendor::named(name).unwrap_or_else(|| panic!("{name} is missing"));
        assert_eq!((vendor.key_env, vendor.base_url.split(['/', ':']).nth(3).unwrap_or_default()), (*key, *host));
        if !model.is_empty() {
            assert_eq!(Vendor::of_model(model).unwrap().name, *name);
        }
        assert_eq!(Vendor::of_model(&format!("{name}/some-model")).unwrap().name, *name);
        let server = Server::start(stream(&format!("{}-text", family(name)))).await;
        let provider = client(name, base(vendor, &server.origin));
        let model = if model.is_empty() { "some-model" } else { model };
        let question = r#"{"role":"user","content":"hi"}"#;
        let reply = ask(&*provider, &format!("{name}/{model}"), &[question]).await.unwrap();
        let asked = server.last();
        assert_eq!((reply.text.as_str(), reply.usage.input_tokens), ("Hello, wörld", 12), "{name}");
        assert_eq!((provider.name(), reply.model), (*name, title(name, model)));
        assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", *target), "{name}");
        assert_eq!(asked.body.pointer(limit), Some(&json!(77)), "{name}");
        check_key(name, &asked);
        check_model(name, model, &asked.body);
    }
}

/// The key is in the one header that the protocol has for it.
fn check_key(name: &str, asked: &Asked) {
    let key = match family(name) {
        "anthropic" => ("x-api-key", "canary-key"),
        "gemini" => ("x-goog-api-key", "canary-key"),
        _ => ("authorization", "Bearer canary-key"),
    };
    for header in ["x-api-key", "x-goog-api-key", "authorization"] {
        assert_eq!(asked.header(header), Some(key.1).filter(|_| header == key.0), "{name}");
    }
    assert_eq!(asked.header("anthropic-version"), (name == "anthropic").then_some("2023-06-01"), "{name}");
}

fn check_model(name: &str, model: &str, body: &Value) {
    // Gemini has it in the path; what OpenRouter offers without a slash is its own.
    let sent = match name {
        "gemini" => Value::Null,
        "openrouter" => json!("openrouter/some-model"),
        _ => json!(model),
    };
    assert_eq!(body["model"], sent, "{name}");
}

#[tokio::test]
async fn an_address_may_be_written_with_or_without_its_end() {
    for (name, ends, target) in [
        ("openai", &["/v1", "/v1/", "/v1/chat/completions"][..], CHAT),
        ("anthropic", &["", "/v1", "/v1/messages"][..], "/v1/messages"),
        ("gemini", &["", "/v1beta", "/v1beta/openai"][..], "/v1beta/models/m:streamGenerateContent?alt=sse"),
    ] {
        for end in ends {
            let server = Server::start(stream(&format!("{name}-text"))).await;
            ask(&*client(name, server.origin.clone() + end), "m", &[]).await.unwrap();
            assert_eq!(server.last().target, target, "{name} at {end}");
        }
    }
}

#[tokio::test]
async fn a_models_name_cannot_lead_out_of_the_path() {
    let server = Server::start(stream("gemini-text")).await;
    ask(&*client("gemini", server.origin.clone()), "../../x?key=#y", &[]).await.unwrap();
    let target = server.last().target;
    assert!(target.starts_with("/v1beta/") && target.ends_with("?alt=sse") && !target.contains(".."), "{target}");
}

#[tokio::test]
async fn models_are_listed_in_each_protocol() {
    for (name, list, target) in [
        ("openai", r#"{"data":[{"id":"a"},{"id":"b"}]}"#, "/v1/models"),
        (
            "anthropic",
            r#"{"data":[{"type":"model","id":"a"},{"type":"model","id":"b"}],"has_more":false}"#,
            "/v1/models?limit=1000",
        ),
        ("gemini", r#"{"models":[{"name":"models/a"},{"name":"models/b"}]}"#, "/v1beta/models?pageSize=1000"),
    ] {
        let server = Server::start(list.into()).await;
        let base = format!("{}{}", server.origin, if name == "gemini" { "/v1beta" } else { "/v1" });
        assert_eq!(client(name, base).models().await.unwrap(), ["a", "b"], "{name}");
        assert_eq!(server.last().target, target);
    }
}
