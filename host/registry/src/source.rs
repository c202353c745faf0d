//! Sources as the owner writes them, and back.

use std::{fmt, path::PathBuf, str::FromStr};

use chiton_sandbox::Digest;
use semver::Version;
use url::{Host, Position, Url};

use crate::Error;

/// How the name of an archive ends.
const ARCHIVES: [&str; 4] = [".tar.gz", ".tgz", ".tar", ".zip"];

/// Where a skill comes from. Its text form leads back to the same source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A skill that comes with Chiton, by its name.
    Bundled(String),
    /// A folder of this machine.
    Folder(PathBuf),
    /// An archive of this machine.
    Archive(PathBuf),
    /// Something that must be fetched.
    Remote(Remote),
}

/// A source on another machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Where it is.
    pub place: Place,
    /// Pins it: of a registry's manifest, or of an archive. Other bytes are refused.
    pub digest: Option<Digest>,
}

/// A place on another machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `oci://HOST/NAME[:TAG]`
    Oci(Reference),
    /// `https://HOST/index.json#NAME[@VERSION]`
    Index {
        /// The index file.
        url: Url,
        /// The skill's name.
        name: String,
        /// The version; without one, the newest is meant.
        version: Option<Version>,
    },
    /// `https://HOST/NAME.tar.gz`
    Archive(Url),
}

/// An artifact of an OCI registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Scheme, host and port of the registry.
    pub registry: Url,
    /// The repository.
    pub name: String,
    /// The tag; without one, the newest version is meant.
    pub tag: Option<String>,
}

impl FromStr for Source {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |reason| Error::NotASource(text.to_owned(), reason);
        if text.is_empty() || text.chars().any(char::is_control) {
            return Err(wrong("it is empty or has control characters"));
        }
        if text.contains("://") {
            return parse_remote(text).map(Self::Remote).map_err(wrong);
        }
        if is_archive(text) {
            return Ok(Self::Archive(text.into()));
        }
        // What is in the current directory never changes what a bare name means.
        if text.contains('/') || matches!(text, "." | "..") {
            return Ok(Self::Folder(text.into()));
        }
        if is_skill_name(text) {
            return Ok(Self::Bundled(text.to_owned()));
        }
        Err(wrong("a name has 1 to 64 of a-z, 0-9 and -, and a folder is written with a slash"))
    }
}

impl FromStr for Remote {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.parse()? {
            Source::Remote(remote) => Ok(remote),
            _ => Err(Error::NotASource(text.to_owned(), "it is on this machine")),
        }
    }
}

fn parse_remote(text: &str) -> Result<Remote, &'static str> {
    let (text, digest) = match text.rsplit_once(['@', '#']) {
        Some((text, pin)) if pin.contains(':') && !pin.contains('/') => {
            (text, Some(sha256(pin).ok_or("a pin is sha256: and 64 hexadecimal digits")?))
        }
        _ => (text, None),
    };
    let place = match text.strip_prefix("oci://") {
        Some(reference) => Place::Oci(parse_reference(reference)?),
        None => parse_page(text)?,
    };
    Ok(Remote { place, digest })
}

fn parse_page(text: &str) -> Result<Place, &'static str> {
    let (page, wanted) = text.split_once('#').unwrap_or((text, ""));
    let url = parse_url(page)?;
    match (url.path().ends_with(".json"), is_archive(url.path()), wanted) {
        (false, true, "") => return Ok(Place::Archive(url)),
        (true, false, _) => {}
        _ => return Err("the address is neither an archive nor an index file (.json) with # and a name"),
    }
    let (name, version) = wanted.split_once('@').map_or((wanted, None), |(name, version)| (name, Some(version)));
    if !is_skill_name(name) {
        return Err("after # stands the name of a skill");
    }
    let version = version.map(Version::parse).transpose().map_err(|_| "after @ stands a version such as 1.2.0")?;
    Ok(Place::Index { url, name: name.to_owned(), version })
}

fn parse_reference(text: &str) -> Result<Reference, &'static str> {
    let (host, rest) = text.split_once('/').ok_or("a name is missing after the registry's host")?;
    let (name, tag) = rest.split_once(':').map_or((rest, None), |(name, tag)| (name, Some(tag)));
    if !is_repository(name) {
        return Err("the name in a registry has lower-case letters, digits, dots, dashes and slashes");
    }
    if tag.is_some_and(|tag| !is_tag(tag)) {
        return Err("a tag has at most 128 letters, digits, dots, dashes and underscores");
    }
    // Only this machine is spoken to without encryption.
    let registry = parse_url(&format!("http://{host}/")).or_else(|_| parse_url(&format!("https://{host}/")))?;
    if &registry[Position::AfterPort..] != "/" {
        return Err("the registry's host is not valid");
    }
    Ok(Reference { registry, name: name.to_owned(), tag: tag.map(str::to_owned) })
}

/// An address by https, or by http on this machine.
pub(crate) fn parse_url(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "the address is not valid")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("credentials belong into the configuration, not into an address");
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err("only https and oci lead to other machines"),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn is_archive(path: &str) -> bool {
    ARCHIVES.iter().any(|end| path.len() > end.len() && path.ends_with(end))
}

pub(crate) fn is_skill_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

fn is_repository(name: &str) -> bool {
    let part = |part: &str| {
        part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
            && part.starts_with(|first: char| first.is_ascii_alphanumeric())
            && part.ends_with(|last: char| last.is_ascii_alphanumeric())
    };
    name.len() <= 255 && name.split('/').all(part)
}

pub(crate) fn is_tag(tag: &str) -> bool {
    (1..=128).contains(&tag.len())
        && !tag.starts_with(['.', '-'])
        && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// The digest in `sha256:HEX`.
pub(crate) fn sha256(text: &str) -> Option<Digest> {
    text.strip_prefix("sha256:")?.parse().ok()
}

/// Host and port of an address.
pub(crate) fn authority(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

/// `mark` and `value`, if there is one.
fn with(f: &mut fmt::Formatter<'_>, mark: &str, value: Option<&impl fmt::Display>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(f, "{mark}{value}"))
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundled(name) => f.write_str(name),
            Self::Folder(path) | Self::Archive(path) => path.display().fmt(f),
            Self::Remote(remote) => remote.fmt(f),
        }
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match &self.place {
            Place::Oci(reference) => write!(f, "{reference}").map(|()| "@sha256:")?,
            Place::Archive(url) => write!(f, "{url}").map(|()| "#sha256:")?,
            Place::Index { url, name, version } => {
                write!(f, "{url}#{name}")?;
                with(f, "@", version.as_ref()).map(|()| "@sha256:")?
            }
        };
        with(f, mark, self.digest.as_ref())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oci://{}/{}", authority(&self.registry), self.name)?;
        with(f, ":", self.tag.as_ref())
    }
}
