//! The shared JavaScript engine: scripts, modules and one-liners on Boa, with the parts of Node that scripts use most.

mod arguments;
mod files;
mod host;
mod modules;
mod requests;
mod script;

use std::ffi::OsString;

chiton_program::main!(run);

fn run(arguments: Vec<OsString>) -> u8 {
    match arguments::parse(arguments) {
        Ok(arguments::Asked::Run(program)) => script::run(program),
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
