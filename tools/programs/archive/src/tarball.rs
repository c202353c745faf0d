//! tar: create, list, extract; plain or by gzip.

use crate::about;
use crate::place::{self, Entry, Globs};
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use lexopt::Arg::{Long, Short, Value};
use lexopt::{Parser, ValueExt};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use tar::{Archive, Builder, EntryType, Header};

const USAGE: &str =
    "Usage: tar -c|-x|-t [-z] [-v] [-f FILE] [-C DIR] [--strip-components N] [--exclude GLOB] [-O] [MEMBER]...";
/// tar's code for a fatal error.
const FATAL: u8 = 2;

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Create,
    Extract,
    List,
}

#[derive(Default)]
struct Options {
    mode: Option<Mode>,
    file: Option<String>,
    gzip: bool,
    verbose: bool,
    to_stdout: bool,
    keep_old: bool,
    strip: usize,
    exclude: Vec<String>,
    /// The directory of the moment and what is named after it.
    members: Vec<(PathBuf, String)>,
    directory: PathBuf,
}

pub(crate) fn run(arguments: Vec<OsString>) -> u8 {
    let options = match parse(arguments) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{USAGE}");
            return 0;
        }
        Err(error) => {
            eprintln!("tar: {error}\n{USAGE}");
            return FATAL;
        }
    };
    let done = match options.mode {
        Some(Mode::Create) => create(&options),
        Some(Mode::Extract) if !options.directory.as_os_str().is_empty() && !options.directory.is_dir() => {
            Err(format!("{}: Cannot open: No such file or directory", options.directory.display()))
        }
        Some(Mode::Extract | Mode::List) => read(&options),
        None => Err(format!("You must specify one of -c, -x or -t\n{USAGE}")),
    };
    match done {
        Ok(code) => code,
        Err(text) if text.ends_with("Broken pipe") => chiton_program::BROKEN_PIPE,
        Err(text) => {
            eprintln!("tar: {text}");
            FATAL
        }
    }
}

fn parse(mut arguments: Vec<OsString>) -> Result<Option<Options>, lexopt::Error> {
    // The old style: the first argument is letters without a dash.
    if let Some(first) = arguments.get_mut(1)
        && first.to_str().is_some_and(|first| !first.starts_with('-') && first.contains(['c', 'x', 't']))
    {
        *first = format!("-{}", first.to_string_lossy()).into();
    }
    let mut options = Options::default();
    let mut parser = Parser::from_iter(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('c') | Long("create") => options.mode = Some(Mode::Create),
            Short('x') | Long("extract" | "get") => options.mode = Some(Mode::Extract),
            Short('t') | Long("list") => options.mode = Some(Mode::List),
            Short('z') | Long("gzip" | "gunzip") => options.gzip = true,
            Short('a') | Long("auto-compress") => {}
            Short('v') | Long("verbose") => options.verbose = true,
            Short('O') | Long("to-stdout") => options.to_stdout = true,
            Short('k') | Long("keep-old-files" | "skip-old-files") => options.keep_old = true,
            Short('f') | Long("file") => options.file = Some(parser.value()?.string()?),
            Short('C') | Long("directory") => options.directory.push(parser.value()?),
            Long("strip-components") => options.strip = parser.value()?.parse()?,
            Long("exclude") => options.exclude.push(parser.value()?.string()?),
            Short('T') | Long("files-from") => {
                let list = fs::read_to_string(parser.value()?).map_err(|error| about("-T", &error))?;
                let names = list.lines().filter(|line| !line.is_empty());
                options.members.extend(names.map(|name| (options.directory.clone(), name.to_owned())));
            }
            Short('j' | 'J') | Long("bzip2" | "xz" | "zstd") => {
                return Err("only gzip compression (-z) is supported".into());
            }
            // Owners and modes are not kept in the sandbox.
            Short('p' | 'm' | 'h' | 'P')
            | Long(
                "same-owner"
                | "no-same-owner"
                | "preserve-permissions"
                | "overwrite"
                | "wildcards"
                | "no-same-permissions",
            ) => {}
            Long("owner" | "group" | "mode" | "sort" | "mtime" | "format") => drop(parser.value()?),
            Long("help") => return Ok(None),
            Value(member) => options.members.push((options.directory.clone(), member.string()?)),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(options))
}

fn create(options: &Options) -> Result<u8, String> {
    if options.members.is_empty() {
        return Err("Cowardly refusing to create an empty archive".to_owned());
    }
    let name = options.file.as_deref().unwrap_or("-");
    let output: Box<dyn Write> = match name {
        "-" => Box::new(io::stdout()),
        name => Box::new(File::create(name).map_err(|error| format!("Cannot open {}", about(name, &error)))?),
    };
    let zipped = options.gzip || [".gz", ".tgz"].iter().any(|ending| name.ends_with(ending));
    let output = BufWriter::with_capacity(64 << 10, output);
    let shown = |error: io::Error| about(name, &error);
    if zipped {
        let mut builder = Builder::new(GzEncoder::new(output, Compression::default()));
        let code = add_all(options, &mut builder)?;
        builder.into_inner().and_then(GzEncoder::finish).and_then(|mut output| output.flush()).map_err(shown)?;
        return Ok(code);
    }
    let mut builder = Builder::new(output);
    let code = add_all(options, &mut builder)?;
    builder.into_inner().and_then(|mut output| output.flush()).map_err(shown)?;
    Ok(code)
}

fn add_all<W: Write>(options: &Options, builder: &mut Builder<W>) -> Result<u8, String> {
    let exclude = Globs::new(&options.exclude)?;
    let mut code = 0;
    for (base, member) in &options.members {
        let mut entries = Vec::new();
        let skip = |name: &str| exclude.matches(name) || options.file.as_deref() == Some(name.trim_start_matches("./"));
        if let Err(text) = place::collect(base, member, true, &skip, &mut entries) {
            eprintln!("tar: {text}");
            code = FATAL;
        }
        for entry in entries {
            if options.verbose {
                // Beside an archive on standard output the names go to standard error.
                let slash = if entry.metadata.is_dir() && !entry.name.ends_with('/') { "/" } else { "" };
                match options.file.as_deref() {
                    None | Some("-") => eprintln!("{}{slash}", entry.name),
                    Some(_) => println!("{}{slash}", entry.name),
                }
            }
            add(builder, &entry)?;
        }
    }
    Ok(code)
}

fn add<W: Write>(builder: &mut Builder<W>, entry: &Entry) -> Result<(), String> {
    let shown = |error: io::Error| about(&entry.name, &error);
    let name = entry.name.trim_start_matches('/');
    let name = if name.is_empty() { "./" } else { name };
    let mut header = Header::new_gnu();
    header.set_mtime(place::modified(&entry.metadata));
    header.set_mode(if entry.metadata.is_dir() { 0o755 } else { 0o644 });
    header.set_size(0);
    if entry.metadata.is_dir() {
        header.set_entry_type(EntryType::Directory);
        return builder
            .append_data(&mut header, format!("{}/", name.trim_end_matches('/')), io::empty())
            .map_err(shown);
    }
    if entry.metadata.is_symlink() {
        header.set_entry_type(EntryType::Symlink);
        let to = fs::read_link(&entry.path).map_err(shown)?;
        return builder.append_link(&mut header, name, to).map_err(shown);
    }
    header.set_entry_type(EntryType::Regular);
    let file = File::open(&entry.path).map_err(shown)?;
    let size = entry.metadata.len();
    header.set_size(size);
    // A file that grows meanwhile is cut, one that shrinks is filled: the header has promised its size.
    builder.append_data(&mut header, name, file.chain(io::repeat(0)).take(size)).map_err(shown)
}

fn read(options: &Options) -> Result<u8, String> {
    let name = options.file.as_deref().unwrap_or("-");
    let mut input: Box<dyn Read> = match name {
        "-" => Box::new(io::stdin()),
        name => {
            Box::new(BufReader::new(File::open(name).map_err(|error| format!("Cannot open {}", about(name, &error)))?))
        }
    };
    let mut first = Vec::new();
    (&mut input).take(2).read_to_end(&mut first).map_err(|error| about(name, &error))?;
    let is_gzip = first == [0x1f, 0x8b];
    let whole = io::Cursor::new(first).chain(input);
    match is_gzip {
        true => read_members(options, MultiGzDecoder::new(whole)),
        false => read_members(options, whole),
    }
}

fn read_members(options: &Options, input: impl Read) -> Result<u8, String> {
    let patterns: Vec<String> = options.members.iter().map(|(_, member)| member.clone()).collect();
    let (wanted, exclude) = (Globs::new(&patterns)?, Globs::new(&options.exclude)?);
    let mut archive = Archive::new(input);
    let (mut code, mut found) = (0, false);
    let broken = |error: io::Error| format!("This does not look like a tar archive: {}", crate::plain(&error));
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if exclude.matches(&name) || (!wanted.is_empty() && !wanted.matches_member(&name)) {
            continue;
        }
        found = true;
        let listed = options.mode == Some(Mode::List);
        if listed || options.verbose {
            let line = if listed && options.verbose { long_line(entry.header(), &name) } else { name.clone() };
            writeln!(io::stdout(), "{line}").map_err(|error| about("stdout", &error))?;
        }
        if !listed && let Err(text) = extract(options, &mut entry, &name) {
            if text.ends_with("Broken pipe") {
                return Err(text);
            }
            eprintln!("tar: {text}");
            code = FATAL;
        }
    }
    if !wanted.is_empty() && !found {
        return Err(format!("{}: Not found in archive", patterns.join(", ")));
    }
    Ok(code)
}

fn extract(options: &Options, entry: &mut tar::Entry<'_, impl Read>, name: &str) -> Result<(), String> {
    let shown = |error: io::Error| about(name, &error);
    let kind = entry.header().entry_type();
    if options.to_stdout {
        return if kind.is_file() { io::copy(entry, &mut io::stdout()).map(drop).map_err(shown) } else { Ok(()) };
    }
    let path: PathBuf = place::inside(Path::new(name))?.components().skip(options.strip).collect();
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    let target = if options.directory.as_os_str().is_empty() { Path::new(".") } else { &options.directory };
    if kind.is_dir() {
        return match place::prepare(target, &path.join("x")) {
            Ok(_) => Ok(()),
            Err(text) => Err(text),
        };
    }
    if options.keep_old && fs::symlink_metadata(target.join(&path)).is_ok() {
        return Ok(());
    }
    if kind.is_symlink() {
        let to = entry.link_name().map_err(shown)?.unwrap_or_default().into_owned();
        if !place::link_stays_inside(&path, &to) {
            return Err(format!("{name}: refused, its link leads out of the target directory"));
        }
        return place::link(&to, &place::prepare(target, &path)?).map_err(shown);
    }
    if kind.is_hard_link() {
        // A copy: the sandbox refuses to write files that have several names.
        let to = entry.link_name().map_err(shown)?.unwrap_or_default().into_owned();
        let to: PathBuf = place::inside(&to)?.components().skip(options.strip).collect();
        if fs::symlink_metadata(target.join(&to)).is_ok_and(|found| !found.is_file()) {
            return Err(format!("{name}: refused, it links to something that is no file"));
        }
        return fs::copy(target.join(to), place::prepare(target, &path)?).map(drop).map_err(shown);
    }
    if !kind.is_file() {
        return Err(format!("{name}: refused, it is neither a file nor a directory nor a link"));
    }
    let modified = entry.header().mtime().ok();
    place::write(&place::prepare(target, &path)?, entry, modified).map_err(shown)
}

fn long_line(header: &Header, name: &str) -> String {
    let kind = match header.entry_type() {
        EntryType::Directory => 'd',
        EntryType::Symlink => 'l',
        EntryType::Link => 'h',
        _ => '-',
    };
    let mode = header.mode().unwrap_or(0);
    let bits: String =
        (0..9).map(|bit| if mode >> (8 - bit) & 1 == 1 { ['r', 'w', 'x'][bit % 3] } else { '-' }).collect();
    let (year, month, day, hour, minute, _) = place::calendar(header.mtime().unwrap_or(0));
    let owner = format!("{}/{}", header.uid().unwrap_or(0), header.gid().unwrap_or(0));
    let size = header.entry_size().unwrap_or(0);
    let link = header.link_name().ok().flatten().map(|to| format!(" -> {}", to.display())).unwrap_or_default();
    format!("{kind}{bits} {owner} {size:>9} {year}-{month:02}-{day:02} {hour:02}:{minute:02} {name}{link}")
}
