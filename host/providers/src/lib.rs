//! Model providers: three wire codecs behind one transport, the table of vendors, and the servers on this machine.
//!
//! A caller builds a [`ChatRequest`] from messages that are already wire JSON, gives it to a [`Provider`] and
//! receives events while the reply streams and one complete [`Reply`] at the end. A reply that was cut is an
//! error, so its tool calls can never run.

#[doc(hidden)]
pub mod bench;
mod calls;
mod chat;
mod codec;
mod error;
mod exchange;
mod fallback;
mod fragments;
mod inline;
mod local;
mod models;
mod prices;
mod refusal;
mod reply;
mod scripted;
mod sse;
mod transport;
mod vendors;

pub use chat::{ChatRequest, Finish, MalformedArguments, Provider, Reply, StreamEvent, ToolCall, Usage};
pub use codec::Codec;
pub use error::{ErrorClass, ProviderError};
pub use fallback::Fallback;
pub use local::{LocalServer, find_local_servers, find_servers_on, listener_uid};
pub use models::{Model, Models, OneModel, Price, title};
pub use scripted::ScriptedProvider;
pub use sse::{SseDecoder, SseEvent, SseTooLarge};
pub use transport::{HttpProvider, ProviderOptions, Retries, Timeouts, connect};
pub use vendors::{HistoryRules, Quirks, VENDORS, Vendor};

/// Makes `ring` the process's TLS implementation; later calls change nothing.
///
/// The TLS client is built without a default, so this must run before the first `https` request.
pub fn install_tls() {
    // An error means that some provider is installed already, which is all that is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
