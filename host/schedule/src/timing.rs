//! Times as people write them, and when they are due.

use crate::error::TimingError;
use croner::Cron;
use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};
use std::fmt;
use std::str::FromStr;

/// The shortest interval, in seconds: every run is a turn of the model.
const SHORTEST: u64 = 10;
/// The longest interval, in seconds: ten years.
const LONGEST: u64 = 10 * 366 * 86_400;
/// The longest cron expression, in bytes.
const LONGEST_EXPRESSION: usize = 256;

/// When a job is due. Its text form is `at TIME`, `every SECONDS` or `cron EXPRESSION`.
///
/// Local times follow the clocks of their zone. Where the clocks are put forwards, a time that does not exist is taken
/// as much later as the clocks are moved (`at`), or becomes the first moment after the gap (a cron expression with a
/// fixed time of day). Where they are put back, a time that exists twice is its first occurrence. Cron expressions
/// with a wildcard or step for the minute or hour go on by the clock on the wall: what falls into a gap does not
/// happen, and what happens twice runs twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timing {
    /// Once: at an RFC 3339 time, or at a local time such as `2026-11-30T09:00`.
    At(String),
    /// Every so many seconds since the job was made.
    Every(u64),
    /// Whenever the clocks show what five fields say: minute, hour, day, month and weekday.
    Cron(String),
}

impl fmt::Display for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(time) => write!(f, "at {time}"),
            Self::Every(seconds) => write!(f, "every {seconds}"),
            Self::Cron(expression) => write!(f, "cron {expression}"),
        }
    }
}

impl FromStr for Timing {
    type Err = TimingError;

    fn from_str(text: &str) -> Result<Self, TimingError> {
        let unknown = || TimingError::NotATime(text.to_owned());
        let (kind, rest) = text.split_once(' ').ok_or_else(unknown)?;
        match kind {
            "at" => Ok(Self::At(rest.to_owned())),
            "every" => rest.parse().map(Self::Every).map_err(|_| unknown()),
            "cron" => Ok(Self::Cron(rest.to_owned())),
            _ => Err(unknown()),
        }
    }
}

impl Timing {
    /// When a job made at `now` is due first.
    ///
    /// # Errors
    /// When the time cannot be read, is over, too often, too seldom or never.
    pub fn first(&self, zone: &TimeZone, now: Timestamp) -> Result<Timestamp, TimingError> {
        match self {
            Self::At(text) => {
                let time = moment(text, zone)?;
                if time <= now {
                    let now = now.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string();
                    return Err(TimingError::Past { at: text.clone(), now });
                }
                Ok(time)
            }
            Self::Every(seconds) => Ok(now + interval(*seconds)?),
            Self::Cron(expression) => next_by_cron(expression, zone, now),
        }
    }

    /// When a job made at `made` that has just run is due next after `now`; none when it is not.
    pub fn next(&self, zone: &TimeZone, made: Timestamp, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::At(_) => None,
            Self::Every(seconds) => {
                let interval = interval(*seconds).ok()?.as_secs();
                // whole intervals since it was made, so that a late run does not put off the next ones
                let passed = now.duration_since(made).as_secs().max(0) / interval;
                made.checked_add(SignedDuration::from_secs(interval.checked_mul(passed + 1)?)).ok()
            }
            Self::Cron(expression) => next_by_cron(expression, zone, now).ok(),
        }
    }
}

fn interval(seconds: u64) -> Result<SignedDuration, TimingError> {
    match seconds {
        ..SHORTEST => Err(TimingError::TooOften { seconds, least: SHORTEST }),
        SHORTEST..=LONGEST => Ok(SignedDuration::from_secs(seconds.cast_signed())),
        _ => Err(TimingError::TooSeldom { seconds, most: LONGEST }),
    }
}

/// The moment that a text means: with an offset or zone of its own, or a local time in `zone`.
fn moment(text: &str, zone: &TimeZone) -> Result<Timestamp, TimingError> {
    let unknown = || TimingError::NotATime(text.to_owned());
    let text = text.trim();
    if let Some((_, name)) = text.strip_suffix(']').and_then(|text| text.split_once('[')) {
        crate::zone(name)?;
        return text.parse::<Zoned>().map(|time| time.timestamp()).map_err(|_| unknown());
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    // a date alone would silently mean midnight
    let (_, _time_of_day) = text.split_once(['T', 't', ' ']).ok_or_else(unknown)?;
    let local: DateTime = text.parse().map_err(|_| unknown())?;
    zone.to_ambiguous_timestamp(local).compatible().map_err(|_| unknown())
}

fn parse_cron(expression: &str) -> Result<Cron, TimingError> {
    let refused = |reason: String| {
        let shown: String = expression.chars().take(60).collect();
        TimingError::NotCron { expression: shown, reason }
    };
    if expression.len() > LONGEST_EXPRESSION {
        return Err(refused(format!("it is longer than {LONGEST_EXPRESSION} bytes")));
    }
    let fields = expression.split_whitespace().count();
    if fields != 5 && !expression.trim_start().starts_with('@') {
        return Err(refused(format!("it has {fields} fields")));
    }
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(expression).map_err(|error| {
        refused(match error {
            CronError::InvalidPattern(text) | CronError::IllegalCharacters(text) | CronError::ComponentError(text) => {
                text.trim_end_matches('.').to_owned()
            }
            other => other.to_string().trim_end_matches('.').to_owned(),
        })
    })
}

fn next_by_cron(expression: &str, zone: &TimeZone, now: Timestamp) -> Result<Timestamp, TimingError> {
    let cron = parse_cron(expression)?;
    let next = cron.find_next_occurrence(&now.to_zoned(zone.clone()), false);
    next.map(|time| time.timestamp()).map_err(|_| TimingError::Never(expression.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone;
    use std::time::{Duration, Instant};

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn first(timing: Timing, now: &str, zone_name: &str) -> Result<String, String> {
        let zone = zone(zone_name).unwrap();
        let first = timing.first(&zone, time(now));
        first.map(|time| time.to_string()).map_err(|error| error.to_string())
    }

    /// The local times at which an expression is due after `now`.
    fn series(expression: &str, now: &str, zone_name: &str, count: usize) -> Vec<String> {
        let (zone, timing, mut now) = (zone(zone_name).unwrap(), Timing::Cron(expression.into()), time(now));
        let mut times = Vec::new();
        for _ in 0..count {
            now = timing.next(&zone, now, now).unwrap();
            times.push(now.to_zoned(zone.clone()).strftime("%d %H:%M %:z").to_string());
        }
        times
    }

    #[test]
    fn a_timing_is_written_and_read() {
        for timing in [Timing::At("2026-11-30T09:00".into()), Timing::Every(60), Timing::Cron("0 9 * * 1-5".into())] {
            assert_eq!(timing.to_string().parse(), Ok(timing));
        }
        assert!("every minute".parse::<Timing>().is_err());
        assert!("tomorrow".parse::<Timing>().is_err());
    }

    #[test]
    fn a_local_time_is_read_in_its_zone_and_one_with_an_offset_is_not() {
        let now = "2026-11-22T00:00:00Z";
        for (text, zone, due) in [
            ("2026-11-30T09:00", "Europe/Berlin", "2026-11-30T08:00:00Z"),
            ("2026-11-30 09:00:30", "Europe/Berlin", "2026-11-30T08:00:30Z"),
            ("2026-11-30T09:00", "America/New_York", "2026-11-30T14:00:00Z"),
            ("2026-11-30T09:00", "Australia/Lord_Howe", "2026-11-29T22:00:00Z"),
            ("2026-11-30T09:00", "Asia/Kathmandu", "2026-11-30T03:15:00Z"),
            ("2026-11-30T09:00:00+01:00", "Asia/Kathmandu", "2026-11-30T08:00:00Z"),
            ("2026-11-30T09:00:00Z", "Asia/Kathmandu", "2026-11-30T09:00:00Z"),
            ("2026-11-30T09:00:00+01:00[Europe/Berlin]", "UTC", "2026-11-30T08:00:00Z"),
            ("2026-11-30T09:00[Asia/Kathmandu]", "UTC", "2026-11-30T03:15:00Z"),
            ("2026-11-30 09:00[asia/kathmandu]", "UTC", "2026-11-30T03:15:00Z"),
        ] {
            assert_eq!(first(Timing::At(text.into()), now, zone), Ok(due.into()), "{text} in {zone}");
        }
    }

    #[test]
    fn a_local_time_that_does_not_exist_or_exists_twice_has_one_meaning() {
        for (text, zone, due) in [
            // put forwards: later by as much as the clocks are moved
            ("2027-03-28T02:30", "Europe/Berlin", "2027-03-28T01:30:00Z"),
            ("2027-03-14T02:30", "America/New_York", "2027-03-14T07:30:00Z"),
            ("2027-10-03T02:15", "Australia/Lord_Howe", "2027-10-02T15:45:00Z"),
            // put back: the first of the two
            ("2027-10-31T02:30", "Europe/Berlin", "2027-10-31T00:30:00Z"),
            ("2027-11-07T01:30", "America/New_York", "2027-11-07T05:30:00Z"),
            ("2027-04-04T01:45", "Australia/Lord_Howe", "2027-04-03T14:45:00Z"),
        ] {
            assert_eq!(
                first(Timing::At(text.into()), "2026-11-22T00:00:00Z", zone),
                Ok(due.into()),
                "{text} in {zone}"
            );
        }
    }

    #[test]
    fn a_time_that_is_over_is_refused_with_the_present_one() {
        let refused = first(Timing::At("2026-11-22T09:00".into()), "2026-11-22T08:00:00Z", "Europe/Berlin");
        let said = "'2026-11-22T09:00' is in the past: it is 2026-11-22 09:00:00 +01:00 now; give a later time";
        assert_eq!(refused, Err(said.into()));
    }

    #[test]
    fn what_is_no_time_is_refused_with_an_example() {
        for text in ["tomorrow", "", "2026-11-30", "2026-13-01T09:00", "09:00", "2026-11-30T25:00"] {
            let refused = first(Timing::At(text.into()), "2026-11-22T08:00:00Z", "UTC").unwrap_err();
            assert!(refused.contains("is no time: write it as 2026-11-30T09:00"), "{refused}");
        }
    }

    #[test]
    fn a_time_in_an_unknown_zone_comes_with_the_one_that_was_probably_meant() {
        let refused = first(Timing::At("2026-11-30T09:00[Berlin]".into()), "2026-11-22T08:00:00Z", "UTC").unwrap_err();
        assert_eq!(refused, "there is no time zone 'Berlin'; did you mean 'Europe/Berlin'?");
    }

    #[test]
    fn res_13_intervals_have_bounds() {
        let every = |seconds| first(Timing::Every(seconds), "2026-11-22T08:00:00Z", "UTC");
        assert_eq!(every(10), Ok("2026-11-22T08:00:10Z".into()));
        for seconds in [0, 9] {
            assert!(every(seconds).unwrap_err().contains("the shortest interval is 10 seconds"));
        }
        assert!(every(u64::MAX).unwrap_err().contains("too long"));
        assert!(every(LONGEST).is_ok());
    }

    #[test]
    fn an_interval_keeps_to_its_beat_however_late_a_run_was() {
        let (utc, made) = (TimeZone::UTC, time("2026-11-22T08:00:00Z"));
        for (now, next) in [
            ("2026-11-22T08:01:00Z", "2026-11-22T08:02:00Z"),
            ("2026-11-22T08:01:59.9Z", "2026-11-22T08:02:00Z"),
            ("2026-11-25T10:00:30Z", "2026-11-25T10:01:00Z"),
        ] {
            assert_eq!(Timing::Every(60).next(&utc, made, time(now)), Some(time(next)), "{now}");
        }
        assert_eq!(Timing::At("2026-11-22T08:00".into()).next(&utc, made, made), None);
    }

    #[test]
    fn a_fixed_time_of_day_runs_once_on_every_day() {
        for (expression, now, zone, due) in [
            // the first moment after the gap
            (
                "30 2 * * *",
                "2027-03-27T00:00:00Z",
                "Europe/Berlin",
                ["27 02:30 +01:00", "28 03:00 +02:00", "29 02:30 +02:00"],
            ),
            (
                "30 2 * * *",
                "2027-03-13T05:00:00Z",
                "America/New_York",
                ["13 02:30 -05:00", "14 03:00 -04:00", "15 02:30 -04:00"],
            ),
            (
                "15 2 * * *",
                "2027-10-01T14:00:00Z",
                "Australia/Lord_Howe",
                ["02 02:15 +10:30", "03 02:30 +11:00", "04 02:15 +11:00"],
            ),
            // the first of the two
            (
                "30 2 * * *",
                "2027-10-29T22:00:00Z",
                "Europe/Berlin",
                ["30 02:30 +02:00", "31 02:30 +02:00", "01 02:30 +01:00"],
            ),
            (
                "30 1 * * *",
                "2027-11-06T04:00:00Z",
                "America/New_York",
                ["06 01:30 -04:00", "07 01:30 -04:00", "08 01:30 -05:00"],
            ),
            (
                "45 1 * * *",
                "2027-04-02T13:00:00Z",
                "Australia/Lord_Howe",
                ["03 01:45 +11:00", "04 01:45 +11:00", "05 01:45 +10:30"],
            ),
            // no such thing
            (
                "45 5 * * *",
                "2027-03-27T12:00:00Z",
                "Asia/Kathmandu",
                ["28 05:45 +05:45", "29 05:45 +05:45", "30 05:45 +05:45"],
            ),
        ] {
            assert_eq!(series(expression, now, zone, 3), due, "{expression} in {zone}");
        }
    }

    #[test]
    fn steps_follow_the_clock_on_the_wall() {
        // 02:00 to 03:00 does not exist
        let gap = series("*/30 * * * *", "2027-03-28T00:15:00Z", "Europe/Berlin", 3);
        assert_eq!(gap, ["28 01:30 +01:00", "28 03:00 +02:00", "28 03:30 +02:00"]);
        // 02:00 to 03:00 exists twice
        let overlap = series("*/30 * * * *", "2027-10-30T23:45:00Z", "Europe/Berlin", 5);
        let twice = ["31 02:00 +02:00", "31 02:30 +02:00", "31 02:00 +01:00", "31 02:30 +01:00", "31 03:00 +01:00"];
        assert_eq!(overlap, twice);
    }

    #[test]
    fn weekdays_last_days_and_nicknames_are_understood() {
        let now = "2026-11-22T00:00:00Z";
        assert_eq!(series("0 9 * * MON-FRI", now, "UTC", 2), ["23 09:00 +00:00", "24 09:00 +00:00"]);
        assert_eq!(series("0 9 L * *", now, "UTC", 2), ["30 09:00 +00:00", "31 09:00 +00:00"]);
        assert_eq!(series("@daily", now, "UTC", 1), ["23 00:00 +00:00"]);
    }

    #[test]
    fn res_13_an_expression_has_five_fields_so_that_nothing_runs_every_second() {
        for (expression, reason) in [
            ("* * * * * *", "it has 6 fields"),
            ("0 9 * *", "it has 4 fields"),
            ("", "it has 0 fields"),
            ("61 * * * *", "61"),
            ("a b c d e", ""),
            (&"1,".repeat(200), "longer than 256 bytes"),
        ] {
            let refused = first(Timing::Cron(expression.into()), "2026-11-22T00:00:00Z", "UTC").unwrap_err();
            assert!(refused.contains(reason) && refused.contains("such as '0 9 * * 1-5'"), "{refused}");
        }
    }

    #[test]
    fn res_13_an_expression_that_no_date_fits_is_refused_quickly() {
        let started = Instant::now();
        for expression in ["0 9 30 2 *", "0 9 31 4,6,9,11 *"] {
            let refused = first(Timing::Cron(expression.into()), "2026-11-22T00:00:00Z", "Europe/Berlin").unwrap_err();
            assert!(refused.contains("is never due"), "{refused}");
        }
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
        assert_eq!(series("0 9 29 2 *", "2026-11-22T00:00:00Z", "UTC", 1), ["29 09:00 +00:00"]);
    }
}
