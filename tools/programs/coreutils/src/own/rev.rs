//! `rev`: lines with their characters in reverse.

use std::ffi::OsString;
use std::io::Write;

use lexopt::prelude::*;

use super::Problem;

/// Runs `rev`.
pub fn rev(arguments: Vec<OsString>) -> Result<u8, Problem> {
    let mut files = Vec::new();
    let mut parser = lexopt::Parser::from_iter(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Value(file) => files.push(file.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if files.is_empty() {
        files.push("-".to_owned());
    }
    let mut out = super::output();
    for file in files {
        let bytes = super::read(&file)?;
        for line in String::from_utf8_lossy(&bytes).split_inclusive('\n') {
            let (text, end) = line.strip_suffix('\n').map_or((line, ""), |text| (text, "\n"));
            write!(out, "{}{end}", text.chars().rev().collect::<String>())?;
        }
    }
    out.flush()?;
    Ok(0)
}
