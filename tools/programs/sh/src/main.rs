//! `sh`: the shell of the sandbox as a program, for scripts and for stages of pipelines that are shell code.

use std::ffi::OsString;

chiton_program::main!(run);

#[cfg(not(target_family = "wasm"))]
fn run(_: Vec<OsString>) -> u8 {
    eprintln!("sh: this program runs in the sandbox only; build it for wasm32-wasip2");
    126
}

#[cfg(target_family = "wasm")]
fn run(arguments: Vec<OsString>) -> u8 {
    use chiton_shell::Standard;
    use chiton_shell::component::{Component, Input, Output};
    use std::rc::Rc;

    let text = |word: OsString| word.to_string_lossy().into_owned();
    let arguments: Vec<String> = arguments.into_iter().map(text).collect();
    let environment = std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
    let directory = std::env::current_dir().map_or_else(|_| "/".to_owned(), |path| path.to_string_lossy().into_owned());
    let standard = Standard { input: Input::standard(), output: Output::standard(), error: Output::error() };
    match chiton_shell::run(Rc::new(Component::default()), &arguments, environment, &directory, standard) {
        Ok(code) => code,
        Err(reason) => {
            eprintln!("sh: {reason}");
            128
        }
    }
}
