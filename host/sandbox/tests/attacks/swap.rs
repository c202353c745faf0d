//! RES-15, FS-23 and revocation: what is loaded changes while it is used, and no call notices but those
//! that must end.

use crate::world::{GRACE, World, resident_mib};
use chiton_hostile::{Text, tool};
use chiton_sandbox::{Access, CallError, Component, FileGrant, Grants, Part, SessionRights, Verdict};
use futures_util::future::join_all;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A component whose tool `valid` answers these four letters.
fn answering(text: &str) -> Vec<u8> {
    assert_eq!(text.len(), 4);
    let result = format!(
        r#"(data (i32.const 96) "\00\00\00\00\80\00\00\00\01\00\00\00")
           (data (i32.const 128) "\00\00\00\00\a0\00\00\00\04\00\00\00") (data (i32.const 160) "{text}")"#
    );
    Text::valid().with("result", &result).component()
}

fn text(parts: &[Part]) -> &str {
    match parts {
        [Part::Text(text)] => text,
        other => panic!("{other:?}"),
    }
}

async fn load(world: &World, bytes: Vec<u8>) -> Arc<Component> {
    world.sandbox.load(bytes).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn res_15_calls_in_flight_finish_on_the_version_they_began_with() {
    let world = World::new().probing(vec![]).await;
    let sleeping = json!({ "ops": [{ "op": "sleep", "ms": 300 }] });
    let calls = join_all((0..100).map(|_| world.call("probe_none", sleeping.clone())));
    let swap = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let next = load(&world, tool("probe_none")).await;
        world.sandbox.publish("probe", next, Grants::default()).unwrap();
        world.timed("probe_none").await.0.result
    };
    let (outcomes, new) = tokio::join!(calls, swap);
    assert_eq!(text(&new.unwrap()), "done");
    for outcome in outcomes {
        assert!(matches!(&outcome.result.unwrap()[..], [Part::Json(_)]), "the old version answers in JSON");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn res_15_ten_thousand_swaps_under_load_fail_no_call_and_leak_nothing() {
    let world = World::new();
    let versions = [load(&world, answering("one.")).await, load(&world, answering("two.")).await];
    world.sandbox.publish("swapped", versions[0].clone(), Grants::default()).unwrap();
    for _ in 0..50 {
        world.timed("valid").await.0.result.unwrap();
    }
    let before = resident_mib();
    let (running, seen) = (AtomicBool::new(true), [AtomicUsize::new(0), AtomicUsize::new(0)]);
    let calls = join_all((0..16).map(|_| async {
        while running.load(Ordering::Relaxed) {
            let parts = world.timed("valid").await.0.result.unwrap();
            let version = usize::from(text(&parts) == "two.");
            assert!(version == 1 || text(&parts) == "one.");
            seen[version].fetch_add(1, Ordering::Relaxed);
        }
    }));
    let swaps = async {
        for swap in 0..10_000_usize {
            world.sandbox.publish("swapped", versions[swap % 2].clone(), Grants::default()).unwrap();
            if swap % 15 == 0 {
                tokio::task::yield_now().await;
            }
        }
        running.store(false, Ordering::Relaxed);
    };
    tokio::join!(calls, swaps);
    assert_eq!(world.sandbox.snapshot().generation, 10_001);
    assert!(seen.iter().all(|seen| seen.load(Ordering::Relaxed) > 0), "{seen:?}");
    let after = resident_mib();
    assert!(after < before + 32, "{before} MiB became {after} MiB");
    assert!(world.records(Verdict::Failed).is_empty());
}

#[tokio::test]
async fn a_refused_version_leaves_the_old_one_in_its_place() {
    let world = World::new();
    world.publish("slot", answering("one.")).await.unwrap();
    let generation = world.sandbox.snapshot().generation;
    for name in ["loop_in_list_tools", "further_function", "gc", "function_of_a_stranger"] {
        assert!(world.publish("slot", chiton_hostile::case(name)).await.is_err(), "{name}");
        assert_eq!(text(&world.timed("valid").await.0.result.unwrap()), "one.");
    }
    assert_eq!(world.sandbox.snapshot().generation, generation);
    world.publish("slot", answering("two.")).await.unwrap();
    assert_eq!(text(&world.timed("valid").await.0.result.unwrap()), "two.");
}

#[tokio::test]
async fn a_picture_of_what_is_loaded_never_changes() {
    let world = World::new();
    world.publish("first", tool("first")).await.unwrap();
    let picture = world.sandbox.snapshot();
    world.publish("alpha", tool("alpha")).await.unwrap();
    world.sandbox.unload("first");
    assert_eq!(picture.iter().map(|tool| &*tool.definition.name).collect::<Vec<_>>(), ["first"]);
    let now = world.sandbox.snapshot();
    assert_eq!(now.iter().map(|tool| &*tool.definition.name).collect::<Vec<_>>(), ["alpha"]);
    assert_eq!(now.generation, picture.generation + 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unloading_takes_the_tool_away_and_lets_calls_in_flight_finish() {
    let world = World::new().probing(vec![]).await;
    let sleeping = json!({ "ops": [{ "op": "sleep", "ms": 200 }] });
    let unload = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        world.sandbox.unload("probe");
        world.op(json!({ "op": "env" })).await
    };
    let (outcome, gone) = tokio::join!(world.call("probe_none", sleeping), unload);
    assert!(outcome.result.is_ok(), "{:?}", outcome.result);
    assert!(matches!(gone, Err(CallError::UnknownTool { .. })), "{gone:?}");
}

/// Runs `change` while calls spin, sleep and wait, and asserts that all end as revoked at once.
async fn assert_revokes(world: &World, change: impl AsyncFnOnce()) {
    world.forget_records();
    let ops = [json!({ "op": "spin" }), json!({ "op": "poll_never" }), json!({ "op": "sleep", "ms": 20_000 })];
    let calls = join_all(ops.iter().map(|op| world.call("probe_write", json!({ "ops": [op] }))));
    let change = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        change().await;
        Instant::now()
    };
    let (outcomes, changed) = tokio::join!(calls, change);
    assert!(changed.elapsed() < Duration::from_secs(1), "{:?}", changed.elapsed());
    for outcome in outcomes {
        assert_eq!(outcome.result, Err(CallError::Revoked("probe".to_owned())));
    }
    assert_eq!(world.records(Verdict::Revoked).len(), ops.len(), "one record for each");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revoked_bytes_end_all_their_calls_within_a_second() {
    let world = World::new().probing(vec![]).await;
    let digest = world.sandbox.snapshot().get("probe_none").unwrap().component.digest();
    assert_revokes(&world, async || world.sandbox.revoke(&digest)).await;
    let gone = world.op(json!({ "op": "env" })).await;
    assert!(matches!(gone, Err(CallError::UnknownTool { .. })), "{gone:?}");
    world.assert_alive().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revoked_bytes_end_calls_of_a_version_that_was_swapped_out_already() {
    let world = World::new().probing(vec![]).await;
    let digest = world.sandbox.snapshot().get("probe_none").unwrap().component.digest();
    let next = load(&world, tool("probe_none")).await;
    assert_revokes(&world, async || {
        world.sandbox.publish("probe", next, Grants::default()).unwrap();
        world.sandbox.revoke(&digest);
    })
    .await;
    assert_eq!(text(&world.timed("probe_none").await.0.result.unwrap()), "done", "the new version stays");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revoked_bytes_end_calls_of_both_loads_when_they_were_loaded_twice_at_once() {
    let world = World::new();
    let bytes = chiton_hostile::probe();
    let (first, second) = tokio::join!(load(&world, bytes.clone()), load(&world, bytes));
    world.sandbox.publish("probe", first.clone(), Grants::default()).unwrap();
    drop(second);
    assert_revokes(&world, async || world.sandbox.revoke(&first.digest())).await;
}

/// FS-23: a grant that is taken back ends the calls that hold it, also when other grants came between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fs_23_a_grant_that_is_taken_back_ends_the_calls_that_hold_it() {
    let world = World::new();
    let place = |name: &str, access| {
        let path = world.directory.path().join(name);
        std::fs::create_dir_all(&path).unwrap();
        FileGrant::directory(&path, access).unwrap()
    };
    let (first, second) = (place("first", Access::Write), place("second", Access::Read));
    let weaker = place("first", Access::Read);
    let grants = |files: &[&FileGrant]| Grants {
        files: files.iter().map(|grant| (*grant).clone()).collect(),
        ..Grants::default()
    };
    let world = world.probing(vec![first.clone()]).await;
    assert_revokes(&world, async || {
        world.sandbox.set_grants("probe", grants(&[&first, &second]));
        world.sandbox.set_grants("probe", grants(&[&second]));
    })
    .await;
    world.sandbox.set_grants("probe", grants(&[&first]));
    assert_revokes(&world, async || {
        world.sandbox.set_grants("probe", grants(&[&weaker]));
    })
    .await;
    let mounts = world.value(json!({ "op": "context" })).await["mounts"].clone();
    assert_eq!(mounts[0]["writable"], false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_that_is_added_ends_no_call_and_holds_from_the_next_one_on() {
    let world = World::new().probing(vec![]).await;
    let grant = FileGrant::directory(world.directory.path(), Access::Read).unwrap();
    let add = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        world.sandbox.set_grants("probe", Grants { files: vec![grant], ..Grants::default() });
    };
    let sleeping = json!({ "ops": [{ "op": "sleep", "ms": 150 }, { "op": "preopens" }] });
    let (before, ()) = tokio::join!(world.call("probe_read", sleeping), add);
    let parts = before.result.unwrap();
    assert!(matches!(&parts[..], [Part::Json(json)] if json.contains(r#"{"ok":[]}"#)), "{parts:?}");
    let after = world.op_of("probe_read", json!({ "op": "preopens" })).await.unwrap().unwrap();
    assert_eq!(after.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_session_can_take_rights_away_and_replace_directories() {
    let world = World::new();
    let place = |name: &str| {
        let path = world.directory.path().join(name);
        std::fs::create_dir(&path).unwrap();
        FileGrant::directory(&path, Access::Write).unwrap()
    };
    let (own, other) = (place("own"), place("other"));
    let world = world.probing(vec![own.clone()]).await;
    let mounts = async |session: SessionRights| {
        let mut request = World::request("probe_write", json!({ "ops": [{ "op": "context" }] }));
        request.session = session;
        match &world.sandbox.call(request).await.result.unwrap()[..] {
            [Part::Json(text)] => serde_json::from_str::<serde_json::Value>(text).unwrap()[0]["ok"]["mounts"].clone(),
            other => panic!("{other:?}"),
        }
    };
    let session = || SessionRights::of("test:narrow");
    let shown = |grant: &FileGrant, writable: bool| json!([{ "path": grant.path, "writable": writable }]);
    assert_eq!(mounts(session()).await, shown(&own, true));
    let reading = SessionRights { effects: chiton_sandbox::Effects::READS_FILES, ..session() };
    assert_eq!(mounts(reading).await, shown(&own, false));
    let nothing = SessionRights { effects: chiton_sandbox::Effects::NONE, ..session() };
    assert_eq!(mounts(nothing).await, json!([]));
    let elsewhere = SessionRights { files: Some(vec![other.clone()]), ..session() };
    assert_eq!(mounts(elsewhere).await, shown(&other, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swap_takes_milliseconds_when_the_code_is_there() {
    let world = World::new();
    world.publish("slot", answering("one.")).await.unwrap();
    let next = load(&world, answering("two.")).await;
    let started = Instant::now();
    world.sandbox.publish("slot", next, Grants::default()).unwrap();
    assert!(started.elapsed() < GRACE, "{:?}", started.elapsed());
}
