//! What a manifest asks for, and each as the one line of text that the host stores and enforces.

use crate::inert;
use crate::manifest::texts;
use crate::values::Size;
use schemars::JsonSchema;
use serde::Deserialize;
use url::{Host, Url};

/// What a skill asks for.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Asked {
    /// Folders.
    pub files: Vec<Files>,
    /// Requests to other machines.
    pub network: Vec<Network>,
    /// Secrets that the host adds to requests.
    pub secrets: Vec<Secret>,
    /// Programs of this machine, each by its first words.
    pub programs: Vec<Vec<Word>>,
    /// Chats that it sends messages to.
    pub messaging: Chats,
    /// Chats that it makes jobs for.
    pub schedule: Chats,
    /// Chats of which it reads what was said.
    pub memory: Chats,
    /// Whether it starts sub-agents.
    pub agents: bool,
}

/// A folder that is asked for.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// "workspace" or a folder in it, "scratch" (its own), "skill" (its files), or an absolute path.
    pub path: Folder,
    /// How it is used.
    pub access: Access,
    /// Most that it may hold once the skill writes there, what was there before included.
    pub quota: Option<Size>,
}

/// How a folder is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Read only.
    Read,
    /// Read and changed.
    Write,
}

/// Requests that are asked for.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Origin with a path that all requests begin with, or "public" for any public host.
    pub url: Origin,
    /// Methods; all when it is left out.
    #[serde(default)]
    pub methods: Vec<Method>,
    /// Whether the host may have a private address.
    #[serde(default)]
    pub private: bool,
}

/// A secret that the host adds to requests.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// Its name.
    pub name: SecretName,
    /// Origin with a path that the requests begin with.
    pub url: SecretOrigin,
    /// The header that it is sent in, such as "Authorization: Bearer {}".
    pub header: Option<Header>,
    /// The query field that it is sent in.
    pub query: Option<Query>,
}

/// Chats: "this-chat" for the one that it is used in, "none", or a list.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Chats {
    /// One.
    One(Chat),
    /// Several.
    Some(Vec<Chat>),
}

impl Default for Chats {
    fn default() -> Self {
        Self::Some(Vec::new())
    }
}

impl Chats {
    fn values(&self) -> impl Iterator<Item = &str> {
        let all = match self {
            Self::One(chat) => std::slice::from_ref(chat),
            Self::Some(chats) => chats,
        };
        all.iter().map(|chat| &**chat).filter(|chat| *chat != "none")
    }
}

impl Asked {
    pub(crate) fn rows(&self) -> Vec<String> {
        let mut rows = Vec::new();
        for Files { path, access, quota } in &self.files {
            let quota = quota.map(|size| format!(",{size}").replace(' ', ""));
            let access = match access {
                Access::Read => "read".to_owned(),
                Access::Write => format!("write{}", quota.unwrap_or_default()),
            };
            rows.push(format!("files={path}:{access}"));
        }
        for Network { url, methods, private } in &self.network {
            let private = if *private { "private:" } else { "" };
            let mut methods: Vec<&str> = methods.iter().map(|method| &**method).collect();
            methods.sort_unstable();
            methods.dedup();
            let blank = if methods.is_empty() { "" } else { " " };
            rows.push(format!("network={private}{}{blank}{url}", methods.join(",")));
        }
        for Secret { name, url, header, query } in &self.secrets {
            let place = header.as_ref().map(|header| format!("header={header}"));
            let place = place.or_else(|| query.as_ref().map(|query| format!("query={query}")));
            rows.push(format!("secrets={name} {url} {}", place.unwrap_or_default()));
        }
        for words in self.programs.iter().filter(|words| !words.is_empty()) {
            rows.push(format!("programs={}", words.iter().map(|word| &**word).collect::<Vec<_>>().join(" ")));
        }
        let chats = [("messaging", &self.messaging), ("schedule", &self.schedule), ("memory", &self.memory)];
        for (kind, chats) in chats {
            rows.extend(chats.values().map(|chat| format!("{kind}={chat}")));
        }
        rows.extend(self.agents.then(|| "agents=spawn".to_owned()));
        let mut seen = std::collections::BTreeSet::new();
        rows.retain(|row| seen.insert(row.clone()));
        rows
    }
}

texts! {
    /// A folder: a root with what lies below it, or an absolute path.
    Folder = folder;
    /// An origin with a path, or `public`.
    Origin = |text| if text == "public" { Ok(text.to_owned()) } else { origin(text).map(|(canonical, _)| canonical) };
    /// One exact origin with a path, which a secret can be sent to.
    SecretOrigin = secret_origin;
    /// A method of HTTP.
    Method = |text| plain(text, 16, |byte| byte.is_ascii_uppercase(), "a method is written in capitals, such as GET");
    /// Name of a secret.
    SecretName = |text| plain(text, 64, |byte| byte.is_ascii_alphanumeric() || byte == b'_', "a secret's name has letters, digits and '_'");
    /// A query field.
    Query = |text| plain(text, 64, |byte| byte.is_ascii_graphic(), "a query field has printable ASCII without blanks");
    /// A header with the place of the secret.
    Header = header;
    /// A word of a command.
    Word = |text| plain(text, 128, |byte| byte.is_ascii_alphanumeric() || b"._/+:@%=,-".contains(&byte), "a word of a command has letters, digits and ._/+:@%=,-");
    /// A chat, such as `telegram:42`.
    Chat = |text| plain(text, 200, |byte| byte.is_ascii_graphic(), "a chat is \"this-chat\" or such as \"telegram:42\"");
}

fn plain(text: &str, most: usize, allowed: fn(u8) -> bool, rule: &str) -> Result<String, String> {
    let fits = (1..=most).contains(&text.len()) && text.bytes().all(allowed);
    if fits { Ok(text.to_owned()) } else { Err(format!("'{}': {rule}", inert::brief(text, 80))) }
}

/// What stands for every host there is.
const EVERYTHING: [&str; 4] = ["*", "0.0.0.0", "[::]", "::"];

/// A canonical origin with a path, and its URL without a wildcard.
fn origin(text: &str) -> Result<(String, Url), String> {
    let wrong = |rule: &str| Err(format!("'{}' {rule}", inert::brief(text, 80)));
    let address = text.split_once("://");
    let rest = address.map_or(text, |(_, rest)| rest);
    let every = |every: &str| rest.strip_prefix(every).is_some_and(|end| end.is_empty() || end.starts_with(['/', ':']));
    if EVERYTHING.into_iter().any(every) {
        return wrong(
            "stands for every host; name the hosts, or ask for \"public\", which is shown as any public host",
        );
    }
    let Some((scheme @ ("http" | "https"), rest)) = address else {
        return wrong("is no origin; write it such as https://api.example.com/v1/");
    };
    let (wildcard, rest) = rest.strip_prefix("*.").map_or(("", rest), |rest| ("*.", rest));
    let lower = rest.to_ascii_lowercase();
    if ["*", "..", "%2e", "\\", "@", "?", "#", "/./"].iter().any(|part| lower.contains(part)) {
        return wrong("has more than a host and a path; leave out '*', '..', '@', '?' and '#'");
    }
    let Ok(url) = Url::parse(&format!("{scheme}://{rest}")) else {
        return wrong("is no URL; write it such as https://api.example.com/v1/");
    };
    if !wildcard.is_empty() && !matches!(url.host(), Some(Host::Domain(name)) if name.contains('.')) {
        return wrong("stands for too many hosts; after '*.' comes a domain of two parts or more");
    }
    let start = scheme.len() + "://".len();
    Ok((format!("{}{wildcard}{}", &url.as_str()[..start], &url.as_str()[start..]), url))
}

fn secret_origin(text: &str) -> Result<String, String> {
    let (canonical, url) = origin(text)?;
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match canonical.contains('*') || (url.scheme() == "http" && !here) {
        true => Err(format!("a secret is sent to one exact https:// origin, not to '{}'", inert::brief(text, 80))),
        false => Ok(canonical),
    }
}

fn folder(text: &str) -> Result<String, String> {
    let below = text.strip_prefix('/').or_else(|| text.strip_prefix("workspace/"));
    let plain =
        |below: &str| below.split('/').all(|part| !matches!(part, "" | "." | "..")) && inert::line(text) == text;
    match (text, below) {
        ("workspace" | "scratch" | "skill", _) => Ok(text.to_owned()),
        (_, Some(below)) if plain(below.strip_suffix('/').unwrap_or(below)) => {
            Ok(text.strip_suffix('/').unwrap_or(text).to_owned())
        }
        _ => Err(format!(
            "'{}' is no folder that can be granted; write workspace, workspace/..., scratch, skill or an absolute path, without '..'",
            inert::brief(text, 80)
        )),
    }
}

fn header(text: &str) -> Result<String, String> {
    let printable = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    let field = text.split_once(": ").filter(|(field, value)| {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !field.is_empty() && field.bytes().all(token) && value.matches("{}").count() == 1
    });
    match field {
        Some(_) if printable && text.len() <= 200 => Ok(text.to_owned()),
        _ => Err("a header is written such as \"Authorization: Bearer {}\", with {} where the secret goes".to_owned()),
    }
}
