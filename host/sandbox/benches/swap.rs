//! Swapping a component of about 150 KB, compiled already and to compile, and calls during swaps.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on ends")]

#[allow(dead_code, reason = "each bench uses another part")]
#[path = "support/mod.rs"]
mod support;

use chiton_sandbox::{Digest, Grants};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use support::{guest, percentile, request, runtime, sandbox};

const CALLS: usize = 10_000;
const CONCURRENCY: usize = 64;

fn main() {
    let runtime = runtime();
    let bytes = guest("tests/hostile/probe");
    println!("component: {} KB", bytes.len() >> 10);
    runtime.block_on(async { tokio::spawn(measure(bytes)).await }).unwrap();
}

/// The same component in other bytes: a custom section more.
fn version(bytes: &[u8], number: u8) -> Vec<u8> {
    [bytes, &[0, 3, 1, b'v', number]].concat()
}

async fn measure(bytes: Vec<u8>) {
    let directory = tempfile::tempdir().unwrap();
    let mut to_compile = Vec::new();
    let first = sandbox(directory.path());
    for number in 0..5 {
        let version = version(&bytes, number);
        to_compile.push(swapped(&first, version).await);
    }
    show("swap, to compile", &mut to_compile);
    // A new host on the same cache has nothing in memory.
    let mut compiled = Vec::new();
    for _ in 0..20 {
        let host = sandbox(directory.path());
        for number in 0..5 {
            compiled.push(swapped(&host, version(&bytes, number)).await);
        }
    }
    show("swap, compiled already", &mut compiled);

    let versions = [
        first.load_cached(Digest::of(&version(&bytes, 0))).await.unwrap(),
        first.load_cached(Digest::of(&version(&bytes, 1))).await.unwrap(),
    ];
    let (left, failed, swaps) = (Arc::new(AtomicUsize::new(CALLS)), AtomicUsize::new(0), AtomicUsize::new(0));
    let running = Arc::new(AtomicBool::new(true));
    let swapping = async {
        while running.load(Ordering::Relaxed) {
            let next = swaps.fetch_add(1, Ordering::Relaxed) % 2;
            first.publish("probe", versions[next].clone(), Grants::default()).unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let calling = async {
        let started = Instant::now();
        let workers: Vec<_> = (0..CONCURRENCY)
            .map(|_| {
                let (host, left) = (first.clone(), left.clone());
                tokio::spawn(async move {
                    let mut failed = 0;
                    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                        let outcome = host.call(request("probe_none", json!({ "ops": [] }))).await;
                        failed += usize::from(outcome.result.is_err());
                        // A real caller waits between calls; without it the swaps would wait instead.
                        tokio::task::yield_now().await;
                    }
                    failed
                })
            })
            .collect();
        for worker in workers {
            failed.fetch_add(worker.await.unwrap(), Ordering::Relaxed);
        }
        running.store(false, Ordering::Relaxed);
        started.elapsed()
    };
    let ((), elapsed) = tokio::join!(swapping, calling);
    println!(
        "{CALLS} calls at concurrency {CONCURRENCY} during {} swaps: {} failed, {:.0} calls/s",
        swaps.load(Ordering::Relaxed),
        failed.load(Ordering::Relaxed),
        CALLS as f64 / elapsed.as_secs_f64()
    );
}

/// From bytes in memory to the new version being what calls get.
async fn swapped(host: &chiton_sandbox::Sandbox, bytes: Vec<u8>) -> Duration {
    let started = Instant::now();
    let component = host.load(bytes).await.unwrap();
    host.publish("probe", component, Grants::default()).unwrap();
    started.elapsed()
}

fn show(name: &str, times: &mut [Duration]) {
    times.sort();
    println!("{name}: p50 {:?}, p99 {:?}", percentile(times, 0.5), percentile(times, 0.99));
}
