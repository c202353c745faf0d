//! A time that is accepted lies ahead, and so does each one after it.
//! The input is a zone, the present time in seconds since 1970, and a timing, one a line.

use std::time::{Duration, Instant};

use chiton_schedule::{Timing, zone};
use jiff::Timestamp;

/// Runs that are looked at.
const RUNS: usize = 4;
/// Longest time of all this. A date in a few years is searched day by day.
const LONGEST: Duration = Duration::from_secs(5);

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.splitn(3, '\n');
    let (Some(name), Some(now), Some(text)) = (lines.next(), lines.next(), lines.next()) else { return };
    let (Ok(zone), Ok(now)) = (zone(name), now.parse::<u32>()) else { return };
    let Ok(timing) = text.parse::<Timing>() else { return };
    assert_eq!(timing.to_string().parse::<Timing>().as_ref(), Ok(&timing), "of {text:?}");

    let start = Instant::now();
    let made = Timestamp::from_second(now.into()).expect("it is in range");
    let Ok(mut last) = timing.first(&zone, made) else { return };
    assert!(last > made, "{timing} is first due at {last}, made at {made}");
    for _ in 0..RUNS {
        if matches!(timing, Timing::Cron(_)) {
            assert_eq!(last.to_zoned(zone.clone()).second(), 0, "{timing} in {name:?} is due at {last}");
        }
        let Some(next) = timing.next(&zone, made, last) else { break };
        assert!(next > last, "{timing} is due at {next} after {last}");
        last = next;
    }
    assert!(start.elapsed() < LONGEST, "{timing} took {:?}", start.elapsed());
}
