//! Turns what a server refuses with into an error, without repeating a secret.

use crate::ProviderError;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::time::Duration;

const DETAIL_LIMIT: usize = 300;

/// Words that mean the conversation is too long, in lower case, from the error texts of the vendors and of local servers.
const OVERFLOW: &[&str] = &[
    "context_length_exceeded",
    "exceed_context_size",
    "maximum context length",
    "context length",
    "context window",
    "context size",
    "prompt is too long",
    "prompt exceeds max length",
    "input is too long",
    "range of input length",
    "exceeded model token limit",
    "too many tokens",
    "input token count",
    "maximum prompt length",
    "reduce the length",
];

/// Words that mean the account is empty although the status says something else.
const NO_CREDIT: &[&str] = &[
    "insufficient_quota",
    "exceeded_current_quota",
    "insufficient balance",
    "insufficient_balance",
    "insufficient credit",
    "credit balance is too low",
    "余额不足",
];

/// Types of errors inside a stream whose status is known, as Anthropic documents them.
const TYPES: &[(&str, u64)] = &[
    ("invalid_request_error", 400),
    ("authentication_error", 401),
    ("billing_error", 402),
    ("permission_error", 403),
    ("not_found_error", 404),
    ("request_too_large", 413),
    ("rate_limit_error", 429),
    ("overloaded_error", 529),
];

/// An error, and what the server said about the field it did not like.
#[derive(Debug)]
pub struct Failure {
    /// What to tell the caller.
    pub error: ProviderError,
    /// The field's name where the server gives it, else the sentence that may hold it.
    pub field: String,
}

impl From<ProviderError> for Failure {
    fn from(error: ProviderError) -> Self {
        Self { error, field: String::new() }
    }
}

/// Knows whose errors these are and which words must not appear in them.
#[derive(Clone, Copy)]
pub struct Refuser<'a> {
    /// The provider's name.
    pub provider: &'a str,
    /// The model that was asked.
    pub model: &'a str,
    /// Was a key sent?
    pub has_key: bool,
    /// The key and the values of extra headers.
    pub secrets: &'a [SecretString],
}

impl Refuser<'_> {
    /// An answer with a status other than success.
    pub fn status(&self, status: u16, retry_after: Option<Duration>, body: &[u8]) -> Failure {
        let json = serde_json::from_slice(body).unwrap_or(Value::Null);
        // Gemini wraps its error objects in an array.
        let json = if json[0].is_object() { &json[0] } else { &json };
        let said = if json.is_null() { plain_text(body) } else { message(json) };
        let said = self.clean(&said);
        let detail = if said.is_empty() { format!("status {status}") } else { format!("status {status}: {said}") };
        let codes = ["code", "type"].map(|field| json["error"][field].as_str().unwrap_or_default()).join(" ");
        let hints = format!("{codes} {said}").to_lowercase();
        let retry_after = retry_after.or_else(|| retry_delay(json));
        Failure { error: self.sort(status, retry_after, detail, &hints), field: refused_field(json).unwrap_or(said) }
    }

    fn sort(&self, status: u16, retry_after: Option<Duration>, detail: String, hints: &str) -> ProviderError {
        let says = |words: &[&str]| words.iter().any(|word| hints.contains(word));
        let provider = self.provider.to_string();
        match status {
            401 if !self.has_key => ProviderError::KeyMissing { provider },
            401 => ProviderError::BadKey { provider, detail },
            402 => ProviderError::NoCredit { provider, detail },
            400 | 403 if says(&["invalid_api_key", "incorrect api key", "api key not valid"]) => {
                ProviderError::BadKey { provider, detail }
            }
            400 | 403 | 429 if says(NO_CREDIT) => ProviderError::NoCredit { provider, detail },
            413 => ProviderError::ContextOverflow { detail },
            400 | 422 | 500 if says(OVERFLOW) => ProviderError::ContextOverflow { detail },
            403 => ProviderError::Forbidden { provider, detail },
            404 => ProviderError::NotFound { provider, model: self.model.into(), detail },
            429 => ProviderError::RateLimited { provider, retry_after, detail },
            408 | 409 | 425 | 500..=599 => ProviderError::ServerFailed { provider, retry_after, detail },
            _ => ProviderError::Refused { provider, detail },
        }
    }

    /// An error object inside a successful answer.
    pub fn in_stream(&self, chunk: &Value) -> Failure {
        let code = if chunk["error"].is_object() { &chunk["error"]["code"] } else { &chunk["code"] };
        let kind = chunk["error"]["type"].as_str();
        let of_kind = || TYPES.iter().find(|(name, _)| kind == Some(name)).map(|(_, status)| *status);
        let number = code.as_u64().or_else(|| code.as_str()?.parse().ok());
        let status = number.or_else(|| chunk["error"]["status_code"].as_u64()).or_else(of_kind);
        let status = status.and_then(|status| u16::try_from(status).ok()).filter(|status| (400..600).contains(status));
        if let Some(status) = status {
            return self.status(status, None, chunk.to_string().as_bytes());
        }
        let said = self.clean(&message(chunk));
        let hints = format!("{} {} {said}", code.as_str().unwrap_or_default(), kind.unwrap_or_default()).to_lowercase();
        if OVERFLOW.iter().any(|word| hints.contains(word)) {
            return ProviderError::ContextOverflow { detail: said }.into();
        }
        ProviderError::ServerFailed { provider: self.provider.into(), retry_after: None, detail: said }.into()
    }

    /// An answer that is no completion.
    pub fn unintelligible(&self, what: &str) -> Failure {
        ProviderError::Unintelligible { provider: self.provider.into(), detail: self.clean(what) }.into()
    }

    /// A successful answer whose body begins with neither an event nor JSON.
    pub fn not_an_api(&self, body: &[u8]) -> Failure {
        self.unintelligible(&plain_text(body))
    }

    /// A reply over one of its bounds.
    pub fn too_large(&self, what: &str) -> Failure {
        ProviderError::TooLarge { provider: self.provider.into(), detail: what.into() }.into()
    }

    /// One line of at most 300 characters, without secrets and control characters.
    pub fn clean(&self, text: &str) -> String {
        let mut text = text.to_string();
        for secret in self.secrets.iter().map(ExposeSecret::expose_secret).filter(|secret| secret.len() >= 4) {
            text = text.replace(secret, "[secret]");
        }
        let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
        let line = words.collect::<Vec<_>>().join(" ");
        let line = line.trim_end_matches('.');
        if line.chars().count() <= DETAIL_LIMIT {
            line.into()
        } else {
            line.chars().take(DETAIL_LIMIT).chain(['…']).collect()
        }
    }
}

/// The request field an error object names: `param` of OpenAI, the end of `loc` of FastAPI servers.
fn refused_field(json: &Value) -> Option<String> {
    let location = json["detail"][0]["loc"].as_array().and_then(|path| path.last());
    [Some(&json["error"]["param"]), location].into_iter().flatten().find_map(Value::as_str).map(str::to_string)
}

/// The sentence in an error object, wherever this server puts it.
fn message(json: &Value) -> String {
    let places = [
        &json["error"]["message"],
        &json["error"],
        &json["message"],
        &json["detail"],
        &json["detail"][0]["msg"],
        &json["msg"],
    ];
    match places.into_iter().find_map(Value::as_str) {
        Some(text) => text.into(),
        None => json.to_string(),
    }
}

fn plain_text(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.starts_with('<') { "an HTML page".into() } else { text.chars().take(10_000).collect() }
}

/// The pause a server asks for: `retry-after-ms`, or `retry-after` in seconds or as a date.
pub fn retry_after(header: impl Fn(&str) -> Option<String>) -> Option<Duration> {
    let number =
        |name: &str| header(name)?.trim().parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0);
    let until = || {
        let date = jiff::fmt::rfc2822::parse(header("retry-after")?.trim()).ok()?;
        Some((date.timestamp().as_second() - jiff::Timestamp::now().as_second()).max(0) as f64)
    };
    let seconds = number("retry-after-ms").map(|value| value / 1000.0).or_else(|| number("retry-after"));
    Some(Duration::from_secs_f64(seconds.or_else(until)?.min(86_400.0)))
}

/// The same in the body of an error of Google's: `"retryDelay": "34.5s"`.
fn retry_delay(json: &Value) -> Option<Duration> {
    let details = json["error"]["details"].as_array()?;
    let delay = details.iter().find_map(|detail| detail["retryDelay"].as_str())?;
    retry_after(|name| (name == "retry-after").then(|| delay.trim_end_matches('s').to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorClass;

    fn refuse(status: u16, body: &str) -> ProviderError {
        let secrets = ["sk-canary-123".to_string().into()];
        Refuser { provider: "acme", model: "m", has_key: true, secrets: &secrets }
            .status(status, None, body.as_bytes())
            .error
    }

    #[test]
    fn statuses_that_may_pass_are_of_the_retry_class_and_others_are_not() {
        for status in [408, 409, 425, 429, 500, 502, 503, 504, 529] {
            assert_eq!(refuse(status, "{}").class(), ErrorClass::Retry, "{status}");
        }
        for status in [400, 401, 402, 403, 404, 405, 422] {
            assert_eq!(refuse(status, "{}").class(), ErrorClass::Fatal, "{status}");
        }
    }

    #[test]
    fn an_overlong_conversation_is_recognised_in_the_words_of_each_server() {
        for (status, body) in [
            (
                400,
                r#"{"error":{"message":"This model's maximum context length is 8192 tokens.","code":"context_length_exceeded"}}"#,
            ),
            (
                400,
                r#"{"error":{"code":400,"message":"the request exceeds the available context size, try increasing it","type":"exceed_context_size_error"}}"#,
            ),
            (400, r#"{"object":"error","message":"This model's maximum context length is 4096 tokens"}"#),
            (400, r#"{"error":{"code":"1261","message":"Prompt exceeds max length"}}"#),
            (400, r#"{"error":{"message":"Invalid request: Your request exceeded model token limit: 8192"}}"#),
            (413, "too large"),
        ] {
            assert_eq!(refuse(status, body).class(), ErrorClass::ContextOverflow, "{body}");
        }
        assert_eq!(refuse(400, r#"{"error":{"message":"Unknown field"}}"#).class(), ErrorClass::Fatal);
    }

    #[test]
    fn an_empty_account_is_not_taken_for_a_rate_limit() {
        let body = r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota"}}"#;
        assert!(matches!(refuse(429, body), ProviderError::NoCredit { .. }));
        assert!(matches!(refuse(429, r#"{"error":{"message":"slow down"}}"#), ProviderError::RateLimited { .. }));
    }

    #[test]
    fn an_error_never_repeats_the_key_and_is_one_short_line() {
        let text = refuse(
            401,
            &format!(r#"{{"error":{{"message":"Incorrect key sk-canary-123\n\u001b[31m{}"}}}}"#, "x".repeat(5000)),
        )
        .to_string();
        assert!(!text.contains("canary") && !text.contains('\n') && !text.contains('\u{1b}'), "{text}");
        assert!(text.contains("[secret]") && text.len() < 600);
    }

    #[test]
    fn a_page_instead_of_an_error_object_is_named_as_such() {
        assert!(refuse(502, "<!DOCTYPE html><title>x</title>").to_string().contains("status 502: an HTML page"));
    }

    #[test]
    fn the_pause_a_server_asks_for_is_read_in_both_units() {
        let header =
            |name: &'static str, value: &'static str| move |asked: &str| (asked == name).then(|| value.to_string());
        assert_eq!(retry_after(header("retry-after", "2")), Some(Duration::from_secs(2)));
        assert_eq!(retry_after(header("retry-after-ms", "1500")), Some(Duration::from_millis(1500)));
        for odd in ["-1", "NaN", "soon", "Wed, 99 Oct 2026 07:28:00 GMT"] {
            assert_eq!(retry_after(header("retry-after", odd)), None);
        }
    }

    #[test]
    fn a_date_is_the_pause_until_then_and_a_past_one_is_none() {
        let date = |seconds: i64| {
            let then = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
            let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&then).unwrap();
            retry_after(|name| (name == "retry-after").then(|| date.clone())).unwrap().as_secs()
        };
        assert!((28..=30).contains(&date(30)));
        assert_eq!(date(-1_000), 0);
    }

    #[test]
    fn the_pause_in_an_error_of_google_is_read() {
        let body = r#"{"error":{"code":429,"message":"Quota","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.5s"}]}}"#;
        assert_eq!(refuse(429, body).retry_after(), Some(Duration::from_millis(34_500)));
    }
}
