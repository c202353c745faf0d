//! The shared JavaScript engine, on Boa, with the parts of Node that scripts use most. One component is both the
//! program `js`, for scripts, modules and one-liners, and the engine of scripts that are tools.

mod arguments;
mod digests;
mod engine;
mod files;
mod host;
mod modules;
mod program;
mod requests;
mod tools;
mod typescript;

use chiton_sdk::bindings::exports::chiton::tool::tools::Guest as Tools;
use chiton_sdk::{Definition, Failure, Part};
use std::ffi::OsString;

struct Component;

chiton_sdk::bindings::export!(Component with_types_in chiton_sdk::bindings);
wasip2::cli::command::export!(Component);

impl Tools for Component {
    fn list_tools() -> Vec<Definition> {
        tools::list().unwrap_or_else(|reason| {
            // What the host shows of a script that does not list its tools.
            eprintln!("{reason}");
            chiton_program::end(program::UNCAUGHT)
        })
    }

    fn call(name: String, arguments: String) -> Result<Vec<Part>, Failure> {
        tools::call(&name, &arguments)
    }
}

impl wasip2::exports::cli::run::Guest for Component {
    fn run() -> Result<(), ()> {
        chiton_program::start(run)
    }
}

fn run(arguments: Vec<OsString>) -> u8 {
    match arguments::parse(arguments) {
        Ok(arguments::Asked::Run(program)) => program::run(program),
        Ok(arguments::Asked::Print(text)) => {
            println!("{text}");
            0
        }
        Err(error) => {
            eprintln!("js: {error}");
            arguments::USAGE_ERROR
        }
    }
}
