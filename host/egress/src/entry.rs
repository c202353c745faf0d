//! Network entries: which origins, paths and methods the owner has granted.

use std::{fmt, str::FromStr};

use http::Method;
use url::{Host, Url};

use crate::{error::GrammarError, target};

/// The entry for every origin on public addresses.
const PUBLIC: &str = "public";

/// One `network` grant: `[METHOD,METHOD ]scheme://host[:port][/path-prefix]`, a bare `host`,
/// `*.domain` in place of the host, `public`, or `private:` before any of these but `public`.
///
/// [`Display`](fmt::Display) gives the canonical form, which parses to an equal entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Empty means every method.
    methods: Vec<String>,
    private: bool,
    scope: Scope,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Scope {
    Public,
    Origin(Origin),
}

/// An origin and a path prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Scheme, host (the domain of a wildcard), port and path, in canonical form.
    url: Url,
    /// Any name with one or more labels before the host, and not the host itself.
    wildcard: bool,
}

impl Entry {
    /// Whether this entry allows `method` on a canonical URL, its addresses still to be checked.
    #[must_use]
    pub fn allows(&self, method: &Method, url: &Url) -> bool {
        self.allows_method(method) && self.covers(url)
    }

    /// Whether the URL lies in this entry, whatever the method.
    pub(crate) fn covers(&self, url: &Url) -> bool {
        match &self.scope {
            // A literal address has no name that somebody answers for, so it must be listed.
            Scope::Public => matches!(url.host(), Some(Host::Domain(_))),
            Scope::Origin(origin) => origin.covers(url),
        }
    }

    pub(crate) fn allows_method(&self, method: &Method) -> bool {
        self.methods.is_empty() || self.methods.iter().any(|allowed| allowed == method.as_str())
    }

    /// Whether names of this entry may resolve to private addresses.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.private
    }

    /// Whether this entry stands for all names below a domain.
    pub(crate) fn is_wildcard(&self) -> bool {
        matches!(&self.scope, Scope::Origin(origin) if origin.wildcard)
    }
}

impl Origin {
    /// Parses `scheme://host[:port][/path]`, `host`, and both with `*.` before the host.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme, rest),
            None if text.contains([':', '/', '?', '#']) && !text.starts_with('[') => {
                return Err("write the scheme too, as in https://host:port/path".to_owned());
            }
            None if text == PUBLIC => return Err("name one host".to_owned()),
            None => ("https", text),
        };
        let (wildcard, rest) = match rest.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        if rest.contains('*') {
            return Err("`*` stands only for the first labels, as in *.example.com".to_owned());
        }
        let url = target::canonical_url(&format!("{scheme}://{rest}"))?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err("an entry has no query and no fragment".to_owned());
        }
        if wildcard && !matches!(url.host(), Some(Host::Domain(name)) if name.contains('.')) {
            return Err("`*.` needs a domain of two labels or more".to_owned());
        }
        if hides_dots(url.path()) {
            return Err("the path contains encoded dots".to_owned());
        }
        Ok(Self { url, wildcard })
    }

    /// Whether a canonical URL lies in this origin, below this path.
    pub(crate) fn covers(&self, url: &Url) -> bool {
        self.url.scheme() == url.scheme()
            && self.url.port_or_known_default() == url.port_or_known_default()
            && self.covers_host(url)
            && self.covers_path(url.path())
    }

    fn covers_host(&self, url: &Url) -> bool {
        if !self.wildcard {
            return self.url.host() == url.host();
        }
        let (Some(Host::Domain(domain)), Some(Host::Domain(name))) = (self.url.host(), url.host()) else {
            return false;
        };
        name.strip_suffix(domain).is_some_and(|labels| labels.len() > 1 && labels.ends_with('.'))
    }

    /// A prefix ends where a segment ends: `/v1` covers `/v1` and `/v1/x`, not `/v1evil`.
    fn covers_path(&self, path: &str) -> bool {
        let prefix = self.url.path();
        if prefix == "/" {
            return true;
        }
        let Some(rest) = path.strip_prefix(prefix) else { return false };
        (prefix.ends_with('/') || rest.is_empty() || rest.starts_with('/')) && !hides_dots(rest)
    }

    pub(crate) fn is_wildcard(&self) -> bool {
        self.wildcard
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }
}

/// How often a path is decoded in the search for hidden dots. A path that is then still encoded is refused.
const DECODINGS: usize = 3;

/// Whether an origin that decodes the path once more (or several times), or cuts `;parameters`, could
/// find `.` or `..` segments that the URL parser did not see, and so leave the prefix.
fn hides_dots(path: &str) -> bool {
    let mut encoded = path.as_bytes().to_vec();
    for _ in 0..=DECODINGS {
        let decoded = percent_decode(&encoded);
        let mut segments = decoded.split(|byte| matches!(byte, b'/' | b'\\'));
        if segments.any(|segment| {
            let name = segment.split(|byte| matches!(byte, b';' | 0)).next().unwrap_or_default();
            matches!(name, b"." | b"..")
        }) {
            return true;
        }
        if decoded == encoded {
            return false;
        }
        encoded = decoded;
    }
    true
}

fn percent_decode(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let byte = crate::target::percent_at(&bytes[at..]);
        decoded.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    decoded
}

impl FromStr for Entry {
    type Err = GrammarError;

    fn from_str(text: &str) -> Result<Self, GrammarError> {
        parse(text).map_err(|reason| GrammarError { kind: "network", entry: text.to_owned(), reason })
    }
}

fn parse(text: &str) -> Result<Entry, String> {
    let (private, rest) = match text.strip_prefix("private:") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (methods, place) = match rest.split_once(' ') {
        Some((methods, place)) => (parse_methods(methods)?, place),
        None => (Vec::new(), rest),
    };
    let scope = match place {
        "" => return Err("it is empty".to_owned()),
        PUBLIC if private => return Err("`public` never reaches private addresses; name the host instead".to_owned()),
        PUBLIC => Scope::Public,
        _ => Scope::Origin(Origin::parse(place)?),
    };
    Ok(Entry { methods, private, scope })
}

fn parse_methods(text: &str) -> Result<Vec<String>, String> {
    let mut methods = Vec::new();
    for name in text.split(',') {
        let method = crate::headers::method(name)?;
        methods.push(method.as_str().to_owned());
    }
    methods.sort();
    methods.dedup();
    Ok(methods)
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.private {
            f.write_str("private:")?;
        }
        if !self.methods.is_empty() {
            write!(f, "{} ", self.methods.join(","))?;
        }
        match &self.scope {
            Scope::Public => f.write_str(PUBLIC),
            Scope::Origin(origin) => origin.fmt(f),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.wildcard {
            return f.write_str(self.url.as_str());
        }
        let text = self.url.as_str();
        let host = self.url.scheme().len() + "://".len();
        write!(f, "{}*.{}", &text[..host], &text[host..])
    }
}
