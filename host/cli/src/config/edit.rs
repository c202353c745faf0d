//! Shows and changes single keys of the configuration file.

use super::{Config, ConfigError, Document, read::camel_case};
use serde_json::{Map, Value};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// What is shown in place of a secret.
const MASK: &str = "********";

/// Whether the value at this dotted key is a secret.
pub fn is_secret(key: &str) -> bool {
    is_secret_at(&key.split('.').collect::<Vec<_>>())
}

/// The same for the names on the way to the value, which may have dots of their own.
pub(super) fn is_secret_at(names: &[&str]) -> bool {
    matches!(names, ["providers", _, "apiKey" | "extraHeaders", ..] | ["secrets", _])
}

/// Whether text is a reference to the environment and nothing else.
pub fn is_reference(text: &str) -> bool {
    let name = text.strip_prefix("${").and_then(|text| text.strip_suffix('}'));
    name.is_some_and(|name| !name.contains(['$', '{', '}']))
}

/// The value at a dotted key (the whole for an empty key), defaults filled in and secrets masked.
pub fn get(document: &Document, key: &str) -> Result<Value, ConfigError> {
    let mut effective = serde_json::to_value(Config::default()).unwrap_or_default();
    merge(&mut effective, document.value.clone());
    mask(&mut effective, &[]);
    if key.is_empty() {
        return Ok(effective);
    }
    known(document, key)?;
    let found = segments(key).iter().try_fold(&effective, |value, name| match value {
        Value::Array(items) => name.parse::<usize>().ok().and_then(|index| items.get(index)),
        _ => value.get(name),
    });
    Ok(found.cloned().unwrap_or(Value::Null))
}

/// Sets the value at a dotted key, or removes it for `Null`, and writes the file if it still is
/// a good configuration. References are not resolved: they may be set later.
pub fn set(document: &mut Document, key: &str, value: Value) -> Result<(), ConfigError> {
    let changed = changed(document, key, value)?;
    save(&changed)?;
    *document = changed;
    Ok(())
}

/// The document with the value at a dotted key set, or removed for `Null`, if it still is a good configuration.
pub fn changed(document: &Document, key: &str, value: Value) -> Result<Document, ConfigError> {
    known(document, key)?;
    let mut changed = document.clone();
    let path = segments(key);
    match value {
        Value::Null => remove(&mut changed.value, &path),
        value => insert(&mut changed.value, &path, value),
    }
    changed.check_keys()?;
    changed.config_with(&|name| std::env::var(name).ok().or_else(|| Some(format!("${{{name}}}"))))?;
    changed.comments = false;
    Ok(changed)
}

/// The value for a key, from text: as it is where text belongs, else as JSON.
pub fn from_text(key: &str, text: &str) -> Value {
    let schema = super::schema();
    let found = segments(key).iter().try_fold(&schema, |schema, name| {
        schema
            .get("properties")
            .and_then(|properties| properties.get(name))
            .or_else(|| schema.get("additionalProperties").filter(|any| any.is_object()))
    });
    let kind = found.and_then(|schema| schema.get("type"));
    let textual = match kind {
        Some(Value::String(kind)) => kind == "string",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "string"),
        _ => false,
    };
    match json5::from_str(text) {
        Ok(Value::Null) => Value::Null,
        Ok(value) if !textual => value,
        _ => Value::String(text.to_owned()),
    }
}

/// Refuses a dotted key that no configuration can have.
fn known(document: &Document, key: &str) -> Result<(), ConfigError> {
    let mut probe = Document { path: document.path.clone(), value: Value::Object(Map::new()), comments: false };
    insert(&mut probe.value, &segments(key), Value::Null);
    probe.check_keys()
}

fn segments(key: &str) -> Vec<String> {
    let parts: Vec<_> = key.split('.').collect();
    let own_name = |index: usize| match parts[0] {
        "providers" | "tools" => index == 1 || index >= 3,
        "secrets" => index == 1,
        _ => false,
    };
    let spelled = |(index, part): (usize, &&str)| match own_name(index) {
        true => (*part).to_owned(),
        false => camel_case(part),
    };
    parts.iter().enumerate().map(spelled).collect()
}

fn insert(value: &mut Value, path: &[String], new: Value) {
    let Some((first, rest)) = path.split_first() else {
        *value = new;
        return;
    };
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    if let Value::Object(map) = value {
        insert(map.entry(first.clone()).or_insert(Value::Null), rest, new);
    }
}

fn remove(value: &mut Value, path: &[String]) {
    let (Some((first, rest)), Value::Object(map)) = (path.split_first(), value) else { return };
    match map.get_mut(first) {
        Some(inner) if !rest.is_empty() => remove(inner, rest),
        _ => drop(map.remove(first)),
    }
}

fn merge(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                merge(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over,
    }
}

/// Hides every secret below these names; references are no secrets.
fn mask(value: &mut Value, names: &[&str]) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map.iter_mut() {
                mask(inner, &[names, &[name.as_str()]].concat());
            }
        }
        Value::Null => {}
        Value::String(text) if is_reference(text) => {}
        _ if is_secret_at(names) => *value = MASK.into(),
        _ => {}
    }
}

/// Writes the file.
pub fn save(document: &Document) -> Result<(), ConfigError> {
    replace_file(&document.path, &document.value)
        .map_err(|error| ConfigError::File { file: document.name(), reason: format!("{error}; nothing was changed") })
}

fn replace_file(target: &Path, value: &Value) -> std::io::Result<()> {
    let directory = target.parent().unwrap_or(Path::new("."));
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let staged = directory.join(format!(".{name}.{}", std::process::id()));
    let written = (|| {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&staged)?;
        serde_json::to_writer_pretty(&mut file, value)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::rename(&staged, target)?;
        std::fs::File::open(directory)?.sync_all()
    })();
    if written.is_err() {
        std::fs::remove_file(&staged).ok();
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty(directory: &Path) -> Document {
        Document::read(&directory.join("config.json")).unwrap()
    }

    #[test]
    fn a_key_that_was_set_is_there_and_the_rest_stays() {
        let home = tempfile::tempdir().unwrap();
        let mut document = empty(home.path());
        set(&mut document, "providers.my_own.apiBase", "http://localhost/v1".into()).unwrap();
        set(&mut document, "agents.defaults.max_tokens", 12.into()).unwrap();
        let again = empty(home.path());
        assert_eq!(get(&again, "agents.defaults.maxTokens").unwrap(), 12);
        assert_eq!(get(&again, "providers.my_own.api_base").unwrap(), "http://localhost/v1");
        assert_eq!(get(&again, "agents.defaults.provider").unwrap(), "auto");
    }

    #[test]
    fn loc_01_the_file_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        set(&mut empty(home.path()), "agents.defaults.model", "m".into()).unwrap();
        let mode = home.path().join("config.json").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_wrong_value_changes_nothing() {
        let home = tempfile::tempdir().unwrap();
        let mut document = empty(home.path());
        set(&mut document, "agents.defaults.maxTokens", 12.into()).unwrap();
        let before = std::fs::read(home.path().join("config.json")).unwrap();
        assert!(set(&mut document, "agents.defaults.maxTokens", "x".into()).is_err());
        assert!(set(&mut document, "agents.defaults.nope", 1.into()).is_err());
        assert_eq!(std::fs::read(home.path().join("config.json")).unwrap(), before);
    }

    #[test]
    fn cred_10_secrets_are_masked_and_references_are_shown() {
        let home = tempfile::tempdir().unwrap();
        let mut document = empty(home.path());
        set(&mut document, "providers.a.apiKey", "sk-hidden".into()).unwrap();
        set(&mut document, "providers.b.apiKey", "${KEY_B}".into()).unwrap();
        set(&mut document, "providers.a.extraHeaders.X-Token", "hidden-too".into()).unwrap();
        let shown = get(&document, "").unwrap().to_string();
        assert!(!shown.contains("hidden"), "{shown}");
        assert!(shown.contains("${KEY_B}"));
        assert_eq!(get(&document, "providers.a.apiKey").unwrap(), MASK);
    }

    #[test]
    fn cred_10_neither_dots_in_a_name_nor_braces_in_a_secret_show_it() {
        let home = tempfile::tempdir().unwrap();
        let mut document = empty(home.path());
        document.value = serde_json::json!({
            "providers": {"a.b": {"apiKey": "hidden"}},
            "secrets": {"c.d": "hidden", "E": "${F}hidden${G}"},
        });
        let shown = get(&document, "").unwrap().to_string();
        assert!(!shown.contains("hidden"), "{shown}");
    }

    #[test]
    fn names_of_secrets_and_of_settings_stay_as_they_are() {
        let home = tempfile::tempdir().unwrap();
        let mut document = empty(home.path());
        set(&mut document, "secrets.API_KEY", "${API_KEY}".into()).unwrap();
        set(&mut document, "tools.web.environment.SEARXNG_URL", "http://localhost".into()).unwrap();
        assert_eq!(document.value["secrets"]["API_KEY"], "${API_KEY}");
        assert_eq!(document.value["tools"]["web"]["environment"]["SEARXNG_URL"], "http://localhost");
    }

    #[test]
    fn text_for_a_key_becomes_what_belongs_there() {
        assert_eq!(from_text("agents.defaults.model", "12"), "12");
        assert_eq!(from_text("agents.defaults.maxTokens", "12"), 12);
        assert_eq!(from_text("tools.file.grants", "['files=/a:read']"), serde_json::json!(["files=/a:read"]));
        assert_eq!(from_text("agents.defaults.model", "null"), Value::Null);
    }
}
