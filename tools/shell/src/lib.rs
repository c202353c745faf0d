//! The shell language of exec and sh: parsed by a bash grammar, run over streams.
//!
//! The language knows nothing of where it runs: files, pipes and programs come from a [`System`]. In the sandbox that
//! is `component`, over the contract's `programs` interface. What is and is not supported is listed in the README.

mod arithmetic;
mod assign;
mod builtins;
#[cfg(target_family = "wasm")]
pub mod component;
mod conditional;
#[cfg(test)]
mod corpus;
mod error;
mod execute;
mod expand;
mod invocation;
mod options;
mod parameter;
mod paths;
mod pattern;
mod pipeline;
mod plain;
mod quote;
mod redirect;
mod saved;
mod shell;
mod simple;
mod syntax;
mod system;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod variables;
mod words;

pub use error::SyntaxError;
pub use invocation::run;
pub use plain::{Plain, plain};
pub use quote::quote;
pub use shell::{Shell, Standard};
pub use system::{Launch, OpenMode, SpawnError, System};
