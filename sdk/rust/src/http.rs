//! HTTP by the host: granted addresses only, with secrets that the host puts in.
//!
//! ```no_run
//! use chiton_sdk::prelude::*;
//!
//! # fn main() -> Result<(), Failure> {
//! let page = http::get("https://example.com/")?.success()?.text();
//! let key = secrets::placeholder("EXAMPLE_KEY")?;
//! let answer: serde_json::Value = http::Request::post("https://example.com/notes")
//!     .header("authorization", &format!("Bearer {key}"))
//!     .json(&serde_json::json!({ "text": page }))
//!     .send()?
//!     .success()?
//!     .json()?;
//! # Ok(())
//! # }
//! ```

use crate::Failure;
use crate::bindings::chiton::tool::http;
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Write;

/// Most redirects that are followed without a wish; the host checks each like a request of its own.
const USUAL_REDIRECTS: u8 = 5;
/// Most characters of a body that a failure repeats.
const MOST_OF_AN_ERROR: usize = 300;

/// Fetches `url`. An HTTP status such as 404 is no failure: see [`Response::success`].
pub fn get(url: &str) -> Result<Response, Failure> {
    Request::get(url).send()
}

/// A request that is being put together.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct Request {
    request: http::Request,
    /// Why it cannot be sent.
    broken: Option<Failure>,
}

impl Request {
    /// A `GET` request.
    pub fn get(url: &str) -> Self {
        Self::new("GET", url)
    }

    /// A `POST` request.
    pub fn post(url: &str) -> Self {
        Self::new("POST", url)
    }

    /// A request by any method.
    pub fn new(method: &str, url: &str) -> Self {
        let request = http::Request {
            method: method.to_owned(),
            url: url.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            redirects: USUAL_REDIRECTS,
        };
        Self { request, broken: None }
    }

    /// Adds a parameter to the query; the text is encoded as a URL needs it.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        let url = &mut self.request.url;
        url.push(if url.contains('?') { '&' } else { '?' });
        encode(url, name);
        url.push('=');
        encode(url, value);
        self
    }

    /// Adds a header field.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request.headers.push(http::Header { name: name.to_owned(), value: value.to_owned() });
        self
    }

    /// Sets the body.
    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.request.body = bytes.into();
        self
    }

    /// Sets the body to JSON, with its `content-type`.
    pub fn json(mut self, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(bytes) => self.header("content-type", "application/json").body(bytes),
            Err(error) => {
                self.broken = Some(Failure::Failed(format!("the request cannot be written as JSON: {error}")));
                self
            }
        }
    }

    /// Follows at most so many redirects; 0 gives the redirecting response back.
    pub fn redirects(mut self, most: u8) -> Self {
        self.request.redirects = most;
        self
    }

    /// Sends it and waits for the whole response.
    pub fn send(self) -> Result<Response, Failure> {
        match self.broken {
            Some(failure) => Err(failure),
            None => http::fetch(&self.request).map(Response::from),
        }
    }
}

/// Percent-encodes all but RFC 3986's unreserved characters.
fn encode(url: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => url.push(char::from(byte)),
            _ => write!(url, "%{byte:02X}").unwrap_or_default(),
        }
    }
}

/// The answer to a request.
#[derive(Clone, Debug)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// The URL that answered, after redirects.
    pub url: String,
    /// The whole body, decoded.
    pub bytes: Vec<u8>,
    headers: Vec<http::Header>,
}

impl From<http::Response> for Response {
    fn from(response: http::Response) -> Self {
        let http::Response { status, url, headers, body } = response;
        Self { status, url, bytes: body, headers }
    }
}

impl Response {
    /// Whether the status says that it went well (200 to 299).
    pub fn ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The value of a header field; of several with one name, the first.
    pub fn header(&self, name: &str) -> Option<&str> {
        let field = self.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        Some(&field.value)
    }

    /// The response itself if its status says that it went well, else a failure with the status and the first
    /// characters of the body.
    pub fn success(self) -> Result<Self, Failure> {
        if self.ok() {
            return Ok(self);
        }
        let body: String = self.text().trim().chars().take(MOST_OF_AN_ERROR).collect();
        let host = self.host();
        let sentence = match body.as_str() {
            "" => format!("{host} answered with status {}", self.status),
            body => format!("{host} answered with status {}: {body}", self.status),
        };
        Err(if self.status == 404 { Failure::NotFound(sentence) } else { Failure::Failed(sentence) })
    }

    /// The body as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let mut json = serde_json::Deserializer::from_slice(&self.bytes);
        serde_path_to_error::deserialize(&mut json)
            .map_err(|error| Failure::Failed(format!("{} sent an answer of an unexpected form: {error}", self.host())))
    }

    /// The host that answered, for sentences: the URL's query may hold what is nobody's business.
    fn host(&self) -> &str {
        let behind_scheme = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        behind_scheme.split(['/', '?', '#']).next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn response(status: u16, body: &str) -> Response {
        Response::from(http::Response {
            status,
            url: "https://api.example.com:8080/v1?key=x".to_owned(),
            headers: vec![http::Header { name: "Content-Type".to_owned(), value: "text/plain".to_owned() }],
            body: body.as_bytes().to_vec(),
        })
    }

    fn reason(failure: Failure) -> String {
        match failure {
            Failure::Failed(reason) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_query_is_encoded_and_a_placeholder_stays_as_it_is() {
        let request =
            Request::get("https://example.com/?a=1").query("city", "São Paulo & co").query("k", "secret-A_1-0");
        assert_eq!(request.request.url, "https://example.com/?a=1&city=S%C3%A3o%20Paulo%20%26%20co&k=secret-A_1-0");
        assert!(Request::get("https://example.com/").query("a", "1").request.url.ends_with("/?a=1"));
    }

    #[test]
    fn json_sets_the_body_and_its_type() {
        let request = Request::post("https://example.com/").json(&BTreeMap::from([("a", 1)])).request;
        assert_eq!((request.method.as_str(), request.body.as_slice()), ("POST", br#"{"a":1}"#.as_slice()));
        assert_eq!(request.headers[0].value, "application/json");
    }

    #[test]
    fn what_cannot_be_written_as_json_is_not_sent() {
        let keys_that_are_no_text = BTreeMap::from([((1, 2), 3)]);
        let failure = Request::post("https://example.com/").json(&keys_that_are_no_text).send().unwrap_err();
        assert!(reason(failure).starts_with("the request cannot be written as JSON"));
    }

    #[test]
    fn a_status_is_a_failure_only_where_success_is_asked_for() {
        assert!(!response(500, "down").ok());
        let failure = response(500, " down for\nmaintenance ").success().unwrap_err();
        assert_eq!(reason(failure), "api.example.com:8080 answered with status 500: down for\nmaintenance");
        assert!(matches!(response(404, "").success(), Err(Failure::NotFound(_))));
        assert_eq!(response(204, "").success().unwrap().status, 204);
    }

    #[test]
    fn a_body_of_another_form_names_the_host_and_the_place() {
        let failure = response(200, r#"{"a":"x"}"#).json::<BTreeMap<String, u8>>().unwrap_err();
        let reason = reason(failure);
        assert!(reason.starts_with("api.example.com:8080 sent an answer of an unexpected form: a: "), "{reason}");
    }

    #[test]
    fn header_fields_are_found_in_any_case() {
        assert_eq!(response(200, "").header("content-type"), Some("text/plain"));
        assert_eq!(response(200, "").header("etag"), None);
    }
}
