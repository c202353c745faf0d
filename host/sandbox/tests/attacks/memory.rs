//! What greedy guests cost the host in memory: each measured in a process of its own, whose memory no other test changes.

use crate::programs::{pipeline, world};
use crate::world::{World, resident_mib};
use chiton_hostile::cases::{GREEDY, GREEDY_AT_LOAD};
use chiton_sandbox::{CallError, Limits, Verdict};
use serde_json::json;
use std::time::Duration;

/// Runs a test of this file alone.
fn alone(part: &str) {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", &format!("memory::{part}")])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}

/// RES-04 to RES-08: memory, tables, stack, giant and aliased results, handles.
#[test]
fn res_04_to_08_greedy_guests_end_at_the_limit_they_hit() {
    alone("greedy_guests");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a part of res_04_to_08_greedy_guests_end_at_the_limit_they_hit"]
async fn greedy_guests() {
    let world = World::ending_after(5_000);
    for case in GREEDY {
        world.publish("hostile", case.component()).await.unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let before = resident_mib();
        let (outcome, elapsed) = world.timed("valid").await;
        assert!(
            matches!(outcome.result, Err(CallError::Limit { .. })),
            "{}: {:?}",
            case.name,
            outcome.result.map(|parts| parts.len())
        );
        assert_eq!(outcome.verdict, Verdict::Limited, "{}", case.name);
        assert!(elapsed < Duration::from_secs(5), "{}: {elapsed:?}", case.name);
        let after = resident_mib();
        assert!(after < before + 96, "{}: {before} MiB became {after} MiB", case.name);
        world.assert_alive().await;
    }
    assert_eq!(world.records(Verdict::Limited).len(), GREEDY.len(), "one record for each");
}

/// RES-04, RES-05, RES-06, RES-07: the same while the component is loaded.
#[test]
fn res_04_to_07_components_that_start_greedy_are_refused() {
    alone("greedy_components");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a part of res_04_to_07_components_that_start_greedy_are_refused"]
async fn greedy_components() {
    let world = World::new();
    for case in GREEDY_AT_LOAD {
        let before = resident_mib();
        let refused = world.publish("hostile", case.component()).await;
        assert!(refused.is_err(), "{}", case.name);
        let after = resident_mib();
        assert!(after < before + 96, "{}: {before} MiB became {after} MiB", case.name);
        world.assert_alive().await;
    }
    assert_eq!(world.records(Verdict::Refused).len(), GREEDY_AT_LOAD.len(), "one record for each");
}

#[test]
fn res_09_floods_of_randomness_output_and_log_are_cut() {
    alone("floods");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a part of res_09_floods_of_randomness_output_and_log_are_cut"]
async fn floods() {
    let world = World::new().probing(vec![]).await;
    let before = resident_mib();
    let random = world.op(json!({ "op": "random", "bytes": 1u64 << 40 })).await;
    assert!(matches!(random, Err(CallError::Trap(_) | CallError::Limit { .. })), "{random:?}");
    for stream in ["stdout", "stderr"] {
        let flood = world.op(json!({ "op": stream, "bytes": 20 << 20 })).await;
        assert!(!matches!(flood, Ok(Ok(_))), "{stream}: {flood:?}");
    }
    world.value(json!({ "op": "log", "lines": 100_000, "length": 100 })).await;
    let line = world.op(json!({ "op": "log", "lines": 1, "length": 16 << 20 })).await;
    assert!(matches!(line, Err(CallError::Limit { .. })), "{line:?}");
    assert!(resident_mib() < before + 64);
    world.assert_alive().await;
}

#[test]
fn a_hundred_megabytes_flow_through_in_little_memory() {
    alone("a_hundred_megabytes");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a part of a_hundred_megabytes_flow_through_in_little_memory"]
async fn a_hundred_megabytes() {
    let world = world(Limits::default()).await;
    let before = resident_mib();
    let stages: [&[&str]; 3] = [&["deeds", "flood", "104857600"], &["deeds", "cat"], &["deeds", "count"]];
    let ended = pipeline(&world, &stages).await.unwrap();
    assert_eq!(ended["stdout"], "104857600\n", "{ended}");
    let grown = resident_mib().saturating_sub(before);
    assert!(grown < 16, "the host grew by {grown} MiB");
}
