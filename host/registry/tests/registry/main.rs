//! Fetching and publishing, against a real registry and against servers that lie.

mod archives;
mod artifacts;
mod credentials;
mod index;
mod interop;
mod published;
mod sources;
mod support;
