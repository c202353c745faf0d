//! One call: a fresh instance, the call, and its end; against wasmtime alone and against a process.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on ends")]

#[path = "support/raw.rs"]
mod raw;
#[allow(dead_code, reason = "each bench uses another part")]
#[path = "support/mod.rs"]
mod support;

use chiton_sandbox::{Access, FileGrant};
use criterion::Criterion;
use raw::Raw;
use serde_json::json;
use std::time::{Duration, Instant};
use support::{call, guest, percentile, publish, runtime, sandbox};

/// Pairs of calls, one of each side by turns, so that a busy machine disturbs both alike.
const PAIRS: usize = 3_000;

fn main() {
    let runtime = runtime();
    let directory = tempfile::tempdir().unwrap();
    let room = directory.path().canonicalize().unwrap().join("room");
    std::fs::create_dir(&room).unwrap();
    // 4 KB of text in lines, as a note has them.
    std::fs::write(room.join("note.txt"), "A line of a note that is read by the bot, and more of it.\n".repeat(71))
        .unwrap();
    let sandbox = sandbox(&directory.path().join("code"));
    let (greet, file) = (guest("tools/tour/greet"), guest("tools/file"));
    let grant = FileGrant::directory(&room, Access::Read).unwrap();
    runtime.block_on(publish(&sandbox, "greet", greet.clone(), vec![]));
    runtime.block_on(publish(&sandbox, "file", file.clone(), vec![grant]));
    let (raw_greet, raw_file) = (Raw::new(&greet, None), Raw::new(&file, Some(&room)));
    let (nothing, note) = (json!({ "name": "Ann" }), json!({ "path": "note.txt" }));
    let (nothing_text, note_text) = (nothing.to_string(), note.to_string());

    let mut criterion = Criterion::default().configure_from_args().measurement_time(Duration::from_secs(3));
    let mut group = criterion.benchmark_group("call");
    group.bench_function("no-op", |bench| {
        bench.to_async(&runtime).iter(|| call(&sandbox, "greet", &nothing));
    });
    group.bench_function("no-op, wasmtime alone", |bench| {
        bench.to_async(&runtime).iter(|| raw_greet.call("greet", &nothing_text));
    });
    group.bench_function("read 4 KB", |bench| {
        bench.to_async(&runtime).iter(|| call(&sandbox, "read_file", &note));
    });
    group.bench_function("read 4 KB, wasmtime alone", |bench| {
        bench.to_async(&runtime).iter(|| raw_file.call("read_file", &note_text));
    });
    group.bench_function("/bin/true", |bench| bench.iter(run_true));
    group.finish();

    // On a worker, as in the host: the thread that blocks on the runtime is not one.
    let ratios = async move {
        let mut noop = (Vec::new(), Vec::new());
        let mut read = (Vec::new(), Vec::new());
        for _ in 0..PAIRS {
            noop.0.push(timed(call(&sandbox, "greet", &nothing)).await);
            noop.1.push(timed(raw_greet.call("greet", &nothing_text)).await);
            read.0.push(timed(call(&sandbox, "read_file", &note)).await);
            read.1.push(timed(raw_file.call("read_file", &note_text)).await);
        }
        report("no-op", noop);
        report("read 4 KB", read);
    };
    runtime.block_on(async { tokio::spawn(ratios).await }).unwrap();
    let mut processes: Vec<Duration> = (0..200).map(|_| elapsed(run_true)).collect();
    processes.sort();
    println!("/bin/true: {:?}", percentile(&processes, 0.5));
}

fn run_true() {
    assert!(std::process::Command::new("/bin/true").status().unwrap().success());
}

fn elapsed(work: impl FnOnce()) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed()
}

async fn timed<T>(work: impl Future<Output = T>) -> Duration {
    let started = Instant::now();
    std::hint::black_box(work.await);
    started.elapsed()
}

fn report(name: &str, (mut ours, mut raw): (Vec<Duration>, Vec<Duration>)) {
    ours.sort();
    raw.sort();
    let at = |share| (percentile(&ours, share), percentile(&raw, share));
    let ((p10, raw10), (p50, raw50)) = (at(0.1), at(0.5));
    println!(
        "{name}: p50 {p50:?} against {raw50:?}, ratio {:.2}; p10 {p10:?} against {raw10:?}, ratio {:.2}",
        p50.as_secs_f64() / raw50.as_secs_f64(),
        p10.as_secs_f64() / raw10.as_secs_f64(),
    );
}
