//! `stat`: what is known of a file. Modes and owners are not.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use lexopt::prelude::*;

use super::{Problem, about};

/// What is shown without a format.
const EVERYTHING: &str = "  File: %N\n  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F\nAccess: %x\nModify: %y\n";

/// Runs `stat`; 1 if a file is missing.
pub fn stat(arguments: Vec<OsString>) -> Result<u8, Problem> {
    let (mut format, mut follow, mut files) = (EVERYTHING.to_owned(), false, Vec::new());
    let mut parser = lexopt::Parser::from_iter(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('c') | Long("format") => format = parser.value()?.string()? + "\n",
            Long("printf") => format = unescape(&parser.value()?.string()?),
            Short('L') | Long("dereference") => follow = true,
            Value(file) => files.push(file.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if files.is_empty() {
        return Err("missing operand".into());
    }
    let mut out = super::output();
    let mut code = 0;
    for file in files {
        match if follow { fs::metadata(&file) } else { fs::symlink_metadata(&file) } {
            Ok(metadata) => out.write_all(filled(&format, &file, &metadata).as_bytes())?,
            Err(problem) => {
                eprintln!("stat: cannot statx {}", about(&format!("'{file}'"), &problem));
                code = 1;
            }
        }
    }
    out.flush()?;
    Ok(code)
}

fn unescape(format: &str) -> String {
    format.replace("\\n", "\n").replace("\\t", "\t").replace("\\0", "\0").replace("\\\\", "\\")
}

fn filled(format: &str, path: &str, metadata: &Metadata) -> String {
    let mut text = String::new();
    let mut characters = format.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '%' {
            text.push(character);
            continue;
        }
        let mut flags = String::new();
        while let Some(flag) = characters.next_if(|next| next.is_ascii_digit() || "-0 +#.".contains(*next)) {
            flags.push(flag);
        }
        let value = match characters.next() {
            None | Some('%') => "%".to_owned(),
            Some(letter) => field(letter, path, metadata),
        };
        let width: usize = flags.trim_start_matches(['-', '0', ' ', '+', '#']).parse().unwrap_or(0);
        text += &if flags.starts_with('-') { format!("{value:<width$}") } else { format!("{value:>width$}") };
    }
    text
}

fn field(letter: char, path: &str, metadata: &Metadata) -> String {
    let kind = metadata.file_type();
    let (name, mode, bits) = match kind {
        _ if kind.is_dir() => ("directory", "drwxr-xr-x", "755"),
        _ if kind.is_symlink() => ("symbolic link", "lrwxrwxrwx", "777"),
        _ if metadata.len() == 0 => ("regular empty file", "-rw-r--r--", "644"),
        _ => ("regular file", "-rw-r--r--", "644"),
    };
    match letter {
        'n' => path.to_owned(),
        'N' => match fs::read_link(path) {
            Ok(target) if kind.is_symlink() => format!("'{path}' -> '{}'", target.display()),
            _ => path.to_owned(),
        },
        's' => metadata.len().to_string(),
        'b' => metadata.len().div_ceil(512).to_string(),
        'B' => "512".to_owned(),
        'o' => "4096".to_owned(),
        'F' => name.to_owned(),
        // What a umask of 022 gives, and the only user there is.
        'A' => mode.to_owned(),
        'a' => bits.to_owned(),
        'u' | 'g' => "0".to_owned(),
        'U' | 'G' => "user".to_owned(),
        'X' => seconds(metadata.accessed()),
        'Y' | 'Z' | 'W' => seconds(metadata.modified()),
        'x' => time(metadata.accessed()),
        'y' | 'z' | 'w' => time(metadata.modified()),
        'h' | 'i' | 'd' => links(letter, path),
        other => format!("%{other}"),
    }
}

fn links(letter: char, path: &str) -> String {
    let Ok(stat) = rustix::fs::lstat(path) else { return "?".to_owned() };
    match letter {
        'h' => stat.st_nlink.to_string(),
        'i' => stat.st_ino.to_string(),
        _ => stat.st_dev.to_string(),
    }
}

fn seconds(time: std::io::Result<SystemTime>) -> String {
    time.ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .map_or("0".to_owned(), |since| since.as_secs().to_string())
}

fn time(time: std::io::Result<SystemTime>) -> String {
    time.ok()
        .and_then(|time| Timestamp::try_from(time).ok())
        .map(|time| time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S.%9f %z").to_string())
        .unwrap_or_else(|| "-".to_owned())
}
