//! What a guest may write into a request: methods and header fields.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use url::Url;

/// Most header fields of a request.
pub(crate) const MAX_FIELDS: usize = 128;
/// Most bytes of names and values of a request.
pub(crate) const MAX_FIELD_BYTES: usize = 64 * 1024;
/// Longest method.
const MAX_METHOD: usize = 32;

/// Methods that open tunnels or give the request, with its credentials, back.
const REFUSED_METHODS: [&str; 3] = ["CONNECT", "TRACE", "TRACK"];

/// Fields that frame the message or belong to one connection. The host alone writes them.
const HOST_FIELDS: [&str; 10] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "upgrade",
    "http2-settings",
    "te",
    "trailer",
    "expect",
];
/// Fields to proxies, of which there are none.
const PROXY_PREFIX: &str = "proxy-";

/// Reads a method; lower case is accepted.
pub(crate) fn method(name: &str) -> Result<Method, String> {
    let method = Method::from_bytes(name.to_ascii_uppercase().as_bytes());
    match method {
        Ok(method) if REFUSED_METHODS.contains(&method.as_str()) => Err(format!("the method {method} is not sent")),
        Ok(method) if name.len() <= MAX_METHOD => Ok(method),
        _ => Err("the method is no HTTP token of at most 32 letters".to_owned()),
    }
}

/// Reads the name of a field that a guest may set.
pub(crate) fn guest_field(name: &str) -> Result<HeaderName, String> {
    let field = field_name(name)?;
    refuse_host_field(&field)?;
    Ok(field)
}

fn field_name(name: &str) -> Result<HeaderName, String> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| "a header name contains a forbidden character".to_owned())
}

fn refuse_host_field(field: &HeaderName) -> Result<(), String> {
    if HOST_FIELDS.contains(&field.as_str()) || field.as_str().starts_with(PROXY_PREFIX) {
        return Err(format!("the header `{field}` belongs to the host; leave it out"));
    }
    Ok(())
}

/// Reads the header fields of a guest's request.
///
/// Fields that say what the host does anyway are dropped, since HTTP libraries add them: the same `host` and
/// `content-length`, `connection: close` or `keep-alive`; and `accept-encoding`, since the host decodes bodies.
pub(crate) fn guest_fields(fields: &[(String, Vec<u8>)], url: &Url, body: usize) -> Result<HeaderMap, String> {
    let bytes = fields.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
    if fields.len() > MAX_FIELDS || bytes > MAX_FIELD_BYTES {
        return Err(format!("a request has at most {MAX_FIELDS} header fields of {MAX_FIELD_BYTES} bytes in all"));
    }
    let mut accepted = HeaderMap::with_capacity(fields.len() + 4);
    for (name, value) in fields {
        let field = field_name(name)?;
        if is_implied(&field, value, url, body) {
            continue;
        }
        refuse_host_field(&field)?;
        let value = HeaderValue::from_bytes(value)
            .map_err(|_| format!("the value of the header `{field}` contains a control character"))?;
        accepted.append(field, value);
    }
    Ok(accepted)
}

fn is_implied(field: &HeaderName, value: &[u8], url: &Url, body: usize) -> bool {
    let Ok(value) = std::str::from_utf8(value) else { return false };
    match *field {
        header::ACCEPT_ENCODING => true,
        header::CONNECTION => ["close", "keep-alive"].iter().any(|plain| value.eq_ignore_ascii_case(plain)),
        header::CONTENT_LENGTH => value == body.to_string(),
        header::HOST => value.eq_ignore_ascii_case(url[url::Position::BeforeHost..url::Position::AfterPort].as_ref()),
        _ => false,
    }
}
