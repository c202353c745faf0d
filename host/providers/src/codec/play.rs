//! What the tests of the codecs share: requests as they are written, replies as they are read.

use crate::refusal::Refuser;
use crate::reply::ReplyBuilder;
use crate::sse::SseEvent;
use crate::{ChatRequest, HttpProvider, ProviderError, ProviderOptions, Reply, StreamEvent};
use serde_json::Value;
use std::sync::Arc;

/// What came of a stream.
pub struct Outcome {
    pub reply: Result<Reply, ProviderError>,
    pub events: Vec<StreamEvent>,
}

/// The body of `request` with these messages.
pub fn build(options: &ProviderOptions, messages: &[&str], request: ChatRequest<'_>) -> Value {
    let messages: Vec<Arc<str>> = messages.iter().map(|message| Arc::from(*message)).collect();
    let provider = HttpProvider::new(options.clone()).unwrap();
    let request = ChatRequest { messages: &messages, ..request };
    let first = provider.body(&request);
    assert_eq!(first, provider.body(&request), "the second request differs");
    serde_json::from_slice(&first).unwrap_or_else(|error| panic!("{error}: {first:?}"))
}

/// What a vendor's server gives for these events.
pub fn play(vendor: &str, messages: &[Arc<str>], tools: &str, events: &[&str]) -> Outcome {
    let refuser = Refuser { provider: "acme", model: "m", has_key: true, secrets: &[] };
    let request =
        ChatRequest { model: "m", messages, tools: Some(tools), max_tokens: None, temperature: None, extra_body: None };
    let options = ProviderOptions::new(vendor, "", None);
    let mut seen = Vec::new();
    let mut sink = |event| seen.push(event);
    let mut builder = ReplyBuilder::new(&options, refuser, true, &mut sink);
    let taken = events.iter().try_for_each(|data| {
        let event = SseEvent { name: String::new(), data: (*data).into() };
        builder.take_event(&event).map(drop)
    });
    let reply = taken.and_then(|()| builder.complete(&request, "the server closed the connection"));
    Outcome { reply: reply.map_err(|failure| failure.error), events: seen }
}
