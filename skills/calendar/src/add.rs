//! A new event.

use crate::rule::Rule;
use crate::{ics, instant, zone};
use chiton_sdk::prelude::*;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use std::time::{SystemTime, UNIX_EPOCH};

const BEGIN: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Chiton//calendar//EN\r\n";
const END: &str = "END:VCALENDAR";
/// Minutes of an event without an end.
const USUAL_MINUTES: i64 = 60;

#[arguments]
pub(crate) struct CalendarAdd {
    /// File of the calendar, such as calendar.ics.
    path: String,
    /// Title of the event.
    title: String,
    /// When it begins: 2026-11-23T10:00, or 2026-11-23 for the whole day.
    start: String,
    /// When it ends; for whole days the last one (default: an hour, or the same day).
    end: Option<String>,
    /// Time zone of start and end, such as Europe/Zurich (default: that of the calendar, else UTC).
    zone: Option<String>,
    /// Where it takes place.
    place: Option<String>,
    /// What else there is to say.
    note: Option<String>,
    /// How it repeats, as an iCalendar rule such as FREQ=WEEKLY;COUNT=10.
    repeat: Option<String>,
}

pub(crate) fn add(wanted: &CalendarAdd) -> ToolResult {
    if !wanted.path.to_lowercase().ends_with(".ics") {
        return Err(Failure::InvalidArguments(format!(
            "'{}' is no name of a calendar; it must end in .ics",
            wanted.path
        )));
    }
    if wanted.title.trim().is_empty() {
        return Err(Failure::InvalidArguments("give the event a title".to_owned()));
    }
    let place = paths::file(&wanted.path, Access::Write)?.behind_links()?;
    let exists = std::fs::exists(&place).map_err(|error| place.failure(error))?;
    let (text, own_zone) = match exists {
        true => {
            let zone = crate::read(&wanted.path)?.zone();
            (std::fs::read_to_string(&place).map_err(|error| place.failure(error))?, zone)
        }
        false => (format!("{BEGIN}{END}\r\n"), TimeZone::UTC),
    };
    let zone = wanted.zone.as_deref().map(zone).transpose()?.unwrap_or(own_zone);
    let event = Event::of(wanted, &zone)?;
    let end =
        text.rfind(END).ok_or_else(|| Failure::Failed(format!("'{place}' has no '{END}', so nothing was added")))?;
    let whole = format!("{}{}{}", &text[..end], event.lines(wanted), &text[end..]);
    std::fs::write(&place, whole).map_err(|error| place.failure(error))?;
    Ok(format!("Added '{}' to '{place}': {}", wanted.title.trim(), event.words()))
}

/// When an event takes place.
struct Event {
    start: Zoned,
    end: Zoned,
    whole_days: bool,
    repeat: Option<String>,
}

impl Event {
    fn of(wanted: &CalendarAdd, zone: &TimeZone) -> Result<Self, Failure> {
        let (start, whole_days) = instant(&wanted.start, zone)?;
        let end = match wanted.end.as_deref().map(|end| instant(end, zone)).transpose()? {
            Some((_, day)) if day != whole_days => {
                return Err(Failure::InvalidArguments(
                    "give both start and end a time of the clock, or none".to_owned(),
                ));
            }
            Some((end, true)) => end.saturating_add(1.day()),
            Some((end, false)) => end,
            None if whole_days => start.saturating_add(1.day()),
            None => start.saturating_add(USUAL_MINUTES.minutes()),
        };
        if end <= start {
            return Err(Failure::InvalidArguments("the event must end after it begins".to_owned()));
        }
        let repeat = wanted.repeat.as_deref().map(|rule| rule.trim().trim_start_matches("RRULE:").to_uppercase());
        if let Some(rule) = &repeat {
            Rule::read(rule).map_err(Failure::InvalidArguments)?;
        }
        Ok(Self { start, end, whole_days, repeat })
    }

    fn lines(&self, wanted: &CalendarAdd) -> String {
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let mut lines = ics::line("BEGIN", "VEVENT");
        lines += &ics::line("UID", &format!("{nanos:x}@chiton"));
        lines += &ics::line("DTSTAMP", &Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string());
        lines += &self.time("DTSTART", &self.start);
        lines += &self.time("DTEND", &self.end);
        lines += &ics::line("SUMMARY", &ics::escape(wanted.title.trim()));
        for (name, text) in [("LOCATION", &wanted.place), ("DESCRIPTION", &wanted.note)] {
            if let Some(text) = text {
                lines += &ics::line(name, &ics::escape(text));
            }
        }
        if let Some(rule) = &self.repeat {
            lines += &ics::line("RRULE", rule);
        }
        lines + &ics::line("END", "VEVENT")
    }

    fn time(&self, name: &str, time: &Zoned) -> String {
        // Only what repeats needs its zone, so that it stays at its time of the clock.
        let zone = time.time_zone().iana_name().filter(|name| self.repeat.is_some() && *name != "UTC");
        match (self.whole_days, zone) {
            (true, _) => ics::line(&format!("{name};VALUE=DATE"), &time.strftime("%Y%m%d").to_string()),
            (false, Some(zone)) => {
                ics::line(&format!("{name};TZID={zone}"), &time.strftime("%Y%m%dT%H%M%S").to_string())
            }
            (false, None) => {
                let utc = time.with_time_zone(TimeZone::UTC);
                ics::line(name, &utc.strftime("%Y%m%dT%H%M%SZ").to_string())
            }
        }
    }

    fn words(&self) -> String {
        let zone = self.start.time_zone().iana_name().unwrap_or("UTC");
        let when = match self.whole_days {
            true => format!("{} (whole days up to {})", self.start.date(), self.end.saturating_sub(1.day()).date()),
            false => {
                format!("{} to {} ({zone})", self.start.strftime("%Y-%m-%d %H:%M"), self.end.strftime("%Y-%m-%d %H:%M"))
            }
        };
        match &self.repeat {
            Some(rule) => format!("{when}, repeated by {rule}"),
            None => when,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(start: &str, end: Option<&str>, repeat: Option<&str>) -> CalendarAdd {
        CalendarAdd {
            path: "a.ics".into(),
            title: "Tea; two".into(),
            start: start.into(),
            end: end.map(str::to_owned),
            zone: None,
            place: None,
            note: None,
            repeat: repeat.map(str::to_owned),
        }
    }

    fn lines(wanted: &CalendarAdd) -> String {
        Event::of(wanted, &zone("Europe/Zurich").unwrap()).unwrap().lines(wanted)
    }

    #[test]
    fn a_single_event_is_written_in_utc_and_a_repetition_in_its_zone() {
        let single = lines(&wanted("2026-07-01T10:00", None, None));
        assert!(
            single.contains("DTSTART:20260701T080000Z\r\nDTEND:20260701T090000Z\r\nSUMMARY:Tea\\; two\r\n"),
            "{single}"
        );
        let weekly = lines(&wanted("2026-07-01T10:00", None, Some("freq=weekly")));
        assert!(weekly.contains("DTSTART;TZID=Europe/Zurich:20260701T100000\r\n"), "{weekly}");
        let days = lines(&wanted("2026-07-01", Some("2026-07-03"), None));
        assert!(days.contains("DTSTART;VALUE=DATE:20260701\r\nDTEND;VALUE=DATE:20260704\r\n"), "{days}");
    }

    #[test]
    fn what_makes_no_event_is_refused() {
        let zone = TimeZone::UTC;
        for broken in [
            wanted("tomorrow", None, None),
            wanted("2026-07-01T10:00", Some("2026-07-01T09:00"), None),
            wanted("2026-07-01T10:00", Some("2026-07-02"), None),
            wanted("2026-07-01T10:00", None, Some("weekly")),
        ] {
            assert!(matches!(Event::of(&broken, &zone), Err(Failure::InvalidArguments(_))));
        }
    }
}
