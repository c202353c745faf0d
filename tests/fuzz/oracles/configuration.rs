//! A configuration that is accepted has only known keys, reads back to itself, and never shows a secret.

use std::path::Path;

use serde_json::Value;

use crate::config::{Document, get};

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let parse = |text: &str| Document::parse(Path::new("config.json"), text);
    let document = match parse(text) {
        Ok(document) => document,
        Err(error) => return assert!(error.to_string().contains("config.json"), "{error}"),
    };
    let known = |key: &String| ["agents", "providers", "tools", "secrets"].contains(&key.as_str());
    assert!(document.value.as_object().is_none_or(|keys| keys.keys().all(known)), "{}", document.value);
    let written = document.value.to_string();
    let again = parse(&written).unwrap_or_else(|error| panic!("{written}: {error}"));
    assert_eq!(again.value.to_string(), written, "of {text:?}");

    let lookup = |name: &str| (name == "KEY").then(|| "looked-up".to_owned());
    if let Err(error) = document.config_with(&lookup) {
        return assert!(error.to_string().contains("config.json"), "{error}");
    }
    let shown = get(&document, "").unwrap_or_else(|error| panic!("{error}"));
    for secret in secrets(&shown) {
        assert!(secret == "********" || is_reference(secret), "{secret:?} is shown of {text:?}");
    }
}

/// Every text in a place for secrets.
fn secrets(shown: &Value) -> Vec<&str> {
    let mut found = each(shown.get("secrets"));
    for provider in each(shown.get("providers")) {
        found.extend(provider.get("apiKey"));
        found.extend(each(provider.get("extraHeaders")));
    }
    found.into_iter().filter_map(Value::as_str).collect()
}

fn each(object: Option<&Value>) -> Vec<&Value> {
    object.and_then(Value::as_object).map(|entries| entries.values().collect()).unwrap_or_default()
}

fn is_reference(text: &str) -> bool {
    let name = text.strip_prefix("${").and_then(|text| text.strip_suffix('}'));
    name.is_some_and(|name| !name.contains(['$', '{', '}']))
}
