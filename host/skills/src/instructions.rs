//! `SKILL.md` in the Agent Skills format (<https://agentskills.io/specification>), as NanoBot and OpenClaw read it, too:
//! YAML between two lines of `---`, then instructions.

use serde::Deserialize;
use serde_json::Value;

/// What a `SKILL.md` says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Instructions {
    /// The name that it gives itself.
    pub name: Option<String>,
    /// What the skill is for.
    pub description: String,
    /// Whether the model always sees the body.
    pub always: bool,
    /// What has to be there.
    pub requires: Requires,
    /// Systems that it is for; all when empty.
    pub os: Vec<String>,
    /// Installers for people, in a few words each. They are shown and never run.
    pub install: Vec<String>,
    /// The secret that it is mostly about.
    pub primary_env: Option<String>,
    /// Where people read more.
    pub homepage: Option<String>,
    /// What comes after the head.
    pub body: String,
    /// The line on which the body begins, from 1.
    pub body_line: usize,
    /// Why the head cannot be read. Then only the body is known.
    pub fault: Option<String>,
}

/// What has to be there for a skill.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Requires {
    /// Programs.
    pub bins: Vec<String>,
    /// Programs of which one is enough.
    pub any_bins: Vec<String>,
    /// Secrets and settings in the environment.
    pub env: Vec<String>,
    /// Settings of the bot.
    pub config: Vec<String>,
}

/// The head.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Head {
    name: Value,
    description: String,
    always: bool,
    homepage: Value,
    /// An object, or JSON text of one.
    metadata: Value,
}

impl Instructions {
    /// Reads a `SKILL.md`. Without a head everything is its body.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
        let (head, body) = split(&text);
        let (head, fault) = match serde_saphyr::from_str::<Head>(head) {
            Ok(head) => (head, None),
            Err(error) => match plain(head) {
                Some(head) => (head, None),
                None => (Head::default(), Some(error.to_string())),
            },
        };
        let metadata = match head.metadata {
            Value::String(text) => serde_json::from_str(&text).unwrap_or_default(),
            other => other,
        };
        // Each bot keeps its part under its own name; what they share has one shape.
        let part = BOTS.into_iter().find_map(|bot| metadata.get(bot)).unwrap_or(&metadata);
        let requires = &part["requires"];
        let text_of = |value: &Value| value.as_str().map(str::to_owned);
        Self {
            name: text_of(&head.name).filter(|name| !name.trim().is_empty()),
            description: head.description,
            always: head.always || part["always"] == true,
            requires: Requires {
                bins: texts(&requires["bins"]),
                any_bins: texts(&requires["anyBins"]),
                env: texts(&requires["env"]),
                config: texts(&requires["config"]),
            },
            os: texts(&part["os"]),
            install: part["install"].as_array().into_iter().flatten().map(installer).collect(),
            primary_env: text_of(&part["primaryEnv"]),
            homepage: text_of(&head.homepage).or_else(|| text_of(&part["homepage"])),
            body: body.to_owned(),
            body_line: text[..text.len() - body.len()].matches('\n').count() + 1,
            fault,
        }
    }
}

/// An installer in the words of a command: what kind it is, and what it brings.
fn installer(install: &Value) -> String {
    let text = |key: &str| install[key].as_str();
    let what = ["formula", "package", "module", "url", "command", "label"].into_iter().find_map(text);
    match (text("kind"), what) {
        (Some(kind), Some(what)) => format!("{kind} install {what}"),
        _ => install.to_string(),
    }
}

/// The bots that write a part of their own into the metadata of a skill, the one whose part is taken first.
const BOTS: [&str; 6] = ["chiton", "nanobot", "openclaw", "clawdbot", "moltbot", "clawdis"];

/// What begins a value that only YAML can read.
const YAML_ONLY: &[char] = &['[', '{', '&', '*', '|', '>', '!', '%', '@', '`'];

/// A head that is no YAML, as many are written: each line a key and a text, which may hold colons.
fn plain(head: &str) -> Option<Head> {
    let value = |key: &str| {
        let line = head.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        line.map(|text| text.trim().trim_matches(['"', '\'']).to_owned())
    };
    Some(Head {
        name: value("name").map_or(Value::Null, Value::from),
        description: value("description").filter(|text| !text.is_empty() && !text.starts_with(YAML_ONLY))?,
        always: value("always").is_some_and(|text| text == "true"),
        metadata: value("metadata").map_or(Value::Null, Value::from),
        homepage: value("homepage").map_or(Value::Null, Value::from),
    })
}

/// The texts in a list.
fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The YAML and the instructions.
fn split(text: &str) -> (&str, &str) {
    let Some(rest) = text.strip_prefix("---\n") else { return ("{}", text) };
    rest.split_once("\n---\n").or_else(|| Some((rest.strip_suffix("\n---")?, ""))).unwrap_or(("{}", text))
}
