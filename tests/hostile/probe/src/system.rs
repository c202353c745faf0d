//! Operations on everything that is neither file nor network.
//!
//! `env` · `args` · `cwd` · `stdin` reads it · `terminal` which of the three there are · `exit {ok}` ·
//! `clock` · `clock_step {reads}` smallest step seen · `random {bytes, source: secure|insecure}` ·
//! `seed` · `sleep {ms}` · `sleep_until_never` · `poll_never` · `poll_empty` · `poll_drop {ms}` subscribes and drops ·
//! `pollables {count}` keeps so many · `stdout {text|bytes}` · `stderr {text|bytes}` · `log {lines, length|text}` ·
//! `progress {count, text}` · `context` mounts and remaining time.

use crate::bindings::chiton::tool::{call_context, log, progress};
use crate::bindings::wasi::cli::{
    environment, exit, stderr, stdin, stdout, terminal_stderr, terminal_stdin, terminal_stdout,
};
use crate::bindings::wasi::clocks::{monotonic_clock, wall_clock};
use crate::bindings::wasi::io::poll::{Pollable, poll};
use crate::bindings::wasi::io::streams::StreamError;
use crate::bindings::wasi::random::{insecure, insecure_seed, random};
use crate::{Operation, Outcome, files::pour};
use serde_json::{Value, json};

/// Handles that stay open until the end of the call.
#[derive(Default)]
pub(crate) struct Held(Vec<Pollable>);

const MILLISECOND: u64 = 1_000_000;

pub(crate) fn run(held: &mut Held, op: &Operation) -> Option<Outcome> {
    Some(match op.name() {
        "env" => Ok(environment::get_environment().into_iter().map(|(name, _)| name).collect()),
        "args" => Ok(environment::get_arguments().into()),
        "cwd" => Ok(json!(environment::initial_cwd())),
        "stdin" => match stdin::get_stdin().blocking_read(1024) {
            Ok(bytes) => Ok(json!(String::from_utf8_lossy(&bytes))),
            Err(StreamError::Closed) => Err("closed".to_owned()),
            Err(error) => Err(format!("{error:?}")),
        },
        "terminal" => Ok(json!([
            terminal_stdin::get_terminal_stdin().is_some(),
            terminal_stdout::get_terminal_stdout().is_some(),
            terminal_stderr::get_terminal_stderr().is_some(),
        ])),
        "exit" => {
            exit::exit(if op.flag("ok", false) { Ok(()) } else { Err(()) });
            Ok(Value::Null)
        }
        "clock" => clock(),
        "clock_step" => Ok(json!(smallest_step(op.number("reads", 100_000)))),
        "random" => draw(op),
        "seed" => {
            let (low, high) = insecure_seed::insecure_seed();
            Ok(json!(format!("{low:x}{high:x}")))
        }
        "sleep" => {
            monotonic_clock::subscribe_duration(op.number("ms", 0) * MILLISECOND).block();
            Ok(Value::Null)
        }
        "sleep_until_never" => {
            monotonic_clock::subscribe_instant(u64::MAX).block();
            Ok(Value::Null)
        }
        "poll_never" => {
            let far = monotonic_clock::subscribe_duration(u64::MAX / 2);
            Ok(json!(poll(&[&far])))
        }
        "poll_empty" => Ok(json!(poll(&[]))),
        "poll_drop" => {
            drop(monotonic_clock::subscribe_duration(op.number("ms", 1_000) * MILLISECOND));
            Ok(Value::Null)
        }
        "pollables" => {
            for _ in 0..op.number("count", 1) {
                held.0.push(monotonic_clock::subscribe_duration(u64::MAX / 2));
            }
            Ok(json!(held.0.len()))
        }
        "stdout" => pour(&stdout::get_stdout(), &op.payload()),
        "stderr" => pour(&stderr::get_stderr(), &op.payload()),
        "log" => write_log(op),
        "progress" => {
            for _ in 0..op.number("count", 1) {
                progress::report(op.text("text"));
            }
            Ok(Value::Null)
        }
        "context" => Ok(json!({
            "mounts": call_context::mounts().iter()
                .map(|mount| json!({ "path": mount.path, "writable": mount.writable }))
                .collect::<Vec<_>>(),
            "remaining_ms": call_context::remaining_ms(),
        })),
        _ => return None,
    })
}

fn clock() -> Outcome {
    let (wall, resolution) = (wall_clock::now(), wall_clock::resolution());
    Ok(json!({
        "resolution": monotonic_clock::resolution(),
        "now": monotonic_clock::now(),
        "wall_resolution": resolution.seconds * 1_000_000_000 + u64::from(resolution.nanoseconds),
        "wall_seconds": wall.seconds,
        "wall_nanoseconds": wall.nanoseconds,
    }))
}

/// The smallest difference other than zero between two readings of the monotonic clock.
fn smallest_step(reads: u64) -> Option<u64> {
    let mut last = monotonic_clock::now();
    let mut smallest = None;
    for _ in 0..reads {
        let now = monotonic_clock::now();
        if now != last {
            let step = now - last;
            smallest = Some(smallest.map_or(step, |smallest: u64| smallest.min(step)));
        }
        last = now;
    }
    smallest
}

fn draw(op: &Operation) -> Outcome {
    let length = op.number("bytes", 16);
    let bytes = match op.text("source") {
        "insecure" => insecure::get_insecure_random_bytes(length),
        _ => random::get_random_bytes(length),
    };
    let hex: String = bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Ok(json!({ "length": bytes.len(), "head": hex }))
}

fn write_log(op: &Operation) -> Outcome {
    let line = match op.text("text") {
        "" => "l".repeat(op.number("length", 1) as usize),
        text => text.to_owned(),
    };
    for _ in 0..op.number("lines", 1) {
        log::write(log::Level::Info, &line);
    }
    Ok(Value::Null)
}
