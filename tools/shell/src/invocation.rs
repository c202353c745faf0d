//! How `sh` is called: its options, and where its script comes from.

use crate::error::{MISUSE, NOT_FOUND};
use crate::saved::{STATE, STATE_FILE, Saved};
use crate::shell::{SOURCE, Shell, Standard, Stream};
use crate::system::System;
use std::rc::Rc;

/// Largest script, in bytes.
const LARGEST_SCRIPT: usize = 16 << 20;

/// Where the script comes from.
enum Script {
    Text(String),
    File(String),
    Input,
}

/// Runs `sh` with arguments, of which the first is its name, and gives the exit code.
///
/// # Errors
/// When the host ended it; the text is the host's reason.
pub fn run<S: System>(
    system: Rc<S>,
    arguments: &[String],
    environment: Vec<(String, String)>,
    directory: &str,
    standard: Standard<S>,
) -> Result<u8, String> {
    let mut shell = Shell::new(system, directory, environment, standard);
    match arguments.get(1).map(String::as_str) {
        Some(STATE) => return take_over(&mut shell, arguments.get(2).map_or("", String::as_str)),
        Some(STATE_FILE) => {
            let path = arguments.get(2).map_or("", String::as_str);
            let text = std::fs::read_to_string(path).unwrap_or_default();
            // The file was written for this shell alone.
            let _ = std::fs::remove_file(path);
            return take_over(&mut shell, &text);
        }
        _ => {}
    }
    let script = match parse(&mut shell, arguments) {
        Ok(script) => script,
        Err(message) => return Ok(shell.fail(MISUSE, &message)),
    };
    let source = match script {
        Script::Text(text) => text,
        Script::File(path) => match std::fs::read(shell.absolute(&path)) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => return Ok(shell.fail(NOT_FOUND, &format!("{path}: {}", crate::redirect::reason(&error)))),
        },
        Script::Input => match read_all(&shell) {
            Ok(text) => text,
            Err(message) => return Ok(shell.fail(MISUSE, &message)),
        },
    };
    shell.run(&source)
}

fn take_over<S: System>(shell: &mut Shell<S>, text: &str) -> Result<u8, String> {
    let saved: Saved = match serde_json::from_str(text) {
        Ok(saved) => saved,
        Err(error) => return Ok(shell.fail(MISUSE, &format!("{STATE}: not a state of this shell: {error}"))),
    };
    let command = saved.restore(shell);
    let flow = shell.command(&command);
    shell.finish(flow)
}

/// Takes options and arguments; gives where the script is.
fn parse<S: System>(shell: &mut Shell<S>, arguments: &[String]) -> Result<Script, String> {
    let (mut text, mut input) = (false, false);
    let mut rest = arguments.iter().skip(1).peekable();
    while let Some(option) = rest.next_if(|word| word.starts_with(['-', '+']) && word.len() > 1) {
        if option == "--" {
            break;
        }
        if let Some(name) = option.strip_prefix("--") {
            match name {
                "login" | "norc" | "noprofile" | "posix" => continue,
                _ => return Err(format!("--{name}: invalid option")),
            }
        }
        let (sign, letters) = option.split_at(1);
        for letter in letters.chars() {
            match letter {
                'c' => text = true,
                's' => input = true,
                // A login shell reads files that are not there, and none of this is at a terminal.
                'l' | 'i' => {}
                'o' | 'O' => {
                    let name = rest.next().ok_or_else(|| format!("-{letter}: option requires an argument"))?;
                    let options = [format!("{sign}o"), name.clone()];
                    shell.take_options(&options).map_err(|option| format!("{option}: invalid option name"))?;
                }
                letter => {
                    let options = [format!("{sign}{letter}")];
                    shell.take_options(&options).map_err(|option| format!("{option}: invalid option"))?;
                }
            }
        }
    }
    let mut rest = rest.cloned();
    let script = if text {
        Script::Text(rest.next().ok_or("-c: option requires an argument")?)
    } else {
        match rest.next().filter(|_| !input) {
            Some(path) => {
                shell.set_arguments(&path, rest.collect());
                shell.state.variables.set_own(SOURCE, path.as_str());
                return Ok(Script::File(path));
            }
            None => Script::Input,
        }
    };
    if text && let Some(name) = rest.next() {
        shell.set_arguments(&name, Vec::new());
    }
    let name = shell.state.name.clone();
    if input && !text {
        let words: Vec<String> = arguments.iter().skip(1).filter(|word| !word.starts_with('-')).cloned().collect();
        shell.set_arguments(&name, words);
    } else {
        shell.set_arguments(&name, rest.collect());
    }
    Ok(script)
}

/// The whole standard input: a script that reads from it must be given as a file.
fn read_all<S: System>(shell: &Shell<S>) -> Result<String, String> {
    let Some(Stream::Input(input)) = shell.state.streams.get(&0) else { return Ok(String::new()) };
    let mut bytes = Vec::new();
    loop {
        match shell.system.read(input, 1 << 16) {
            Ok(read) if read.is_empty() => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Ok(read) => bytes.extend(read),
            Err(error) => return Err(crate::redirect::reason(&error)),
        }
        if bytes.len() > LARGEST_SCRIPT {
            return Err(format!("the script is larger than {LARGEST_SCRIPT} bytes"));
        }
    }
}
