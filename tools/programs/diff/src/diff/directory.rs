//! Two directories, name by name.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::files;
use super::options::{Options, Style};
use crate::{Problem, describe, print};

/// Compares what is in two directories, and below with `-r`.
pub fn compare(first: &str, second: &str, options: &Options, top: bool) -> Result<u8, Problem> {
    let (left, right) = (names(first, options, top)?, names(second, options, top)?);
    let mut worst = 0;
    for name in left.union(&right) {
        let [one, other] = [first, second].map(|directory| format!("{}/{name}", directory.trim_end_matches('/')));
        let code = match (left.contains(name), right.contains(name)) {
            (true, false) if !descends(&one, options) => only_in(first, name),
            (false, true) if !descends(&other, options) => only_in(second, name),
            _ => pair(&one, &other, options).unwrap_or_else(|problem| {
                eprintln!("diff: {problem}");
                crate::TROUBLE
            }),
        };
        worst = worst.max(code);
    }
    Ok(worst)
}

/// Whether a name that only one side has is compared with nothing.
fn descends(path: &str, options: &Options) -> bool {
    options.new_file && (options.recursive || !Path::new(path).is_dir())
}

fn only_in(directory: &str, name: &str) -> u8 {
    print(format!("Only in {directory}: {name}\n").as_bytes());
    1
}

fn pair(one: &str, other: &str, options: &Options) -> Result<u8, Problem> {
    let kinds = [one, other].map(|path| fs::metadata(path).ok().map(|metadata| metadata.is_dir()));
    match kinds {
        [Some(true) | None, Some(true) | None] if options.recursive => compare(one, other, options, false),
        [Some(true), Some(true)] => {
            print(format!("Common subdirectories: {one} and {other}\n").as_bytes());
            Ok(0)
        }
        [Some(true), Some(false)] => Ok(unlike(one, "a directory", other, "a regular file")),
        [Some(false), Some(true)] => Ok(unlike(one, "a regular file", other, "a directory")),
        _ => {
            if fs::read(one).ok() == fs::read(other).ok() {
                return files(one, other, options);
            }
            if !options.brief && !matches!((options.style, &options.given[..]), (Style::Normal, [])) {
                print(format!("diff {} {one} {other}\n", options.given.join(" ")).as_bytes());
            } else if !options.brief {
                print(format!("diff {one} {other}\n").as_bytes());
            }
            files(one, other, options)
        }
    }
}

fn unlike(one: &str, one_kind: &str, other: &str, other_kind: &str) -> u8 {
    print(format!("File {one} is {one_kind} while file {other} is {other_kind}\n").as_bytes());
    1
}

/// The names in a directory, without those left out; none for a missing one below the top.
fn names(directory: &str, options: &Options, top: bool) -> Result<BTreeSet<String>, Problem> {
    let entries = match fs::read_dir(directory) {
        Err(_) if !top && !Path::new(directory).exists() => return Ok(BTreeSet::new()),
        entries => entries.map_err(|problem| format!("{directory}: {}", describe(&problem)))?,
    };
    entries
        .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
        .filter(|name| !name.as_ref().is_ok_and(|name| options.exclude.iter().any(|pattern| pattern.is_match(name))))
        .collect::<Result<_, _>>()
        .map_err(|problem| format!("{directory}: {}", describe(&problem)).into())
}
