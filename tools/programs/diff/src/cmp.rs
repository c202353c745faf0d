//! `cmp`: whether two files have the same bytes, and where they first differ.

use std::ffi::OsString;
use std::fmt::Write;

use lexopt::prelude::*;

use crate::{Problem, print, read};

/// What was asked for.
#[derive(Default)]
struct Options {
    silent: bool,
    /// `-l`: every byte that differs.
    all: bool,
    /// `-b`: the bytes that differ, too.
    bytes: bool,
    /// `-n`
    limit: Option<usize>,
    /// `-i`: bytes of each file that are passed over.
    skip: [usize; 2],
    files: Vec<String>,
}

/// Runs `cmp`: 0 for no difference, 1 for one.
pub fn run(arguments: Vec<OsString>) -> Result<u8, Problem> {
    let options = parse(arguments)?;
    let [first, second] = [&options.files[0], &options.files[1]];
    let (left, right) = (read(first)?, read(second)?);
    let [left, right] = [(&left, options.skip[0]), (&right, options.skip[1])].map(|(bytes, skip)| {
        let bytes = bytes.get(skip..).unwrap_or_default();
        options.limit.and_then(|limit| bytes.get(..limit)).unwrap_or(bytes)
    });
    let mut differences =
        left.iter().zip(right).enumerate().filter(|(_, (left, right))| left != right).map(|(at, _)| at).peekable();
    let found = differences.peek().copied();
    if options.silent {
        return Ok(u8::from(left != right));
    }
    let mut out = String::new();
    match found {
        Some(_) if options.all => {
            let width = left.len().max(right.len()).to_string().len();
            for at in differences {
                let _ = writeln!(out, "{:>width$} {:>3o} {:>3o}", at + 1, left[at], right[at]);
            }
        }
        Some(at) => {
            let line = count_lines(&left[..at]) + 1;
            let _ = write!(out, "{first} {second} differ: byte {}, line {line}", at + 1);
            if options.bytes {
                let _ = write!(out, " is {:>3o} {} {:>3o} {}", left[at], shown(left[at]), right[at], shown(right[at]));
            }
            out.push('\n');
        }
        None => {}
    }
    print(out.as_bytes());
    if left.len() != right.len() && (found.is_none() || options.all) {
        let (name, shorter) = if left.len() < right.len() { (first, left) } else { (second, right) };
        eprintln!("cmp: {}", end_of_file(name, shorter, options.all));
    }
    Ok(u8::from(left != right))
}

fn parse(arguments: Vec<OsString>) -> Result<Options, Problem> {
    let mut options = Options::default();
    let mut parser = lexopt::Parser::from_iter(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('s') | Long("quiet" | "silent") => options.silent = true,
            Short('l') | Long("verbose") => options.all = true,
            Short('b') | Long("print-bytes") => options.bytes = true,
            Short('n') | Long("bytes") => options.limit = Some(parser.value()?.parse()?),
            Short('i') | Long("ignore-initial") => {
                let value = parser.value()?.string()?;
                let (first, second) = value.split_once(':').unwrap_or((&value, &value));
                options.skip = [first.parse()?, second.parse()?];
            }
            Value(file) => options.files.push(file.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    match options.files.len() {
        1 => options.files.push("-".to_owned()),
        2 => {}
        _ => return Err("two files are needed: cmp [-s] [-l] [-b] [-n BYTES] [-i BYTES] FILE1 FILE2".into()),
    }
    Ok(options)
}

fn count_lines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

fn end_of_file(name: &str, bytes: &[u8], all: bool) -> String {
    let lines = count_lines(bytes);
    match bytes.last() {
        None => format!("EOF on {name} which is empty"),
        Some(_) if all => format!("EOF on {name} after byte {}", bytes.len()),
        Some(b'\n') => format!("EOF on {name} after byte {}, line {lines}", bytes.len()),
        Some(_) => format!("EOF on {name} after byte {}, in line {}", bytes.len(), lines + 1),
    }
}

/// A byte as `cat -v` shows it.
fn shown(byte: u8) -> String {
    match byte {
        128.. => format!("M-{}", shown(byte - 128)),
        127 => "^?".to_owned(),
        32.. => char::from(byte).to_string(),
        _ => format!("^{}", char::from(byte + 64)),
    }
}
