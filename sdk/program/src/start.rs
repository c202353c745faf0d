//! How a program starts: in the caller's working directory, with the name it was called by.

use std::ffi::OsString;

/// Runs the program and ends it with its exit code. For [`main!`](crate::main).
pub fn start(run: fn(Vec<OsString>) -> u8) -> ! {
    crate::ending::end_on_panic();
    enter_working_directory();
    let code = run(std::env::args_os().collect());
    // Flushes standard output and comes to `end` by libc's `_Exit`.
    std::process::exit(code.into())
}

/// libc starts every component in `/`. A directory that cannot be entered (no file is granted) leaves it there.
fn enter_working_directory() {
    #[cfg(target_os = "wasi")]
    if let Some(directory) = wasip2::cli::environment::initial_cwd() {
        let _ = std::env::set_current_dir(directory);
    }
}
