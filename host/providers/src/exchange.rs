//! One request and its answer: status, then a stream of events or a whole body.

use crate::chat::{ChatRequest, Reply};
use crate::openai::{Timeouts, root_cause};
use crate::refusal::{Failure, Refuser, retry_after};
use crate::reply::{Events, ReplyBuilder};
use crate::sse::{STREAM_LIMIT, SseDecoder};
use crate::{ProviderError, Quirks};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;
use std::error::Error;
use std::time::Duration;

/// How much of a refusal is read.
const REFUSAL_LIMIT: usize = 64 << 10;
/// How much of a list of models is read.
const MODELS_LIMIT: usize = 8 << 20;
/// How long a finished stream may take for its usage and its end.
const AFTERWORD: Duration = Duration::from_secs(2);

/// Everything one request needs beside its content.
pub struct Exchange<'a> {
    /// The connection pool.
    pub client: &'a Client,
    /// Scheme, host and port, for errors.
    pub origin: String,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// Makes errors.
    pub refuser: Refuser<'a>,
}

impl Exchange<'_> {
    /// Sends a chat request and reads the reply; `started` becomes true with the first piece of it.
    pub async fn chat(
        &self,
        send: RequestBuilder,
        request: &ChatRequest<'_>,
        quirks: Quirks,
        started: &mut bool,
        events: Events<'_>,
    ) -> Result<Reply, Failure> {
        let response = self.send(send, self.timeouts.header).await?;
        let mut builder = ReplyBuilder::new(quirks, request.tools.is_some()).of_model(request.model);
        let end = self.read(response, &mut builder, events).await;
        *started = builder.has_started();
        builder.complete(request, &end?, &self.refuser, events)
    }

    /// Sends a request for the list of models and reads their names.
    pub async fn models(&self, send: RequestBuilder) -> Result<Vec<String>, Failure> {
        let wait = self.timeouts.connect;
        let body = read_up_to(self.send(send, wait).await?, MODELS_LIMIT, wait).await;
        let json: Value = serde_json::from_slice(&body).map_err(|_| self.refuser.not_an_api(&body))?;
        model_names(&json).ok_or_else(|| self.refuser.unintelligible("a list of models without data"))
    }

    async fn send(&self, send: RequestBuilder, wait: Duration) -> Result<Response, Failure> {
        let answer = tokio::time::timeout(wait, send.send()).await.map_err(|_| self.timed_out(wait))?;
        let response = answer.map_err(|error| self.unreachable(error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let header = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_string());
        if status.is_redirection() {
            return Err(self.redirected(header("location")).into());
        }
        let pause = retry_after(header);
        let body = read_up_to(response, REFUSAL_LIMIT, self.timeouts.connect).await;
        Err(self.refuser.status(status.as_u16(), pause, &body))
    }

    /// Reads a success: events, or one JSON body whatever its type says. Gives how it ended.
    async fn read(
        &self,
        response: Response,
        builder: &mut ReplyBuilder,
        events: Events<'_>,
    ) -> Result<String, Failure> {
        let mut stream = response.bytes_stream();
        let mut first = Vec::new();
        // The first byte that is no white space tells JSON and HTML from events.
        let kind = loop {
            match self.next(&mut stream, self.timeouts.header).await? {
                Next::Bytes(bytes) => first.extend_from_slice(&bytes),
                Next::End(reason) => return Ok(reason),
            }
            if let Some(kind) = first.trim_ascii_start().first() {
                break *kind;
            }
            if first.len() > REFUSAL_LIMIT {
                return Err(self.refuser.unintelligible("nothing but white space"));
            }
        };
        match kind {
            b'{' | b'[' => self.read_whole(first, stream, builder, events).await,
            b'<' => Err(self.refuser.not_an_api(&first)),
            _ => self.read_events(first, stream, builder, events).await,
        }
    }

    async fn read_whole(
        &self,
        mut body: Vec<u8>,
        mut stream: impl Stream<Item = reqwest::Result<Bytes>> + Unpin,
        builder: &mut ReplyBuilder,
        events: Events<'_>,
    ) -> Result<String, Failure> {
        let reason = loop {
            match self.next(&mut stream, self.timeouts.idle).await? {
                Next::Bytes(bytes) => body.extend_from_slice(&bytes),
                Next::End(reason) => break reason,
            }
            if body.len() > STREAM_LIMIT {
                return Err(self.refuser.too_large("it has more than 64 MiB"));
            }
        };
        match serde_json::from_slice::<Value>(&body) {
            Ok(Value::Array(chunks)) => {
                chunks.iter().try_for_each(|chunk| builder.take_chunk(chunk, &self.refuser, &mut *events))?
            }
            Ok(chunk) if chunk["choices"].is_array() || chunk.get("error").is_some() || chunk["object"] == "error" => {
                builder.take_chunk(&chunk, &self.refuser, &mut *events)?;
            }
            Ok(_) => return Err(self.refuser.unintelligible("JSON without choices")),
            Err(error) if error.is_eof() => return Ok(reason),
            Err(_) => return Err(self.refuser.not_an_api(&body)),
        }
        Ok(reason)
    }

    async fn read_events(
        &self,
        first: Vec<u8>,
        mut stream: impl Stream<Item = reqwest::Result<Bytes>> + Unpin,
        builder: &mut ReplyBuilder,
        events: Events<'_>,
    ) -> Result<String, Failure> {
        let (mut decoder, mut arrived) = (SseDecoder::default(), Vec::new());
        let mut bytes = Bytes::from(first);
        loop {
            decoder.push(&bytes, &mut arrived).map_err(|error| self.refuser.too_large(&error.to_string()))?;
            for event in arrived.drain(..) {
                if builder.take_event(&event, &self.refuser, &mut *events)? {
                    return Ok("it ended without a reason to stop".into());
                }
            }
            let wait = match (builder.is_finished(), builder.has_started()) {
                (true, _) => AFTERWORD,
                (false, true) => self.timeouts.idle,
                (false, false) => self.timeouts.header,
            };
            match self.next(&mut stream, wait).await {
                Ok(Next::Bytes(next)) => bytes = next,
                Ok(Next::End(reason)) => {
                    decoder.finish(&mut arrived);
                    for event in arrived.drain(..) {
                        builder.take_event(&event, &self.refuser, &mut *events)?;
                    }
                    return Ok(reason);
                }
                Err(_) if builder.is_finished() => return Ok(String::new()),
                Err(failure) => return Err(failure),
            }
        }
    }

    async fn next(
        &self,
        stream: &mut (impl Stream<Item = reqwest::Result<Bytes>> + Unpin),
        wait: Duration,
    ) -> Result<Next, Failure> {
        match tokio::time::timeout(wait, stream.next()).await {
            Err(_) => Err(self.timed_out(wait).into()),
            Ok(Some(Ok(bytes))) => Ok(Next::Bytes(bytes)),
            Ok(Some(Err(error))) => Ok(Next::End(format!("the connection broke: {}", root_cause(&error)))),
            Ok(None) => Ok(Next::End("the server closed the connection".into())),
        }
    }

    fn timed_out(&self, after: Duration) -> ProviderError {
        ProviderError::TimedOut { provider: self.refuser.provider.into(), after }
    }

    fn unreachable(&self, error: reqwest::Error) -> Failure {
        let reason = self.refuser.clean(&root_cause(&error));
        let (provider, origin) = (self.refuser.provider.to_string(), self.origin.clone());
        if is_bad_certificate(&error) {
            return ProviderError::Untrusted { provider, origin, reason }.into();
        }
        ProviderError::Unreachable { provider, origin, reason }.into()
    }

    fn redirected(&self, location: Option<String>) -> ProviderError {
        let base = reqwest::Url::parse(&self.origin).ok();
        let target = location.and_then(|location| base?.join(&location).ok());
        let to = target.map_or_else(|| "an address it does not name".into(), |url| url.origin().ascii_serialization());
        ProviderError::Redirected { provider: self.refuser.provider.into(), to }
    }
}

enum Next {
    Bytes(Bytes),
    /// The body is over, or broke; either way only a reason to stop makes the reply complete.
    End(String),
}

fn is_bad_certificate(error: &(dyn Error + 'static)) -> bool {
    if let Some(rustls::Error::InvalidCertificate(_)) = error.downcast_ref() {
        return true;
    }
    // An I/O error leaves what it wraps out of its chain of sources.
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    wrapped.map(|inner| inner as &(dyn Error + 'static)).or(error.source()).is_some_and(is_bad_certificate)
}

/// At most `limit` bytes within `wait`; what did not come is left away.
async fn read_up_to(response: Response, limit: usize, wait: Duration) -> Vec<u8> {
    let (mut body, mut stream) = (Vec::new(), response.bytes_stream());
    let read = async {
        while let Some(Ok(bytes)) = stream.next().await {
            body.extend_from_slice(&bytes[..bytes.len().min(limit - body.len())]);
            if body.len() == limit {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(wait, read).await;
    body
}

/// The names in a list of models: `{"data": [{"id": ..}]}`, or the bare array.
pub fn model_names(json: &Value) -> Option<Vec<String>> {
    let models = json["data"].as_array().or_else(|| json.as_array())?;
    Some(models.iter().filter_map(|model| model["id"].as_str()).map(str::to_string).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_certificate_is_found_below_the_errors_that_wrap_it() {
        let wrap = |error| std::io::Error::other(std::io::Error::other(error));
        let bad = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        assert!(is_bad_certificate(&wrap(bad)));
        assert!(!is_bad_certificate(&wrap(rustls::Error::DecryptError)));
    }
}
