//! When an event repeats: `RRULE`, as far as calendars of people use it.

use crate::time::When;
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// Most periods (days, weeks, months, years) that are gone through: 270 years of days.
const MOST_PERIODS: i64 = 100_000;

/// A rule.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rule {
    every: Every,
    interval: i64,
    count: usize,
    until: Option<When>,
    /// Days of the week, each with its number within the month or year; 0 is each.
    days: Vec<(i8, Weekday)>,
    month_days: Vec<i8>,
    months: Vec<i8>,
    /// Which of the dates of a period count; negative ones from its end.
    places: Vec<i32>,
    week_begins: Weekday,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Every {
    Day,
    Week,
    Month,
    Year,
}

impl Rule {
    /// Reads the value of `RRULE`. What is not understood is an error, never a wrong date.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut rule = Self {
            every: Every::Day,
            interval: 1,
            count: usize::MAX,
            until: None,
            days: Vec::new(),
            month_days: Vec::new(),
            months: Vec::new(),
            places: Vec::new(),
            week_begins: Weekday::Monday,
        };
        let mut every = None;
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let wrong = || format!("the rule '{part}' of a repetition is not understood");
            match name {
                "FREQ" => every = Some(frequency(value).ok_or_else(wrong)?),
                "INTERVAL" => rule.interval = value.parse().ok().filter(|step| *step > 0).ok_or_else(wrong)?,
                "COUNT" => rule.count = value.parse().map_err(|_| wrong())?,
                "UNTIL" => rule.until = Some(When::read(value, None)?),
                "BYDAY" => rule.days = list(value, weekday).ok_or_else(wrong)?,
                "BYMONTHDAY" => rule.month_days = list(value, |day| day.parse().ok()).ok_or_else(wrong)?,
                "BYMONTH" => rule.months = list(value, |month| month.parse().ok()).ok_or_else(wrong)?,
                "BYSETPOS" => rule.places = list(value, |place| place.parse().ok()).ok_or_else(wrong)?,
                "WKST" => rule.week_begins = weekday(value).ok_or_else(wrong)?.1,
                _ => return Err(wrong()),
            }
        }
        rule.every = every.ok_or("a rule of a repetition has no FREQ")?;
        // The second Monday of a year is not the second of a month.
        let of_the_year = rule.every == Every::Year && rule.months.is_empty();
        match of_the_year && rule.days.iter().any(|(number, _)| *number != 0) {
            true => Err("a weekday with a number of the year is not understood".to_owned()),
            false => Ok(rule),
        }
    }

    /// The times of the clock from `start` up to `end`, the first among them. `zone` is that of the clock.
    pub(crate) fn times(&self, start: DateTime, end: DateTime, zone: &TimeZone) -> Vec<DateTime> {
        let until = self.until.as_ref().and_then(|until| last(until, zone));
        let mut times = Vec::new();
        for period in 0..MOST_PERIODS {
            let Some((first, dates)) = self.period(start.date(), period * self.interval) else { break };
            if first > end.date() {
                break;
            }
            for date in dates {
                let time = date.to_datetime(start.time());
                if until.is_some_and(|until| instant(time, zone) > Some(until)) || times.len() >= self.count {
                    return times;
                }
                if time >= start {
                    times.push(time);
                }
            }
        }
        times
    }

    /// The first day of the period with this number, and the dates of the rule in it.
    fn period(&self, start: Date, number: i64) -> Option<(Date, Vec<Date>)> {
        let in_months = |date: &Date| self.months.is_empty() || self.months.contains(&date.month());
        let weekday_fits =
            |date: &Date| self.days.is_empty() || self.days.iter().any(|(_, day)| *day == date.weekday());
        let (first, mut dates) = match self.every {
            Every::Day => {
                let date = start.checked_add(number.days()).ok()?;
                let fits = weekday_fits(&date) && (self.month_days.is_empty() || self.month_days.contains(&date.day()));
                (date, if fits { vec![date] } else { Vec::new() })
            }
            Every::Week => {
                let first = start.checked_sub(i64::from(start.weekday().since(self.week_begins)).days()).ok()?;
                let first = first.checked_add(number.checked_mul(7)?.days()).ok()?;
                let week = (0..7).filter_map(|day| first.checked_add(day.days()).ok());
                let own = |date: &Date| !self.days.is_empty() || date.weekday() == start.weekday();
                (first, week.filter(|date| weekday_fits(date) && own(date)).collect())
            }
            Every::Month => {
                let first = start.first_of_month().checked_add(number.months()).ok()?;
                (first, self.month(first, start.day()))
            }
            Every::Year => {
                let first = Date::new(start.year(), 1, 1).ok()?.checked_add(number.years()).ok()?;
                let months = match (self.months.as_slice(), self.days.is_empty() && self.month_days.is_empty()) {
                    ([], true) => vec![start.month()],
                    ([], false) => (1..=12).collect(),
                    (months, _) => months.to_vec(),
                };
                let months = months.into_iter().filter_map(|month| Date::new(first.year(), month, 1).ok());
                (first, months.flat_map(|month| self.month(month, start.day())).collect())
            }
        };
        dates.retain(in_months);
        dates.sort();
        dates.dedup();
        Some((first, if self.places.is_empty() { dates } else { self.placed(&dates) }))
    }

    /// The dates in the month that begins at `first`; without days in the rule it is that of the first event.
    fn month(&self, first: Date, own_day: i8) -> Vec<Date> {
        let length = first.days_in_month();
        let month_days: Vec<i8> = match (self.month_days.as_slice(), self.days.is_empty()) {
            ([], true) => vec![own_day],
            ([], false) => (1..=length).collect(),
            (days, _) => days.iter().map(|day| if *day < 0 { length + 1 + day } else { *day }).collect(),
        };
        let dates = month_days.into_iter().filter_map(|day| first.with().day(day).build().ok());
        let fits = |date: &Date| {
            self.days.is_empty()
                || self.days.iter().any(|(number, day)| {
                    let (from_start, from_end) = ((date.day() - 1) / 7 + 1, -((length - date.day()) / 7 + 1));
                    *day == date.weekday() && (*number == 0 || *number == from_start || *number == from_end)
                })
        };
        dates.filter(fits).collect()
    }

    fn placed(&self, dates: &[Date]) -> Vec<Date> {
        let at = |place: &i32| match place {
            ..0 => dates.len().checked_sub(place.unsigned_abs() as usize),
            _ => (*place as usize).checked_sub(1),
        };
        let mut placed: Vec<Date> = self.places.iter().filter_map(at).filter_map(|at| dates.get(at).copied()).collect();
        placed.sort();
        placed
    }
}

fn frequency(value: &str) -> Option<Every> {
    [("DAILY", Every::Day), ("WEEKLY", Every::Week), ("MONTHLY", Every::Month), ("YEARLY", Every::Year)]
        .into_iter()
        .find_map(|(name, every)| (name == value).then_some(every))
}

fn list<T>(value: &str, one: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    value.split(',').map(one).collect()
}

/// `MO`, `2MO` or `-1FR`.
fn weekday(text: &str) -> Option<(i8, Weekday)> {
    let (number, name) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let day = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"].iter().position(|day| *day == name)?;
    let number = if number.is_empty() { 0 } else { number.parse().ok()? };
    Some((number, Weekday::from_monday_zero_offset(i8::try_from(day).ok()?).ok()?))
}

/// The last instant that a rule reaches: a day is reached to its end.
fn last(until: &When, zone: &TimeZone) -> Option<Timestamp> {
    let end = if until.is_day() { until.at(until.clock()).clock().date().at(23, 59, 59, 0) } else { until.clock() };
    let own = if let When::In(_, own) = until { own } else { zone };
    instant(end, own)
}

fn instant(time: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_timestamp(time).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The dates of the rule from a day on, up to the end of the next year.
    fn dates(rule: &str, start: &str) -> String {
        let start: Date = start.parse().unwrap();
        let end = Date::new(start.year() + 1, 12, 31).unwrap().at(0, 0, 0, 0);
        let times = Rule::read(rule).unwrap().times(start.at(9, 0, 0, 0), end, &TimeZone::UTC);
        times.iter().take(5).map(|time| time.date().strftime("%m-%d").to_string()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn days_weeks_months_and_years_repeat() {
        for (rule, expected) in [
            ("FREQ=DAILY;COUNT=3", "01-05 01-06 01-07"),
            ("FREQ=DAILY;INTERVAL=10", "01-05 01-15 01-25 02-04 02-14"),
            ("FREQ=DAILY;BYDAY=MO,TU", "01-05 01-06 01-12 01-13 01-19"),
            ("FREQ=WEEKLY;UNTIL=20260120T000000Z", "01-05 01-12 01-19"),
            ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR", "01-05 01-09 01-19 01-23 02-02"),
            ("FREQ=MONTHLY;COUNT=2", "01-05 02-05"),
            ("FREQ=MONTHLY;BYMONTHDAY=31", "01-31 03-31 05-31 07-31 08-31"),
            ("FREQ=MONTHLY;BYMONTHDAY=-1", "01-31 02-28 03-31 04-30 05-31"),
            ("FREQ=MONTHLY;BYDAY=2TU", "01-13 02-10 03-10 04-14 05-12"),
            ("FREQ=MONTHLY;BYDAY=-1FR", "01-30 02-27 03-27 04-24 05-29"),
            ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "01-30 02-27 03-31 04-30 05-29"),
            ("FREQ=YEARLY", "01-05 01-05"),
            ("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "11-26 11-25"),
            ("FREQ=WEEKLY;BYDAY=MO;BYMONTH=3", "03-02 03-09 03-16 03-23 03-30"),
        ] {
            assert_eq!(dates(rule, "2026-01-05"), expected, "{rule}");
        }
    }

    #[test]
    fn a_day_that_a_month_lacks_is_left_out() {
        assert_eq!(dates("FREQ=MONTHLY", "2026-01-31"), "01-31 03-31 05-31 07-31 08-31");
    }

    #[test]
    fn a_last_day_belongs_to_the_repetition() {
        assert_eq!(dates("FREQ=DAILY;UNTIL=20260106", "2026-01-05"), "01-05 01-06");
    }

    #[test]
    fn what_is_not_understood_is_no_rule() {
        for rule in [
            "FREQ=HOURLY",
            "FREQ=YEARLY;BYWEEKNO=3",
            "INTERVAL=2",
            "FREQ=DAILY;INTERVAL=0",
            "FREQ=YEARLY;BYDAY=2MO",
            "FREQ=WEEKLY;BYDAY=é",
        ] {
            assert!(Rule::read(rule).is_err(), "{rule}");
        }
    }
}
