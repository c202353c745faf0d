//! Doors for the benches: the codec without a network.

use crate::refusal::Refuser;
use crate::reply::ReplyBuilder;
use crate::sse::SseDecoder;
use crate::{ChatRequest, HttpProvider, ProviderOptions};
use std::sync::Arc;

const REQUEST: ChatRequest<'static> =
    ChatRequest { model: "m", messages: &[], tools: None, max_tokens: None, temperature: None, extra_body: None };

/// The length of the body of a request to a provider, which keeps what it translates.
pub fn write_request(provider: &HttpProvider, messages: &[Arc<str>]) -> usize {
    provider.body(&ChatRequest { messages, ..REQUEST }).len()
}

/// The length of the text in a stream that arrives in these pieces; none when it is no complete reply.
pub fn read_stream<'b>(vendor: &str, pieces: impl Iterator<Item = &'b [u8]>) -> Option<usize> {
    let refuser = Refuser { provider: "bench", model: "m", has_key: false, secrets: &[] };
    let (options, mut unheard) = (ProviderOptions::new(vendor, "", None), |_| ());
    let mut builder = ReplyBuilder::new(&options, refuser, true, &mut unheard);
    let (mut decoder, mut events) = (SseDecoder::default(), Vec::new());
    for piece in pieces {
        decoder.push(piece, &mut events).ok()?;
        for event in events.drain(..) {
            builder.take_event(&event).ok()?;
        }
    }
    builder.complete(&REQUEST, "").ok().map(|reply| reply.text.len())
}
