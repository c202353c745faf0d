//! Questions about a file.

use std::fs::{self, Metadata};
use std::path::Path;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use regex::Regex;

use super::expression::{Parser, invalid};
use super::walk::{Entry, identity};
use super::{Problem, pattern};

/// Seconds of a day and of a minute, the units of `-mtime` and `-mmin`.
const DAY: u64 = 86_400;
const MINUTE: u64 = 60;

/// A number with `+` (more than), `-` (less than) or neither (exactly).
#[derive(Clone, Copy)]
pub enum Amount {
    /// `+n`
    More(u64),
    /// `n`
    Exactly(u64),
    /// `-n`
    Less(u64),
}

impl Amount {
    fn parse(text: &str) -> Option<Self> {
        Some(match text.split_at_checked(1)? {
            ("+", number) => Self::More(number.parse().ok()?),
            ("-", number) => Self::Less(number.parse().ok()?),
            _ => Self::Exactly(text.parse().ok()?),
        })
    }

    fn holds(self, value: u64) -> bool {
        match self {
            Self::More(than) => value > than,
            Self::Exactly(number) => value == number,
            Self::Less(than) => value < than,
        }
    }
}

/// Which time of a file is meant.
#[derive(Clone, Copy)]
pub enum Clock {
    /// Last read.
    Accessed,
    /// Last written; also stands for the last change of the inode, which WASI does not tell.
    Modified,
}

impl Clock {
    /// The time of this file; the epoch where the file system keeps none.
    pub fn of(self, metadata: &Metadata) -> SystemTime {
        match self {
            Self::Accessed => metadata.accessed(),
            Self::Modified => metadata.modified(),
        }
        .unwrap_or(SystemTime::UNIX_EPOCH)
    }

    fn by_letter(letter: char) -> Option<Self> {
        match letter {
            'a' => Some(Self::Accessed),
            'm' | 'c' => Some(Self::Modified),
            _ => None,
        }
    }
}

/// A question about a file.
pub enum Test {
    /// `-true`, `-false`, and options among the tests.
    Constant(bool),
    /// The last part of the path.
    Name(Regex),
    /// The whole path.
    Path(Regex),
    /// What a symbolic link says.
    LinkTarget(Regex),
    /// Letters of `-type`.
    Kind(Vec<char>),
    /// Letters of `-xtype`: of what a link leads to, `l` where it leads nowhere.
    TargetKind(Vec<char>),
    /// `-size`, in units of so many bytes, rounded up.
    Size(Amount, u64),
    /// An empty file or directory.
    Empty,
    /// `-mtime` and its like: the age in whole units of so many seconds before now.
    Age {
        /// Which time.
        clock: Clock,
        /// How many units.
        amount: Amount,
        /// Seconds of a unit.
        unit: u64,
        /// When the walk began.
        now: SystemTime,
    },
    /// `-newer` and its like.
    Newer(Clock, SystemTime),
    /// `-samefile`.
    Same((u64, u64)),
    /// `-inum`.
    Inode(Amount),
    /// `-links`.
    Links(Amount),
    /// `-readable` and its like: whether the mount allows it is only known by trying, so what exists is taken as usable.
    Exists,
}

impl Test {
    /// Reads a test and its value.
    pub fn parse(predicate: &str, parser: &mut Parser) -> Result<Self, Problem> {
        let plain = predicate.trim_start_matches('-');
        Ok(match plain {
            "true" | "false" => Self::Constant(plain == "true"),
            "name" | "iname" => Self::Name(glob(predicate, parser)?),
            "path" | "ipath" | "wholename" | "iwholename" => Self::Path(glob(predicate, parser)?),
            "lname" | "ilname" => Self::LinkTarget(glob(predicate, parser)?),
            "regex" | "iregex" => {
                let value = parser.value(predicate)?;
                Self::Path(
                    pattern::regex(value, parser.syntax, plain == "iregex").ok_or_else(|| invalid(predicate, value))?,
                )
            }
            "type" | "xtype" => {
                let value = parser.value(predicate)?;
                let letters: Vec<char> = value.split(',').flat_map(str::chars).collect();
                if letters.is_empty() || !letters.iter().all(|letter| "bcdflps".contains(*letter)) {
                    return Err(invalid(predicate, value));
                }
                if plain == "type" { Self::Kind(letters) } else { Self::TargetKind(letters) }
            }
            "empty" => Self::Empty,
            "readable" | "writable" | "executable" => Self::Exists,
            "size" => size(predicate, parser.value(predicate)?)?,
            "inum" => Self::Inode(amount(predicate, parser)?),
            "links" => Self::Links(amount(predicate, parser)?),
            "samefile" => {
                let value = parser.value(predicate)?;
                Self::Same(identity(value).map_err(|_| invalid(predicate, value))?)
            }
            "newer" | "anewer" | "cnewer" => {
                let clock = if plain == "anewer" { Clock::Accessed } else { Clock::Modified };
                Self::Newer(clock, time_of_file(predicate, parser.value(predicate)?, Clock::Modified)?)
            }
            "perm" | "user" | "group" | "uid" | "gid" | "nouser" | "nogroup" | "fstype" | "context" => {
                return Err(Problem::Unavailable(predicate.to_owned()));
            }
            _ => return age(predicate, plain, parser),
        })
    }

    /// Whether it is true for this file.
    pub fn holds(&self, entry: &Entry) -> bool {
        match self {
            Self::Constant(value) => *value,
            Self::Exists => true,
            Self::Name(regex) => regex.is_match(entry.name()),
            Self::Path(regex) => regex.is_match(&entry.path),
            Self::LinkTarget(regex) => {
                fs::read_link(&entry.path).is_ok_and(|target| regex.is_match(&target.to_string_lossy()))
            }
            Self::Kind(letters) => letters.contains(&kind(&entry.metadata)),
            Self::TargetKind(letters) => {
                letters.contains(&fs::metadata(&entry.path).map_or('l', |metadata| kind(&metadata)))
            }
            Self::Size(amount, unit) => amount.holds(entry.metadata.len().div_ceil(*unit)),
            Self::Empty if entry.metadata.is_dir() => {
                fs::read_dir(&entry.path).is_ok_and(|mut children| children.next().is_none())
            }
            Self::Empty => entry.metadata.is_file() && entry.metadata.len() == 0,
            Self::Age { clock, amount, unit, now } => {
                let age = now.duration_since(clock.of(&entry.metadata)).unwrap_or(Duration::ZERO);
                amount.holds(age.as_secs() / unit)
            }
            Self::Newer(clock, than) => clock.of(&entry.metadata) > *than,
            // A link is another file than the one it leads to, unless links are followed.
            Self::Same(id) => !entry.metadata.is_symlink() && identity(&entry.path).is_ok_and(|own| own == *id),
            Self::Inode(amount) => {
                rustix::fs::lstat(Path::new(&entry.path)).is_ok_and(|stat| amount.holds(stat.st_ino))
            }
            Self::Links(amount) => {
                rustix::fs::lstat(Path::new(&entry.path)).is_ok_and(|stat| amount.holds(links(&stat)))
            }
        }
    }
}

/// How many names a file has.
#[allow(clippy::unnecessary_cast, reason = "the field has another width natively, where this is tested too")]
pub fn links(stat: &rustix::fs::Stat) -> u64 {
    stat.st_nlink as u64
}

/// The letter of `-type`.
pub fn kind(metadata: &Metadata) -> char {
    match metadata.file_type() {
        kind if kind.is_dir() => 'd',
        kind if kind.is_symlink() => 'l',
        kind if kind.is_file() => 'f',
        // A device, pipe or socket: WASI does not tell which in a way that std shows.
        _ => 'c',
    }
}

fn glob(predicate: &str, parser: &mut Parser) -> Result<Regex, Problem> {
    let value = parser.value(predicate)?;
    pattern::glob(value, predicate.starts_with("-i")).ok_or_else(|| invalid(predicate, value))
}

fn amount(predicate: &str, parser: &mut Parser) -> Result<Amount, Problem> {
    let value = parser.value(predicate)?;
    Amount::parse(value).ok_or_else(|| invalid(predicate, value))
}

fn size(predicate: &str, value: &str) -> Result<Test, Problem> {
    const UNITS: &[(char, u64)] =
        &[('c', 1), ('w', 2), ('b', 512), ('k', 1 << 10), ('M', 1 << 20), ('G', 1 << 30), ('T', 1 << 40)];
    let (number, unit) =
        UNITS.iter().find_map(|(letter, unit)| Some((value.strip_suffix(*letter)?, *unit))).unwrap_or((value, 512));
    Amount::parse(number).map(|amount| Test::Size(amount, unit)).ok_or_else(|| invalid(predicate, value))
}

/// `-mtime`, `-amin`, `-newermt` and the other names made of a clock's letter.
fn age(predicate: &str, plain: &str, parser: &mut Parser) -> Result<Test, Problem> {
    let unknown = || Problem::UnknownPredicate(predicate.to_owned());
    let unit = match plain.get(1..) {
        Some("time") => DAY,
        Some("min") => MINUTE,
        _ => {
            let mut letters = plain.strip_prefix("newer").ok_or_else(unknown)?.chars();
            let (Some(of), Some(than), None) = (letters.next(), letters.next(), letters.next()) else {
                return Err(unknown());
            };
            let clock = Clock::by_letter(of).ok_or_else(unknown)?;
            let value = parser.value(predicate)?;
            let time = match than {
                't' => time_of_text(value).ok_or_else(|| invalid(predicate, value))?,
                letter => time_of_file(predicate, value, Clock::by_letter(letter).ok_or_else(unknown)?)?,
            };
            return Ok(Test::Newer(clock, time));
        }
    };
    let clock = plain.chars().next().and_then(Clock::by_letter).ok_or_else(unknown)?;
    Ok(Test::Age { clock, amount: amount(predicate, parser)?, unit, now: SystemTime::now() })
}

fn time_of_file(predicate: &str, path: &str, clock: Clock) -> Result<SystemTime, Problem> {
    fs::metadata(path).map(|metadata| clock.of(&metadata)).map_err(|_| invalid(predicate, path))
}

/// A date with or without a time, in UTC unless it says otherwise, or `@seconds`.
fn time_of_text(text: &str) -> Option<SystemTime> {
    if let Some(seconds) = text.strip_prefix('@') {
        return Timestamp::from_second(seconds.parse().ok()?).ok().map(SystemTime::from);
    }
    text.parse::<Timestamp>()
        .or_else(|_| {
            text.parse::<DateTime>().and_then(|time| time.to_zoned(TimeZone::UTC)).map(|zoned| zoned.timestamp())
        })
        .ok()
        .map(SystemTime::from)
}
