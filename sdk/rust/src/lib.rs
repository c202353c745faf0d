//! Write a Chiton tool in Rust: a struct for the arguments and a function.
//!
//! ```
//! use chiton_sdk::prelude::*;
//!
//! /// Greets somebody by name.
//! #[tool]
//! fn greet(arguments: Greet) -> ToolResult {
//!     Ok(format!("Hello, {}!", arguments.name))
//! }
//!
//! #[arguments]
//! struct Greet {
//!     /// Whom to greet.
//!     name: String,
//! }
//!
//! chiton_sdk::export!(greet);
//! # fn main() {}
//! ```
//!
//! The name is the function's; the description and the JSON Schema come from the doc comments and the
//! types; the effects stand in the attribute: `#[tool(effects(reads_files, writes_files))]`.

extern crate self as chiton_sdk;

pub mod call;
mod failure;
pub mod http;
pub mod log;
pub mod paths;
mod schema;
pub mod secrets;
mod tool;

pub use bindings::chiton::tool::tool_types::{Blob, Definition, Effects, Failure, Part};
pub use chiton_sdk_derive::{arguments, tool};
pub use tool::{IntoParts, Tool, ToolResult};

/// What a tool usually needs.
pub mod prelude {
    pub use crate::paths::{self, Access, Place};
    pub use crate::{Blob, Failure, Part, ToolResult, arguments, call, http, log, secrets, tool};
}

/// What the macros refer to; not for tools.
#[doc(hidden)]
pub mod generated {
    pub use crate::bindings::exports::chiton::tool::tools::Guest;
    pub use crate::tool::{Nothing, call, definition, unknown};
    pub use {schemars, serde};
}

#[doc(hidden)]
#[allow(missing_docs, clippy::undocumented_unsafe_blocks, reason = "generated from the contract in wit/")]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "everything",
        with: {
            "wasi:io/error@0.2.12": wasip2::io::error,
            "wasi:io/poll@0.2.12": wasip2::io::poll,
            "wasi:io/streams@0.2.12": wasip2::io::streams,
        },
        pub_export_macro: true,
        default_bindings_module: "chiton_sdk::bindings",
    });
}
