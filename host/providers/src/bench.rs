//! Doors for the benches: the codec without a network.

use crate::refusal::Refuser;
use crate::reply::ReplyBuilder;
use crate::sse::SseDecoder;
use crate::{ChatRequest, OpenAiOptions, request};
use std::sync::Arc;

const REQUEST: ChatRequest<'static> =
    ChatRequest { model: "m", messages: &[], tools: None, max_tokens: None, temperature: None, extra_body: None };

/// The body of a request to `vendor`.
pub fn request_body(vendor: &str, messages: &[Arc<str>]) -> Vec<u8> {
    request::body(&OpenAiOptions::new(vendor, "", None), &ChatRequest { messages, ..REQUEST }, &[])
}

/// The length of the text in a stream that arrives in these pieces; none when it is no complete reply.
pub fn read_stream<'b>(pieces: impl Iterator<Item = &'b [u8]>) -> Option<usize> {
    let refuser = Refuser { provider: "bench", model: "m", has_key: false, secrets: &[] };
    let options = OpenAiOptions::new("custom", "", None);
    let mut builder = ReplyBuilder::new(options.quirks, true);
    let (mut decoder, mut events) = (SseDecoder::default(), Vec::new());
    for piece in pieces {
        decoder.push(piece, &mut events).ok()?;
        for event in events.drain(..) {
            builder.take_event(&event, &refuser, &mut |_| ()).ok()?;
        }
    }
    builder.complete(&REQUEST, "", &refuser, &mut |_| ()).ok().map(|reply| reply.text.len())
}
