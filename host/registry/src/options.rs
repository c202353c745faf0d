//! What the caller decides: credentials, further hosts, limits.

use std::{fmt, str::FromStr, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};

use crate::Error;

/// Is told how many bytes of a package went over the wire, and how many there are if that is known.
pub type Progress<'a> = &'a (dyn Fn(u64, Option<u64>) + Send + Sync);

/// What the owner allows for one source.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Sent when the source's own host asks for them, and to no other.
    pub credentials: Option<Credentials>,
    /// Hosts (`HOST` or `HOST:PORT`, by https) to which the source may send on, besides its own.
    pub hosts: Vec<String>,
    /// How much and how long.
    pub limits: Limits,
}

/// The bounds of one fetch or publication. The default is the table of the README.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a package or component, as they are sent.
    pub package: u64,
    /// Bytes of a manifest, an index file, a list of tags or a token.
    pub document: u64,
    /// Redirects, one after the other.
    pub redirects: u32,
    /// Time until a connection stands.
    pub connect: Duration,
    /// Time without a byte.
    pub idle: Duration,
    /// Time for one request with its body.
    pub whole: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            package: 64 << 20,
            document: 4 << 20,
            redirects: 5,
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            whole: Duration::from_secs(15 * 60),
        }
    }
}

/// `user:token` for one host. Never shown.
#[derive(Clone)]
pub struct Credentials(SecretString);

impl Credentials {
    /// The value of an `authorization` field.
    pub(crate) fn basic(&self) -> Result<HeaderValue, Error> {
        hidden(&format!("Basic {}", BASE64_STANDARD.encode(self.0.expose_secret())))
    }
}

/// A header value that no log shows.
pub(crate) fn hidden(text: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(text).map_err(|_| Error::Credentials)?;
    value.set_sensitive(true);
    Ok(value)
}

impl FromStr for Credentials {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (user, token) = text.split_once(':').ok_or(Error::Credentials)?;
        let empty = user.is_empty() || token.is_empty();
        if empty || text.chars().any(char::is_control) { Err(Error::Credentials) } else { Ok(Self(text.into())) }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(hidden)")
    }
}
