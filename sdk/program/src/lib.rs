//! Write a program that runs inside the sandbox in Rust: a function from arguments to an exit code.
//!
//! ```
//! use std::ffi::OsString;
//!
//! fn run(arguments: Vec<OsString>) -> u8 {
//!     println!("{} arguments", arguments.len() - 1);
//!     0
//! }
//!
//! chiton_program::main!(run);
//! ```
//!
//! `main!` starts the program in the caller's working directory and ends it with a full exit code. So does
//! `std::process::exit`, wherever it is called, because this crate takes the place of libc's `_Exit`: what WASI 0.2
//! offers there tells success from failure and nothing more.

mod ending;
mod process;
mod start;

pub use bindings::chiton::tool::{call_context, http, secrets};
pub use ending::{ABORTED, BROKEN_PIPE, end};
pub use process::{CANNOT_RUN, Command, Ended, NOT_FOUND, OutputReader, SpawnError};
pub use start::start;

/// The interface `programs` as the contract has it, for what [`Command`] does not offer: pipes, kill, available names.
pub use bindings::chiton::tool::programs;

/// Makes `fn(Vec<OsString>) -> u8` the program: the arguments begin with the name it was called by.
#[macro_export]
macro_rules! main {
    ($run:path) => {
        fn main() {
            $crate::start($run)
        }
    };
}

#[allow(missing_docs, clippy::undocumented_unsafe_blocks, reason = "generated from the contract in wit/")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "program",
        with: {
            "wasi:io/error@0.2.12": wasip2::io::error,
            "wasi:io/poll@0.2.12": wasip2::io::poll,
            "wasi:io/streams@0.2.12": wasip2::io::streams,
        },
    });
}
