//! Chat messages as they are kept and sent: JSON in the shape of the OpenAI chat API.

use serde::{Deserialize, Deserializer};
use serde_json::json;
use std::sync::Arc;

/// A call that an assistant message asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) id: String,
    pub(crate) name: String,
    /// JSON text of the arguments, as the model wrote them.
    pub(crate) arguments: String,
}

/// The parts of a kept message that a resumed turn looks at.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Kept {
    #[serde(default)]
    pub(crate) role: String,
    /// The text, of several parts put together.
    #[serde(default, deserialize_with = "text")]
    pub(crate) content: Option<String>,
    #[serde(default)]
    pub(crate) tool_call_id: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<KeptCall>>,
}

#[derive(Debug, Deserialize)]
struct KeptCall {
    id: String,
    function: KeptFunction,
}

#[derive(Debug, Deserialize)]
struct KeptFunction {
    name: String,
    arguments: String,
}

/// Content is a text, or parts of which some are text.
fn text<'de, D: Deserializer<'de>>(content: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Content {
        Text(String),
        Parts(Vec<Part>),
    }
    #[derive(Deserialize)]
    struct Part {
        #[serde(default)]
        text: String,
    }
    Ok(Option::<Content>::deserialize(content)?.map(|content| match content {
        Content::Text(text) => text,
        Content::Parts(parts) => parts.into_iter().map(|part| part.text).collect(),
    }))
}

impl Kept {
    /// Reads a kept message; one that cannot be read has no role.
    pub(crate) fn of(message: &str) -> Self {
        serde_json::from_str(message).unwrap_or_default()
    }

    pub(crate) fn asked(self) -> Vec<Asked> {
        let calls = self.tool_calls.unwrap_or_default().into_iter();
        calls.map(|call| Asked { id: call.id, name: call.function.name, arguments: call.function.arguments }).collect()
    }
}

fn message(role: &str, content: &str) -> Arc<str> {
    json!({"role": role, "content": content}).to_string().into()
}

pub(crate) fn system(content: &str) -> Arc<str> {
    message("system", content)
}

pub(crate) fn user(content: &str) -> Arc<str> {
    message("user", content)
}

pub(crate) fn assistant(content: &str) -> Arc<str> {
    message("assistant", content)
}

pub(crate) fn tool(id: &str, content: &str) -> Arc<str> {
    json!({"role": "tool", "tool_call_id": id, "content": content}).to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_a_kept_message_are_found_again() {
        let kept = Kept::of(
            r#"{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"grep","arguments":"{\"x\":1}"}}]}"#,
        );
        assert_eq!(kept.role, "assistant");
        assert_eq!(kept.asked(), [Asked { id: "a".into(), name: "grep".into(), arguments: "{\"x\":1}".into() }]);
    }

    #[test]
    fn parts_of_a_message_are_one_text() {
        let kept =
            Kept::of(r#"{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url"},{"text":"b"}]}"#);
        assert_eq!((kept.role.as_str(), kept.content.as_deref()), ("user", Some("ab")));
    }

    #[test]
    fn a_message_without_calls_has_none() {
        assert!(Kept::of(r#"{"role":"assistant","content":"hi","tool_calls":null}"#).asked().is_empty());
        assert_eq!(Kept::of("not json").role, "");
    }
}
