//! Quotas: how much a guest may leave on the disk.

use crate::harness::World;
use chiton_sandbox::CallError;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const KIB: u64 = 1024;

fn quota_denied(world: &World, grants: &[chiton_sandbox::FileGrant], op: Value) {
    let (code, record) = world.denied(grants, op.clone());
    assert_eq!((code.as_str(), record.rule.as_str()), ("quota", "quota"), "{op}");
}

fn held(world: &World) -> u64 {
    let files = std::fs::read_dir(world.path("ws")).unwrap().map(|entry| entry.unwrap().metadata().unwrap());
    files.filter(|found| found.is_file()).map(|found| found.len()).sum()
}

#[test]
fn fs_17_bytes_stop_at_the_quota_whichever_way_they_come() {
    let world = World::new();
    let grants = world.limited(64 * KIB, 100);
    for op in ["write", "stream_write", "append"] {
        quota_denied(&world, &grants, json!({"op": op, "path": "fill", "bytes": 65 * KIB}));
        assert!(held(&world) <= 64 * KIB);
        world.allowed(&grants, json!({"op": "unlink", "path": "fill"}));
    }
    std::fs::write(world.path("ws/fill"), "").unwrap();
    quota_denied(&world, &grants, json!({"op": "truncate", "path": "fill", "size": 1_u64 << 40}));
    quota_denied(&world, &grants, json!({"op": "write", "path": "fill", "offset": 1_u64 << 40, "text": "x"}));
    quota_denied(&world, &grants, json!({"op": "write", "path": "fill", "offset": u64::MAX, "text": "x"}));
    world.allowed(&grants, json!({"op": "write", "path": "fill", "bytes": 60 * KIB}));
    quota_denied(&world, &grants, json!({"op": "append", "path": "fill", "bytes": 8 * KIB}));
    world.allowed(&grants, json!({"op": "write", "path": "fill", "bytes": 60 * KIB}));
}

#[test]
fn fs_17_the_quota_holds_over_calls_and_restarts_because_it_is_counted_anew() {
    let world = World::new();
    std::fs::write(world.path("ws/sub/deep/old"), vec![0; 60 * KIB as usize]).unwrap();
    let grants = world.limited(64 * KIB, 100);
    quota_denied(&world, &grants, json!({"op": "write", "path": "new", "bytes": 8 * KIB}));
    world.allowed(&grants, json!({"op": "truncate", "path": "sub/deep/old", "size": 0}));
    world.allowed(&grants, json!({"op": "write", "path": "new", "bytes": 8 * KIB}));
}

#[test]
fn fs_17_what_was_given_back_can_be_used_again_in_the_same_call() {
    let world = World::new();
    let turn = [
        json!({"op": "write", "path": "a", "bytes": 40 * KIB}),
        json!({"op": "write", "path": "b", "bytes": 20 * KIB}),
        json!({"op": "rename", "path": "b", "to": "a"}),
        json!({"op": "truncate", "path": "a", "size": 0}),
        json!({"op": "open", "path": "a", "flags": ["write", "truncate"]}),
        json!({"op": "unlink", "path": "a"}),
        json!({"op": "mkdir", "path": "d"}),
        json!({"op": "rmdir", "path": "d"}),
    ];
    let ops: Vec<_> = turn.into_iter().cycle().take(8 * 10).collect();
    // Handles stay open in this guest, so each turn's unlinked file is empty by then.
    for result in world.call(world.limited(64 * KIB, 10), json!(ops)) {
        result.unwrap();
    }
    assert_eq!(world.denials(), []);
}

#[test]
fn fs_17_an_unlinked_file_counts_until_it_is_closed() {
    let world = World::new();
    let results = world.call(
        world.limited(64 * KIB, 100),
        json!([
            {"op": "open", "path": "a", "flags": ["write", "create"]},
            {"op": "write", "fd": 0, "bytes": 50 * KIB},
            {"op": "unlink", "path": "a"},
            {"op": "write", "path": "b", "bytes": 30 * KIB},
            {"op": "close", "fd": 0},
            {"op": "write", "path": "c", "bytes": 50 * KIB},
        ]),
    );
    assert_eq!(results[3], Err("quota".to_owned()));
    assert!(results[5].is_ok(), "{results:?}");
}

#[test]
fn fs_17_two_handles_of_one_file_share_one_account() {
    let world = World::new();
    let results = world.call(
        world.limited(64 * KIB, 100),
        json!([
            {"op": "open", "path": "a", "flags": ["write", "create"]},
            {"op": "open", "path": "a", "flags": ["write"]},
            {"op": "write", "fd": 0, "bytes": 40 * KIB},
            {"op": "write", "fd": 1, "bytes": 40 * KIB},
            {"op": "append", "fd": 1, "bytes": 20 * KIB},
            {"op": "append", "fd": 0, "bytes": 20 * KIB},
        ]),
    );
    assert!(results[..5].iter().all(Result::is_ok), "{results:?}");
    assert_eq!(results[5], Err("quota".to_owned()));
}

#[test]
fn fs_17_entries_stop_at_the_quota() {
    let world = World::new();
    let grants = world.limited(1 << 20, 14);
    // note, sub, sub/note and sub/deep are there.
    let ops: Vec<_> =
        (0..20).map(|n| json!({"op": "open", "path": format!("f{n}"), "flags": ["write", "create"]})).collect();
    let made = world.call(grants.clone(), json!(ops)).iter().filter(|result| result.is_ok()).count();
    assert_eq!(made, 10);
    assert_eq!(world.denials().len(), 10);
    quota_denied(&world, &grants, json!({"op": "mkdir", "path": "dir"}));
    quota_denied(&world, &grants, json!({"op": "symlink", "target": "note", "path": "link"}));
    world.allowed(&grants, json!({"op": "unlink", "path": "f0"}));
    world.allowed(&grants, json!({"op": "mkdir", "path": "dir"}));
}

#[test]
fn fs_17_depth_is_bounded_and_the_tree_can_be_removed() {
    let world = World::new();
    let mut ops = vec![json!({"op": "open", "path": "."})];
    for depth in 0..200 {
        let name = "d".repeat(200);
        ops.push(json!({"op": "mkdir", "fd": depth, "path": name}));
        ops.push(json!({"op": "open", "fd": depth, "path": name, "flags": ["read", "directory"]}));
    }
    let results = world.call(world.write(), json!(ops));
    let made = results.iter().skip(1).step_by(2).filter(|result| result.is_ok()).count();
    assert!((10..=21).contains(&made), "{made} levels of 200 characters");
    std::fs::remove_dir_all(world.path("ws")).unwrap();
    std::fs::create_dir(world.path("ws")).unwrap();
    world.alive();
}

#[test]
fn fs_17_calls_that_share_a_quota_take_turns_and_never_exceed_it() {
    let world = World::new();
    std::thread::scope(|scope| {
        for writer in 0..6 {
            let world = &world;
            scope.spawn(move || {
                let ops: Vec<_> = (0..16)
                    .map(|n| json!({"op": "append", "path": format!("w{writer}-{n}"), "bytes": 4 * KIB}))
                    .collect();
                world.call(world.limited(128 * KIB, 1000), json!(ops))
            });
        }
    });
    assert!(held(&world) <= 128 * KIB, "{} bytes are held", held(&world));
    assert!(held(&world) > 100 * KIB);
    assert!(!world.denials().is_empty());
}

#[test]
fn fs_17_waiting_for_a_turn_ends_at_the_deadline() {
    let world = World::new();
    let long = json!([{"op": "write", "path": "first", "text": "x"}, {"op": "sleep", "ms": 1500}]);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| world.call(world.limited(64 * KIB, 100), long));
        while !world.path("ws/first").exists() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let started = Instant::now();
        let write = json!([{"op": "write", "path": "second", "text": "x"}]);
        let late = world.call_within(Duration::from_millis(100), "probe_write", world.limited(64 * KIB, 100), write);
        assert!(matches!(late, Err(CallError::Deadline(_))), "{late:?}");
        assert!(started.elapsed() < Duration::from_millis(350));
        world.allowed(&world.read(), json!({"op": "read", "path": "first"}));
        assert!(first.join().unwrap().iter().all(Result::is_ok));
    });
    world.allowed(&world.limited(64 * KIB, 100), json!({"op": "write", "path": "second", "text": "x"}));
}

#[test]
fn fs_17_a_volume_keeps_its_reserve_without_any_quota() {
    let world = World::new();
    for op in ["truncate", "write"] {
        let op = json!({"op": op, "path": "note", "size": 1_u64 << 60, "offset": 1_u64 << 60, "text": "x"});
        let (code, record) = world.denied(&world.write(), op);
        assert_eq!((code.as_str(), record.rule.as_str()), ("insufficient-space", "volume-reserve"));
    }
    world.allowed(&world.write(), json!({"op": "write", "path": "note", "bytes": 2 << 20}));
}

#[test]
fn denials_of_one_call_are_recorded_up_to_a_bound() {
    let world = World::new();
    let ops: Vec<_> = (0..500).map(|_| json!({"op": "read", "path": "../outside/secret"})).collect();
    assert!(world.call(world.write(), json!(ops)).iter().all(Result::is_err));
    assert_eq!(world.denials().len(), 101);
    world.allowed(&world.write(), json!({"op": "read", "path": "note"}));
}
