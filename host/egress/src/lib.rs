//! The one HTTP policy engine: match, resolve, pin, inject, send, re-check redirects, redact.
//!
//! A caller has an [`Allowance`]: network entries and slots for secrets, both written by the owner.
//! [`Egress::send`] sends one request under it. The engine depends on no other room of the house, so
//! that another program can use it on its own. See `README.md` for the grammar, the rules and the limits.

mod address;
mod allowance;
mod body;
mod client;
mod credentials;
mod deadline;
mod egress;
mod entry;
mod error;
mod forms;
mod grams;
mod headers;
mod limits;
mod placeholder;
mod redactor;
mod request;
mod resolver;
mod search;
mod secret;
mod spelling;
mod target;

pub use address::AddressClass;
pub use allowance::{Allowance, Permit};
pub use body::Body;
pub use credentials::MIN_SECRET_BYTES;
pub use egress::{Egress, Setup, USER_AGENT};
pub use entry::Entry;
pub use error::{EgressError, GrammarError};
pub use limits::{CallerKey, Limits};
pub use placeholder::placeholder;
pub use redactor::{Patterns, REDACTED, Redactor};
pub use request::{Collected, Options, Request, Response};
pub use resolver::{Resolver, SystemResolver};
pub use rustls::pki_types::CertificateDer;
pub use secrecy::SecretString;
pub use secret::{SecretSlot, SecretSource, Slot};
pub use target::canonical_url;
