//! Times as calendars write them, and their zones.

use crate::ics::Property;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Zoned};

/// Names that Windows gives to zones, for those that are frequent in calendars.
const WINDOWS: [(&str, &str); 14] = [
    ("W. Europe Standard Time", "Europe/Berlin"),
    ("Central Europe Standard Time", "Europe/Budapest"),
    ("Central European Standard Time", "Europe/Warsaw"),
    ("Romance Standard Time", "Europe/Paris"),
    ("GMT Standard Time", "Europe/London"),
    ("Eastern Standard Time", "America/New_York"),
    ("Central Standard Time", "America/Chicago"),
    ("Mountain Standard Time", "America/Denver"),
    ("Pacific Standard Time", "America/Los_Angeles"),
    ("China Standard Time", "Asia/Shanghai"),
    ("Tokyo Standard Time", "Asia/Tokyo"),
    ("India Standard Time", "Asia/Kolkata"),
    ("Singapore Standard Time", "Asia/Singapore"),
    ("AUS Eastern Standard Time", "Australia/Sydney"),
];

/// A time in a calendar.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum When {
    /// A whole day, wherever one is.
    Day(Date),
    /// A time of the clock, wherever one is.
    Local(DateTime),
    /// A time in a zone.
    In(DateTime, TimeZone),
}

impl When {
    /// The times of a property; several stand between commas.
    pub(crate) fn all(property: &Property) -> Result<Vec<Self>, String> {
        let zone = property.parameter("TZID").and_then(zone);
        property.value.split(',').map(|value| Self::read(value.trim(), zone.as_ref())).collect()
    }

    /// Reads `20261123`, `20261123T100000` or `20261123T100000Z`.
    pub(crate) fn read(value: &str, zone: Option<&TimeZone>) -> Result<Self, String> {
        let wrong = |_| format!("'{value:.40}' is no time");
        if !value.contains(['T', 't']) {
            return value.parse().map(Self::Day).map_err(wrong);
        }
        let (plain, utc) = value.strip_suffix(['Z', 'z']).map_or((value, false), |plain| (plain, true));
        let time: DateTime = plain.parse().map_err(wrong)?;
        Ok(match zone {
            _ if utc => Self::In(time, TimeZone::UTC),
            Some(zone) => Self::In(time, zone.clone()),
            None => Self::Local(time),
        })
    }

    /// The time of the clock where it was written; a day begins at midnight.
    pub(crate) fn clock(&self) -> DateTime {
        match self {
            Self::Day(date) => date.at(0, 0, 0, 0),
            Self::Local(time) | Self::In(time, _) => *time,
        }
    }

    /// The same with another time of the clock.
    pub(crate) fn at(&self, clock: DateTime) -> Self {
        match self {
            Self::Day(_) => Self::Day(clock.date()),
            Self::Local(_) => Self::Local(clock),
            Self::In(_, zone) => Self::In(clock, zone.clone()),
        }
    }

    /// The instant, seen in `home`, which is also the zone of what has none.
    pub(crate) fn seen_in(&self, home: &TimeZone) -> Option<Zoned> {
        let own = if let Self::In(_, own) = self { own } else { home };
        Some(self.clock().to_zoned(own.clone()).ok()?.with_time_zone(home.clone()))
    }

    pub(crate) fn is_day(&self) -> bool {
        matches!(self, Self::Day(_))
    }
}

/// The zone of a name: one of IANA, one of Windows, or one of IANA behind a path of the program that wrote it.
pub(crate) fn zone(name: &str) -> Option<TimeZone> {
    let name = name.trim();
    let windows = WINDOWS.iter().find(|(windows, _)| *windows == name).map(|(_, name)| *name);
    let behind_path = name.match_indices('/').map(|(at, _)| &name[at + 1..]);
    std::iter::once(windows.unwrap_or(name)).chain(behind_path).find_map(|name| TimeZone::get(name).ok())
}

/// How long an event lasts by `DURATION`, such as `PT1H30M`.
pub(crate) fn duration(value: &str) -> Result<Span, String> {
    value.trim().parse().map_err(|_| format!("'{value:.40}' is no duration"))
}

/// Reads what a model writes: `2026-11-23` or `2026-11-23T10:00`; true if it is a day.
pub(crate) fn written(text: &str) -> Result<(DateTime, bool), String> {
    let text = text.trim();
    let day = text.parse::<Date>().ok().filter(|_| !text.contains([':', 'T', 't']));
    match (day, text.parse::<DateTime>()) {
        (Some(day), _) => Ok((day.at(0, 0, 0, 0), true)),
        (None, Ok(time)) if !text.ends_with(['Z', 'z']) => Ok((time, false)),
        _ => Err(format!("'{text:.40}' is no time; write it as 2026-11-23 or 2026-11-23T10:00")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_days_local_in_a_zone_or_in_utc() {
        let zurich = zone("Europe/Zurich").unwrap();
        let seen = |when: When| when.seen_in(&zurich).unwrap().datetime().to_string();
        assert_eq!(seen(When::read("20260701T100000Z", None).unwrap()), "2026-07-01T12:00:00");
        assert_eq!(seen(When::read("20260701T100000", None).unwrap()), "2026-07-01T10:00:00");
        assert_eq!(
            seen(When::read("20260701T100000", zone("America/New_York").as_ref()).unwrap()),
            "2026-07-01T16:00:00"
        );
        assert!(When::read("20260701", None).unwrap().is_day());
        assert_eq!(When::read("2026-13", None).unwrap_err(), "'2026-13' is no time");
    }

    #[test]
    fn zones_are_known_by_the_names_that_programs_give_them() {
        for name in ["W. Europe Standard Time", "/freeassociation.sourceforge.net/Europe/Berlin", "Europe/Berlin"] {
            assert_eq!(zone(name).unwrap().iana_name(), Some("Europe/Berlin"), "{name}");
        }
        assert!(zone("Nowhere").is_none());
    }

    #[test]
    fn a_model_writes_a_day_or_a_time() {
        assert!(written("2026-11-23").unwrap().1 && !written("2026-11-23 10:00").unwrap().1);
        assert!(written("tomorrow").unwrap_err().contains("write it as 2026-11-23"));
    }
}
