//! Fetching and publishing, against a real registry and servers that lie. Attack ids are those of the security document.
#![cfg(test)]

mod archives;
mod artifacts;
mod credentials;
mod index;
mod interop;
mod published;
mod sources;
mod support;
