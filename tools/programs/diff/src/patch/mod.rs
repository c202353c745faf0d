//! `patch`: applies unified diffs, also those of git.

mod apply;
mod parse;

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::Path;

use lexopt::prelude::*;

use crate::{Problem, describe, print, read};
use parse::FilePatch;

/// Lines of context that may differ, unless `-F` says otherwise.
const FUZZ: usize = 2;

/// What was asked for.
#[derive(Default)]
struct Options {
    /// `-p`: leading directories taken off names; none means all of them.
    strip: Option<usize>,
    reverse: bool,
    dry_run: bool,
    silent: bool,
    backup: bool,
    remove_empty: bool,
    /// `-N`: a patch that is applied already is passed over.
    forward: bool,
    fuzz: usize,
    /// `-i`; standard input without it.
    input: String,
    /// `-o`
    output: Option<String>,
    /// `-r`
    rejects: Option<String>,
    /// The file to patch, whatever the patch says.
    file: Option<String>,
}

/// Runs `patch`: 1 if a hunk could not be applied.
pub fn run(arguments: Vec<OsString>) -> Result<u8, Problem> {
    let options = parse_arguments(arguments)?;
    let text = read(&options.input)?;
    let mut patches = parse::parse(&text)?;
    if patches.is_empty() {
        return Err("**** Only garbage was found in the patch input.".into());
    }
    let mut code = 0;
    for patch in &mut patches {
        if options.reverse {
            patch.reverse();
        }
        code = code.max(apply_to_file(patch, &options)?);
    }
    Ok(code)
}

fn parse_arguments(arguments: Vec<OsString>) -> Result<Options, Problem> {
    let mut options = Options { fuzz: FUZZ, input: "-".to_owned(), ..Options::default() };
    let mut operands = Vec::new();
    let mut parser = lexopt::Parser::from_iter(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('p') | Long("strip") => options.strip = Some(parser.value()?.parse()?),
            Short('R') | Long("reverse") => options.reverse = true,
            Short('i') | Long("input") => options.input = parser.value()?.string()?,
            Short('d') | Long("directory") => {
                let directory = parser.value()?.string()?;
                std::env::set_current_dir(&directory)
                    .map_err(|problem| format!("{directory}: {}", describe(&problem)))?;
            }
            Short('o') | Long("output") => options.output = Some(parser.value()?.string()?),
            Short('r') | Long("reject-file") => options.rejects = Some(parser.value()?.string()?),
            Short('F') | Long("fuzz") => options.fuzz = parser.value()?.parse()?,
            Short('b') | Long("backup") => options.backup = true,
            Short('E') | Long("remove-empty-files") => options.remove_empty = true,
            Short('N') | Long("forward") => options.forward = true,
            Short('s') | Long("silent" | "quiet") => options.silent = true,
            Long("dry-run") => options.dry_run = true,
            // Nothing is ever asked, and unified diffs are all that is read.
            Short('u' | 'f' | 't' | 'l')
            | Long("unified" | "force" | "batch" | "verbose" | "no-backup-if-mismatch") => {}
            Value(word) => operands.push(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let mut operands = operands.into_iter();
    options.file = operands.next();
    if let Some(input) = operands.next() {
        options.input = input;
    }
    Ok(options)
}

fn apply_to_file(patch: &FilePatch, options: &Options) -> Result<u8, Problem> {
    let Some(path) = options.file.clone().or_else(|| patch.target(options.strip)) else {
        return Err(format!("**** no safe file name in the patch for {} {}", patch.old, patch.new).into());
    };
    let say = |text: String| {
        if !options.silent {
            print(text.as_bytes());
        }
    };
    say(format!("{} file {}\n", if options.dry_run { "checking" } else { "patching" }, quoted(&path)));
    let before = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(_) if patch.creates() => Vec::new(),
        Err(problem) => return Err(format!("**** Can't open file {path} : {}", describe(&problem)).into()),
    };
    if patch.creates()
        && !before.is_empty()
        && !options.reverse
        && apply::apply(&before, &patch.hunks, 0).rejected.is_empty()
    {
        return Err(format!("**** {path} exists already").into());
    }
    if apply::is_applied(&before, patch, options.fuzz) {
        say(format!(
            "{} patch detected!  Skipping patch.\n",
            if options.reverse { "Unreversed" } else { "Reversed (or previously applied)" }
        ));
        let count = patch.hunks.len();
        say(format!("{count} out of {count} hunk{} ignored\n", if count == 1 { "" } else { "s" }));
        return Ok(1);
    }
    let outcome = apply::apply(&before, &patch.hunks, options.fuzz);
    outcome.notes.iter().for_each(|note| say(note.clone()));
    if !options.dry_run {
        store(&path, &before, &outcome.bytes, patch, options)?;
    }
    if outcome.rejected.is_empty() {
        return Ok(0);
    }
    let rejects = options.rejects.clone().unwrap_or_else(|| format!("{path}.rej"));
    let (failed, all) = (outcome.rejected.len(), patch.hunks.len());
    let saved = if options.dry_run { String::new() } else { format!(" -- saving rejects to file {rejects}") };
    // GNU patch says this even with `-s`.
    print(format!("{failed} out of {all} hunk{} FAILED{saved}\n", if all == 1 { "" } else { "s" }).as_bytes());
    if !options.dry_run {
        write(&rejects, &patch.rejects(&outcome.rejected))?;
    }
    Ok(1)
}

/// Writes the new file, or removes it when the patch leaves nothing of it.
fn store(path: &str, before: &[u8], after: &[u8], patch: &FilePatch, options: &Options) -> Result<(), Problem> {
    if options.backup && !patch.creates() {
        write(&format!("{path}.orig"), before)?;
    }
    let target = options.output.as_deref().or(patch.renamed(options.strip)).unwrap_or(path);
    if after.is_empty() && options.output.is_none() && (patch.removes() || options.remove_empty) {
        return fs::remove_file(path).map_err(|problem| format!("{path}: {}", describe(&problem)).into());
    }
    if let Some(parent) = Path::new(target).parent() {
        fs::create_dir_all(parent).map_err(|problem| format!("{}: {}", parent.display(), describe(&problem)))?;
    }
    write(target, after)?;
    if target != path && options.output.is_none() {
        fs::remove_file(path).map_err(|problem| format!("{path}: {}", describe(&problem)))?;
    }
    Ok(())
}

fn write(path: &str, bytes: &[u8]) -> Result<(), Problem> {
    fs::File::create(path)
        .and_then(|mut file| file.write_all(bytes))
        .map_err(|problem| format!("{path}: {}", describe(&problem)).into())
}

/// A name with blanks is shown in quotes.
fn quoted(path: &str) -> String {
    if path.contains(char::is_whitespace) { format!("'{path}'") } else { path.to_owned() }
}
