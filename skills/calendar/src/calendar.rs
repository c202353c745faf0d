//! The events of calendar files, and when they take place.

use crate::ics::{self, Component};
use crate::rule::Rule;
use crate::time::{self, When};
use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};
use std::collections::HashSet;

/// Most times that are told at once.
const MOST_TIMES: usize = 5_000;

/// All calendars that were read.
#[derive(Default)]
pub(crate) struct Calendar {
    events: Vec<Event>,
    /// The zone that a calendar says it is of.
    zone: Option<TimeZone>,
    /// What could not be understood, each in a sentence.
    pub(crate) doubts: Vec<String>,
}

struct Event {
    id: String,
    title: String,
    place: String,
    start: When,
    /// When it ends; for one that repeats, the first time.
    end: When,
    rule: Option<Rule>,
    /// Times that do not take place, and times besides the rule.
    except: Vec<When>,
    besides: Vec<When>,
    /// The time of a repetition that this event replaces.
    replaces: Option<When>,
    /// Whether it takes time: a cancelled event and one that is marked as free do not.
    busy: bool,
    cancelled: bool,
}

/// One time at which an event takes place.
#[derive(Clone, Debug)]
pub(crate) struct Time {
    pub(crate) start: Zoned,
    pub(crate) end: Zoned,
    pub(crate) whole_day: bool,
    pub(crate) title: String,
    pub(crate) place: String,
    pub(crate) busy: bool,
}

impl Calendar {
    /// Adds the calendar in a text. An error is the end of a sentence about the file.
    pub(crate) fn add(&mut self, text: &str, file: &str) -> Result<(), String> {
        for component in ics::read(text)? {
            match component.name.as_str() {
                "VCALENDAR" => self.zone = self.zone.take().or_else(|| time::zone(&component.text("X-WR-TIMEZONE"))),
                "VEVENT" => match Event::read(&component) {
                    Ok((event, doubt)) => {
                        self.doubts.extend(doubt.map(|doubt| format!("'{}' in {file}: {doubt}", event.title)));
                        self.events.push(event);
                    }
                    Err(reason) => self.doubts.push(format!("'{}' in {file}: {reason}", component.text("SUMMARY"))),
                },
                _ => {}
            }
        }
        Ok(())
    }

    /// The zone to show times in: that of the calendar, else of its first event that has one, else UTC.
    pub(crate) fn zone(&self) -> TimeZone {
        let of_an_event = || {
            self.events.iter().find_map(|event| match &event.start {
                When::In(_, zone) if *zone != TimeZone::UTC => Some(zone.clone()),
                _ => None,
            })
        };
        self.zone.clone().or_else(of_an_event).unwrap_or(TimeZone::UTC)
    }

    /// All times that touch `from` to `to`, the earliest first.
    pub(crate) fn between(&self, from: &Zoned, to: &Zoned) -> Vec<Time> {
        let moved = self.events.iter().filter_map(|event| Some((event.id.as_str(), event.replaces.as_ref()?)));
        let moved: HashSet<_> =
            moved.filter_map(|(id, when)| Some((id, when.seen_in(from.time_zone())?.timestamp()))).collect();
        let mut times = Vec::new();
        for event in self.events.iter().filter(|event| !event.cancelled) {
            let own = event.times(from.time_zone(), to);
            let stays =
                |start: &Zoned| event.replaces.is_some() || !moved.contains(&(event.id.as_str(), start.timestamp()));
            let own = own.into_iter().filter(|(start, _)| stays(start));
            times.extend(
                own.filter(|(start, end)| start < to && (end > from || start >= from))
                    .map(|(start, end)| event.at(start, end)),
            );
        }
        times.sort_by(|one, two| one.start.cmp(&two.start).then_with(|| one.title.cmp(&two.title)));
        times.truncate(MOST_TIMES);
        times
    }
}

impl Event {
    /// Reads an event, and what of it is not understood but does not keep it from being shown.
    fn read(component: &Component) -> Result<(Self, Option<String>), String> {
        let times = |name| -> Result<Vec<When>, String> {
            let all = component.all(name).map(When::all).collect::<Result<Vec<_>, _>>()?;
            Ok(all.into_iter().flatten().collect())
        };
        let first = |name| Ok::<_, String>(times(name)?.into_iter().next());
        let start = first("DTSTART")?.ok_or("it has no beginning")?;
        let end = match (first("DTEND")?, component.get("DURATION")) {
            (Some(end), _) => end,
            (None, Some(duration)) => {
                let end = start.clock().checked_add(time::duration(&duration.value)?);
                start.at(end.map_err(|_| "it ends too late")?)
            }
            (None, None) if start.is_day() => start.at(start.clock().saturating_add(1.day())),
            (None, None) => start.clone(),
        };
        let mut doubt = None;
        let rule = component.get("RRULE").and_then(|rule| {
            Rule::read(&rule.value)
                .map_err(|reason| doubt = Some(format!("{reason}; only its first time is shown")))
                .ok()
        });
        if let Some(name) = component.get("DTSTART").and_then(|start| start.parameter("TZID"))
            && time::zone(name).is_none()
        {
            doubt = Some(format!("its time zone '{name:.40}' is not known; it is shown as if it were here"));
        }
        let cancelled = component.text("STATUS").eq_ignore_ascii_case("CANCELLED");
        let free = component.text("TRANSP").eq_ignore_ascii_case("TRANSPARENT");
        let event = Self {
            id: component.text("UID"),
            title: component.text("SUMMARY"),
            place: component.text("LOCATION"),
            rule,
            except: times("EXDATE")?,
            besides: times("RDATE")?,
            replaces: first("RECURRENCE-ID")?,
            busy: !free && !cancelled,
            cancelled,
            start,
            end,
        };
        Ok((event, doubt))
    }

    /// Beginning and end of every time that begins before `to`.
    fn times(&self, home: &TimeZone, to: &Zoned) -> Vec<(Zoned, Zoned)> {
        let own = if let When::In(_, own) = &self.start { own } else { home };
        let end = to.with_time_zone(own.clone()).datetime().saturating_add(1.day());
        let mut starts: Vec<When> = match &self.rule {
            Some(rule) => {
                rule.times(self.start.clock(), end, own).into_iter().map(|clock| self.start.at(clock)).collect()
            }
            None => vec![self.start.clone()],
        };
        starts.extend(self.besides.iter().cloned());
        let instant = |when: &When| when.seen_in(home).map(|seen| seen.timestamp());
        let except: HashSet<_> = self.except.iter().filter_map(instant).collect();
        let starts = starts.into_iter().filter(|start| instant(start).is_some_and(|start| !except.contains(&start)));
        starts.filter_map(|start| Some((start.seen_in(home)?, self.end_of(&start, home)?))).collect()
    }

    /// When the time that begins at `start` ends: whole days by the calendar, all else by the clock's course.
    fn end_of(&self, start: &When, home: &TimeZone) -> Option<Zoned> {
        if self.start.is_day() {
            let days = self.start.clock().date().until(self.end.clock().date()).ok()?;
            return start.at(start.clock().checked_add(days).ok()?).seen_in(home);
        }
        let lasts = self.start.seen_in(home)?.duration_until(&self.end.seen_in(home)?);
        start.seen_in(home)?.checked_add(lasts).ok()
    }

    fn at(&self, start: Zoned, end: Zoned) -> Time {
        let (title, place) = (self.title.clone(), self.place.clone());
        Time { start, end, whole_day: self.start.is_day(), title, place, busy: self.busy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(events: &str, from: &str, to: &str) -> String {
        let mut calendar = Calendar::default();
        let text = format!("BEGIN:VCALENDAR\nX-WR-TIMEZONE:Europe/Zurich\n{events}\nEND:VCALENDAR\n");
        calendar.add(&text, "a.ics").unwrap();
        let zone = calendar.zone();
        let day = |text: &str| text.parse::<jiff::civil::Date>().unwrap().to_zoned(zone.clone()).unwrap();
        let times = calendar.between(&day(from), &day(to));
        let words = times.iter().map(|time| format!("{} {}", time.start.strftime("%d %H:%M"), time.title));
        words.chain(calendar.doubts.iter().cloned()).collect::<Vec<_>>().join(", ")
    }

    fn event(lines: &str) -> String {
        format!("BEGIN:VEVENT\nUID:1\n{lines}\nEND:VEVENT")
    }

    #[test]
    fn a_repetition_keeps_its_time_of_the_clock_over_a_change_of_the_clocks() {
        let weekly =
            event("SUMMARY:Choir\nDTSTART;TZID=Europe/Zurich:20261019T190000\nDURATION:PT2H\nRRULE:FREQ=WEEKLY");
        assert_eq!(titles(&weekly, "2026-10-18", "2026-11-01"), "19 19:00 Choir, 26 19:00 Choir");
    }

    #[test]
    fn exceptions_are_left_out_and_moved_times_stand_where_they_were_moved() {
        let daily = event("SUMMARY:Walk\nDTSTART:20261101T080000\nRRULE:FREQ=DAILY;COUNT=4\nEXDATE:20261102T080000");
        let moved = event("SUMMARY:Late walk\nRECURRENCE-ID:20261103T080000\nDTSTART:20261103T110000");
        let expected = "01 08:00 Walk, 03 11:00 Late walk, 04 08:00 Walk";
        assert_eq!(titles(&format!("{daily}\n{moved}"), "2026-11-01", "2026-12-01"), expected);
    }

    #[test]
    fn an_event_over_several_days_is_told_on_each_and_a_cancelled_one_never() {
        let trip = event("SUMMARY:Trip\nDTSTART;VALUE=DATE:20261120\nDTEND;VALUE=DATE:20261123");
        assert_eq!(titles(&trip, "2026-11-22", "2026-11-23"), "20 00:00 Trip");
        assert_eq!(titles(&trip, "2026-11-23", "2026-11-24"), "");
        let cancelled = event("SUMMARY:No\nSTATUS:CANCELLED\nDTSTART:20261120T100000");
        assert_eq!(titles(&cancelled, "2026-11-01", "2026-12-01"), "");
    }

    #[test]
    fn what_is_not_understood_is_told_beside_the_rest() {
        let odd = event("SUMMARY:Odd\nDTSTART:20261120T100000\nRRULE:FREQ=HOURLY");
        let told = titles(&odd, "2026-11-01", "2026-12-01");
        assert!(told.starts_with("20 10:00 Odd, 'Odd' in a.ics: the rule 'FREQ=HOURLY'"), "{told}");
        assert_eq!(titles(&event("SUMMARY:None"), "2026-11-01", "2026-12-01"), "'None' in a.ics: it has no beginning");
    }
}
