//! The command line: as Node's, as far as it runs code.

use lexopt::Arg::{Long, Short, Value};
use lexopt::{Parser, ValueExt};
use std::ffi::OsString;
use std::io::Read;
use std::path::Path;

/// As Node: a bad option.
pub(crate) const USAGE_ERROR: u8 = 9;

const USAGE: &str = "Usage: js [OPTIONS] SCRIPT.js [ARGUMENT]...
       js -e CODE | -p CODE [ARGUMENT]...
       js [-]  (the script is standard input)
Options: -e CODE runs it, -p CODE also prints the result, -c checks the syntax, --input-type=module";

/// Code and how it is to be run.
pub(crate) struct Program {
    pub(crate) code: String,
    /// The file, absolute; none for code of the command line or of standard input.
    pub(crate) file: Option<String>,
    /// `process.argv` after the program's own name.
    pub(crate) arguments: Vec<String>,
    pub(crate) print: bool,
    pub(crate) check_only: bool,
    pub(crate) is_module: bool,
}

/// What the arguments ask for.
pub(crate) enum Asked {
    Run(Program),
    Print(&'static str),
}

/// Reads the arguments; the first is the name that the engine was called by.
pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Asked, lexopt::Error> {
    let (mut code, mut print, mut check_only, mut is_module) = (None, false, false, false);
    let mut parser = Parser::from_iter(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('e') | Long("eval") => code = Some(parser.value()?.string()?),
            Short('p') | Long("print") => {
                print = true;
                code = Some(parser.value()?.string()?);
            }
            Short('c') | Long("check") => check_only = true,
            Short('v') | Long("version") => return Ok(Asked::Print("v20.0.0")),
            Short('h') | Long("help") => return Ok(Asked::Print(USAGE)),
            Long("input-type") => is_module = parser.value()? == "module",
            // Accepted because scripts are often started with them; they change nothing here.
            Long("no-warnings" | "experimental-fetch" | "enable-source-maps" | "trace-warnings" | "use-strict") => {}
            Value(file) => {
                let rest = parser.raw_args()?.map(|one| one.to_string_lossy().into_owned()).collect();
                return program(code, Some(file.string()?), rest, print, check_only, is_module);
            }
            other => return Err(other.unexpected()),
        }
    }
    program(code, None, Vec::new(), print, check_only, is_module)
}

fn program(
    code: Option<String>,
    first: Option<String>,
    mut arguments: Vec<String>,
    print: bool,
    check_only: bool,
    is_module: bool,
) -> Result<Asked, lexopt::Error> {
    let mut program = Program { code: String::new(), file: None, arguments: Vec::new(), print, check_only, is_module };
    match (code, first) {
        (Some(code), first) => {
            program.code = code;
            program.arguments.extend(first);
        }
        (None, Some(file)) if file != "-" => {
            program.code = std::fs::read_to_string(&file).map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => format!("Cannot find module '{file}'"),
                _ => format!("Cannot read '{file}': {error}"),
            })?;
            let whole = std::env::current_dir().unwrap_or_default().join(Path::new(&file));
            let whole = crate::modules::normal(&whole).to_string_lossy().into_owned();
            program.is_module |= [".mjs", ".mts"].iter().any(|ending| file.ends_with(ending));
            program.arguments.push(whole.clone());
            program.file = Some(whole);
        }
        (None, _) => {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes).map_err(|error| format!("cannot read the script: {error}"))?;
            program.code = String::from_utf8_lossy(&bytes).into_owned();
            program.arguments.push("-".to_owned());
        }
    }
    program.arguments.append(&mut arguments);
    Ok(Asked::Run(program))
}
