//! The skill `calendar`: the .ics files of the workspace.

mod add;
mod calendar;
mod ics;
mod rule;
mod show;
mod time;

use calendar::Calendar;
use chiton_sdk::prelude::*;
use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};
use std::path::Path;

/// Days that are shown without a wish.
const USUAL_DAYS: i64 = 7;
/// Most days that are shown.
const MOST_DAYS: i64 = 400;
/// Largest file, in bytes.
const LARGEST_FILE: u64 = 8 << 20;
/// Most files that are read.
const MOST_FILES: usize = 200;
/// How many folders deep files are looked for.
const DEEPEST: usize = 4;

/// Lists the events in the calendar files (.ics) of the workspace, in order: the next days, or between two dates.
#[tool(effects(reads_files))]
fn calendar_agenda(arguments: CalendarAgenda) -> ToolResult {
    let span = Span::of(&arguments.span)?;
    Ok(show::agenda(&span.calendar, &span.from, &span.to, arguments.search.as_deref().unwrap_or_default()))
}

#[arguments]
struct CalendarAgenda {
    #[serde(flatten)]
    span: Wanted,
    /// Only events whose title or place contains this.
    search: Option<String>,
}

/// Tells when somebody is free between two dates by the calendar files (.ics) of the workspace.
#[tool(effects(reads_files))]
fn calendar_free(arguments: CalendarFree) -> ToolResult {
    let span = Span::of(&arguments.span)?;
    let hours = (arguments.day_begins.unwrap_or(8), arguments.day_ends.unwrap_or(18));
    if hours.0 >= hours.1 || hours.1 > 24 {
        return Err(Failure::InvalidArguments("the day must begin before it ends, at an hour from 0 to 24".to_owned()));
    }
    Ok(show::free(&span.calendar, &span.from, &span.to, hours, i64::from(arguments.minutes.unwrap_or(30).max(1))))
}

#[arguments]
struct CalendarFree {
    #[serde(flatten)]
    span: Wanted,
    /// Least minutes of a free time (default 30).
    minutes: Option<u32>,
    /// Hour at which a day begins (default 8).
    day_begins: Option<i8>,
    /// Hour at which a day ends (default 18).
    day_ends: Option<i8>,
}

/// Adds an event to a calendar file (.ics) of the workspace, and makes the file if there is none.
#[tool(effects(reads_files, writes_files))]
fn calendar_add(arguments: add::CalendarAdd) -> ToolResult {
    add::add(&arguments)
}

/// Which files and which time.
#[arguments]
struct Wanted {
    /// File or folder with calendars (default: all of the workspace).
    path: Option<String>,
    /// First day or time, such as 2026-11-23 or 2026-11-23T10:00 (default: now).
    from: Option<String>,
    /// Last day, which is included, or time (default: 7 days on).
    to: Option<String>,
    /// Time zone to show, such as Europe/Zurich (default: that of the calendar).
    zone: Option<String>,
}

/// The calendars of a question and its time.
struct Span {
    calendar: Calendar,
    from: Zoned,
    to: Zoned,
}

impl Span {
    fn of(wanted: &Wanted) -> Result<Self, Failure> {
        let calendar = read(wanted.path.as_deref().unwrap_or("."))?;
        let zone = wanted.zone.as_deref().map(zone).transpose()?.unwrap_or_else(|| calendar.zone());
        let from = match &wanted.from {
            Some(from) => instant(from, &zone)?.0,
            None => Zoned::now().with_time_zone(zone.clone()),
        };
        let to = match wanted.to.as_deref().map(|to| instant(to, &zone)).transpose()? {
            Some((to, true)) => to.saturating_add(1.day()),
            Some((to, false)) => to,
            None => from.saturating_add(USUAL_DAYS.days()),
        };
        match from < to && to <= from.saturating_add(MOST_DAYS.days()) {
            true => Ok(Self { calendar, from, to }),
            false => Err(Failure::InvalidArguments(format!(
                "'from' must be before 'to', with at most {MOST_DAYS} days between them"
            ))),
        }
    }
}

/// The instant of what a model wrote, and whether it is a day.
fn instant(text: &str, zone: &TimeZone) -> Result<(Zoned, bool), Failure> {
    let (clock, day) = time::written(text).map_err(Failure::InvalidArguments)?;
    let instant = clock.to_zoned(zone.clone());
    instant.map(|instant| (instant, day)).map_err(|error| Failure::InvalidArguments(format!("'{text}': {error}")))
}

fn zone(name: &str) -> Result<TimeZone, Failure> {
    time::zone(name)
        .ok_or_else(|| Failure::InvalidArguments(format!("there is no time zone '{name}'; write it as Europe/Zurich")))
}

/// The calendar in a file, or all in a folder.
fn read(path: &str) -> Result<Calendar, Failure> {
    let place = paths::file(path, Access::Read)?;
    let mut calendar = Calendar::default();
    if !std::fs::metadata(&place).map_err(|error| place.failure(error))?.is_dir() {
        let text = text(place.as_ref()).map_err(|reason| Failure::Failed(format!("'{place}' {reason}")))?;
        let added = calendar.add(&text, path);
        return added.map(|()| calendar).map_err(|reason| Failure::Failed(format!("'{place}' {reason}")));
    }
    let mut files = Vec::new();
    find(place.as_ref(), DEEPEST, &mut files).map_err(|error| place.failure(error))?;
    if files.is_empty() {
        let sentence =
            format!("there is no calendar (.ics) in '{place}'; put one there, or add an event with calendar_add");
        return Err(Failure::NotFound(sentence));
    }
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let added = text(&file).and_then(|text| calendar.add(&text, &name));
        // One broken file does not hide the others.
        calendar.doubts.extend(added.err().map(|reason| format!("'{name}' {reason}")));
    }
    Ok(calendar)
}

/// The text of a file. An error is the end of a sentence about it.
fn text(file: &Path) -> Result<String, String> {
    match std::fs::metadata(file) {
        Ok(metadata) if metadata.len() > LARGEST_FILE => {
            Err(format!("has more than {} MiB; split it into smaller files", LARGEST_FILE >> 20))
        }
        _ => std::fs::read_to_string(file).map_err(|error| format!("cannot be read: {error}")),
    }
}

fn find(folder: &Path, deepest: usize, files: &mut Vec<std::path::PathBuf>) -> std::io::Result<()> {
    let mut entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries.into_iter().filter(|entry| !entry.file_name().to_string_lossy().starts_with('.')) {
        let path = entry.path();
        let calendar = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("ics"));
        if entry.file_type()?.is_dir() {
            // A folder that cannot be read hides no other.
            if deepest > 1 {
                find(&path, deepest - 1, files).unwrap_or_default();
            }
        } else if calendar && files.len() < MOST_FILES {
            files.push(path);
        }
    }
    Ok(())
}

chiton_sdk::export!(calendar_agenda, calendar_free, calendar_add);
