//! What goes in and what comes out.

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::HeaderMap;
use url::Url;

use crate::{body::Body, error::EgressError};

/// A request as a guest wrote it. Nothing in it is trusted.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Such as `GET`; any case.
    pub method: String,
    /// Absolute URL.
    pub url: String,
    /// Names and values. The host owns those that frame the message.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The whole body.
    pub body: Bytes,
}

/// How one request is sent. The engine's [`crate::Limits`] hold too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Most redirects to follow; 0 gives the redirecting response back.
    pub redirects: u8,
    /// Time for everything: waiting, look-up, connection, redirects, body.
    pub deadline: Duration,
    /// Largest body in bytes, after decoding.
    pub max_body: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { redirects: 0, deadline: Duration::from_secs(30), max_body: 16 << 20 }
    }
}

/// The head of a response, and its body as a stream. No secret that was sent is in it.
pub struct Response {
    /// Status code.
    pub status: u16,
    /// The URL that answered, without the secrets of query slots.
    pub url: Url,
    /// Header fields, without those that describe how the body was transported.
    pub headers: HeaderMap,
    /// The decoded body.
    pub body: Body,
}

/// A response with its whole body.
#[derive(Debug, Clone)]
pub struct Collected {
    /// Status code.
    pub status: u16,
    /// The URL that answered, without the secrets of query slots.
    pub url: Url,
    /// Header fields, without those that describe how the body was transported.
    pub headers: HeaderMap,
    /// The whole decoded body.
    pub body: Bytes,
}

impl Response {
    /// Waits for the whole body.
    ///
    /// # Errors
    /// As [`Body::chunk`].
    pub async fn collect(mut self) -> Result<Collected, EgressError> {
        let body = self.body.whole().await?;
        Ok(Collected { status: self.status, url: self.url, headers: self.headers, body })
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, url, headers, body: _ } = self;
        f.debug_struct("Response")
            .field("status", status)
            .field("url", &url.as_str())
            .field("headers", headers)
            .finish()
    }
}
