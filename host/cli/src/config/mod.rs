//! The configuration: every key, what it means, and what holds when it is not set.

mod budgets;
mod edit;
mod nanobot;
mod read;

pub use budgets::{Budgets, Gateway};
pub use edit::{changed, from_text, get, is_reference, is_secret, save, set};
pub use read::{ConfigError, Document, camel_case, nearest};

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::num::NonZeroU32;

/// The whole file. Keys are written in camelCase and read in snake_case too.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// The agent.
    pub agents: Agents,
    /// Model providers by name. A name that is not a known vendor is an OpenAI-compatible server.
    #[schemars(with = "BTreeMap<String, Provider>")]
    pub providers: BTreeMap<String, Provider>,
    /// What the bot does by itself.
    pub gateway: Gateway,
    /// Models with settings of their own, by the name under which they are chosen.
    pub model_presets: BTreeMap<String, Preset>,
    /// Prices by `PROVIDER/MODEL` or model; they come before those that are built in.
    pub prices: BTreeMap<String, Price>,
    /// Grants of tools, by the name of their component (such as `file`).
    pub tools: BTreeMap<String, Tool>,
    /// Secrets by name. A tool never sees them: the host adds them to requests that a `secrets` grant names.
    #[schemars(with = "BTreeMap<String, SecretShape>")]
    pub secrets: BTreeMap<String, Secret>,
}

/// One secret.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "a secret is text, better a reference such as \"${GITHUB_TOKEN}\", or {\"file\": \"PATH\"}"
)]
pub enum Secret {
    /// The value itself, or a reference to the environment.
    Value(SecretString),
    /// Kept in a file.
    File(SecretFile),
}

/// A secret that is kept in a file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretFile {
    /// The file; a leading `~` is the user's home. Read whenever the secret is used.
    pub file: String,
}

/// How [`Secret`] is written.
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "only its schema is used")]
enum SecretShape {
    Value(String),
    File { file: String },
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(_) => serializer.serialize_str(""),
            Self::File(place) => serializer.serialize_str(&place.file),
        }
    }
}

/// The agent's settings.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Agents {
    /// What holds unless a session says otherwise.
    pub defaults: Defaults,
}

/// What holds unless a session says otherwise. The values in `Default` are the documented defaults.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Defaults {
    /// The directory that the bot works in; not set: `workspace` in the home.
    pub workspace: Option<String>,
    /// The model, as its provider names it; `PROVIDER/MODEL` chooses the provider as well.
    pub model: Option<String>,
    /// The provider's name, or `auto` to take it from the model and the keys that are set.
    pub provider: String,
    /// The name of a preset; it comes before `model` and `provider`.
    pub model_preset: Option<String>,
    /// Whom to ask in this order when the model fails: names of presets, `PROVIDER/MODEL`, or presets written here.
    pub fallback_models: Vec<FallbackModel>,
    /// Most tokens of one answer.
    #[schemars(range(min = 1))]
    pub max_tokens: u32,
    /// Tokens that the model can read at once, the answer included.
    #[schemars(range(min = 4096))]
    pub context_window_tokens: u32,
    /// Sampling temperature; not set: what the provider prefers.
    #[schemars(range(min = 0.0, max = 2.0))]
    pub temperature: Option<f32>,
    /// Most rounds of tool calls in one turn.
    #[schemars(range(min = 1, max = 200))]
    pub max_tool_iterations: u32,
    /// Most characters of a tool's result that the model sees.
    #[schemars(range(min = 500))]
    pub max_tool_result_chars: u32,
    /// IANA time zone of the owner, such as `Europe/Paris`; not set: the system's.
    pub timezone: Option<String>,
    /// Names of skills that are not used.
    pub disabled_skills: Vec<String>,
    /// Minutes without a message after which a conversation is gone through for lasting facts; 0: never.
    pub idle_compact_after_minutes: u32,
    /// When a session begins anew by itself. What was said stays searchable.
    pub session_reset: SessionReset,
    /// Which sessions are kept.
    pub session_retention: SessionRetention,
    /// What may be spent; checked before each request.
    pub budgets: Budgets,
}

/// Which sessions are kept; those that go are removed with all that was said in them.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SessionRetention {
    /// Those that changed in the last so many days; 0: however old.
    pub days: u32,
    /// At most so many.
    #[schemars(range(min = 1))]
    pub most: u32,
}

impl Default for SessionRetention {
    fn default() -> Self {
        Self { days: 730, most: 5_000 }
    }
}

/// When a session begins anew by itself.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SessionReset {
    /// After so many minutes without a message; 0: never.
    pub idle_minutes: u32,
    /// At this hour of the owner's day; not set: never.
    #[schemars(range(min = 0, max = 23))]
    pub daily_at_hour: Option<u8>,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            workspace: None,
            model: None,
            provider: "auto".to_owned(),
            model_preset: None,
            fallback_models: Vec::new(),
            max_tokens: 8_192,
            context_window_tokens: 200_000,
            temperature: None,
            max_tool_iterations: 20,
            max_tool_result_chars: 16_000,
            timezone: None,
            disabled_skills: Vec::new(),
            idle_compact_after_minutes: 15,
            session_reset: SessionReset::default(),
            session_retention: SessionRetention::default(),
            budgets: Budgets::default(),
        }
    }
}

/// A model with settings of its own; what is not set here is as in `agents.defaults`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Preset {
    /// The model.
    pub model: String,
    /// The provider's name; not set or `auto`: taken from the model.
    pub provider: Option<String>,
    /// Most tokens of one answer.
    pub max_tokens: Option<NonZeroU32>,
    /// Tokens that the model can read at once.
    pub context_window_tokens: Option<NonZeroU32>,
    /// Sampling temperature.
    #[schemars(range(min = 0.0, max = 2.0))]
    pub temperature: Option<f32>,
}

/// One model to ask when another one fails.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "a model is the name of a preset, PROVIDER/MODEL, or {\"model\": NAME} with the keys of a preset"
)]
pub enum FallbackModel {
    /// A preset or `PROVIDER/MODEL`.
    Named(String),
    /// A preset without a name.
    Inline(Preset),
}

/// What a model costs, in US dollars for a million tokens.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Price {
    /// Tokens that are read.
    pub input: f64,
    /// Tokens that are read from the provider's cache; not set: as `input`.
    pub cached: Option<f64>,
    /// Tokens that are written.
    pub output: f64,
}

/// One model provider.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Provider {
    /// The key. Better a reference such as `${OPENAI_API_KEY}` than the key itself.
    #[serde(skip_serializing)]
    #[schemars(with = "Option<String>")]
    pub api_key: Option<SecretString>,
    /// Base URL, such as `http://127.0.0.1:8080/v1`; needed for a name that is not a known vendor.
    pub api_base: Option<String>,
    /// Header fields sent with every request.
    #[serde(skip_serializing)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub extra_headers: BTreeMap<String, SecretString>,
    /// Keys merged into the body of every request.
    pub extra_body: Map<String, Value>,
}

/// What one tool component is given.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Tool {
    /// Replaces all grants of the tool. Each is `KIND=VALUE`, such as `files=workspace:write` or
    /// `files=/home/ann/notes:read`; a path starts with `workspace`, `skills`, `~` or `/`.
    pub grants: Option<Vec<String>>,
    /// Settings that the tool reads from its environment, such as `SEARXNG_URL` of `web`. Never for secrets.
    pub environment: BTreeMap<String, String>,
}

/// The JSON Schema of the file.
pub fn schema() -> Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
    });
    settings.into_generator().into_root_schema_for::<Config>().to_value()
}

/// Rules that types cannot say: the dotted key, the rule in words, and whether it holds.
fn out_of_range(config: &Config) -> Option<(&'static str, &'static str)> {
    let defaults = &config.agents.defaults;
    let timezone = defaults.timezone.as_deref();
    let rules = [
        ("maxTokens", "at least 1", defaults.max_tokens >= 1),
        ("contextWindowTokens", "at least 4096", defaults.context_window_tokens >= 4096),
        ("temperature", "between 0 and 2", defaults.temperature.is_none_or(|value| (0.0..=2.0).contains(&value))),
        ("maxToolIterations", "between 1 and 200", (1..=200).contains(&defaults.max_tool_iterations)),
        (
            "sessionReset.dailyAtHour",
            "between 0 and 23",
            defaults.session_reset.daily_at_hour.is_none_or(|hour| hour < 24),
        ),
        ("sessionRetention.most", "at least 1", defaults.session_retention.most >= 1),
        ("budgets.turn.seconds", "at least 1", defaults.budgets.turn.seconds >= 1),
        ("budgets", "amounts of dollars that are 0 or more", defaults.budgets.are_sound()),
        ("maxToolResultChars", "at least 500", defaults.max_tool_result_chars >= 500),
        (
            "timezone",
            "an IANA time zone such as Europe/Paris",
            timezone.is_none_or(|name| jiff::tz::TimeZone::get(name).is_ok()),
        ),
    ];
    rules.into_iter().find(|(_, _, holds)| !holds).map(|(key, rule, _)| (key, rule))
}
