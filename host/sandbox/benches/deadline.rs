//! How late calls end that would never end by themselves, at a deadline of 50 ms.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on ends")]

#[allow(dead_code, reason = "each bench uses another part")]
#[path = "support/mod.rs"]
mod support;

use chiton_sandbox::{CallError, Limits};
use serde_json::json;
use std::time::{Duration, Instant};
use support::{guest, percentile, publish, request, runtime, sandbox};

const DEADLINE: Duration = Duration::from_millis(50);
const CALLS: usize = 200;

fn main() {
    let runtime = runtime();
    let directory = tempfile::tempdir().unwrap();
    let sandbox = sandbox(directory.path());
    runtime.block_on(publish(&sandbox, "probe", guest("tests/hostile/probe"), vec![]));
    for (name, op) in [
        ("loop", json!({ "op": "spin" })),
        ("sleep", json!({ "op": "sleep", "ms": 3_600_000 })),
        ("host wait", json!({ "op": "progress", "count": 1_000_000, "text": "on" })),
    ] {
        let sandbox = sandbox.clone();
        let measure = async move {
            let mut late = Vec::with_capacity(CALLS);
            for _ in 0..CALLS {
                let mut request = request("probe_none", json!({ "ops": [op] }));
                request.limits = Some(Limits { time: DEADLINE, ..Limits::default() });
                // Nobody reads it, so the host waits.
                let (progress, _unread) = tokio::sync::mpsc::channel(1);
                request.progress = Some(progress);
                let started = Instant::now();
                let outcome = sandbox.call(request).await;
                late.push(started.elapsed().saturating_sub(DEADLINE));
                assert_eq!(outcome.result, Err(CallError::Deadline(DEADLINE)));
            }
            late.sort();
            println!(
                "{name}: late by p50 {:?}, p99 {:?}, at most {:?}",
                percentile(&late, 0.5),
                percentile(&late, 0.99),
                percentile(&late, 1.0)
            );
        };
        runtime.block_on(async { tokio::spawn(measure).await }).unwrap();
    }
}
