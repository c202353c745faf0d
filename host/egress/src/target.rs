//! The URL of a request in the one form that is compared, connected to and shown.

use url::{Host, Url};

/// Longest URL of a request, in bytes.
pub(crate) const MAX_URL_BYTES: usize = 16 * 1024;
/// Longest path that an error repeats, in bytes.
const MAX_SHOWN_PATH: usize = 256;

/// Parses an absolute `http` or `https` URL (WHATWG) and brings it into canonical form: lower case,
/// A-labels, numeric addresses, no default port, no trailing dot.
///
/// # Errors
/// A sentence that says what is wrong. Spellings on which URL parsers disagree are refused rather than
/// interpreted: user information, back slashes, white space, control characters, missing slashes.
pub fn canonical_url(text: &str) -> Result<Url, &'static str> {
    if text.len() > MAX_URL_BYTES {
        return Err("the URL is longer than 16 KiB");
    }
    if text.bytes().any(|byte| byte <= b' ' || byte == 0x7f || byte == b'\\') {
        return Err("the URL contains white space, a control character or a back slash");
    }
    let rest = match text.split_once("://") {
        Some((scheme, rest)) if is_web(&scheme.to_ascii_lowercase()) => rest,
        _ => return Err("the URL must begin with https:// or http://"),
    };
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    if authority.is_empty() {
        return Err("the URL has no host");
    }
    if authority.contains('@') {
        return Err("the URL carries user information, which is not accepted");
    }
    let url = Url::parse(text).map_err(|_| "the URL cannot be parsed; check its host and port")?;
    canonical(url)
}

/// Checks and completes what the parser leaves open. For URLs that come out of [`Url::join`].
pub(crate) fn canonical(mut url: Url) -> Result<Url, &'static str> {
    if url.as_str().len() > MAX_URL_BYTES {
        return Err("the URL is longer than 16 KiB");
    }
    if !is_web(url.scheme()) {
        return Err("the URL must begin with https:// or http://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the URL carries user information, which is not accepted");
    }
    if url.port() == Some(0) {
        return Err("port 0 cannot be connected to");
    }
    if let Some(Host::Domain(name)) = url.host()
        && let Some(name) = name.strip_suffix('.')
    {
        let name = name.to_owned();
        url.set_host(Some(&name)).map_err(|_| "the host name is not valid")?;
    }
    match url.host() {
        Some(Host::Domain(name)) if !is_name(name) => Err("the host name is not valid"),
        Some(_) => Ok(url),
        None => Err("the URL has no host"),
    }
}

fn is_web(scheme: &str) -> bool {
    matches!(scheme, "http" | "https")
}

/// Labels of 1 to 63 letters, digits, hyphens and underscores, at most 253 octets in all (RFC 1035, 2.3.4). The
/// URL parser lets more through, `*` among it.
fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

/// `scheme://host[:port]/`, the origin as a network entry names it.
pub(crate) fn origin(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{}://{host}:{port}/", url.scheme()),
        None => format!("{}://{host}/", url.scheme()),
    }
}

/// How errors and audit records show a URL: without query and fragment, which may hold secrets.
pub(crate) fn shown(url: &Url) -> String {
    let path = url.path();
    // URL paths are ASCII, so every index is a character boundary.
    let cut = path.len().min(MAX_SHOWN_PATH);
    let more = if cut < path.len() { "..." } else { "" };
    format!("{}{}{more}", origin(url).trim_end_matches('/'), &path[..cut])
}

/// The byte that `%HH` at the beginning of `text` stands for.
pub(crate) fn percent_at(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = text else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}
