//! Slots: for which requests a secret is meant, and where in them it goes.

use std::{fmt, str::FromStr};

use http::HeaderName;
use secrecy::SecretString;
use url::{Host, Url};

use crate::{entry::Origin, error::GrammarError, headers};

/// Longest name of a secret.
const MAX_NAME: usize = 64;

/// Where the values of secrets come from. Asked at every request, so that a secret which is changed or
/// revoked is changed or revoked at once.
pub trait SecretSource: Send + Sync {
    /// The value of a secret, if it is set.
    fn get(&self, name: &str) -> Option<SecretString>;
}

/// One `secrets` grant: `NAME ENTRY header=Field: text {}` or `NAME ENTRY query=key`, where ENTRY is one
/// exact origin with an optional path prefix. `{}` stands for the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretSlot {
    name: String,
    origin: Origin,
    slot: Slot,
}

/// Where in a request a secret goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slot {
    /// A header field; its value is `before`, the secret, `after`.
    Header {
        /// Field name.
        field: HeaderName,
        /// Text before the secret, such as `Bearer `.
        before: String,
        /// Text after the secret.
        after: String,
    },
    /// A parameter of the query.
    Query {
        /// Its name, not encoded.
        key: String,
    },
}

impl SecretSlot {
    /// Name of the secret.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the secret goes.
    #[must_use]
    pub fn slot(&self) -> &Slot {
        &self.slot
    }

    /// Whether the secret is meant for a request to this canonical URL.
    #[must_use]
    pub fn covers(&self, url: &Url) -> bool {
        self.origin.covers(url)
    }

    /// Length of the path prefix; of several slots for one place the most specific counts.
    pub(crate) fn specificity(&self) -> usize {
        self.origin.url().path().len()
    }
}

impl FromStr for SecretSlot {
    type Err = GrammarError;

    fn from_str(text: &str) -> Result<Self, GrammarError> {
        parse(text).map_err(|reason| GrammarError { kind: "secrets", entry: text.to_owned(), reason })
    }
}

fn parse(text: &str) -> Result<SecretSlot, String> {
    let mut parts = text.splitn(3, ' ');
    let (Some(name), Some(entry), Some(slot)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("write NAME URL header=Field: text {} or NAME URL query=key".to_owned());
    };
    if !is_name(name) {
        return Err("a secret's name has 1 to 64 letters, digits and underscores".to_owned());
    }
    let origin = Origin::parse(entry)?;
    if origin.is_wildcard() {
        return Err("a secret belongs to one exact origin, without a wildcard".to_owned());
    }
    if origin.url().scheme() == "http" && !is_loopback(origin.url()) {
        return Err("a secret is never sent over plain http, except to this machine".to_owned());
    }
    Ok(SecretSlot { name: name.to_owned(), origin, slot: parse_slot(slot)? })
}

fn parse_slot(text: &str) -> Result<Slot, String> {
    if let Some(key) = text.strip_prefix("query=") {
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("the query key must be printable ASCII without blanks".to_owned());
        }
        return Ok(Slot::Query { key: key.to_owned() });
    }
    let header = text.strip_prefix("header=").ok_or("the place must be header=Field: text {} or query=key")?;
    let (field, template) = header.split_once(':').ok_or("write header=Field: text {}")?;
    let field = headers::guest_field(field.trim())?;
    let (before, after) = template.trim().split_once("{}").ok_or("`{}` must stand where the secret goes")?;
    if after.contains("{}") {
        return Err("`{}` may stand only once".to_owned());
    }
    if !before.chars().chain(after.chars()).all(|char| char == ' ' || char.is_ascii_graphic()) {
        return Err("the header text must be printable ASCII".to_owned());
    }
    Ok(Slot::Header { field, before: before.to_owned(), after: after.to_owned() })
}

fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether the URL can only lead to this machine. The resolver holds `localhost` to that (RFC 6761, 6.3).
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => crate::resolver::is_localhost(name),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl fmt::Display for SecretSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.name, self.origin)?;
        match &self.slot {
            Slot::Header { field, before, after } => write!(f, "header={field}: {before}{{}}{after}"),
            Slot::Query { key } => write!(f, "query={key}"),
        }
    }
}
