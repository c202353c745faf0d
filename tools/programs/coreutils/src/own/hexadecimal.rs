//! `xxd` and `hexdump -C`: bytes as hexadecimal numbers, and back.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write;

use lexopt::prelude::*;

use super::Problem;

/// What was asked for of `xxd`.
struct Options {
    /// `-c`: bytes in a line; `-p` has 30.
    columns: Option<usize>,
    /// `-g`: bytes in a group.
    group: usize,
    /// `-l`
    length: Option<usize>,
    /// `-s`
    skip: usize,
    /// `-p`: digits only.
    plain: bool,
    /// `-r`: back to bytes.
    reverse: bool,
    /// `-u`
    upper: bool,
    files: Vec<String>,
}

/// Runs `xxd`.
pub fn xxd(arguments: Vec<OsString>) -> Result<u8, Problem> {
    let mut options = Options {
        columns: None,
        group: 2,
        length: None,
        skip: 0,
        plain: false,
        reverse: false,
        upper: false,
        files: Vec::new(),
    };
    let mut parser = lexopt::Parser::from_iter(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('c') | Long("cols") => options.columns = Some(number(&parser.value()?.string()?)?),
            Short('g') => options.group = number(&parser.value()?.string()?)?,
            Short('l') | Long("len") => options.length = Some(number(&parser.value()?.string()?)?),
            Short('s') | Long("seek") => options.skip = number(&parser.value()?.string()?)?,
            // `-ps` is read as `-p -s` by nobody who writes it.
            Short('p') | Long("plain" | "ps") => {
                options.plain = true;
                if parser.optional_value().is_some_and(|rest| rest != "s") {
                    return Err("options may not stand together; write them apart".into());
                }
            }
            Short('r') | Long("revert") => options.reverse = true,
            Short('u') => options.upper = true,
            Value(file) => options.files.push(file.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let bytes = super::read(options.files.first().map_or("-", String::as_str))?;
    let mut out: Box<dyn Write> = match options.files.get(1) {
        Some(path) => Box::new(std::fs::File::create(path).map_err(|problem| super::about(path, &problem))?),
        None => Box::new(super::output()),
    };
    if options.reverse {
        out.write_all(&back(&String::from_utf8_lossy(&bytes), options.plain))?;
    } else {
        let bytes = bytes.get(options.skip..).unwrap_or_default();
        let bytes = options.length.and_then(|length| bytes.get(..length)).unwrap_or(bytes);
        out.write_all(dump(bytes, &options).as_bytes())?;
    }
    out.flush()?;
    Ok(0)
}

fn number(text: &str) -> Result<usize, Problem> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => usize::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| format!("invalid number {text}").into())
}

fn dump(bytes: &[u8], options: &Options) -> String {
    let mut text = String::new();
    let columns = options.columns.unwrap_or(if options.plain { 30 } else { 16 }).max(1);
    let digits = |byte: &u8| if options.upper { format!("{byte:02X}") } else { format!("{byte:02x}") };
    for (row, line) in bytes.chunks(columns).enumerate() {
        if options.plain {
            text.extend(line.iter().map(digits));
            text.push('\n');
            continue;
        }
        let group = if options.group == 0 { columns } else { options.group };
        let groups: Vec<String> = line.chunks(group).map(|group| group.iter().map(digits).collect()).collect();
        let width = columns * 2 + columns.div_ceil(group) - 1;
        // Writing to a String does not fail.
        let _ = writeln!(text, "{:08x}: {:<width$}  {}", options.skip + row * columns, groups.join(" "), shown(line));
    }
    text
}

/// Bytes as characters, with a dot for what is none.
fn shown(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| if (32..127).contains(byte) { char::from(*byte) } else { '.' }).collect()
}

fn back(text: &str, plain: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in text.lines() {
        let digits = match line.split_once(": ") {
            // The characters begin behind two blanks.
            Some((_, rest)) if !plain => rest.split("  ").next().unwrap_or(""),
            _ => line,
        };
        let digits: Vec<u8> = digits
            .chars()
            .filter_map(|digit| digit.to_digit(16))
            .filter_map(|digit| u8::try_from(digit).ok())
            .collect();
        bytes.extend(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]));
    }
    bytes
}

/// Runs `hexdump -C`, the only format that it offers.
pub fn hexdump(arguments: Vec<OsString>) -> Result<u8, Problem> {
    let (mut canonical, mut skip, mut length, mut files) = (false, 0, None, Vec::new());
    let mut parser = lexopt::Parser::from_iter(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('C') | Long("canonical") => canonical = true,
            Short('n') | Long("length") => length = Some(number(&parser.value()?.string()?)?),
            Short('s') | Long("skip") => skip = number(&parser.value()?.string()?)?,
            Short('v') => {}
            Value(file) => files.push(file.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if !canonical {
        return Err("only hexdump -C is offered; od has other formats".into());
    }
    let bytes = super::read(files.first().map_or("-", String::as_str))?;
    let bytes = bytes.get(skip..).unwrap_or_default();
    let bytes = length.and_then(|length| bytes.get(..length)).unwrap_or(bytes);
    let mut out = super::output();
    let (mut before, mut repeated): (Option<&[u8]>, bool) = (None, false);
    for (row, line) in bytes.chunks(16).enumerate() {
        if before == Some(line) {
            if !repeated {
                super::line(&mut out, "*")?;
            }
            repeated = true;
            continue;
        }
        (before, repeated) = (Some(line), false);
        let halves = line
            .chunks(8)
            .map(|half| half.iter().map(|byte| format!("{byte:02x} ")).collect::<String>())
            .collect::<Vec<_>>()
            .join(" ");
        super::line(&mut out, format_args!("{:08x}  {halves:<50}|{}|", skip + row * 16, shown(line)))?;
    }
    if !bytes.is_empty() {
        super::line(&mut out, format_args!("{:08x}", skip + bytes.len()))?;
    }
    out.flush()?;
    Ok(0)
}
