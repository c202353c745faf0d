//! `timeout`: a program that is ended when it takes too long.

use std::ffi::OsString;
use std::time::Duration;

use chiton_program::{Command, Ended};
use lexopt::prelude::*;

use super::Problem;

/// The exit code when the time is over.
const TIMED_OUT: u8 = 124;

/// The exit code of a program that was killed.
const KILLED: u8 = 137;

/// Runs `timeout`; the exit code is the program's unless the time is over.
pub fn timeout(arguments: Vec<OsString>) -> Result<u8, Problem> {
    let (mut limit, mut words) = (None, Vec::new());
    // There is one way to end a program here; what signals would do in between makes no difference.
    let mut killed = false;
    let mut parser = lexopt::Parser::from_iter(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('s') | Long("signal") => {
                killed = matches!(parser.value()?.string()?.as_str(), "KILL" | "SIGKILL" | "9")
            }
            Long("preserve-status") => killed = true,
            Short('k') | Long("kill-after") => drop(parser.value()?),
            Short('v' | 'f') | Long("verbose" | "foreground") => {}
            Value(value) if limit.is_none() => {
                let text = value.string()?;
                limit = Some(duration(&text).ok_or_else(|| format!("invalid time interval \u{2018}{text}\u{2019}"))?);
            }
            Value(word) => {
                words.push(word);
                words.extend(parser.raw_args()?);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let Some(limit) = limit.filter(|_| !words.is_empty()) else {
        return Err("usage: timeout DURATION COMMAND [ARGUMENT]...".into());
    };
    let command = Command::new(words);
    // As in coreutils, no time is no limit.
    if limit.is_zero() {
        return super::start(&command);
    }
    match command.run_for(limit) {
        Ok(Ended::ByItself(code)) => Ok(code),
        Ok(Ended::ByTheClock) => Ok(if killed { KILLED } else { TIMED_OUT }),
        Err(problem) => {
            eprintln!("timeout: {problem}");
            Ok(problem.exit_code())
        }
    }
}

/// A number of seconds, or of minutes, hours or days.
fn duration(text: &str) -> Option<Duration> {
    const UNITS: &[(char, f64)] = &[('s', 1.0), ('m', 60.0), ('h', 3_600.0), ('d', 86_400.0)];
    let (number, unit) =
        UNITS.iter().find_map(|(letter, unit)| Some((text.strip_suffix(*letter)?, *unit))).unwrap_or((text, 1.0));
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * unit).ok()
}
