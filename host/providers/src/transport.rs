//! A provider over HTTP, whatever its protocol: address, headers, retries, and fields that a model refuses.

use crate::chat::{ChatRequest, Provider, Reply, StreamEvent};
use crate::codec::{Codec, Draft, chat};
use crate::exchange::Exchange;
use crate::fragments::Fragments;
use crate::refusal::{Failure, Refuser};
use crate::reply::ReplyBuilder;
use crate::{ErrorClass, ProviderError, Quirks, Vendor, install_tls};
use async_trait::async_trait;
use bytes::Bytes;
use rand::RngExt;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For the first event of a reply; a local model reads the whole prompt before it.
    pub header: Duration,
    /// Between two pieces of a stream.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), header: Duration::from_secs(300), idle: Duration::from_secs(120) }
    }
}

/// How often to try again while nothing of the reply has arrived.
#[derive(Clone, Copy, Debug)]
pub struct Retries {
    /// Attempts after the first.
    pub count: u32,
    /// The first pause; it doubles each time, with jitter.
    pub first_pause: Duration,
    /// The longest pause, also of those the server asks for: a longer one is an error at once.
    pub longest_pause: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self { count: 3, first_pause: Duration::from_secs(1), longest_pause: Duration::from_secs(60) }
    }
}

/// What the owner configured for one provider.
#[derive(Clone, Debug)]
pub struct ProviderOptions {
    /// The name under `providers`.
    pub name: String,
    /// Up to and including `/v1`, or what stands for it. Only `https`, or `http` to this machine or without a key.
    pub base_url: String,
    /// Sent in the header that the protocol has for it.
    pub api_key: Option<SecretString>,
    /// Further headers; their values are kept secret like the key.
    pub extra_headers: Vec<(String, SecretString)>,
    /// Further top-level fields of every request; `null` takes a field away.
    pub extra_body: Map<String, Value>,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// How often to try again.
    pub retries: Retries,
    /// How it is spoken to.
    pub codec: &'static Codec,
    /// What is odd about the server.
    pub quirks: Quirks,
}

impl ProviderOptions {
    /// The options of provider `name`: from its row in the table of vendors if it has one. An empty `base_url` means the row's.
    pub fn new(name: impl Into<String>, base_url: impl Into<String>, api_key: Option<SecretString>) -> Self {
        let (name, mut base_url) = (name.into(), base_url.into());
        let vendor = Vendor::named(&name);
        if base_url.is_empty() {
            base_url = vendor.map(|vendor| vendor.base_url.to_string()).unwrap_or_default();
        }
        Self {
            codec: vendor.map_or(chat::CODEC, |vendor| vendor.codec),
            quirks: vendor.map(|vendor| vendor.quirks).unwrap_or_default(),
            name,
            base_url,
            api_key,
            extra_headers: Vec::new(),
            extra_body: Map::new(),
            timeouts: Timeouts::default(),
            retries: Retries::default(),
        }
    }
}

/// A provider with these options, which speaks the protocol of its row in the table of vendors. Connects to nothing yet.
///
/// # Errors
/// [`ProviderError::BadBaseUrl`] and [`ProviderError::BadHeader`].
pub fn connect(options: ProviderOptions) -> Result<Arc<dyn Provider>, ProviderError> {
    Ok(Arc::new(HttpProvider::new(options)?))
}

/// A server that is reached over HTTP.
///
/// Proxies named in the environment are not used and redirects are not followed.
pub struct HttpProvider {
    options: ProviderOptions,
    base: Url,
    headers: HeaderMap,
    secrets: Vec<SecretString>,
    client: OnceLock<Client>,
    /// Fields that a model refused, such as the temperature of a reasoning model: not sent to it again.
    refused_fields: Mutex<HashMap<String, Vec<&'static str>>>,
    /// Messages as this server wants them.
    fragments: Fragments,
}

/// Fields a request can do without when a model refuses them.
const OPTIONAL_FIELDS: [&str; 4] = ["temperature", "stream_options", "max_tokens", "max_completion_tokens"];

impl HttpProvider {
    /// Checks the options; connects to nothing yet.
    ///
    /// # Errors
    /// [`ProviderError::BadBaseUrl`] and [`ProviderError::BadHeader`].
    pub fn new(options: ProviderOptions) -> Result<Self, ProviderError> {
        let base = base_url(&options)?;
        let headers = headers(&options)?;
        // As a server would repeat them: the key as it is sent, and a header's token without the word before it.
        let values = options.api_key.iter().chain(options.extra_headers.iter().map(|(_, value)| value));
        let spoken = |value: &SecretString| {
            let value = value.expose_secret().trim();
            [value, value.split_whitespace().last().unwrap_or_default()].map(str::to_owned)
        };
        let secrets = values.flat_map(spoken).filter(|text| !text.is_empty()).map(SecretString::from).collect();
        Ok(Self {
            base,
            headers,
            secrets,
            options,
            client: OnceLock::new(),
            refused_fields: Mutex::default(),
            fragments: Fragments::default(),
        })
    }

    /// Made at the first request: reading the system's certificates would slow down every start.
    fn client(&self) -> Result<&Client, ProviderError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        install_tls();
        let mut builder = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(self.options.timeouts.connect)
            .user_agent(concat!("chiton/", env!("CARGO_PKG_VERSION")));
        if self.base.scheme() == "http" {
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|error| ProviderError::NoTls {
            provider: self.options.name.clone(),
            reason: root_cause(&error),
        })?;
        Ok(self.client.get_or_init(|| client))
    }

    /// The address of a path of the protocol, which may end with a query.
    fn endpoint(&self, path: &str) -> Url {
        let (path, query) = path.rsplit_once('?').unwrap_or((path, ""));
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            // A model's name cannot lead out of the path: segments are encoded, and dots are dropped.
            segments.pop_if_empty().extend(path.split('/'));
        }
        if let Some((name, value)) = query.split_once('=') {
            url.query_pairs_mut().append_pair(name, value);
        }
        url
    }

    fn refuser<'a>(&'a self, model: &'a str) -> Refuser<'a> {
        Refuser { provider: &self.options.name, model, has_key: !self.secrets.is_empty(), secrets: &self.secrets }
    }

    fn exchange<'a>(&'a self, model: &'a str) -> Result<Exchange<'a>, ProviderError> {
        Ok(Exchange {
            client: self.client()?,
            origin: self.base.origin().ascii_serialization(),
            timeouts: self.options.timeouts,
            refuser: self.refuser(model),
        })
    }

    fn draft<'a>(&'a self, request: &'a ChatRequest<'a>, without: &'a [&'static str]) -> Draft<'a> {
        Draft { options: &self.options, request, without, fragments: &self.fragments }
    }

    /// The body of `request`, without what its model refused before.
    pub(crate) fn body(&self, request: &ChatRequest<'_>) -> Bytes {
        (self.options.codec.write)(&self.draft(request, &self.refused_by(request.model))).into()
    }

    fn refused_by(&self, model: &str) -> Vec<&'static str> {
        let fields = self.refused_fields.lock().unwrap_or_else(PoisonError::into_inner);
        fields.get(model).cloned().unwrap_or_default()
    }

    /// Notes a field the model refused and says whether a body that was `without` some fields may be sent again
    /// without it.
    fn note_refused(&self, model: &str, failure: &Failure, without: &[&str]) -> bool {
        if !matches!(failure.error, ProviderError::Refused { .. }) {
            return false;
        }
        let Some(field) = OPTIONAL_FIELDS.into_iter().find(|field| failure.field.contains(*field)) else {
            return false;
        };
        let mut fields = self.refused_fields.lock().unwrap_or_else(PoisonError::into_inner);
        let fields = fields.entry(model.into()).or_default();
        if !fields.contains(&field) {
            fields.push(field);
        }
        // Another request may have learnt it while this one was on its way.
        !without.contains(&field)
    }

    /// The pause before attempt `attempt + 1`, or none when trying again is of no use.
    fn pause(&self, attempt: u32, error: &ProviderError) -> Option<Duration> {
        let Retries { count, first_pause, longest_pause } = self.options.retries;
        // After a silence of minutes another attempt would only double it.
        let hopeless = error.class() != ErrorClass::Retry || matches!(error, ProviderError::TimedOut { .. });
        if hopeless || attempt >= count {
            return None;
        }
        if let Some(asked) = error.retry_after() {
            return (asked <= longest_pause).then_some(asked);
        }
        let doubled = first_pause.saturating_mul(1 << attempt.min(16)).min(longest_pause);
        Some(doubled.mul_f64(rand::rng().random_range(0.75..1.25)))
    }
}

#[async_trait]
impl Provider for HttpProvider {
    fn name(&self) -> &str {
        &self.options.name
    }

    async fn chat(
        &self,
        request: ChatRequest<'_>,
        events: &mut (dyn FnMut(StreamEvent) + Send),
    ) -> Result<Reply, ProviderError> {
        let exchange = self.exchange(request.model)?;
        let url = self.endpoint(&(self.options.codec.chat)(self.draft(&request, &[]).model()));
        let mut without = self.refused_by(request.model);
        let (mut body, mut attempt) = (self.body(&request), 0);
        loop {
            let send = exchange.client.post(url.clone()).headers(self.headers.clone()).body(body.clone());
            let (mut started, with_tools) = (false, request.tools.is_some());
            let builder = ReplyBuilder::new(&self.options, exchange.refuser, with_tools, &mut *events);
            let builder = builder.of_model(request.model);
            let failure = match exchange.chat(send, &request, builder, &mut started).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            if self.note_refused(request.model, &failure, &without) {
                without = self.refused_by(request.model);
                body = self.body(&request);
                continue;
            }
            let error = failure.error;
            let Some(after) = self.pause(attempt, &error).filter(|_| !started) else {
                return Err(error);
            };
            attempt += 1;
            tracing::debug!(provider = self.options.name, attempt, %error, "retrying");
            events(StreamEvent::Retrying { after, reason: error.to_string() });
            tokio::time::sleep(after).await;
        }
    }

    async fn models(&self) -> Result<Vec<String>, ProviderError> {
        let exchange = self.exchange("")?;
        let request = exchange.client.get(self.endpoint(self.options.codec.models)).headers(self.headers.clone());
        exchange.models(request).await.map_err(|failure| failure.error)
    }
}

/// The innermost cause, without the address: a query could hold a secret.
pub fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn base_url(options: &ProviderOptions) -> Result<Url, ProviderError> {
    let refuse = |reason: String| ProviderError::BadBaseUrl { provider: options.name.clone(), reason };
    let mut written = options.base_url.trim().trim_end_matches('/');
    for end in options.codec.trims {
        written = written.strip_suffix(end).unwrap_or(written);
    }
    if written.is_empty() {
        return Err(refuse(
            "it is empty; write the server's address up to /v1, such as http://127.0.0.1:8080/v1".into(),
        ));
    }
    let url = Url::parse(written)
        .map_err(|error| refuse(format!("{error}; write an address such as https://api.example.com/v1")))?;
    let has_secrets = options.api_key.is_some() || !options.extra_headers.is_empty();
    match url.scheme() {
        _ if !url.username().is_empty() || url.password().is_some() => {
            Err(refuse("it holds a user name or a password; use apiKey or extraHeaders instead".into()))
        }
        "https" => Ok(url),
        "http" if !has_secrets || is_loopback(&url) => Ok(url),
        "http" => Err(refuse(
            "plain http would send the key readable over the network; use https, or leave the key away".into(),
        )),
        scheme => Err(refuse(format!("{scheme} is not spoken here; use https, or http to a server of your own"))),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn headers(options: &ProviderOptions) -> Result<HeaderMap, ProviderError> {
    let refuse = |what: &str| ProviderError::BadHeader { provider: options.name.clone(), what: what.into() };
    let secret = |text: &str, what: &str| {
        let mut value = HeaderValue::from_str(text).map_err(|_| refuse(what))?;
        value.set_sensitive(true);
        Ok(value)
    };
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream, application/json"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in options.codec.headers {
        headers.insert(*name, HeaderValue::from_static(value));
    }
    if let Some(key) = &options.api_key {
        let (name, prefix) = options.codec.key;
        headers.insert(name, secret(&format!("{prefix}{}", key.expose_secret().trim()), "apiKey")?);
    }
    for (name, value) in &options.extra_headers {
        let header = HeaderName::try_from(name).map_err(|_| refuse(name))?;
        headers.insert(header, secret(value.expose_secret(), name)?);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(base_url: &str, key: Option<&str>) -> Result<HttpProvider, ProviderError> {
        HttpProvider::new(ProviderOptions::new("acme", base_url, key.map(|key| key.to_string().into())))
    }

    #[test]
    fn a_key_goes_over_https_or_to_this_machine_only() {
        for allowed in
            ["https://api.example.com/v1", "http://127.0.0.1:8080/v1", "http://localhost:1/v1", "http://[::1]:1/v1"]
        {
            assert!(make(allowed, Some("k")).is_ok(), "{allowed}");
        }
        for refused in [
            "http://api.example.com/v1",
            "http://192.168.1.2/v1",
            "ftp://127.0.0.1/v1",
            "https://me:pw@example.com/v1",
            "",
            "not a url",
        ] {
            assert!(matches!(make(refused, Some("k")), Err(ProviderError::BadBaseUrl { .. })), "{refused}");
        }
        assert!(make("http://192.168.1.2:8000/v1", None).is_ok());
    }

    #[test]
    fn the_address_may_be_written_with_a_slash_or_with_the_whole_path() {
        for written in ["https://a.example/v1", "https://a.example/v1/", "https://a.example/v1/chat/completions"] {
            assert_eq!(make(written, None).unwrap().endpoint("models").as_str(), "https://a.example/v1/models");
        }
        assert_eq!(
            make("https://a.example/v1?api-version=2", None).unwrap().endpoint("models").as_str(),
            "https://a.example/v1/models?api-version=2"
        );
    }

    #[test]
    fn a_key_with_a_line_break_is_refused_without_repeating_it() {
        let error = make("https://a.example/v1", Some("canary\nX-Other: 1")).err().unwrap().to_string();
        assert!(error.contains("apiKey") && !error.contains("canary"), "{error}");
    }

    #[test]
    fn nothing_that_is_printed_holds_a_secret() {
        let mut options = ProviderOptions::new("acme", "https://a.example/v1", Some("canary-key".to_string().into()));
        options.extra_headers.push(("x-token".into(), "canary-header".to_string().into()));
        let provider = HttpProvider::new(options.clone()).unwrap();
        let printed = format!("{options:?} {:?} {:?}", provider.options, provider.headers);
        assert!(!printed.contains("canary"), "{printed}");
    }

    #[test]
    fn pauses_double_within_bounds_and_end_with_the_last_attempt() {
        let provider = make("https://a.example/v1", None).unwrap();
        let failed =
            |retry_after| ProviderError::ServerFailed { provider: "acme".into(), retry_after, detail: String::new() };
        let pause = |attempt| provider.pause(attempt, &failed(None)).map(|pause| pause.as_secs_f64());
        assert!((0.75..1.25).contains(&pause(0).unwrap()) && (3.0..5.0).contains(&pause(2).unwrap()));
        assert_eq!(pause(3), None);
        assert_eq!(provider.pause(0, &failed(Some(Duration::from_secs(7)))), Some(Duration::from_secs(7)));
        assert_eq!(provider.pause(0, &failed(Some(Duration::from_secs(3600)))), None);
        assert_eq!(provider.pause(0, &ProviderError::KeyMissing { provider: "acme".into() }), None);
    }
}
