//! The command line of `diff`.

use std::ffi::OsString;

use lexopt::prelude::*;
use regex::Regex;

use crate::Problem;

/// Lines around a change in `-u`, unless told otherwise.
const CONTEXT: usize = 3;

/// How differences are written.
#[derive(Clone, Copy)]
pub enum Style {
    /// As ed(1) commands with the lines.
    Normal,
    /// With so many lines around each change.
    Unified(usize),
}

/// What was asked for.
pub struct Options {
    /// How differences are written.
    pub style: Style,
    /// `-q`
    pub brief: bool,
    /// `-s`
    pub report_same: bool,
    /// `-r`
    pub recursive: bool,
    /// `-N`: a missing file is an empty one.
    pub new_file: bool,
    /// `-a`: no file is binary.
    pub text: bool,
    /// `-i`
    pub ignore_case: bool,
    /// `-w`
    pub ignore_all_space: bool,
    /// `-b`
    pub ignore_space_change: bool,
    /// `-Z`
    pub ignore_trailing_space: bool,
    /// `-B`
    pub ignore_blank_lines: bool,
    /// `--strip-trailing-cr`
    pub strip_carriage_return: bool,
    /// `-p`: the line that opens a function stands in the head of a hunk.
    pub show_function: bool,
    /// `-L`: instead of the names and times.
    pub labels: Vec<String>,
    /// `-x`: names that are left out of a directory.
    pub exclude: Vec<Regex>,
    /// The options as given, for the line before each file of a tree.
    pub given: Vec<String>,
    /// The two operands.
    pub files: Vec<String>,
}

/// Reads the command line.
pub fn parse(arguments: Vec<OsString>) -> Result<Options, Problem> {
    let words: Vec<String> = arguments.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let mut options = Options {
        style: Style::Normal,
        brief: false,
        report_same: false,
        recursive: false,
        new_file: false,
        text: false,
        ignore_case: false,
        ignore_all_space: false,
        ignore_space_change: false,
        ignore_trailing_space: false,
        ignore_blank_lines: false,
        strip_carriage_return: false,
        show_function: false,
        labels: Vec::new(),
        exclude: Vec::new(),
        given: words.clone(),
        files: Vec::new(),
    };
    // `-3` and its like, an old way to say `-U3`.
    let words = words.into_iter().map(|word| match word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
        Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => format!("-U{number}"),
        _ => word,
    });
    let mut parser = lexopt::Parser::from_args(words);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("normal") => options.style = Style::Normal,
            Short('u') => options.style = unified(options.style, None),
            Short('U') => options.style = unified(options.style, Some(parser.value()?.parse()?)),
            Long("unified") => {
                let lines = parser.optional_value().map(|value| value.parse()).transpose()?;
                options.style = unified(options.style, lines);
            }
            Short('q') | Long("brief") => options.brief = true,
            Short('s') | Long("report-identical-files") => options.report_same = true,
            Short('r') | Long("recursive") => options.recursive = true,
            Short('N') | Long("new-file") => options.new_file = true,
            Short('a') | Long("text") => options.text = true,
            Short('i') | Long("ignore-case") => options.ignore_case = true,
            Short('w') | Long("ignore-all-space") => options.ignore_all_space = true,
            Short('b') | Long("ignore-space-change") => options.ignore_space_change = true,
            Short('Z') | Long("ignore-trailing-space") => options.ignore_trailing_space = true,
            Short('B') | Long("ignore-blank-lines") => options.ignore_blank_lines = true,
            Long("strip-trailing-cr") => options.strip_carriage_return = true,
            Short('p') | Long("show-c-function") => {
                options.show_function = true;
                options.style = unified(options.style, None);
            }
            Short('L') | Long("label") => options.labels.push(parser.value()?.string()?),
            Short('x') | Long("exclude") => options.exclude.push(exclusion(&parser.value()?.string()?)?),
            // The smallest difference is always looked for, and nothing is coloured.
            Short('d' | 'H') | Long("minimal" | "speed-large-files" | "no-dereference") => {}
            Long("color") => drop(parser.optional_value()),
            Short('y' | 'c' | 'C' | 'e' | 'n') | Long("side-by-side" | "context" | "ed" | "rcs") => {
                return Err("this output format is not offered; use -u".into());
            }
            Value(file) => options.files.push(file.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let files = &options.files;
    options.given.retain(|word| !files.contains(word));
    if options.files.len() != 2 {
        return Err("two files are needed: diff [-u] [-r] [-N] [-q] [-w] [-i] FILE1 FILE2".into());
    }
    Ok(options)
}

/// The wider context wins, as in GNU diff.
fn unified(style: Style, lines: Option<usize>) -> Style {
    match (style, lines) {
        (Style::Unified(before), Some(lines)) if before != CONTEXT => Style::Unified(before.max(lines)),
        (Style::Unified(before), None) => Style::Unified(before),
        (_, lines) => Style::Unified(lines.unwrap_or(CONTEXT)),
    }
}

/// A shell pattern over a name, without bracket expressions.
fn exclusion(pattern: &str) -> Result<Regex, Problem> {
    let regex = regex::escape(pattern).replace(r"\*", ".*").replace(r"\?", ".");
    Ok(Regex::new(&format!("^(?s:{regex})$"))?)
}
