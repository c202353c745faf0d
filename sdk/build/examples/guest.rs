//! Builds the guests whose directories are given and prints where their components are, with their sizes.

use std::process::ExitCode;

fn main() -> ExitCode {
    for directory in std::env::args().skip(1) {
        match chiton_build::build(&chiton_build::Guest::at(directory)) {
            Ok(wasm) => println!("{} {}", wasm.display(), std::fs::metadata(&wasm).map_or(0, |file| file.len())),
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
