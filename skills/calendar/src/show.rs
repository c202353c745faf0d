//! Agendas and free times in words.

use crate::calendar::{Calendar, Time};
use jiff::{ToSpan, Zoned};
use std::fmt::Write;

/// Most events that are told.
const MOST_EVENTS: usize = 200;

/// The events between two times whose title or place contains `search`, under their days.
pub(crate) fn agenda(calendar: &Calendar, from: &Zoned, to: &Zoned, search: &str) -> String {
    let search = search.to_lowercase();
    let fits = |time: &Time| format!("{}\n{}", time.title, time.place).to_lowercase().contains(&search);
    let times: Vec<Time> = calendar.between(from, to).into_iter().filter(fits).collect();
    let mut text = heading(from, to);
    let mut day = None;
    for time in times.iter().take(MOST_EVENTS) {
        // What began before is told on the first day.
        let shown = if time.start < *from { from } else { &time.start };
        if day.replace(shown.date()) != Some(shown.date()) {
            let _ = write!(text, "\n\n{}", shown.strftime("%A, %Y-%m-%d"));
        }
        let title = if time.title.is_empty() { "(no title)" } else { &time.title };
        let _ = write!(text, "\n{} {title}", clock(time));
        if !time.place.is_empty() {
            let _ = write!(text, " ({})", time.place.replace('\n', ", "));
        }
    }
    if times.is_empty() {
        text.push_str("\nno events");
    }
    if times.len() > MOST_EVENTS {
        let _ = write!(text, "\n({} more; ask for fewer days)", times.len() - MOST_EVENTS);
    }
    with_doubts(text, calendar)
}

/// The free times of at least `minutes` on each day between two times, within `hours`.
pub(crate) fn free(calendar: &Calendar, from: &Zoned, to: &Zoned, hours: (i8, i8), minutes: i64) -> String {
    let times: Vec<Time> = calendar.between(from, to).into_iter().filter(|time| time.busy).collect();
    let mut text = heading(from, to);
    let mut date = from.date();
    while let Ok(midnight) = date.to_zoned(from.time_zone().clone()) {
        if midnight >= *to {
            break;
        }
        let hour =
            |hour: i8| midnight.datetime().saturating_add(i64::from(hour).hours()).to_zoned(from.time_zone().clone());
        if let (Ok(begin), Ok(end)) = (hour(hours.0), hour(hours.1)) {
            let gaps = gaps(&times, begin.max(from.clone()), end.min(to.clone()), minutes);
            let words = if gaps.is_empty() { "not free".to_owned() } else { gaps.join(", ") };
            let _ = write!(text, "\n{}: {words}", midnight.strftime("%a %Y-%m-%d"));
        }
        let Ok(next) = date.tomorrow() else { break };
        date = next;
    }
    with_doubts(text, calendar)
}

/// What is left between two times beside `busy`, which is sorted by beginnings.
fn gaps(busy: &[Time], begin: Zoned, end: Zoned, minutes: i64) -> Vec<String> {
    let (mut gaps, mut free) = (Vec::new(), begin);
    let mut add = |free: &Zoned, until: &Zoned| {
        if until > free && free.duration_until(until).as_mins() >= minutes {
            gaps.push(format!("{} to {}", free.strftime("%H:%M"), until.strftime("%H:%M")));
        }
    };
    for time in busy {
        add(&free, (&time.start).min(&end));
        free = free.max(time.end.clone());
    }
    add(&free, &end);
    gaps
}

fn heading(from: &Zoned, to: &Zoned) -> String {
    let zone = from.time_zone().iana_name().unwrap_or("UTC");
    format!("{} to {} ({zone})", from.strftime("%Y-%m-%d %H:%M"), to.strftime("%Y-%m-%d %H:%M"))
}

fn clock(time: &Time) -> String {
    let same_day = time.start.date() == time.end.date();
    match (time.whole_day, same_day) {
        (true, _) => {
            let last = time.end.date().yesterday().unwrap_or(time.end.date());
            match last <= time.start.date() {
                true => "all day".to_owned(),
                false => format!("all day to {last}"),
            }
        }
        (false, true) if time.start == time.end => time.start.strftime("%H:%M").to_string(),
        (false, true) => format!("{}-{}", time.start.strftime("%H:%M"), time.end.strftime("%H:%M")),
        (false, false) => format!("{} to {}", time.start.strftime("%H:%M"), time.end.strftime("%Y-%m-%d %H:%M")),
    }
}

fn with_doubts(mut text: String, calendar: &Calendar) -> String {
    if !calendar.doubts.is_empty() {
        text.push_str("\n\nnot understood:");
    }
    for doubt in calendar.doubts.iter().take(10) {
        let _ = write!(text, "\n- {doubt}");
    }
    text
}
