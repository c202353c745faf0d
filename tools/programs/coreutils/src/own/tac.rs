//! `tac`: records in reverse.

use std::ffi::OsString;
use std::io::Write;

use lexopt::prelude::*;

use super::Problem;

/// Runs `tac`; 1 if a file cannot be read.
pub fn tac(arguments: Vec<OsString>) -> Result<u8, Problem> {
    let (mut separator, mut before, mut files) = (b"\n".to_vec(), false, Vec::new());
    let mut parser = lexopt::Parser::from_iter(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('s') | Long("separator") => separator = parser.value()?.string()?.into_bytes(),
            Short('b') | Long("before") => before = true,
            Value(file) => files.push(file.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if separator.is_empty() {
        return Err("separator cannot be empty".into());
    }
    if files.is_empty() {
        files.push("-".to_owned());
    }
    let mut out = super::output();
    let mut code = 0;
    for file in files {
        match super::read(&file) {
            Ok(bytes) => {
                for record in records(&bytes, &separator, before).into_iter().rev() {
                    out.write_all(record)?;
                }
            }
            Err(problem) => {
                eprintln!("tac: failed to open {problem}");
                code = 1;
            }
        }
    }
    out.flush()?;
    Ok(code)
}

/// Records with their separators, which come behind them or before them.
fn records<'a>(bytes: &'a [u8], separator: &[u8], before: bool) -> Vec<&'a [u8]> {
    let mut records = Vec::new();
    let (mut from, mut at) = (0, 0);
    while at < bytes.len() {
        if !bytes[at..].starts_with(separator) {
            at += 1;
            continue;
        }
        let cut = if before { at } else { at + separator.len() };
        if cut > from {
            records.push(&bytes[from..cut]);
        }
        (from, at) = (cut, at + separator.len());
    }
    records.push(&bytes[from..]);
    records
}

#[cfg(test)]
mod tests {
    use super::records;

    #[test]
    fn a_record_keeps_its_separator_behind_or_before_it() {
        assert_eq!(records(b"a\nb\nc", b"\n", false), [b"a\n".as_slice(), b"b\n", b"c"]);
        assert_eq!(records(b"a,b", b",", true), [b"a".as_slice(), b",b"]);
    }
}
