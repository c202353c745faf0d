//! Components that attack their host, built from source: tests load them into the real sandbox.
//!
//! [`probe`] is a Rust guest that does what its arguments say through raw host interfaces. [`Text`] is the
//! smallest valid tool component with regions that can be replaced. The tables of [`cases`] name hostile edits of it,
//! [`files`] are whole files that are no tool at all, and [`bombs`] makes components that are large.

pub mod bombs;
pub mod cases;
pub mod files;
mod text;

pub use cases::{Case, case};
pub use text::{Text, Tool};

/// The probe component: tools `probe_none`, `probe_read` and `probe_write`. What they do stands in
/// `probe/src`.
pub fn probe() -> Vec<u8> {
    include_bytes!(env!("PROBE_WASM")).to_vec()
}

/// The program of many deeds. What they are stands in `program/src`.
pub fn program() -> Vec<u8> {
    include_bytes!(env!("PROGRAM_WASM")).to_vec()
}

/// A well-behaved component with one tool of this name, which answers `done`.
pub fn tool(name: &str) -> Vec<u8> {
    Text::valid().tools(&[Tool::named(name)]).component()
}
