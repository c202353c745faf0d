//! `sed`: POSIX sed with GNU's additions.

mod input;
mod lossless;
mod machine;
mod output;
mod script;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;

use input::{Input, describe};
use lexopt::prelude::*;
use machine::Machine;
use output::Output;

/// Exit codes of GNU sed: a wrong script or option; a file that cannot be read; one that cannot be written.
const USAGE: u8 = 1;
const UNREADABLE: u8 = 2;
const UNWRITABLE: u8 = 4;

/// What the command line says.
#[derive(Default)]
struct Options {
    script: Option<String>,
    files: Vec<String>,
    quiet: bool,
    extended: bool,
    separate: bool,
    /// `-i`, with the suffix of the copy that is kept, if any.
    in_place: Option<String>,
    zero: bool,
    unbuffered: bool,
    list_width: Option<usize>,
}

fn run(arguments: Vec<OsString>) -> u8 {
    let options = match parse(arguments) {
        Ok(options) => options,
        Err(problem) => return fail(USAGE, &problem.to_string()),
    };
    let text = options.script.as_deref().unwrap_or_default();
    let quiet = options.quiet || text.starts_with("#n\n") || text == "#n";
    let commands = match script::parse(text, options.extended) {
        Ok(commands) => commands,
        Err(problem) => return fail(USAGE, &problem),
    };
    let output = Output::new(end(&options), options.unbuffered);
    let outcome = Machine::new(&commands, quiet, options.list_width, output).and_then(|mut machine| {
        let code = if options.in_place.is_some() || options.separate {
            one_by_one(&options, &mut machine)
        } else {
            together(&options, &mut machine)
        }?;
        machine.output.flush().map(|()| code)
    });
    outcome.unwrap_or_else(|problem| fail(UNWRITABLE, &problem))
}

fn fail(code: u8, problem: &str) -> u8 {
    eprintln!("sed: {problem}");
    code
}

fn end(options: &Options) -> u8 {
    if options.zero { 0 } else { b'\n' }
}

fn together(options: &Options, machine: &mut Machine) -> Result<u8, String> {
    let mut input = Input::new(options.files.iter().cloned(), end(options));
    let code = machine.run(&mut input)?;
    Ok(code.unwrap_or(if input.failed { UNREADABLE } else { 0 }))
}

fn one_by_one(options: &Options, machine: &mut Machine) -> Result<u8, String> {
    let mut code = 0;
    for file in &options.files {
        machine.restart();
        let mut input = Input::new([file.clone()], end(options));
        if input.failed {
            code = if options.in_place.is_some() { UNWRITABLE } else { UNREADABLE };
            continue;
        }
        let ended = match &options.in_place {
            Some(suffix) => in_place(file, suffix, &mut input, machine)?,
            None => machine.run(&mut input)?,
        };
        if let Some(ended) = ended {
            return Ok(ended);
        }
    }
    Ok(code)
}

/// The new text goes to a file beside the old one, which it then replaces; so a reader never sees half of it.
fn in_place(file: &str, suffix: &str, input: &mut Input, machine: &mut Machine) -> Result<Option<u8>, String> {
    let (directory, name) =
        file.rsplit_once('/').map_or((String::new(), file), |(directory, name)| (format!("{directory}/"), name));
    let new = format!("{directory}.sed-{name}");
    let about = |problem: &std::io::Error| format!("couldn't edit {file}: {}", describe(problem));
    machine.output.redirect(File::create(&new).map_err(|problem| about(&problem))?);
    let ended = machine.run(input).and_then(|ended| machine.output.flush().map(|()| ended));
    if ended.is_err() {
        // The old file stays as it was.
        let _ = fs::remove_file(&new);
        return ended;
    }
    if !suffix.is_empty() {
        let copy = if suffix.contains('*') { suffix.replace('*', name) } else { format!("{name}{suffix}") };
        let copy = if copy.contains('/') { copy } else { format!("{directory}{copy}") };
        fs::rename(file, copy).map_err(|problem| about(&problem))?;
    }
    fs::rename(&new, file).map_err(|problem| about(&problem))?;
    ended
}

fn parse(arguments: Vec<OsString>) -> Result<Options, lexopt::Error> {
    let mut options = Options::default();
    let mut parser = lexopt::Parser::from_iter(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('n') | Long("quiet" | "silent") => options.quiet = true,
            Short('e') | Long("expression") => add(&mut options, &parser.value()?.string()?),
            Short('f') | Long("file") => {
                let path = parser.value()?.string()?;
                let mut text = String::new();
                let read = input::open(&path).and_then(|mut reader| reader.read_to_string(&mut text));
                read.map_err(|problem| format!("couldn't open file {path}: {}", describe(&problem)))?;
                add(&mut options, text.strip_suffix('\n').unwrap_or(&text));
            }
            Short('E' | 'r') | Long("regexp-extended") => options.extended = true,
            Short('s') | Long("separate") => options.separate = true,
            Short('i') | Long("in-place") => {
                options.in_place = Some(parser.optional_value().map_or(Ok(String::new()), |value| value.string())?);
            }
            Short('z') | Long("null-data") => options.zero = true,
            Short('u') | Long("unbuffered") => options.unbuffered = true,
            Short('l') | Long("line-length") => options.list_width = Some(parser.value()?.parse()?),
            // Links are followed, and there is one kind of file.
            Short('b') | Long("binary" | "follow-symlinks" | "posix" | "sandbox" | "debug") => {}
            Value(word) => options.files.push(word.string()?),
            other => return Err(other.unexpected()),
        }
    }
    if options.script.is_none() {
        if options.files.is_empty() {
            return Err("usage: sed [-n] [-E] [-s] [-z] [-i[SUFFIX]] SCRIPT [FILE]...".into());
        }
        let script = options.files.remove(0);
        add(&mut options, &script);
    }
    if options.files.is_empty() {
        options.files.push("-".to_owned());
    }
    Ok(options)
}

/// Scripts of several options are as lines of one.
fn add(options: &mut Options, text: &str) {
    match &mut options.script {
        Some(script) => {
            script.push('\n');
            script.push_str(text);
        }
        None => options.script = Some(text.to_owned()),
    }
}

chiton_program::main!(run);
