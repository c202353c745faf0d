//! One request, and what can go wrong with it.

use chiton_program::http::{self, Failure, Header, Request, Response};
use url::Url;

/// A failure with the exit code that curl's manual gives for its kind.
#[derive(Debug, PartialEq)]
pub(crate) struct Trouble {
    pub(crate) code: u8,
    pub(crate) text: String,
}

/// curl's exit codes.
pub(crate) mod code {
    pub(crate) const USAGE: u8 = 2;
    pub(crate) const BAD_URL: u8 = 3;
    pub(crate) const UNKNOWN_HOST: u8 = 6;
    pub(crate) const NO_CONNECTION: u8 = 7;
    pub(crate) const REFUSED_BY_SERVER: u8 = 22;
    pub(crate) const WRITE: u8 = 23;
    pub(crate) const READ: u8 = 26;
    pub(crate) const TIMED_OUT: u8 = 28;
}

impl Trouble {
    pub(crate) fn new(code: u8, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::InvalidArguments(text) => Self::new(code::BAD_URL, text),
            Failure::Denied(grant) => Self::new(code::NO_CONNECTION, format!("denied: the grant {grant} is missing")),
            Failure::NotFound(text) => Self::new(code::UNKNOWN_HOST, text),
            Failure::TimedOut(text) => Self::new(code::TIMED_OUT, text),
            Failure::Failed(text) => Self::new(code::NO_CONNECTION, text),
        }
    }
}

/// The address that a person's URL means: `http` where no scheme is given, as curl has it.
pub(crate) fn address(given: &str) -> Result<Url, Trouble> {
    let whole = if given.contains("://") { given.to_owned() } else { format!("http://{given}") };
    let malformed = || Trouble::new(code::BAD_URL, format!("URL rejected: {given} is malformed"));
    let url = Url::parse(&whole).map_err(|_| malformed())?;
    match (url.scheme(), url.host_str()) {
        ("http" | "https", Some(_)) => Ok(url),
        ("http" | "https", None) => Err(malformed()),
        (scheme, _) => Err(Trouble::new(1, format!("Protocol \"{scheme}\" not supported"))),
    }
}

/// Sends one request.
pub(crate) fn send(request: &Request) -> Result<Response, Trouble> {
    http::fetch(request).map_err(Trouble::from)
}

/// The first value of a header field.
pub(crate) fn header<'a>(headers: &'a [Header], name: &str) -> Option<&'a str> {
    headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value.as_str())
}

/// The status line and the header fields as they are shown. The host tells no version, so it is always 1.1.
pub(crate) fn head(response: &Response, line_end: &str) -> String {
    let mut text = format!("HTTP/1.1 {}{line_end}", status(response.status));
    for header in &response.headers {
        text.push_str(&format!("{}: {}{line_end}", header.name, header.value));
    }
    text + line_end
}

/// The status with its phrase (RFC 9110, section 15).
pub(crate) fn status(status: u16) -> String {
    const PHRASES: [(u16, &str); 24] = [
        (200, "OK"),
        (201, "Created"),
        (202, "Accepted"),
        (204, "No Content"),
        (206, "Partial Content"),
        (301, "Moved Permanently"),
        (302, "Found"),
        (303, "See Other"),
        (304, "Not Modified"),
        (307, "Temporary Redirect"),
        (308, "Permanent Redirect"),
        (400, "Bad Request"),
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (404, "Not Found"),
        (405, "Method Not Allowed"),
        (409, "Conflict"),
        (410, "Gone"),
        (422, "Unprocessable Content"),
        (429, "Too Many Requests"),
        (500, "Internal Server Error"),
        (502, "Bad Gateway"),
        (503, "Service Unavailable"),
        (504, "Gateway Timeout"),
    ];
    let phrase = PHRASES.iter().find(|(code, _)| *code == status).map(|(_, phrase)| *phrase);
    phrase.map_or_else(|| status.to_string(), |phrase| format!("{status} {phrase}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_without_a_scheme_is_http() {
        assert_eq!(address("example.com/a").unwrap().as_str(), "http://example.com/a");
        assert_eq!(address("https://example.com").unwrap().as_str(), "https://example.com/");
    }

    #[test]
    fn a_url_that_is_none_is_refused_before_the_host_is_asked() {
        assert_eq!(address("http://").unwrap_err().code, code::BAD_URL);
        assert_eq!(address("ftp://example.com").unwrap_err().code, 1);
    }

    #[test]
    fn a_denial_names_the_missing_grant() {
        let trouble = Trouble::from(Failure::Denied("network=https://api.example.com/".to_owned()));
        assert_eq!(trouble.text, "denied: the grant network=https://api.example.com/ is missing");
        assert_eq!(trouble.code, code::NO_CONNECTION);
    }
}
