//! `awk`: POSIX awk with what people use of gawk. Text is UTF-8; what is not is read with replacement characters.

mod ast;
mod format;
mod interpreter;
mod lexer;
mod parser;
mod pattern;
mod value;

use std::ffi::OsString;

use lexopt::prelude::*;

/// The exit code for trouble.
const TROUBLE: u8 = 2;

/// What the command line says.
#[derive(Default)]
struct Options {
    program: Option<String>,
    field_separator: Option<String>,
    assignments: Vec<(String, String)>,
    operands: Vec<String>,
}

fn run(arguments: Vec<OsString>) -> u8 {
    let outcome = parse_arguments(arguments).map_err(|problem| problem.to_string()).and_then(|options| {
        let program = parser::parse(options.program.as_deref().unwrap_or_default())?;
        let mut interpreter = interpreter::Interpreter::new(program, &options.operands);
        if let Some(separator) = &options.field_separator {
            interpreter.assign("FS", separator);
        }
        for (name, value) in &options.assignments {
            interpreter.assign(name, value);
        }
        interpreter.run()
    });
    outcome.unwrap_or_else(|problem| {
        eprintln!("awk: {problem}");
        TROUBLE
    })
}

fn parse_arguments(arguments: Vec<OsString>) -> Result<Options, lexopt::Error> {
    let mut options = Options::default();
    let mut parser = lexopt::Parser::from_iter(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('F') | Long("field-separator") => {
                let separator = parser.value()?.string()?;
                // By POSIX, `-Ft` is a tab.
                options.field_separator = Some(if separator == "t" { "\t".to_owned() } else { separator });
            }
            Short('v') | Long("assign") => {
                let text = parser.value()?.string()?;
                let (name, value) =
                    text.split_once('=').ok_or_else(|| format!("`{text}' is no assignment: -v NAME=VALUE"))?;
                options.assignments.push((name.to_owned(), value.to_owned()));
            }
            Short('f') | Long("file") => {
                let path = parser.value()?.string()?;
                let text = interpreter::read_file(&path)?;
                let program = options.program.get_or_insert_default();
                program.push_str(&text);
                program.push('\n');
            }
            // Ways of gawk that change nothing here.
            Short('e') | Long("source") => {
                options.program.get_or_insert_default().push_str(&(parser.value()?.string()? + "\n"))
            }
            Long("posix" | "traditional" | "re-interval" | "sandbox" | "characters-as-bytes") => {}
            Value(word) => {
                match options.program {
                    None => options.program = Some(word.string()?),
                    Some(_) => options.operands.push(word.string()?),
                }
                for word in parser.raw_args()? {
                    options.operands.push(word.string()?);
                }
            }
            other => return Err(other.unexpected()),
        }
    }
    if options.program.is_none() {
        return Err("usage: awk [-F SEPARATOR] [-v NAME=VALUE] 'PROGRAM' [FILE]...".into());
    }
    Ok(options)
}

chiton_program::main!(run);
