//! Jobs in words.

use chiton_sdk::bindings::chiton::tool::schedule::{Job, Timing};

/// How many characters of a message are shown in the list.
const SHOWN: usize = 100;
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// What the model is told about a job that was added.
pub(crate) fn added(job: &Job) -> String {
    let Job { id, name, .. } = job;
    match &job.next {
        Some(next) => format!("Added job {id} \"{name}\", {}. It runs next on {}.", due(&job.due), time(next)),
        None => format!("Added job {id} \"{name}\", {}. It does not run yet: {}.", due(&job.due), job.state),
    }
}

/// All jobs, one to a line.
pub(crate) fn list(jobs: &[Job]) -> String {
    if jobs.is_empty() {
        return "There are no scheduled jobs in this chat.".to_owned();
    }
    let lines = jobs.iter().map(|job| {
        let next = job.next.as_deref().map_or_else(String::new, |next| format!("next on {}, ", time(next)));
        let mut message: String = job.message.lines().next().unwrap_or_default().chars().take(SHOWN).collect();
        if message.len() < job.message.len() {
            message.push('…');
        }
        format!("{} \"{}\": {}, {next}{}: {message}", job.id, job.name, due(&job.due), job.state)
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn due(timing: &Timing) -> String {
    match timing {
        Timing::At(time) => format!("once at {time}"),
        Timing::Every(seconds) => format!("every {}", duration(*seconds)),
        Timing::Cron((expression, zone)) if zone.is_empty() => format!("cron '{expression}'"),
        Timing::Cron((expression, zone)) => format!("cron '{expression}' in {zone}"),
    }
}

/// `seconds` in the largest unit that says it exactly.
fn duration(seconds: u64) -> String {
    let units = [(86_400, "day"), (3600, "hour"), (60, "minute")];
    let fits = units.into_iter().find(|(length, _)| seconds >= *length && seconds.is_multiple_of(*length));
    let (length, unit) = fits.unwrap_or((1, "second"));
    match seconds / length {
        1 => unit.to_owned(),
        count => format!("{count} {unit}s"),
    }
}

/// An RFC 3339 time as people say it, with its weekday; unchanged if it is not one.
fn time(text: &str) -> String {
    said(text).unwrap_or_else(|| text.to_owned())
}

fn said(text: &str) -> Option<String> {
    let (date, rest) = text.split_once('T')?;
    let mut parts = date.split('-');
    let mut part = || parts.next()?.parse::<u32>().ok();
    let weekday = WEEKDAYS.get(weekday(part()?, part()?, part()?)? as usize)?;
    let clock = rest.get(..8)?;
    let clock = clock.strip_suffix(":00").unwrap_or(clock);
    let offset = rest.get(8..)?;
    let zone = match offset.split_once('[') {
        Some((_, zone)) => zone.trim_end_matches(']'),
        None => offset.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit()),
    };
    Some(format!("{weekday}, {date} at {clock} ({zone})"))
}

/// Days since Sunday, by Sakamoto's method for the Gregorian calendar.
fn weekday(year: u32, month: u32, day: u32) -> Option<u32> {
    const SHIFT: [u32; 12] = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4];
    let shift = SHIFT.get(month.checked_sub(1)? as usize)?;
    let year = if month < 3 { year.checked_sub(1)? } else { year };
    Some((year + year / 4 - year / 100 + year / 400 + shift + day) % 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(due: Timing, next: Option<&str>, state: &str) -> Job {
        Job {
            id: "7".into(),
            name: "plants".into(),
            message: "water the plants".into(),
            due,
            next: next.map(str::to_owned),
            state: state.into(),
        }
    }

    #[test]
    fn the_next_run_is_said_with_its_weekday_and_zone() {
        for (text, words) in [
            ("2026-11-30T09:00:00+01:00[Europe/Berlin]", "Monday, 2026-11-30 at 09:00 (Europe/Berlin)"),
            ("2028-02-29T23:59:30-05:00", "Tuesday, 2028-02-29 at 23:59:30 (-05:00)"),
            ("2027-01-01T00:00:00.5Z", "Friday, 2027-01-01 at 00:00 (Z)"),
            ("soon", "soon"),
        ] {
            assert_eq!(time(text), words);
        }
    }

    #[test]
    fn a_job_that_was_added_says_when_it_runs_or_why_it_does_not() {
        let next = Some("2026-11-30T09:00:00+01:00[Europe/Berlin]");
        let said = added(&job(Timing::Every(7200), next, "active"));
        let words =
            "Added job 7 \"plants\", every 2 hours. It runs next on Monday, 2026-11-30 at 09:00 (Europe/Berlin).";
        assert_eq!(said, words);
        let said = added(&job(Timing::At("2026-11-30T09:00".into()), None, "quarantined: made from a web page"));
        assert!(said.ends_with("It does not run yet: quarantined: made from a web page."), "{said}");
    }

    #[test]
    fn jobs_are_listed_one_to_a_line() {
        assert_eq!(list(&[]), "There are no scheduled jobs in this chat.");
        let mut long = job(Timing::Cron(("0 9 * * *".into(), "UTC".into())), None, "done");
        long.message = format!("{}\nmore", "x".repeat(200));
        let said = list(&[job(Timing::Every(60), Some("2026-11-30T09:00:00Z"), "active"), long]);
        let first = "7 \"plants\": every minute, next on Monday, 2026-11-30 at 09:00 (Z), active: water the plants";
        let second = format!("7 \"plants\": cron '0 9 * * *' in UTC, done: {}…", "x".repeat(100));
        assert_eq!(said, format!("{first}\n{second}"));
    }
}
