//! What a read-only directory refuses, and what a change leaves behind.

use crate::harness::{World, grant, with_own_sandbox};
use chiton_sandbox::{Access, CallError, CallRequest, Grants, SessionRights};
use serde_json::{Value, json};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::{Duration, Instant};

fn changes() -> Vec<Value> {
    vec![
        json!({"op": "write", "path": "note", "text": "x"}),
        json!({"op": "write", "path": "new", "text": "x"}),
        json!({"op": "stream_write", "path": "note", "text": "x"}),
        json!({"op": "append", "path": "note", "text": "x"}),
        json!({"op": "truncate", "path": "note"}),
        json!({"op": "open", "path": "note", "flags": ["read", "truncate"]}),
        json!({"op": "open", "path": "note", "flags": ["read", "create"]}),
        json!({"op": "open", "path": "note", "flags": ["write"]}),
        json!({"op": "utimes", "path": "note", "seconds": 1}),
        json!({"op": "mkdir", "path": "new"}),
        json!({"op": "symlink", "target": "note", "path": "new"}),
        json!({"op": "link", "path": "note", "to": "new"}),
        json!({"op": "rename", "path": "note", "to": "new"}),
        json!({"op": "unlink", "path": "note"}),
        json!({"op": "rmdir", "path": "empty"}),
    ]
}

fn state(world: &World) -> Vec<(String, i64, u64, Option<Vec<u8>>)> {
    let entries = std::fs::read_dir(world.path("ws")).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let found = path.symlink_metadata().unwrap();
        let content = found.is_file().then(|| std::fs::read(&path).unwrap());
        (path.display().to_string(), found.mtime_nsec(), found.mode().into(), content)
    });
    let mut state: Vec<_> = entries.collect();
    state.sort();
    state
}

#[test]
fn fs_10_a_read_only_directory_refuses_every_change() {
    let world = World::new();
    std::fs::create_dir(world.path("ws/empty")).unwrap();
    let before = state(&world);
    for op in changes() {
        let (code, record) = world.denied(&world.read(), op.clone());
        assert_eq!(code, "not-permitted", "{op}");
        if op["op"] != "link" {
            assert_eq!(record.rule, format!("files={}:write", world.path("ws").display()));
        }
        assert_eq!(state(&world), before, "{op}");
    }
}

#[test]
fn fs_10_a_handle_that_was_opened_for_reading_changes_nothing() {
    let world = World::new();
    let before = state(&world);
    for op in ["write", "append", "stream_write", "truncate", "utimes"] {
        for grants in [world.read(), world.write()] {
            if op == "utimes" && grants == world.write() {
                continue;
            }
            let results = world
                .call(grants, json!([{"op": "open", "path": "note"}, {"op": op, "fd": 0, "text": "x", "size": 0}]));
            assert!(results[0].is_ok() && results[1].is_err(), "{op}: {results:?}");
            assert_eq!(state(&world), before, "{op}");
        }
    }
    assert_eq!(world.denials().len(), 5, "only the handles of the read-only directory were denied by a rule");
}

#[test]
fn fs_10_a_tool_that_declares_only_reading_cannot_write_where_it_is_granted() {
    let world = World::new();
    let ops = json!([{"op": "write", "path": "note", "text": "x"}, {"op": "read", "path": "note"}]);
    let results = world.try_call("probe_read", world.write(), ops).unwrap();
    assert_eq!(results, [Err("not-permitted".to_owned()), Ok(json!("inside"))]);
    assert_eq!(world.denials().len(), 1);
    assert_eq!(world.try_call("probe_none", world.write(), json!([{"op": "preopens"}])).unwrap(), [Ok(json!([]))]);
}

#[test]
fn a_writable_directory_takes_every_change() {
    for op in changes().into_iter().filter(|op| op["op"] != "link") {
        let world = World::new();
        std::fs::create_dir(world.path("ws/empty")).unwrap();
        world.allowed(&world.write(), op);
    }
}

#[test]
fn an_ordinary_day_of_file_work_succeeds() {
    let world = World::new();
    let ops = json!([
        {"op": "mkdir", "path": "notes"},
        {"op": "stream_write", "path": "notes/a", "text": "one"},
        {"op": "append", "path": "notes/a", "text": " two"},
        {"op": "stream_read", "path": "notes/a"},
        {"op": "write", "path": "notes/a", "text": "ONE", "offset": 0},
        {"op": "rename", "path": "notes/a", "to": "notes/b"},
        {"op": "symlink", "target": "b", "path": "notes/l"},
        {"op": "readlink", "path": "notes/l"},
        {"op": "read", "path": "notes/l"},
        {"op": "list", "path": "notes"},
        {"op": "truncate", "path": "notes/b", "size": 3},
        {"op": "stat", "path": "notes/b"},
        {"op": "unlink", "path": "notes/l"},
        {"op": "unlink", "path": "notes/b"},
        {"op": "rmdir", "path": "notes"},
    ]);
    let results: Vec<Value> = world.call(world.write(), ops).into_iter().map(Result::unwrap).collect();
    assert_eq!(results[3], "one two");
    assert_eq!(results[7], "b");
    assert_eq!(results[8], "ONE two");
    assert_eq!(results[9], json!(["b", "l"]));
    assert_eq!(results[11]["size"], 3);
    assert_eq!(world.denials(), []);
    assert!(!world.path("ws/notes").exists());
}

#[test]
fn fs_22_a_closed_handle_is_gone_and_its_number_gives_no_old_rights() {
    let world = World::new();
    let results = world.call(
        world.write(),
        json!([
            {"op": "open", "path": "note", "flags": ["write"]},
            {"op": "close", "fd": 0},
            {"op": "write", "fd": 0, "text": "x"},
            {"op": "open", "path": "sub/note"},
            {"op": "write", "fd": 1, "text": "x"},
            {"op": "read", "fd": 1},
            {"op": "open", "path": "sub", "flags": ["read", "directory"]},
            {"op": "read", "fd": 2, "path": "note"},
            {"op": "read", "fd": 2, "path": "../note"},
        ]),
    );
    assert_eq!(results[2], Err("no-handle".to_owned()));
    assert_eq!(results[4], Err("bad-descriptor".to_owned()));
    assert_eq!(results[5], Ok(json!("inside sub")));
    assert_eq!(results[7], Ok(json!("inside sub")));
    assert_eq!(results[8], Err("not-permitted".to_owned()), "a handle confines to its own directory");
    assert_eq!(std::fs::read_to_string(world.path("ws/note")).unwrap(), "inside");
    world.alive();
}

#[test]
fn fs_23_taking_a_grant_back_ends_an_open_stream_within_a_second() {
    let world = World::new();
    let grants = |access| Grants { files: vec![grant(&world, "ws", access)], ..Grants::default() };
    with_own_sandbox(grants(Access::Write), |runtime, sandbox| {
        let file = world.path("ws/stream");
        let write = json!({"op": "append", "path": "stream", "bytes": 4096});
        let pause = json!({"op": "sleep", "ms": 10});
        let ops: Vec<_> = (0..500).flat_map(|_| [write.clone(), pause.clone()]).collect();
        let request = |ops| CallRequest {
            tool: "probe_write".to_owned(),
            arguments: json!({ "ops": ops }),
            session: SessionRights::of("test:stream"),
            limits: None,
            cancel: Default::default(),
            progress: None,
        };
        let call = runtime.spawn({
            let (sandbox, request) = (sandbox.clone(), request(json!(ops)));
            async move { sandbox.call(request).await }
        });
        while !file.exists() {
            assert!(!call.is_finished(), "{:?}", runtime.block_on(call).unwrap().result);
            std::thread::sleep(Duration::from_millis(5));
        }
        sandbox.set_grants("probe", grants(Access::Read));
        let taken_back = Instant::now();
        let outcome = runtime.block_on(call).unwrap();
        assert!(matches!(outcome.result, Err(CallError::Revoked(_))), "{:?}", outcome.result);
        assert!(taken_back.elapsed() < Duration::from_secs(1));
        let size = file.metadata().unwrap().len();
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(file.metadata().unwrap().len(), size, "nothing lands afterwards");
        let next = runtime.block_on(sandbox.call(request(json!([{"op": "read", "path": "note"}]))));
        assert!(next.result.is_ok());
    });
}

#[test]
fn fs_24_new_files_are_never_executable_or_set_id() {
    let world = World::new();
    std::fs::set_permissions(world.path("ws/sub"), std::fs::Permissions::from_mode(0o777)).unwrap();
    world.allowed(&world.write(), json!({"op": "write", "path": "sub/made", "text": "#!/bin/sh\n"}));
    world.allowed(&world.write(), json!({"op": "mkdir", "path": "sub/dir"}));
    assert_eq!(world.path("ws/sub/made").metadata().unwrap().mode() & 0o7133, 0);
    assert_eq!(world.path("ws/sub/dir").metadata().unwrap().mode() & 0o7022, 0);
}
