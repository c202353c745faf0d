//! Builds the probe component and the program of many deeds.

use std::process::ExitCode;

fn main() -> ExitCode {
    for (folder, variable) in [("probe", "PROBE_WASM"), ("program", "PROGRAM_WASM")] {
        match chiton_build::build(&chiton_build::Guest::at(folder)) {
            Ok(wasm) => {
                chiton_build::rerun_if_changed(&wasm);
                println!("cargo::rustc-env={variable}={}", wasm.display());
            }
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
