//! The built-in web tools: web_fetch and web_search.
//!
//! What they return was written by strangers, and says so: every result stands between marks that its author
//! cannot know. Requests go through the contract's `http`, so the host decides where they may go.

mod charset;
mod content;
#[cfg(test)]
mod corpus;
mod fetch;
mod page;
mod provenance;
mod providers;
mod search;

chiton_sdk::export!(fetch::web_fetch, search::web_search);
