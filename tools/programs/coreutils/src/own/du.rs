//! `du`: the sizes of trees. WASI does not tell how many blocks a file takes, so each file counts its length in whole
//! blocks.

use std::ffi::OsString;
use std::fs;
use std::io::Write;

use lexopt::prelude::*;

use super::{Problem, about};

/// Bytes of a block.
const BLOCK: u64 = 4096;

/// What was asked for.
struct Options {
    /// Files too.
    all: bool,
    /// Only the operands.
    depth: usize,
    /// A line for all operands together.
    total: bool,
    /// Lengths instead of blocks.
    apparent: bool,
    unit: Unit,
}

/// How sizes are written.
#[derive(Clone, Copy)]
enum Unit {
    Bytes(u64),
    Human,
}

/// Runs `du`; 1 if anything could not be read.
pub fn du(arguments: Vec<OsString>) -> Result<u8, Problem> {
    let mut options = Options { all: false, depth: usize::MAX, total: false, apparent: false, unit: Unit::Bytes(1024) };
    let mut files = Vec::new();
    let mut parser = lexopt::Parser::from_iter(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('a') | Long("all") => options.all = true,
            Short('s') | Long("summarize") => options.depth = 0,
            Short('d') | Long("max-depth") => options.depth = parser.value()?.parse()?,
            Short('c') | Long("total") => options.total = true,
            Short('h') | Long("human-readable") => options.unit = Unit::Human,
            Short('k') => options.unit = Unit::Bytes(1 << 10),
            Short('m') => options.unit = Unit::Bytes(1 << 20),
            Short('b') | Long("bytes") => (options.apparent, options.unit) = (true, Unit::Bytes(1)),
            Long("apparent-size") => options.apparent = true,
            Short('x') | Long("one-file-system") => {}
            Value(file) => files.push(file.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if files.is_empty() {
        files.push(".".to_owned());
    }
    let mut out = super::output();
    let (mut sum, mut failed) = (0, false);
    for file in &files {
        sum += measure(file, 0, &options, &mut out, &mut failed)?;
    }
    if options.total {
        report(&mut out, sum, "total", &options)?;
    }
    out.flush()?;
    Ok(u8::from(failed))
}

fn measure(
    path: &str,
    depth: usize,
    options: &Options,
    out: &mut impl Write,
    failed: &mut bool,
) -> Result<u64, Problem> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(problem) => {
            eprintln!("du: cannot access {}", about(path, &problem));
            *failed = true;
            return Ok(0);
        }
    };
    let own = if options.apparent { metadata.len() } else { metadata.len().div_ceil(BLOCK) * BLOCK };
    let mut size = own;
    if metadata.is_dir() {
        let mut names: Vec<_> = fs::read_dir(path)
            .map_err(|problem| about(path, &problem))?
            .filter_map(Result::ok)
            .map(|entry| entry.file_name())
            .collect();
        names.sort_unstable();
        for name in names {
            size += measure(
                &format!("{}/{}", path.trim_end_matches('/'), name.to_string_lossy()),
                depth + 1,
                options,
                out,
                failed,
            )?;
        }
    }
    if depth <= options.depth && (metadata.is_dir() || options.all || depth == 0) {
        report(out, size, path, options)?;
    }
    Ok(size)
}

fn report(out: &mut impl Write, size: u64, path: &str, options: &Options) -> Result<(), Problem> {
    let size = match options.unit {
        Unit::Bytes(unit) => size.div_ceil(unit).to_string(),
        Unit::Human => human(size),
    };
    super::line(out, format_args!("{size}\t{path}"))
}

/// As `ls -h` writes sizes: one decimal below ten, rounded up.
fn human(size: u64) -> String {
    const UNITS: &[&str] = &["", "K", "M", "G", "T"];
    let mut unit = 0;
    let mut value = size as f64;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit > 0 && value < 10.0 {
        format!("{:.1}{}", (value * 10.0).ceil() / 10.0, UNITS[unit])
    } else {
        format!("{}{}", value.ceil(), UNITS[unit])
    }
}
