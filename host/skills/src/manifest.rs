//! `skill.toml`: what a skill is and what it asks for. Nothing is given by asking.

use crate::grants::{Asked, Method, SecretName};
use crate::inert;
use crate::name::{check_place, is_name};
use crate::values::{Size, Time, Version};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A manifest.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "skill.toml", description = "What a Chiton skill is and what it asks for.")]
pub struct Manifest {
    /// Name of the skill: 1 to 64 of a-z, 0-9 and '-'.
    pub name: Name,
    /// Version, such as "0.1.0".
    pub version: Version,
    /// What it is for; may be left out when its SKILL.md says it.
    pub description: Option<String>,
    /// A WASI component in the folder.
    pub component: Option<Inside>,
    /// What runs the script.
    pub engine: Option<Engine>,
    /// A script in the folder.
    pub script: Option<Inside>,
    /// What it asks for.
    #[serde(default)]
    pub grants: Asked,
    /// Limits of a call.
    #[serde(default)]
    pub limits: Limits,
    /// How its author builds it; never run when it is installed.
    pub build: Option<Build>,
    /// Calls with what is expected of them, for `chiton skill test`.
    #[serde(default)]
    pub examples: Vec<Example>,
}

/// What runs scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// JavaScript and TypeScript.
    Js,
    /// Python.
    Python,
}

impl Engine {
    /// Its name, as a manifest has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Js => "js",
            Self::Python => "python",
        }
    }
}

/// Limits of a call; lower than the usual ones freely.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Memory, such as "64 MiB".
    pub memory: Option<Size>,
    /// Time, such as "30 s".
    pub time: Option<Time>,
    /// The result, such as "1 MiB".
    pub output: Option<Size>,
}

/// How an author builds the component.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// The program and its arguments, run in the folder.
    pub command: Vec<String>,
    /// What it makes; copied to `component`.
    pub output: Option<Inside>,
    /// What is watched for changes by `chiton skill dev`.
    #[serde(default)]
    pub watch: Vec<Inside>,
}

/// A call with what is expected of it.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The tool that is called.
    pub tool: String,
    /// Its arguments.
    #[serde(default)]
    pub arguments: serde_json::Map<String, serde_json::Value>,
    /// Text that the result contains.
    pub expect: Option<String>,
    /// Text that the error contains.
    pub fails: Option<String>,
    /// What stands for the network.
    #[serde(default)]
    pub replies: Vec<Reply>,
    /// A folder that is copied into the call's workspace.
    pub files: Option<Inside>,
    /// Secrets that are set to a made-up value.
    #[serde(default)]
    pub secrets: Vec<SecretName>,
}

/// What a request in an example is answered with.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// Method; GET when it is left out.
    pub method: Option<Method>,
    /// URL without its query.
    pub url: String,
    /// Status; 200 when it is left out.
    #[serde(default = "ok")]
    pub status: u16,
    /// Header fields.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Option<String>,
    /// A file with the body.
    pub file: Option<Inside>,
}

fn ok() -> u16 {
    200
}

/// Gives types of text that are checked when they are read, so that an error knows its line.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident = $check:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(try_from = "String")]
        #[schemars(with = "String")]
        pub struct $name(String);

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                let check: fn(&str) -> Result<String, String> = $check;
                check(&text).map(Self)
            }
        }

        impl std::ops::Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}
pub(crate) use texts;

texts! {
    /// Name of a skill.
    Name = |text| match is_name(text) {
        true => Ok(text.to_owned()),
        false => Err(format!("'{}' is no name; a name has 1 to 64 of a-z, 0-9 and '-'", inert::brief(text, 80))),
    };
    /// Place of a file or folder in the skill's folder.
    Inside = |text| match check_place(text) {
        Ok(()) => Ok(text.to_owned()),
        Err(rule) => Err(format!("'{}' {rule}", inert::brief(text, 80))),
    };
}

/// A manifest that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("skill.toml, line {line}, column {column}: {reason}")]
pub struct ManifestError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong and what to do, in harmless characters.
    pub reason: String,
}

impl Manifest {
    /// Reads a `skill.toml`.
    ///
    /// # Errors
    /// With the line and the reason, when it breaks a rule.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let manifest: Self = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            fault(text, start, &with_suggestion(error.message()))
        })?;
        match manifest.contradiction() {
            None => Ok(manifest),
            Some((key, reason)) => Err(fault(text, key_in(text, key), reason)),
        }
    }

    /// What is asked for, a grant each, as the host stores and enforces it.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.grants.rows()
    }

    /// A key and what is wrong with its being there beside the others.
    fn contradiction(&self) -> Option<(&'static str, &'static str)> {
        let extensions: &[&str] = match self.engine {
            Some(Engine::Js) => &[".js", ".mjs", ".ts"],
            Some(Engine::Python) => &[".py"],
            None => &[],
        };
        let runs = |script: &Inside| extensions.iter().any(|extension| script.ends_with(extension));
        let examples = || self.examples.iter();
        let mut replies = examples().flat_map(|example| &example.replies);
        let rules = [
            (
                self.component.is_some() && self.script.is_some(),
                "script",
                "a skill has a component or a script; take one out",
            ),
            (self.component.is_some() && self.engine.is_some(), "engine", "a component needs no engine; take one out"),
            (self.engine.is_some() != self.script.is_some(), "engine", "engine and script go together; give both"),
            (
                self.script.as_ref().is_some_and(|script| !runs(script)),
                "script",
                "the engine js runs .js, .mjs and .ts, the engine python .py; name such a file",
            ),
            (
                self.build.as_ref().is_some_and(|build| build.command.is_empty()),
                "command",
                "name the program that builds it",
            ),
            (
                !self.grants.secrets.iter().all(|secret| secret.query.is_some() != secret.header.is_some()),
                "secrets",
                "each secret goes into a query field or a header; give one of query = \"field\" and header = \"Field: {}\"",
            ),
            (
                examples().any(|example| example.expect.is_some() == example.fails.is_some()),
                "examples",
                "each example says what its result contains, or its error; give one of expect and fails",
            ),
            (
                replies.any(|reply| reply.body.is_some() && reply.file.is_some()),
                "replies",
                "a reply has a body or a file; take one out",
            ),
        ];
        rules.into_iter().find(|rule| rule.0).map(|(_, key, reason)| (key, reason))
    }
}

/// The JSON Schema of `skill.toml`.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Manifest).to_value()
}

fn fault(text: &str, start: usize, reason: &str) -> ManifestError {
    let before = &text[..text.floor_char_boundary(start)];
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    ManifestError {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        reason: inert::brief(reason, 400),
    }
}

/// Where a key first stands as one.
fn key_in(text: &str, key: &str) -> usize {
    let is_key = |&(start, _): &(usize, &str)| {
        let before = text[..start].trim_end_matches(' ');
        let after = text[start + key.len()..].trim_start_matches(' ');
        before.is_empty() || (before.ends_with(['\n', '[', '{', ',', '.']) && after.starts_with(['=', ']']))
    };
    text.match_indices(key).find(is_key).map_or(0, |(start, _)| start)
}

/// An unknown key with the one that may be meant.
fn with_suggestion(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let (true, Some(wrong)) = (message.starts_with("unknown field"), quoted.next()) else { return message.to_owned() };
    let known: Vec<&str> = quoted.collect();
    let distance = |name: &&str| strsim::damerau_levenshtein(&wrong.to_lowercase(), name);
    match known.iter().copied().min_by_key(distance).filter(|name| distance(name) <= 1 + name.len() / 3) {
        Some(near) => format!("unknown key '{wrong}'; did you mean '{near}'?"),
        None => format!("unknown key '{wrong}'; the keys here are {}", known.join(", ")),
    }
}
