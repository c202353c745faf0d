//! The arguments of grep, egrep and fgrep.

use crate::options::{Asked, Case, Engine, Options, Show, add_pattern_file, add_patterns};
use chiton_posix_regex::{Dialect, Syntax};
use lexopt::Arg::{Long, Short, Value};
use lexopt::{Parser, ValueExt};
use std::ffi::OsString;

const USAGE: &str = "Usage: grep [OPTION]... PATTERNS [FILE]...
Patterns: -E extended, -G basic, -F plain text, -P Perl; -e PATTERN, -f FILE, -i, -v, -w, -x, -z
Output: -c, -l, -L, -q, -o, -n, -b, -H, -h, -Z, -s, -m NUM, -A NUM, -B NUM, -C NUM, --label NAME
Files: -r, -R, -a, -I, --include GLOB, --exclude GLOB, --exclude-dir GLOB
";

/// How the patterns are written.
#[derive(Clone, Copy)]
enum Written {
    Posix(Syntax),
    Fixed,
    Perl,
}

/// Reads the arguments; the first is the name that grep was called by.
pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Asked, lexopt::Error> {
    let name = arguments.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut written = match name.rsplit('/').next() {
        Some("egrep") => Written::Posix(Syntax::Egrep),
        Some("fgrep") => Written::Fixed,
        _ => Written::Posix(Syntax::Basic),
    };
    let mut options = Options { program: "grep", input_name: "(standard input)", ..Options::default() };
    options.form.zero_counts = true;
    options.selection.hidden = true;
    let mut patterns = Vec::new();
    let mut given = false;
    let mut context_digits: Option<usize> = None;
    let mut parser = Parser::from_iter(arguments);
    while let Some(argument) = parser.next()? {
        let digit = match argument {
            Short(digit @ '0'..='9') => digit.to_digit(10),
            _ => None,
        };
        if let Some(digit) = digit {
            let context = context_digits.unwrap_or(0).saturating_mul(10).saturating_add(digit as usize);
            context_digits = Some(context);
            (options.form.before, options.form.after) = (context, context);
            continue;
        }
        match argument {
            Short('E') | Long("extended-regexp") => written = Written::Posix(Syntax::Egrep),
            Short('G') | Long("basic-regexp") => written = Written::Posix(Syntax::Basic),
            Short('F') | Long("fixed-strings") => written = Written::Fixed,
            Short('P') | Long("perl-regexp") => written = Written::Perl,
            Short('e') | Long("regexp") => {
                add_patterns(&mut patterns, &parser.value()?.string()?);
                given = true;
            }
            Short('f') | Long("file") => {
                add_pattern_file(&mut patterns, &parser.value()?)?;
                given = true;
            }
            Long("help") => return Ok(Asked::Print(USAGE.to_owned())),
            Short('V') | Long("version") => return Ok(Asked::Print("grep (Chiton)\n".to_owned())),
            Value(path) if given => options.selection.paths.push(path.into()),
            Value(pattern) => {
                add_patterns(&mut patterns, &pattern.string()?);
                given = true;
            }
            other => {
                let known = match &other {
                    Short(letter) => letter.to_string(),
                    Long(word) => (*word).to_owned(),
                    Value(_) => String::new(),
                };
                if !option(&mut options, &known, &mut parser)? {
                    return Err(unknown(&known));
                }
            }
        }
    }
    if !given {
        return Err(USAGE.trim_end().into());
    }
    read_patterns(&mut options, patterns, written)?;
    Ok(Asked::Search(Box::new(options)))
}

fn unknown(option: &str) -> lexopt::Error {
    match option.chars().count() {
        1 => format!("invalid option -- '{option}'").into(),
        _ => format!("unrecognized option '--{option}'").into(),
    }
}

/// Options that only set something; `false` if there is no such option.
fn option(options: &mut Options, name: &str, parser: &mut Parser) -> Result<bool, lexopt::Error> {
    let (matching, form, selection) = (&mut options.matching, &mut options.form, &mut options.selection);
    match name {
        "i" | "y" | "ignore-case" => matching.case = Case::Insensitive,
        "no-ignore-case" => matching.case = Case::Sensitive,
        "v" | "invert-match" => matching.inverted = true,
        "w" | "word-regexp" => matching.whole_words = true,
        "x" | "line-regexp" => matching.whole_lines = true,
        "z" | "null-data" => matching.null_data = true,
        "m" | "max-count" => matching.most = Some(parser.value()?.parse()?),
        "c" | "count" => form.show = Show::LineCount,
        "l" | "files-with-matches" => form.show = Show::FilesWithMatch,
        "L" | "files-without-match" => form.show = Show::FilesWithoutMatch,
        "q" | "quiet" | "silent" => form.show = Show::Nothing,
        "o" | "only-matching" => form.only_matching = true,
        "n" | "line-number" => form.line_numbers = true,
        "b" | "byte-offset" => form.byte_offsets = true,
        "H" | "with-filename" => form.names = Some(true),
        "h" | "no-filename" => form.names = Some(false),
        "Z" | "null" => form.null_after_names = true,
        "A" | "after-context" => form.after = parser.value()?.parse()?,
        "B" | "before-context" => form.before = parser.value()?.parse()?,
        "C" | "context" => {
            form.after = parser.value()?.parse()?;
            form.before = form.after;
        }
        "s" | "no-messages" => options.quiet_errors = true,
        "a" | "text" => options.binary_as_text = true,
        "binary-files" => options.binary_as_text = parser.value()? == "text",
        "label" => options.input_name = String::leak(parser.value()?.string()?),
        "r" | "recursive" => selection.recursive = true,
        "R" | "dereference-recursive" => (selection.recursive, selection.follow_links) = (true, true),
        "d" | "directories" => selection.recursive = parser.value()? == "recurse",
        "include" => selection.include.push(parser.value()?.string()?),
        "exclude" => selection.exclude.push(parser.value()?.string()?),
        "exclude-dir" => selection.exclude_directories.push(parser.value()?.string()?),
        // Output is never coloured and always ends with what was asked for.
        "color" | "colour" => drop(parser.optional_value()),
        "line-buffered" | "U" | "binary" | "T" | "initial-tab" => {}
        "I" => selection.respect_ignore = false,
        _ => return Ok(false),
    }
    Ok(true)
}

fn read_patterns(options: &mut Options, patterns: Vec<String>, written: Written) -> Result<(), lexopt::Error> {
    let matching = &mut options.matching;
    match written {
        Written::Fixed => (matching.engine, matching.patterns) = (Engine::Fixed, patterns),
        Written::Perl => (matching.engine, matching.patterns) = (Engine::Backtracking, patterns),
        Written::Posix(syntax) => {
            // Records that end with NUL may have lines inside.
            matching.dot_matches_line_end = matching.null_data;
            let dialect = Dialect { syntax, escapes: None, within_lines: !matching.null_data };
            for pattern in patterns {
                let translated = dialect.translate(&pattern)?;
                if translated.refers_back {
                    matching.engine = Engine::Backtracking;
                }
                matching.patterns.push(translated.pattern);
            }
        }
    }
    Ok(())
}
