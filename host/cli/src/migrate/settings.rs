//! Brings settings over.

use super::{Fate, Report, Source, Target};
use crate::config;
use crate::exit::Failure;
use serde_json::Value;

const DEFAULTS: [&str; 12] = [
    "modelPreset",
    "fallbackModels",
    "disabledSkills",
    "idleCompactAfterMinutes",
    "model",
    "provider",
    "maxTokens",
    "contextWindowTokens",
    "temperature",
    "maxToolIterations",
    "maxToolResultChars",
    "timezone",
];
const PRESET: [&str; 5] = ["model", "provider", "maxTokens", "contextWindowTokens", "temperature"];
const HEARTBEAT: [&str; 2] = ["enabled", "intervalS"];
const PROVIDER: [&str; 4] = ["apiKey", "apiBase", "extraHeaders", "extraBody"];
/// Why a setting is left out, by how its key begins.
const REASONS: [(&str, &str); 9] = [
    ("agents.defaults.workspace", "what is brought of it goes into Chiton's workspace"),
    ("agents.defaults.timezoneMode", "a time zone that is set holds, and else the machine's"),
    ("agents.defaults.timezone", "Chiton follows the time zone of the machine, as NanoBot did"),
    ("channels", "Chiton does not have NanoBot's channels yet"),
    ("tools.mcpServers", "Chiton's tools are components; see `chiton tool approve`"),
    ("tools.restrictToWorkspace", "Chiton's tools never leave the workspace without a grant"),
    ("tools.exec", "commands run inside the sandbox; see `chiton grant`"),
    ("tools.", "see `chiton grant list` for what tools may touch"),
    ("", "Chiton has no such setting"),
];

/// NanoBot's configuration, with keys in camelCase; null where there is none that can be read.
pub fn read(source: &Source, report: &mut Report) -> Value {
    let Some(bytes) = report.read("config.json", source.read("config.json")) else { return Value::Null };
    let text = String::from_utf8_lossy(&bytes);
    let parsed = if text.len() <= 1 << 20 { json5::from_str(&text).ok() } else { None };
    let mut value = parsed.unwrap_or_else(|| {
        report.add(Fate::Left, "config.json", "it is not valid JSON");
        Value::Null
    });
    camel_case(&mut value, 4);
    value
}

/// Writes the settings that Chiton has.
pub fn bring(theirs: &Value, target: &Target, report: &mut Report) -> Result<(), Failure> {
    let mut found = Vec::new();
    collect(theirs, &mut Vec::new(), &mut found);
    let before = &target.document;
    let mut document = before.clone();
    for (names, value) in found {
        let key = names.join(".");
        let ours = names.iter().try_fold(&before.value, |value, name| value.get(name));
        let automatic = key.ends_with(".timezone") && theirs["agents"]["defaults"]["timezoneMode"] == "auto";
        if automatic || !is_ours(&names) {
            let reason = REASONS.iter().find(|(beginning, _)| key.starts_with(beginning)).map_or("", |(_, why)| why);
            report.add(Fate::Left, key, reason);
        } else if ours.is_some() {
            report.add(Fate::Kept, key, "it is set already");
        } else if before.comments {
            report.add(Fate::Left, key, format!("{} has comments, which would be lost", before.name()));
        } else if names.iter().any(|name| name.contains('.')) {
            report.add(Fate::Left, key, "its name has a dot");
        } else {
            match config::changed(&document, &key, value.clone()) {
                Err(error) => report.add(Fate::Left, key, error.to_string()),
                Ok(changed) => {
                    document = changed;
                    report.add(Fate::Brought, &key, "");
                    if config::is_secret(&key) && !is_harmless(value) {
                        let why = "a secret was copied as plain text; better set a reference such as ${NAME}";
                        report.add(Fate::Warning, key, why);
                    }
                }
            }
        }
    }
    if let Err(error) = document.config() {
        report.add(Fate::Warning, "config.json", error.to_string());
    }
    if target.host.is_some() && document.value != before.value {
        config::save(&document)?;
    }
    Ok(())
}

fn is_ours(names: &[String]) -> bool {
    match names.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["agents", "defaults", key] => DEFAULTS.contains(&key),
        ["providers", _, key] => PROVIDER.contains(&key),
        ["modelPresets", _, key] => PRESET.contains(&key),
        ["gateway", "heartbeat", key] => HEARTBEAT.contains(&key),
        _ => false,
    }
}

fn is_harmless(value: &Value) -> bool {
    match value {
        Value::String(text) => config::is_reference(text),
        Value::Object(map) => map.values().all(is_harmless),
        _ => false,
    }
}

/// Every setting that says something, with the names on the way to it.
fn collect<'v>(value: &'v Value, names: &mut Vec<String>, found: &mut Vec<(Vec<String>, &'v Value)>) {
    let path: Vec<&str> = names.iter().map(String::as_str).collect();
    let is_group = matches!(
        path[..],
        [] | ["agents" | "providers" | "tools" | "channels" | "modelPresets" | "gateway"]
            | ["agents", "defaults"]
            | ["gateway", "heartbeat"]
            | ["providers" | "tools" | "modelPresets", _]
    );
    match value {
        Value::Object(map) if is_group => {
            for (name, inner) in map {
                names.push(name.clone());
                collect(inner, names, found);
                names.pop();
            }
        }
        Value::Object(map) if matches!(path[..], ["channels", _]) && map.get("enabled") != Some(&Value::Bool(true)) => {
        }
        value if *value == Value::Null || *value == "" || is_empty(value) => {}
        value => found.push((names.clone(), value)),
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(serde_json::Map::is_empty)
}

/// Brings keys to camelCase, but for the names of providers and what is below their settings.
fn camel_case(value: &mut Value, depth: usize) {
    let Value::Object(map) = value else { return };
    for (key, mut inner) in std::mem::take(map) {
        let own = depth == 3 && inner.is_object() && key != "defaults";
        camel_case(&mut inner, depth.saturating_sub(1));
        map.insert(if depth <= 1 || own { key } else { config::camel_case(&key) }, inner);
    }
}
