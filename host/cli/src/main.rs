//! The program `chiton`: commands, configuration, wiring.

mod arguments;
mod builtin;
mod commands;
mod config;
mod control;
#[cfg(test)]
mod corpus;
mod door;
mod exit;
mod host;
mod migrate;
mod model;
mod ports;
mod process;
mod programs;
#[cfg_attr(not(test), expect(dead_code, unused_imports, reason = "`chiton skill new` and `build` call it"))]
mod project;
mod request;
mod rows;
mod settings;
mod skills;
mod terminal;
mod tools;
mod tour;
mod transcript;
mod watch;

use arguments::{Arguments, Command};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    process::harden();
    let arguments = Arguments::parse();
    if let Some(Command::Compile) = arguments.command {
        return chiton_sandbox::compile_child();
    }
    if let Some(Command::Native) = arguments.command {
        return chiton_native::native_child();
    }
    match commands::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("chiton: {failure}");
            ExitCode::from(failure.exit as u8)
        }
    }
}
