//! gzip, gunzip and zcat.

use crate::about;
use flate2::read::MultiGzDecoder;
use flate2::{Compression, GzBuilder};
use lexopt::Arg::{Long, Short, Value};
use lexopt::{Parser, ValueExt};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};

const USAGE: &str = "Usage: gzip [-cdfknqtv] [-1..-9] [FILE]...";
const FAILED: u8 = 1;
/// gzip's code when it left something undone.
const WARNED: u8 = 2;

/// The name that it was called by.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Called {
    Gzip,
    Gunzip,
    Zcat,
}

struct Options {
    decompress: bool,
    to_stdout: bool,
    keep: bool,
    force: bool,
    test: bool,
    level: u32,
    files: Vec<String>,
}

pub(crate) fn run(arguments: Vec<OsString>, called: Called) -> u8 {
    let options = match parse(arguments, called) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{USAGE}");
            return 0;
        }
        Err(error) => {
            eprintln!("gzip: {error}\n{USAGE}");
            return FAILED;
        }
    };
    let mut code = 0;
    let input = ["-".to_owned()];
    for file in if options.files.is_empty() { &input[..] } else { &options.files[..] } {
        let done = if file == "-" {
            stream(&options, &mut io::stdin(), &mut io::stdout(), None)
        } else {
            on_file(&options, file)
        };
        if let Err((problem, text)) = done {
            if problem == chiton_program::BROKEN_PIPE {
                return problem;
            }
            eprintln!("gzip: {text}");
            code = code.max(problem);
        }
    }
    code
}

fn parse(arguments: Vec<OsString>, called: Called) -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options {
        decompress: called != Called::Gzip,
        to_stdout: called == Called::Zcat,
        keep: false,
        force: false,
        test: false,
        level: 6,
        files: Vec::new(),
    };
    let mut parser = Parser::from_iter(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('d') | Long("decompress" | "uncompress") => options.decompress = true,
            Short('c') | Long("stdout" | "to-stdout") => options.to_stdout = true,
            Short('k') | Long("keep") => options.keep = true,
            Short('f') | Long("force") => options.force = true,
            Short('t') | Long("test") => (options.test, options.decompress) = (true, true),
            Short(level @ '1'..='9') => options.level = level.to_digit(10).unwrap_or(6),
            Long("fast") => options.level = 1,
            Long("best") => options.level = 9,
            Short('n' | 'N' | 'q' | 'v') | Long("no-name" | "name" | "quiet" | "verbose") => {}
            Short('h') | Long("help") => return Ok(None),
            Value(file) => options.files.push(file.string()?),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(options))
}

type Problem = (u8, String);

fn on_file(options: &Options, file: &str) -> Result<(), Problem> {
    let failed = |error: io::Error| (FAILED, about(file, &error));
    if fs::metadata(file).map_err(failed)?.is_dir() {
        return Err((WARNED, format!("{file} is a directory -- ignored")));
    }
    let mut input = BufReader::new(File::open(file).map_err(failed)?);
    if options.to_stdout || options.test {
        return stream(options, &mut input, &mut io::stdout(), Some(file));
    }
    let target = match (options.decompress, file.strip_suffix(".gz"), file.strip_suffix(".tgz")) {
        (false, Some(_), _) if !options.force => {
            return Err((WARNED, format!("{file} already has .gz suffix -- unchanged")));
        }
        (false, ..) => format!("{file}.gz"),
        (true, Some(name), _) => name.to_owned(),
        (true, None, Some(name)) => format!("{name}.tar"),
        (true, None, None) => return Err((WARNED, format!("{file}: unknown suffix -- ignored"))),
    };
    if !options.force && fs::symlink_metadata(&target).is_ok() {
        return Err((WARNED, format!("{target} already exists;\tnot overwritten")));
    }
    let mut output = File::create(&target).map_err(|error| (FAILED, about(&target, &error)))?;
    let written = stream(options, &mut input, &mut output, Some(file));
    if written.is_err() {
        // What is half written helps nobody.
        let _ = fs::remove_file(&target);
        return written;
    }
    match options.keep {
        true => Ok(()),
        false => fs::remove_file(file).map_err(failed),
    }
}

fn stream(options: &Options, input: &mut dyn Read, output: &mut dyn Write, name: Option<&str>) -> Result<(), Problem> {
    let shown = name.unwrap_or("stdin");
    let done = match (options.decompress, options.test) {
        (true, true) => decompress(options, input, &mut io::sink()),
        (true, false) => decompress(options, input, output),
        (false, _) => {
            let mut builder = GzBuilder::new();
            if let Some(name) = name.and_then(|name| name.rsplit('/').next()) {
                builder = builder.filename(name);
            }
            let mut encoder = builder.write(&mut *output, Compression::new(options.level));
            io::copy(input, &mut encoder).and_then(|_| encoder.finish().map(drop))
        }
    };
    done.and_then(|()| output.flush()).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => (chiton_program::BROKEN_PIPE, String::new()),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => (FAILED, format!("{shown}: not in gzip format")),
        io::ErrorKind::UnexpectedEof => (FAILED, format!("{shown}: unexpected end of file")),
        _ => (FAILED, about(shown, &error)),
    })
}

/// As zcat -f: with force, what is not compressed is passed on as it is.
fn decompress(options: &Options, input: &mut dyn Read, output: &mut dyn Write) -> io::Result<()> {
    let mut first = Vec::new();
    (&mut *input).take(2).read_to_end(&mut first)?;
    let is_gzip = first == [0x1f, 0x8b];
    let mut whole = first.as_slice().chain(input);
    match (is_gzip, options.force && options.to_stdout) {
        (true, _) => io::copy(&mut MultiGzDecoder::new(whole), output).map(drop),
        (false, true) => io::copy(&mut whole, output).map(drop),
        (false, false) => Err(io::ErrorKind::InvalidData.into()),
    }
}
