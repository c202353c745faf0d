//! `env`: the environment, or a program in another one.

use std::ffi::OsString;
use std::io::Write;

use chiton_program::Command;
use lexopt::prelude::*;

use super::Problem;

/// Runs `env`; the exit code is the program's.
pub fn env(arguments: Vec<OsString>) -> Result<u8, Problem> {
    let mut environment: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    let mut end = b'\n';
    let mut directory = None;
    let mut words: Vec<OsString> = Vec::new();
    let mut parser = lexopt::Parser::from_iter(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('i') | Long("ignore-environment") => environment.clear(),
            Short('u') | Long("unset") => {
                let name = parser.value()?;
                environment.retain(|(known, _)| *known != name);
            }
            Short('0') | Long("null") => end = 0,
            Short('C') | Long("chdir") => directory = Some(parser.value()?),
            Short('S') | Long("split-string") => {
                words.extend(parser.value()?.string()?.split_whitespace().map(OsString::from));
                words.extend(parser.raw_args()?);
            }
            Value(word) if word == "-" => environment.clear(),
            Value(word) => {
                words.push(word);
                words.extend(parser.raw_args()?);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let mut words = words.into_iter().peekable();
    while let Some((name, value)) = words.peek().and_then(assignment) {
        environment.retain(|(known, _)| *known != name);
        environment.push((name, value));
        words.next();
    }
    if words.peek().is_some() {
        let mut command = Command { environment, ..Command::new(words) };
        if let Some(directory) = directory {
            command.working_directory = std::path::absolute(directory)?.into_os_string();
        }
        return super::start(&command);
    }
    let mut out = super::output();
    for (name, value) in environment {
        write!(out, "{}={}{}", name.to_string_lossy(), value.to_string_lossy(), char::from(end))?;
    }
    out.flush()?;
    Ok(0)
}

fn assignment(word: &OsString) -> Option<(OsString, OsString)> {
    let (name, value) = word.to_str()?.split_once('=')?;
    Some((name.into(), value.into()))
}
