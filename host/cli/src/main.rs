//! The program `chiton`: commands, configuration, wiring.

mod arguments;
mod builtin;
mod bundled;
mod commands;
mod config;
mod control;
#[cfg(test)]
mod corpus;
mod dialog;
mod door;
mod examples;
mod exit;
mod host;
mod live;
mod migrate;
mod model;
mod ports;
mod process;
mod programs;
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
            // What a tool said is part of many failures; no line of it stands where the program's own begin.
            eprintln!("chiton: {}", failure.to_string().replace('\n', "\n  "));
            ExitCode::from(failure.exit as u8)
        }
    }
}
