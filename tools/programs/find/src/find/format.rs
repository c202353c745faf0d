//! `-printf` and `-ls`: a line about a file.

use std::fmt::Write;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::test::{Clock, kind, links};
use super::walk::Entry;

/// The time as `ctime(3)` writes it, which `%t` and its like show, and as `-ls` shows it.
const WHOLE_TIME: &str = "%a %b %e %H:%M:%S";
const LIST_TIME: &str = "%b %e %H:%M";

/// A piece of the line.
enum Piece {
    Text(String),
    /// A directive, with what stands between `%` and it (such as `-10`).
    Field {
        flags: String,
        letter: char,
    },
    /// `%T` and its like, with the letter that says which part; `None` is the whole time.
    Time {
        flags: String,
        clock: Clock,
        part: Option<char>,
    },
}

/// A parsed format.
pub struct Format(Vec<Piece>);

impl Format {
    /// Reads a format of `-printf`; what is no directive stays as it is.
    pub fn parse(format: &str) -> Self {
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut characters = format.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '\\' => match escape(&mut characters) {
                    Some(escaped) => text.push(escaped),
                    // `\c` ends the line here.
                    None => break,
                },
                '%' => {
                    let mut flags = String::new();
                    while let Some(flag) = characters.next_if(|next| "-+ #0123456789.".contains(*next)) {
                        flags.push(flag);
                    }
                    let Some(letter) = characters.next() else {
                        text.push('%');
                        break;
                    };
                    if letter == '%' {
                        text.push('%');
                        continue;
                    }
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                    pieces.push(match letter {
                        'A' | 'T' | 'C' => {
                            let clock = if letter == 'A' { Clock::Accessed } else { Clock::Modified };
                            Piece::Time { flags, clock, part: characters.next() }
                        }
                        'a' | 't' | 'c' => {
                            let clock = if letter == 'a' { Clock::Accessed } else { Clock::Modified };
                            Piece::Time { flags, clock, part: None }
                        }
                        _ => Piece::Field { flags, letter },
                    });
                }
                _ => text.push(character),
            }
        }
        pieces.push(Piece::Text(text));
        Self(pieces)
    }

    /// The format of `-ls`, less owners, which there are none of.
    pub fn listing() -> Self {
        let mut format = Self::parse("%9i %6k %M %3n %12s ");
        format.0.push(Piece::Time { flags: String::new(), clock: Clock::Modified, part: Some(' ') });
        format.0.extend(Self::parse(" %p%L\\n").0);
        format
    }

    /// The line for this file.
    pub fn of(&self, entry: &Entry) -> String {
        let mut line = String::new();
        for piece in &self.0 {
            let (flags, value) = match piece {
                Piece::Text(text) => {
                    line.push_str(text);
                    continue;
                }
                Piece::Field { flags, letter } => (flags, field(entry, *letter)),
                Piece::Time { flags, clock, part } => (flags, time(clock.of(&entry.metadata), *part)),
            };
            pad(&mut line, flags, &value);
        }
        line
    }
}

/// The character of an escape whose backslash was just read; none for `\c`.
fn escape(characters: &mut std::iter::Peekable<std::str::Chars>) -> Option<char> {
    Some(match characters.next() {
        Some('n') => '\n',
        Some('t') => '\t',
        Some('r') => '\r',
        Some('0') => {
            let mut code = 0;
            while let Some(digit) = characters.peek().and_then(|next| next.to_digit(8)).filter(|_| code < 0o40) {
                code = code * 8 + digit;
                characters.next();
            }
            char::from_u32(code).unwrap_or('\0')
        }
        Some('a') => '\x07',
        Some('b') => '\x08',
        Some('f') => '\x0c',
        Some('v') => '\x0b',
        Some('c') => return None,
        Some(other) => other,
        None => '\\',
    })
}

/// Width and precision as in printf(3), for text.
fn pad(line: &mut String, flags: &str, value: &str) {
    let left = flags.contains('-');
    let (width, precision) = flags
        .trim_start_matches(['-', '+', ' ', '#'])
        .split_once('.')
        .unwrap_or((flags.trim_start_matches(['-', '+', ' ', '#']), ""));
    let value: String = match precision.parse() {
        Ok(most) => value.chars().take(most).collect(),
        Err(_) => value.to_owned(),
    };
    let zeros = !left && width.starts_with('0');
    let width = width.parse().unwrap_or(0);
    // Writing to a String does not fail.
    let _ = match (left, zeros) {
        (true, _) => write!(line, "{value:<width$}"),
        (false, true) => write!(line, "{value:0>width$}"),
        (false, false) => write!(line, "{value:>width$}"),
    };
}

fn field(entry: &Entry, letter: char) -> String {
    let stat = || rustix::fs::lstat(Path::new(&entry.path)).ok();
    match letter {
        'p' => entry.path.clone(),
        'P' => entry.path[entry.root_length..].trim_start_matches('/').to_owned(),
        'H' => entry.path[..entry.root_length].to_owned(),
        'f' => entry.name().to_owned(),
        'h' => directory(&entry.path).to_owned(),
        'd' => entry.depth.to_string(),
        's' => entry.metadata.len().to_string(),
        'b' => entry.metadata.len().div_ceil(512).to_string(),
        'k' => entry.metadata.len().div_ceil(1024).to_string(),
        'y' | 'Y' => kind(&entry.metadata).to_string(),
        'l' => link_target(&entry.path),
        // Only in the format of `-ls`.
        'L' => Some(link_target(&entry.path))
            .filter(|target| !target.is_empty())
            .map(|target| format!(" -> {target}"))
            .unwrap_or_default(),
        'i' => stat().map(|stat| stat.st_ino.to_string()).unwrap_or_default(),
        'n' => stat().map(|stat| links(&stat).to_string()).unwrap_or_default(),
        'D' => stat().map(|stat| stat.st_dev.to_string()).unwrap_or_default(),
        // Files have neither modes nor owners inside: what a umask of 022 gives, and the only user there is.
        'm' => if entry.metadata.is_dir() { "755" } else { "644" }.to_owned(),
        'M' => match kind(&entry.metadata) {
            'd' => "drwxr-xr-x".to_owned(),
            'l' => "lrwxrwxrwx".to_owned(),
            'f' => "-rw-r--r--".to_owned(),
            other => format!("{other}rw-r--r--"),
        },
        'u' | 'g' | 'U' | 'G' => "0".to_owned(),
        other => format!("%{other}"),
    }
}

fn directory(path: &str) -> &str {
    match path.trim_end_matches('/').rsplit_once('/') {
        Some(("", _)) => "",
        Some((directory, _)) => directory,
        None => ".",
    }
}

fn link_target(path: &str) -> String {
    std::fs::read_link(path).map(|target| target.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A time, or the part of it that strftime(3)'s letter names, in UTC.
fn time(time: SystemTime, part: Option<char>) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let fraction = format!("{:09}0", since.subsec_nanos());
    let Ok(timestamp) = Timestamp::try_from(time) else { return String::new() };
    let zoned = timestamp.to_zoned(TimeZone::UTC);
    match part {
        Some('@') => format!("{}.{fraction}", since.as_secs()),
        Some('+') => format!("{}.{fraction}", zoned.strftime("%Y-%m-%d+%H:%M:%S")),
        Some('S') => format!("{}.{fraction}", zoned.strftime("%S")),
        Some('T') => format!("{}.{fraction}", zoned.strftime("%H:%M:%S")),
        Some(' ') => zoned.strftime(LIST_TIME).to_string(),
        Some(letter) if letter.is_ascii_alphabetic() => zoned.strftime(&format!("%{letter}")).to_string(),
        Some(letter) => letter.to_string(),
        None => format!("{}.{fraction} {}", zoned.strftime(WHOLE_TIME), zoned.strftime("%Y")),
    }
}
