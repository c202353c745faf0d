//! The command line of jq.

use crate::output::Form;
use jaq_json::{Map, Val, read, write::Pp};
use lexopt::Arg::{Long, Short, Value};
use lexopt::{Parser, ValueExt};
use std::ffi::OsString;

/// The first lines of jq's help.
pub(crate) const USAGE: &str = "Usage:\tjq [OPTIONS] FILTER [FILE]...
\tjq [OPTIONS] --args FILTER [STRING]...
\tjq [OPTIONS] --jsonargs FILTER [JSON]...
Options: -n, -R, -s, --stream, -c, -r, -j, -a, -S, --tab, --indent N, -e, -f FILE,
\t--arg NAME VALUE, --argjson NAME JSON, --slurpfile NAME FILE, --rawfile NAME FILE";

/// As jq's `--indent`.
const MOST_INDENT: usize = 7;

/// What the arguments say.
pub(crate) struct Options {
    pub(crate) filter: String,
    pub(crate) files: Vec<OsString>,
    /// Names without `$`, in the order of definition, `ENV` and `ARGS` too.
    pub(crate) variables: Vec<(String, Val)>,
    pub(crate) form: Form,
    pub(crate) null_input: bool,
    pub(crate) raw_input: bool,
    pub(crate) slurp: bool,
    pub(crate) stream: bool,
    pub(crate) exit_status: bool,
}

/// What the arguments ask for.
pub(crate) enum Asked {
    Run(Box<Options>),
    Print(&'static str),
}

/// What positional arguments after the filter are.
#[derive(Clone, Copy, PartialEq)]
enum Positional {
    Files,
    Strings,
    Json,
}

struct Reading {
    filter: Option<OsString>,
    filter_file: bool,
    files: Vec<OsString>,
    named: Vec<(String, Val)>,
    positional: Vec<Val>,
    now: Positional,
    indent: usize,
    tab: bool,
    options: Options,
}

/// Reads the arguments; the first is the name that jq was called by.
pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Asked, lexopt::Error> {
    let mut reading = Reading {
        filter: None,
        filter_file: false,
        files: Vec::new(),
        named: Vec::new(),
        positional: Vec::new(),
        now: Positional::Files,
        indent: 2,
        tab: false,
        options: Options {
            filter: String::new(),
            files: Vec::new(),
            variables: Vec::new(),
            form: Form::default(),
            null_input: false,
            raw_input: false,
            slurp: false,
            stream: false,
            exit_status: false,
        },
    };
    let mut parser = Parser::from_iter(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Asked::Print(USAGE)),
            Short('V') | Long("version") => return Ok(Asked::Print("jq-1.7")),
            Value(value) => reading.value(value)?,
            Short(letter) => reading.option(&letter.to_string(), &mut parser)?,
            Long(word) => {
                let word = word.to_owned();
                reading.option(&word, &mut parser)?;
            }
        }
    }
    reading.end().map(|options| Asked::Run(Box::new(options)))
}

impl Reading {
    fn value(&mut self, value: OsString) -> Result<(), lexopt::Error> {
        if self.filter.is_none() {
            self.filter = Some(value);
            return Ok(());
        }
        match self.now {
            Positional::Files => self.files.push(value),
            Positional::Strings => self.positional.push(Val::utf8_str(value.string()?)),
            Positional::Json => self.positional.push(json("--jsonargs", &value.string()?)?),
        }
        Ok(())
    }

    fn option(&mut self, name: &str, parser: &mut Parser) -> Result<(), lexopt::Error> {
        let options = &mut self.options;
        match name {
            "n" | "null-input" => options.null_input = true,
            "R" | "raw-input" => options.raw_input = true,
            "s" | "slurp" => options.slurp = true,
            "stream" => options.stream = true,
            "c" | "compact-output" => self.indent = 0,
            "tab" => self.tab = true,
            "indent" => self.indent = parser.value()?.parse()?,
            "r" | "raw-output" => options.form.raw = true,
            "j" | "join-output" => (options.form.raw, options.form.joined) = (true, true),
            "raw-output0" => (options.form.raw, options.form.null_ended) = (true, true),
            "a" | "ascii-output" => options.form.ascii = true,
            "S" | "sort-keys" => options.form.pretty.sort_keys = true,
            "e" | "exit-status" => options.exit_status = true,
            "f" | "from-file" => self.filter_file = true,
            "args" => self.now = Positional::Strings,
            "jsonargs" => self.now = Positional::Json,
            "arg" | "argjson" | "slurpfile" | "rawfile" => {
                let variable = parser.value()?.string()?;
                let value = parser.value()?.string()?;
                self.named.push((variable, named(name, &value)?));
            }
            // Output is never coloured, and written when it is complete.
            "C" | "M" | "color-output" | "monochrome-output" | "unbuffered" => {}
            _ => {
                let dashes = if name.chars().count() == 1 { "-" } else { "--" };
                return Err(format!("Unknown arguments: {dashes}{name}").into());
            }
        }
        Ok(())
    }

    fn end(self) -> Result<Options, lexopt::Error> {
        let mut options = self.options;
        let mut files = self.files;
        options.filter = match (self.filter, self.filter_file) {
            (Some(file), true) => {
                std::fs::read_to_string(&file).map_err(|error| format!("Could not open {}: {error}", file.display()))?
            }
            (Some(filter), false) => filter.string()?,
            (None, true) => return Err("-f takes a file".into()),
            // As jq: without a filter the input is shown.
            (None, false) => ".".to_owned(),
        };
        options.files.append(&mut files);
        if self.indent > MOST_INDENT {
            return Err(format!("Cannot indent more than {MOST_INDENT} characters").into());
        }
        options.form.pretty = Pp {
            indent: match (self.tab, self.indent) {
                (true, _) => Some("\t".to_owned()),
                (false, 0) => None,
                (false, indent) => Some(" ".repeat(indent)),
            },
            sep_space: self.tab || self.indent > 0,
            ..options.form.pretty
        };
        options.variables = variables(self.named, self.positional);
        Ok(options)
    }
}

fn json(option: &str, text: &str) -> Result<Val, lexopt::Error> {
    read::parse_single(text.as_bytes()).map_err(|_| format!("Invalid JSON text passed to {option}").into())
}

fn named(option: &str, value: &str) -> Result<Val, lexopt::Error> {
    let bad_file =
        |error: &dyn std::fmt::Display| lexopt::Error::from(format!("Bad JSON in --{option} {value}: {error}"));
    Ok(match option {
        "argjson" => json("--argjson", value)?,
        "slurpfile" => {
            let text = std::fs::read(value).map_err(|error| bad_file(&error))?;
            read::parse_many(&text).collect::<Result<Val, _>>().map_err(|error| bad_file(&error))?
        }
        "rawfile" => Val::utf8_str(std::fs::read_to_string(value).map_err(|error| bad_file(&error))?),
        _ => Val::utf8_str(value.to_owned()),
    })
}

/// The global variables: the named ones, `$ARGS` and `$ENV`.
fn variables(named: Vec<(String, Val)>, positional: Vec<Val>) -> Vec<(String, Val)> {
    let text = |text: &str| Val::utf8_str(text.to_owned());
    let object = |pairs: Vec<(String, Val)>| {
        Val::obj(pairs.into_iter().map(|(name, value)| (Val::utf8_str(name), value)).collect::<Map>())
    };
    let environment = std::env::vars().map(|(name, value)| (name, Val::utf8_str(value))).collect();
    let arguments: Map =
        [(text("positional"), positional.into_iter().collect::<Val>()), (text("named"), object(named.clone()))]
            .into_iter()
            .collect();
    let mut variables = named;
    variables.push(("ARGS".to_owned(), Val::obj(arguments)));
    variables.push(("ENV".to_owned(), object(environment)));
    variables
}
