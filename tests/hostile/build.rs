//! Builds the probe component.

use std::process::ExitCode;

fn main() -> ExitCode {
    match chiton_build::build(&chiton_build::Guest::at("probe")) {
        Ok(wasm) => {
            chiton_build::rerun_if_changed(&wasm);
            println!("cargo::rustc-env=PROBE_WASM={}", wasm.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
