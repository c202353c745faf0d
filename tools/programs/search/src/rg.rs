//! The arguments of rg.

use crate::options::{Asked, Case, Engine, Options, Show, add_pattern_file};
use ignore::types::TypesBuilder;
use lexopt::Arg::{Long, Short, Value};
use lexopt::{Parser, ValueExt};
use std::ffi::OsString;

const USAGE: &str = "Usage: rg [OPTIONS] PATTERN [PATH]...
       rg [OPTIONS] --files [PATH]...
Patterns: -e PATTERN, -f FILE, -F plain text, -P look-around and references, -i, -S, -s, -v, -w, -x, -U, --multiline-dotall
Output: -c, --count-matches, -l, --files-without-match, -q, -o, -n, -N, -b, --column, -H, -I, --heading, --vimgrep,
        -0, -m NUM, -A NUM, -B NUM, -C NUM, --passthru, -r TEXT, -M NUM, --trim, --include-zero
Files: -g GLOB, --iglob GLOB, -t TYPE, -T TYPE, --type-list, --hidden, --no-ignore, -u, -L, -d NUM, -a, --files
";

/// Reads the arguments; the first is the name that rg was called by.
pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Asked, lexopt::Error> {
    let mut options = Options { program: "rg", input_name: "<stdin>", ..Options::default() };
    options.selection.recursive = true;
    options.selection.respect_ignore = true;
    let mut given = false;
    let mut parser = Parser::from_iter(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('e') | Long("regexp") => {
                options.matching.patterns.push(parser.value()?.string()?);
                given = true;
            }
            Short('f') | Long("file") => {
                add_pattern_file(&mut options.matching.patterns, &parser.value()?)?;
                given = true;
            }
            Short('h') | Long("help") => return Ok(Asked::Print(USAGE.to_owned())),
            Short('V') | Long("version") => return Ok(Asked::Print("ripgrep (Chiton)\n".to_owned())),
            Long("type-list") => return Ok(Asked::Print(type_list())),
            Value(value) => options.selection.paths.push(value.into()),
            Short(letter) => known(&letter.to_string(), &mut options, &mut parser)?,
            Long(word) => {
                let word = word.to_owned();
                known(&word, &mut options, &mut parser)?;
            }
        }
    }
    if !given && !options.selection.list {
        if options.selection.paths.is_empty() {
            return Err(USAGE.trim_end().into());
        }
        let pattern = options.selection.paths.remove(0).into_os_string();
        options.matching.patterns.push(pattern.string()?);
    }
    Ok(Asked::Search(Box::new(options)))
}

fn known(name: &str, options: &mut Options, parser: &mut Parser) -> Result<(), lexopt::Error> {
    if what_matches(name, options, parser)?
        || what_is_shown(name, options, parser)?
        || where_to_look(name, options, parser)?
    {
        return Ok(());
    }
    let dashes = if name.chars().count() == 1 { "-" } else { "--" };
    Err(format!("unrecognized flag {dashes}{name}").into())
}

fn what_matches(name: &str, options: &mut Options, parser: &mut Parser) -> Result<bool, lexopt::Error> {
    let matching = &mut options.matching;
    match name {
        "i" | "ignore-case" => matching.case = Case::Insensitive,
        "S" | "smart-case" => matching.case = Case::Smart,
        "s" | "case-sensitive" => matching.case = Case::Sensitive,
        "F" | "fixed-strings" => matching.engine = Engine::Fixed,
        "P" | "pcre2" => matching.engine = Engine::Backtracking,
        "engine" => {
            let automaton = parser.value()? == "default";
            matching.engine = if automaton { Engine::Automaton } else { Engine::Backtracking };
        }
        "v" | "invert-match" => matching.inverted = true,
        "w" | "word-regexp" => matching.whole_words = true,
        "x" | "line-regexp" => matching.whole_lines = true,
        "U" | "multiline" => matching.across_lines = true,
        "multiline-dotall" => (matching.across_lines, matching.dot_matches_line_end) = (true, true),
        "null-data" => matching.null_data = true,
        "m" | "max-count" => matching.most = Some(parser.value()?.parse()?),
        _ => return Ok(false),
    }
    Ok(true)
}

fn what_is_shown(name: &str, options: &mut Options, parser: &mut Parser) -> Result<bool, lexopt::Error> {
    let form = &mut options.form;
    match name {
        "c" | "count" => form.show = Show::LineCount,
        "count-matches" => form.show = Show::MatchCount,
        "l" | "files-with-matches" => form.show = Show::FilesWithMatch,
        "files-without-match" => form.show = Show::FilesWithoutMatch,
        "q" | "quiet" => form.show = Show::Nothing,
        "include-zero" => form.zero_counts = true,
        "o" | "only-matching" => form.only_matching = true,
        "n" | "line-number" => form.line_numbers = true,
        "N" | "no-line-number" => form.line_numbers = false,
        "column" => (form.columns, form.line_numbers) = (true, true),
        "vimgrep" => {
            (form.columns, form.line_numbers, form.per_match) = (true, true, true);
            form.names = Some(true);
        }
        "b" | "byte-offset" => form.byte_offsets = true,
        "H" | "with-filename" => form.names = Some(true),
        "I" | "no-filename" => form.names = Some(false),
        "heading" => form.heading = true,
        "no-heading" => form.heading = false,
        "p" | "pretty" => (form.heading, form.line_numbers) = (true, true),
        "0" | "null" => form.null_after_names = true,
        "A" | "after-context" => form.after = parser.value()?.parse()?,
        "B" | "before-context" => form.before = parser.value()?.parse()?,
        "C" | "context" => {
            form.after = parser.value()?.parse()?;
            form.before = form.after;
        }
        "passthru" | "passthrough" => form.every_line = true,
        "r" | "replace" => form.replacement = Some(parser.value()?.string()?.into_bytes()),
        "M" | "max-columns" => form.most_columns = Some(parser.value()?.parse()?).filter(|most| *most > 0),
        "trim" => form.trimmed = true,
        "color" | "colors" | "sort" | "sortr" | "j" | "threads" => drop(parser.value()?),
        "line-buffered" | "block-buffered" | "no-config" | "no-mmap" | "mmap" | "stats" | "no-unicode" | "crlf" => {}
        _ => return Ok(false),
    }
    Ok(true)
}

fn where_to_look(name: &str, options: &mut Options, parser: &mut Parser) -> Result<bool, lexopt::Error> {
    let selection = &mut options.selection;
    match name {
        "g" | "glob" => selection.globs.push(parser.value()?.string()?),
        "iglob" => selection.insensitive_globs.push(parser.value()?.string()?),
        "t" | "type" => selection.types.push(parser.value()?.string()?),
        "T" | "type-not" => selection.types_not.push(parser.value()?.string()?),
        "." | "hidden" => selection.hidden = true,
        "no-hidden" => selection.hidden = false,
        "no-ignore" | "no-ignore-vcs" | "no-ignore-parent" | "no-ignore-dot" => selection.respect_ignore = false,
        // Once: ignored files too; twice: hidden ones; three times: binary ones.
        "u" | "unrestricted" if selection.hidden => options.binary_as_text = true,
        "u" | "unrestricted" if !selection.respect_ignore => selection.hidden = true,
        "u" | "unrestricted" => selection.respect_ignore = false,
        "L" | "follow" => selection.follow_links = true,
        "d" | "max-depth" | "maxdepth" => selection.most_depth = Some(parser.value()?.parse()?),
        "a" | "text" => options.binary_as_text = true,
        "no-messages" => options.quiet_errors = true,
        "files" => selection.list = true,
        "no-require-git" | "no-ignore-global" | "no-ignore-exclude" | "one-file-system" => {}
        _ => return Ok(false),
    }
    Ok(true)
}

fn type_list() -> String {
    let mut types = TypesBuilder::new();
    types.add_defaults();
    types.definitions().iter().map(|kind| format!("{}: {}\n", kind.name(), kind.globs().join(", "))).collect()
}
