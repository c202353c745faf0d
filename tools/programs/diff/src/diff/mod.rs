//! `diff`: how two files, or two trees of files, differ.

mod directory;
mod format;
mod lines;
mod options;

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use crate::{Problem, describe, print};
use options::{Options, Style};

/// Bytes at the beginning of a file that are looked at to tell text from other data.
const LOOKED_AT: usize = 32 * 1024;

/// A file on one side of a comparison.
pub struct Side {
    /// As named by the user, or made of a directory and a name.
    pub path: String,
    /// Its bytes; empty where there is no such file and `-N` says to take it as empty.
    pub bytes: Vec<u8>,
    /// When it was last written; the epoch where there is no such file.
    pub modified: SystemTime,
}

/// Runs `diff`: 0 for no difference, 1 for some.
pub fn run(arguments: Vec<OsString>) -> Result<u8, Problem> {
    let options = options::parse(arguments)?;
    let [first, second] = [options.files[0].clone(), options.files[1].clone()];
    match (is_directory(&first), is_directory(&second)) {
        (true, true) => directory::compare(&first, &second, &options, true),
        (true, false) => files(&inside(&first, &second), &second, &options),
        (false, true) => files(&first, &inside(&second, &first), &options),
        (false, false) => files(&first, &second, &options),
    }
}

fn is_directory(path: &str) -> bool {
    path != "-" && Path::new(path).is_dir()
}

/// The file of the same name in a directory.
fn inside(directory: &str, file: &str) -> String {
    let name = file.rsplit('/').next().unwrap_or(file);
    format!("{}/{name}", directory.trim_end_matches('/'))
}

/// Compares two files and prints how they differ.
pub fn files(first: &str, second: &str, options: &Options) -> Result<u8, Problem> {
    let (left, right) = (side(first, options.new_file)?, side(second, options.new_file)?);
    let binary = !options.text && [&left, &right].iter().any(|side| is_binary(&side.bytes));
    let difference = if binary {
        (left.bytes != right.bytes).then(|| {
            if options.brief {
                format!("Files {first} and {second} differ\n")
            } else {
                format!("Binary files {first} and {second} differ\n")
            }
            .into_bytes()
        })
    } else {
        lines::compare(&left.bytes, &right.bytes, options).map(|comparison| match options.style {
            _ if options.brief => format!("Files {first} and {second} differ\n").into_bytes(),
            Style::Normal => format::normal(&comparison),
            Style::Unified(context) => format::unified(&comparison, &left, &right, context, options),
        })
    };
    match difference {
        Some(text) => {
            print(&text);
            Ok(1)
        }
        None => {
            if options.report_same {
                print(format!("Files {first} and {second} are identical\n").as_bytes());
            }
            Ok(0)
        }
    }
}

fn side(path: &str, may_be_missing: bool) -> Result<Side, Problem> {
    if may_be_missing && path != "-" && fs::symlink_metadata(path).is_err() {
        return Ok(Side { path: path.to_owned(), bytes: Vec::new(), modified: SystemTime::UNIX_EPOCH });
    }
    let bytes = crate::read(path)?;
    let modified = match path {
        "-" => SystemTime::now(),
        _ => fs::metadata(path)
            .and_then(|metadata| metadata.modified())
            .map_err(|problem| format!("{path}: {}", describe(&problem)))?,
    };
    Ok(Side { path: path.to_owned(), bytes, modified })
}

fn is_binary(bytes: &[u8]) -> bool {
    bytes.iter().take(LOOKED_AT).any(|byte| *byte == 0)
}
