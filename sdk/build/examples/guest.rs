//! Builds the guests whose directories are given and prints where their components are, with their sizes.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    for directory in std::env::args().skip(1) {
        let wasm = chiton_build::build(&chiton_build::Guest::at(directory))?;
        println!("{} {}", wasm.display(), std::fs::metadata(&wasm)?.len());
    }
    Ok(())
}
