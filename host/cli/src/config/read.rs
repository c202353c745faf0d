//! Reads the configuration file: JSON5, both spellings of keys, `${NAME}` references, strict keys.

use super::{Config, nanobot, out_of_range};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// Most bytes of a configuration file.
const MAX_BYTES: u64 = 1 << 20;
/// Deepest nesting of brackets: the reader of JSON5 recurses.
const DEEPEST: usize = 100;

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read or written.
    #[error("cannot use the configuration {file}: {reason}")]
    File {
        /// The file.
        file: String,
        /// Why, and what to do.
        reason: String,
    },
    /// Not JSON5.
    #[error("{file} is not valid JSON: {reason}; correct it there")]
    Syntax {
        /// The file.
        file: String,
        /// What the reader found, with its position.
        reason: String,
    },
    /// A key that does not exist.
    #[error("unknown key '{key}' in {file}; {advice}")]
    UnknownKey {
        /// The file.
        file: String,
        /// Dotted path of the key.
        key: String,
        /// The nearest key, or those that exist.
        advice: String,
    },
    /// A key of NanoBot.
    #[error("'{key}' in {file} is a NanoBot setting that Chiton does not have; remove it from the file")]
    NanoBot {
        /// The file.
        file: String,
        /// Dotted path of the key.
        key: String,
    },
    /// The same key in both spellings.
    #[error("'{key}' is in {file} twice, once in camelCase and once in snake_case; remove one of them")]
    Twice {
        /// The file.
        file: String,
        /// Dotted path of the key.
        key: String,
    },
    /// A value of the wrong type or out of range.
    #[error("the value of '{key}' in {file} is wrong: {reason}")]
    Value {
        /// The file.
        file: String,
        /// Dotted path of the key.
        key: String,
        /// What is expected.
        reason: String,
    },
    /// A reference to an environment variable that is not set.
    #[error(
        "'{key}' in {file} refers to ${{{variable}}}, which is not set; set that environment variable or correct the reference"
    )]
    Variable {
        /// The file.
        file: String,
        /// Dotted path of the key.
        key: String,
        /// The variable.
        variable: String,
    },
}

/// The file as it stands: keys in camelCase, references not resolved.
#[derive(Clone, Debug)]
pub struct Document {
    /// Where it is, or would be.
    pub path: PathBuf,
    /// Its content; an empty object when there is no file.
    pub value: Value,
    /// Whether it holds comments.
    pub comments: bool,
}

impl Document {
    /// Reads and checks the keys of the file at `path`, whose owner and mode the home has checked.
    /// No file is an empty configuration.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = match read_text(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(ConfigError::File {
                    file: path.display().to_string(),
                    reason: format!("{error}; replace it by a readable text file"),
                });
            }
        };
        Self::parse(path, &text)
    }

    /// Reads and checks the text of the file at `path`.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let wrong = |reason: String| ConfigError::Syntax { file: path.display().to_string(), reason };
        let value = match text.trim() {
            "" => Value::Object(Map::new()),
            _ if nesting(text) > DEEPEST => return Err(wrong(format!("brackets are nested deeper than {DEEPEST}"))),
            _ => json5::from_str(text).map_err(|error| wrong(error.to_string()))?,
        };
        let mut document = Self { path: path.to_owned(), value, comments: has_comments(text) };
        document.check_keys()?;
        Ok(document)
    }

    /// Brings every key to camelCase and refuses the ones that do not exist.
    pub fn check_keys(&mut self) -> Result<(), ConfigError> {
        let schema = super::schema();
        let mut value = std::mem::take(&mut self.value);
        let checked = Keys { file: self.name() }.check(&mut value, &schema, "");
        self.value = value;
        checked
    }

    /// The configuration, with every reference resolved in the environment.
    pub fn config(&self) -> Result<Config, ConfigError> {
        self.config_with(&|name| std::env::var(name).ok())
    }

    /// The configuration, with references resolved by `lookup`.
    pub fn config_with(&self, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
        let mut value = self.value.clone();
        self.resolve(&mut value, "", lookup)?;
        let wrong = |key: String, reason: String| ConfigError::Value { file: self.name(), key, reason };
        let config: Config = serde_path_to_error::deserialize(value).map_err(|error| {
            let key = error.path().to_string();
            let names: Vec<String> = error.path().iter().map(ToString::to_string).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let reason = match super::edit::is_secret_at(&names) {
                true => "it must be text".to_owned(),
                false => error.inner().to_string(),
            };
            wrong(key, reason)
        })?;
        match out_of_range(&config) {
            Some((key, rule)) => Err(wrong(format!("agents.defaults.{key}"), format!("it must be {rule}"))),
            None => Ok(config),
        }
    }

    fn resolve(
        &self,
        value: &mut Value,
        path: &str,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(), ConfigError> {
        match value {
            Value::String(text) if text.contains("${") => {
                *text = expand(text, lookup).map_err(|variable| ConfigError::Variable {
                    file: self.name(),
                    key: path.to_owned(),
                    variable,
                })?;
                Ok(())
            }
            Value::Object(map) => {
                map.iter_mut().try_for_each(|(key, inner)| self.resolve(inner, &join(path, key), lookup))
            }
            Value::Array(items) => items
                .iter_mut()
                .enumerate()
                .try_for_each(|(index, inner)| self.resolve(inner, &join(path, &index.to_string()), lookup)),
            _ => Ok(()),
        }
    }

    /// The file's name for messages.
    pub fn name(&self) -> String {
        self.path.display().to_string()
    }
}

fn read_text(path: &Path) -> std::io::Result<String> {
    use std::io::{Error, Read};
    let file = std::fs::File::open(path)?;
    if file.metadata()?.len() > MAX_BYTES {
        return Err(Error::other("it is larger than 1 MiB"));
    }
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

struct Keys {
    file: String,
}

impl Keys {
    fn check(&self, value: &mut Value, schema: &Value, path: &str) -> Result<(), ConfigError> {
        let Value::Object(map) = value else { return Ok(()) };
        if let Some(known) = schema.get("properties").and_then(Value::as_object) {
            let mut named = Map::new();
            for (key, mut inner) in std::mem::take(map) {
                let name = camel_case(&key);
                let full = join(path, &name);
                let Some(schema) = known.get(&name) else {
                    return Err(self.unknown(&full, &join(path, &key), known));
                };
                self.check(&mut inner, schema, &full)?;
                if named.insert(name, inner).is_some() {
                    return Err(ConfigError::Twice { file: self.file.clone(), key: full });
                }
            }
            *map = named;
        } else if let Some(schema) = schema.get("additionalProperties").filter(|schema| schema.is_object()) {
            for (key, inner) in map.iter_mut() {
                let full = join(path, key);
                let camel = join(path, &camel_case(key));
                if nanobot::knows(&camel) {
                    return Err(self.foreign(full));
                }
                self.check(inner, schema, &full)?;
            }
        }
        Ok(())
    }

    fn foreign(&self, key: String) -> ConfigError {
        ConfigError::NanoBot { file: self.file.clone(), key }
    }

    fn unknown(&self, camel: &str, written: &str, known: &Map<String, Value>) -> ConfigError {
        if nanobot::knows(camel) {
            return self.foreign(written.to_owned());
        }
        let name = camel.rsplit('.').next().unwrap_or(camel);
        let advice = match nearest(name, known.keys().map(String::as_str)) {
            Some(near) => format!("did you mean '{near}'?"),
            None => {
                let names: Vec<_> = known.keys().map(String::as_str).collect();
                format!("the keys there are {}", names.join(", "))
            }
        };
        ConfigError::UnknownKey { file: self.file.clone(), key: written.to_owned(), advice }
    }
}

/// The candidate that `name` is most likely a misspelling of.
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    candidates
        .map(|candidate| (strsim::jaro_winkler(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

fn join(path: &str, key: &str) -> String {
    match path {
        "" => key.to_owned(),
        _ => format!("{path}.{key}"),
    }
}

/// `max_tokens` as `maxTokens`; anything else as it is.
pub fn camel_case(key: &str) -> String {
    let mut words = key.split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    if name.is_empty() {
        return key.to_owned();
    }
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

/// Replaces every `${NAME}`; an error is the name that is not set.
fn expand(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else { break };
        expanded.push_str(before);
        expanded.push_str(&lookup(name).ok_or_else(|| name.to_owned())?);
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// How deep brackets are nested, those in text and comments included.
fn nesting(text: &str) -> usize {
    let (mut open, mut deepest) = (0_usize, 0);
    for letter in text.bytes() {
        match letter {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

/// Whether JSON5 text holds a comment outside its strings.
fn has_comments(text: &str) -> bool {
    let mut letters = text.chars().peekable();
    let mut quote = None;
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(_), '\\') => drop(letters.next()),
            (Some(open), close) if open == close => quote = None,
            (None, '"' | '\'') => quote = Some(letter),
            (None, '/') if matches!(letters.peek(), Some('/' | '*')) => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn read(text: &str) -> Result<Config, String> {
        let document = Document::parse(Path::new("config.json"), text).map_err(|error| error.to_string())?;
        let environment = |name: &str| (name == "KEY").then(|| "secret".to_owned());
        document.config_with(&environment).map_err(|error| error.to_string())
    }

    fn refusal(text: &str) -> String {
        read(text).err().unwrap_or_else(|| panic!("{text} was accepted"))
    }

    #[test]
    fn nothing_set_means_the_defaults() {
        let config = read("").unwrap();
        assert_eq!(config.agents.defaults.max_tool_iterations, 20);
        assert_eq!(config.agents.defaults.provider, "auto");
    }

    #[test]
    fn json5_with_comments_and_both_spellings_is_read() {
        let config = read("{ // mine\n agents: { defaults: { max_tokens: 10, maxToolIterations: 7, }, }, }").unwrap();
        assert_eq!(config.agents.defaults.max_tokens, 10);
        assert_eq!(config.agents.defaults.max_tool_iterations, 7);
    }

    #[test]
    fn references_are_taken_from_the_environment() {
        let config =
            read(r#"{"providers": {"my_own": {"api_key": "${KEY}", "apiBase": "http://localhost/${KEY}/v1"}}}"#);
        let config = config.unwrap();
        let provider = &config.providers["my_own"];
        assert_eq!(provider.api_key.as_ref().unwrap().expose_secret(), "secret");
        assert_eq!(provider.api_base.as_deref(), Some("http://localhost/secret/v1"));
    }

    #[test]
    fn every_mistake_is_named_with_its_path_and_a_way_out() {
        let table = [
            (
                r#"{"agents": {"defaults": {"modle": "x"}}}"#,
                "unknown key 'agents.defaults.modle' in config.json; did you mean 'model'?",
            ),
            (r#"{"agnets": {}}"#, "unknown key 'agnets' in config.json; did you mean 'agents'?"),
            (
                r#"{"zzz": 1}"#,
                "unknown key 'zzz' in config.json; the keys there are agents, providers, gateway, modelPresets, prices, tools, secrets",
            ),
            (
                r#"{"providers": {"x": {"apikey": "k"}}}"#,
                "unknown key 'providers.x.apikey' in config.json; did you mean 'apiKey'?",
            ),
            (
                r#"{"channels": {"telegram": {}}}"#,
                "'channels' in config.json is a NanoBot setting that Chiton does not have; remove it from the file",
            ),
            (
                r#"{"tools": {"restrictToWorkspace": true}}"#,
                "'tools.restrictToWorkspace' in config.json is a NanoBot setting that Chiton does not have; remove it from the file",
            ),
            (
                r#"{"tools": {"exec": {"timeout": 5}}}"#,
                "'tools.exec.timeout' in config.json is a NanoBot setting that Chiton does not have; remove it from the file",
            ),
            (
                r#"{"agents": {"defaults": {"max_tokens": 1, "maxTokens": 2}}}"#,
                "'agents.defaults.maxTokens' is in config.json twice, once in camelCase and once in snake_case; remove one of them",
            ),
            (
                r#"{"agents": {"defaults": {"maxTokens": "many"}}}"#,
                "the value of 'agents.defaults.maxTokens' in config.json is wrong: invalid type: string \"many\", expected u32",
            ),
            (
                r#"{"agents": {"defaults": {"maxToolIterations": 500}}}"#,
                "the value of 'agents.defaults.maxToolIterations' in config.json is wrong: it must be between 1 and 200",
            ),
            (
                r#"{"agents": {"defaults": {"timezone": "Mars/Base"}}}"#,
                "the value of 'agents.defaults.timezone' in config.json is wrong: it must be an IANA time zone such as Europe/Paris",
            ),
            (
                r#"{"providers": {"x": {"apiKey": "${NOPE}"}}}"#,
                "'providers.x.apiKey' in config.json refers to ${NOPE}, which is not set; set that environment variable or correct the reference",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(refusal(text), expected);
        }
        assert!(refusal("{").starts_with("config.json is not valid JSON: "));
        assert!(refusal(&"[".repeat(100_000)).contains("nested deeper than 100"));
    }

    #[test]
    fn cred_04_a_key_of_the_wrong_type_is_not_repeated() {
        let message = refusal(r#"{"providers": {"x": {"apiKey": 12345678}}}"#);
        assert!(!message.contains("1234"), "{message}");
        let message = refusal(r#"{"providers": {"x.y": {"apiKey": 12345678}}}"#);
        assert!(!message.contains("1234"), "{message}");
    }

    #[test]
    fn comments_are_told_from_text() {
        assert!(has_comments("{ /* a */ }"));
        assert!(!has_comments(r#"{"url": "http://host", 'b': 'it\'s // none'}"#));
    }
}
