//! zip and unzip, with deflate.

use crate::about;
use crate::place::{self, Globs};
use lexopt::Arg::{Long, Short, Value};
use lexopt::{Parser, ValueExt};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

const ZIP_USAGE: &str = "Usage: zip [-rqj0..9] ARCHIVE FILE... [-x GLOB]...";
const UNZIP_USAGE: &str = "Usage: unzip [-loqpnjt] [-d DIR] ARCHIVE [MEMBER]... [-x GLOB]...";
/// Codes of Info-ZIP.
const WARNED: u8 = 1;
const BROKEN: u8 = 3;
const NO_ARCHIVE: u8 = 9;
const NOTHING_MATCHES: u8 = 11;
const NOTHING_TO_DO: u8 = 12;
const USAGE_ERROR: u8 = 10;

type Problem = (u8, String);

fn ended(program: &str, done: Result<u8, Problem>) -> u8 {
    match done {
        Ok(code) => code,
        Err((_, text)) if text.ends_with("Broken pipe") => chiton_program::BROKEN_PIPE,
        Err((code, text)) => {
            eprintln!("{program}: {text}");
            code
        }
    }
}

/// Everything after `-x` or `-i` up to the next option is a glob.
fn globs(parser: &mut Parser, into: &mut Vec<String>) -> Result<(), lexopt::Error> {
    for value in parser.values()? {
        into.push(value.string()?);
    }
    Ok(())
}

struct Packing {
    archive: Option<String>,
    files: Vec<String>,
    exclude: Vec<String>,
    recursive: bool,
    quiet: bool,
    names_only: bool,
    level: i64,
}

/// `zip`.
pub(crate) fn zip(arguments: Vec<OsString>) -> u8 {
    ended(
        "zip",
        parse_zip(arguments).map_err(|error| (16, format!("{error}\n{ZIP_USAGE}"))).and_then(|packing| pack(&packing)),
    )
}

fn parse_zip(arguments: Vec<OsString>) -> Result<Packing, lexopt::Error> {
    let mut packing = Packing {
        archive: None,
        files: Vec::new(),
        exclude: Vec::new(),
        recursive: false,
        quiet: false,
        names_only: false,
        level: 6,
    };
    let mut parser = Parser::from_iter(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('r') | Long("recurse-paths") => packing.recursive = true,
            Short('q') | Long("quiet") => packing.quiet = true,
            Short('j') | Long("junk-paths") => packing.names_only = true,
            Short('x') | Long("exclude") => globs(&mut parser, &mut packing.exclude)?,
            Short(level @ '0'..='9') => packing.level = level.to_digit(10).map_or(6, i64::from),
            Short('X' | 'y' | 'u' | 'o') => {}
            Value(value) if packing.archive.is_none() => packing.archive = Some(value.string()?),
            Value(value) => packing.files.push(value.string()?),
            other => return Err(other.unexpected()),
        }
    }
    Ok(packing)
}

fn pack(packing: &Packing) -> Result<u8, Problem> {
    let Some(archive) = &packing.archive else { return Err((16, ZIP_USAGE.to_owned())) };
    let last = archive.rsplit('/').next().unwrap_or_default();
    let archive = if last.contains('.') { archive.clone() } else { format!("{archive}.zip") };
    let exclude = Globs::new(&packing.exclude).map_err(|text| (16, text))?;
    let (mut entries, mut code) = (Vec::new(), 0);
    for file in &packing.files {
        let skip = |name: &str| exclude.matches(name) || name.trim_start_matches("./") == archive;
        if let Err(text) = place::collect(Path::new(""), file, packing.recursive, &skip, &mut entries) {
            eprintln!("zip warning: {text}");
            code = 18;
        }
    }
    if entries.is_empty() {
        return Err((NOTHING_TO_DO, format!("nothing to do! ({archive})")));
    }
    let broken = |error: &dyn std::fmt::Display| (14, format!("{archive}: {error}"));
    // Written beside the old archive, of which what is not replaced is copied.
    let fresh = format!("{archive}.new");
    let output = File::create(&fresh).map_err(|error| (15, about(&fresh, &error)))?;
    let mut writer = ZipWriter::new(BufWriter::new(output));
    let names: Vec<String> =
        entries.iter().map(|entry| name_in_archive(packing, &entry.name, entry.metadata.is_dir())).collect();
    if let Ok(old) = File::open(&archive) {
        let mut old = ZipArchive::new(BufReader::new(old)).map_err(|error| broken(&error))?;
        for index in 0..old.len() {
            let member = old.by_index_raw(index).map_err(|error| broken(&error))?;
            let kept = member.name().map_err(|error| broken(&error))?.into_owned();
            if !names.contains(&kept) {
                writer.raw_copy_file(member).map_err(|error| broken(&error))?;
            }
        }
    }
    for (entry, name) in entries.iter().zip(&names) {
        if name.is_empty() || name == "/" {
            continue;
        }
        let options = SimpleFileOptions::default().last_modified_time(time(place::modified(&entry.metadata)));
        if entry.metadata.is_dir() {
            writer.add_directory(name.as_str(), options).map_err(|error| broken(&error))?;
            tell(packing, &format!("  adding: {name} (stored 0%)"));
            continue;
        }
        let content = fs::read(&entry.path).map_err(|error| (18, about(&entry.name, &error)))?;
        let stored = packing.level == 0 || content.is_empty();
        let method = if stored { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        let options = options.compression_method(method).compression_level((!stored).then_some(packing.level));
        writer.start_file(name.as_str(), options).map_err(|error| broken(&error))?;
        writer.write_all(&content).map_err(|error| (14, about(&archive, &error)))?;
        tell(packing, &format!("  adding: {name} ({})", if stored { "stored 0%" } else { "deflated" }));
    }
    writer.finish().map_err(|error| broken(&error))?.flush().map_err(|error| (14, about(&archive, &error)))?;
    fs::rename(&fresh, &archive).map_err(|error| (15, about(&archive, &error)))?;
    Ok(code)
}

fn tell(packing: &Packing, line: &str) {
    if !packing.quiet {
        println!("{line}");
    }
}

fn name_in_archive(packing: &Packing, name: &str, is_directory: bool) -> String {
    let path = place::inside(Path::new(name)).unwrap_or_default();
    match (packing.names_only, is_directory) {
        (true, true) => String::new(),
        (true, false) => path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        (false, true) => format!("{}/", path.display()),
        (false, false) => path.display().to_string(),
    }
}

fn time(seconds: u64) -> DateTime {
    let (year, month, day, hour, minute, second) = place::calendar(seconds);
    let small = |number: u64| u8::try_from(number).unwrap_or(1);
    let year = u16::try_from(year).unwrap_or(1980);
    // Times before 1980 cannot be told in an archive.
    DateTime::from_date_and_time(year, small(month), small(day), small(hour), small(minute), small(second))
        .unwrap_or_default()
}

#[derive(Default)]
struct Unpacking {
    archive: Option<String>,
    members: Vec<String>,
    exclude: Vec<String>,
    directory: Option<PathBuf>,
    list: bool,
    to_stdout: bool,
    test: bool,
    overwrite: bool,
    never_overwrite: bool,
    names_only: bool,
    quiet: bool,
}

/// `unzip`.
pub(crate) fn unzip(arguments: Vec<OsString>) -> u8 {
    let parsed = parse_unzip(arguments).map_err(|error| (USAGE_ERROR, format!("{error}\n{UNZIP_USAGE}")));
    ended("unzip", parsed.and_then(|unpacking| unpack(&unpacking)))
}

fn parse_unzip(arguments: Vec<OsString>) -> Result<Unpacking, lexopt::Error> {
    let mut unpacking = Unpacking::default();
    let mut parser = Parser::from_iter(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('l' | 'v') => unpacking.list = true,
            Short('p' | 'c') => unpacking.to_stdout = true,
            Short('t') => unpacking.test = true,
            Short('o') => unpacking.overwrite = true,
            Short('n') => unpacking.never_overwrite = true,
            Short('j') => unpacking.names_only = true,
            Short('q') => unpacking.quiet = true,
            Short('d') => unpacking.directory = Some(parser.value()?.into()),
            Short('x') => globs(&mut parser, &mut unpacking.exclude)?,
            Value(value) if unpacking.archive.is_none() => unpacking.archive = Some(value.string()?),
            Value(value) => unpacking.members.push(value.string()?),
            other => return Err(other.unexpected()),
        }
    }
    Ok(unpacking)
}

fn unpack(unpacking: &Unpacking) -> Result<u8, Problem> {
    let Some(archive) = &unpacking.archive else { return Err((USAGE_ERROR, UNZIP_USAGE.to_owned())) };
    let file = File::open(archive).or_else(|error| File::open(format!("{archive}.zip")).map_err(|_| error));
    let file =
        file.map_err(|_| (NO_ARCHIVE, format!("cannot find or open {archive}, {archive}.zip or {archive}.ZIP.")))?;
    let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|error| (NO_ARCHIVE, format!("{archive}: {error}")))?;
    let wanted = Globs::new(&unpacking.members).map_err(|text| (USAGE_ERROR, text))?;
    let exclude = Globs::new(&unpacking.exclude).map_err(|text| (USAGE_ERROR, text))?;
    let chosen: Vec<usize> = (0..zip.len())
        .filter(|index| {
            let name = zip.name_for_index(*index).and_then(Result::ok).unwrap_or_default();
            (wanted.is_empty() || wanted.matches_member(&name)) && !exclude.matches_member(&name)
        })
        .collect();
    if chosen.is_empty() && !wanted.is_empty() {
        return Err((NOTHING_MATCHES, format!("caution: filename not matched:  {}", unpacking.members.join(" "))));
    }
    if !unpacking.quiet && !unpacking.to_stdout {
        println!("Archive:  {archive}");
    }
    if unpacking.list {
        return list(&mut zip, &chosen);
    }
    let mut code = 0;
    for index in chosen {
        if let Err((problem, text)) = take_out(unpacking, &mut zip, index) {
            if text.ends_with("Broken pipe") {
                return Err((problem, text));
            }
            eprintln!("unzip: {text}");
            code = code.max(problem);
        }
    }
    Ok(code)
}

type Zip = ZipArchive<BufReader<File>>;

fn take_out(unpacking: &Unpacking, zip: &mut Zip, index: usize) -> Result<(), Problem> {
    let mut member = zip.by_index(index).map_err(|error| (BROKEN, error.to_string()))?;
    let name = member.name().map_err(|error| (BROKEN, error.to_string()))?.into_owned();
    let shown = |error: io::Error| (BROKEN, about(&name, &error));
    if unpacking.to_stdout || unpacking.test {
        let copied = match unpacking.test {
            true => io::copy(&mut member, &mut io::sink()),
            false => io::copy(&mut member, &mut io::stdout()),
        };
        if unpacking.test && copied.is_ok() && !unpacking.quiet {
            println!("    testing: {name}   OK");
        }
        return copied.map(drop).map_err(shown);
    }
    let mut path = place::inside(Path::new(&name)).map_err(|text| (WARNED, text))?;
    if unpacking.names_only {
        path = path.file_name().map(PathBuf::from).unwrap_or_default();
    }
    let target = unpacking.directory.as_deref().unwrap_or(Path::new("."));
    if !target.exists() {
        fs::create_dir_all(target).map_err(|error| (BROKEN, about(target.display(), &error)))?;
    }
    let place_shown = unpacking.directory.as_ref().map_or(path.clone(), |directory| directory.join(&path));
    if member.is_dir() {
        if unpacking.names_only {
            return Ok(());
        }
        let made = !target.join(&path).exists();
        place::prepare(target, &path.join("x")).map_err(|text| (WARNED, text))?;
        if made && !unpacking.quiet {
            println!("   creating: {}/", place_shown.display());
        }
        return Ok(());
    }
    if member.is_symlink() {
        return Err((WARNED, format!("{name}: refused, links are not taken out of zip archives")));
    }
    if fs::symlink_metadata(target.join(&path)).is_ok() && !unpacking.overwrite {
        // There is nobody to ask.
        return match unpacking.never_overwrite {
            true => Ok(()),
            false => Err((WARNED, format!("{} exists; use -o to overwrite, -n to keep it", place_shown.display()))),
        };
    }
    let verb = if member.compression() == CompressionMethod::Stored { " extracting" } else { "  inflating" };
    let whole = place::prepare(target, &path).map_err(|text| (WARNED, text))?;
    place::write(&whole, &mut member, None).map_err(shown)?;
    if !unpacking.quiet {
        println!("{verb}: {}", place_shown.display());
    }
    Ok(())
}

fn list(zip: &mut Zip, chosen: &[usize]) -> Result<u8, Problem> {
    let mut text = String::from("  Length      Date    Time    Name\n---------  ---------- -----   ----\n");
    let mut total = 0;
    for index in chosen {
        let member = zip.by_index_raw(*index).map_err(|error| (BROKEN, error.to_string()))?;
        let time = member.last_modified().unwrap_or_default();
        let date =
            format!("{}-{:02}-{:02} {:02}:{:02}", time.year(), time.month(), time.day(), time.hour(), time.minute());
        total += member.size();
        text.push_str(&format!("{:>9}  {date}   {}\n", member.size(), member.name().unwrap_or_default()));
    }
    let files = if chosen.len() == 1 { "file" } else { "files" };
    text.push_str(&format!(
        "---------                     -------\n{total:>9}                     {} {files}\n",
        chosen.len()
    ));
    io::stdout().write_all(text.as_bytes()).map_err(|error| (BROKEN, about("stdout", &error)))?;
    Ok(0)
}
