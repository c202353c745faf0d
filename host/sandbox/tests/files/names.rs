//! Names that are malformed, or that other programs would read as something else.

use crate::harness::World;
use serde_json::json;

#[test]
fn fs_12_impossible_names_are_denied_and_never_cut_short() {
    let world = World::new();
    let long_name = "n".repeat(256);
    let long_path = "sub/../".repeat(700) + "note";
    for path in ["note\0", "note\0/../../outside/secret", "sub/no\0te", "\0", long_name.as_str(), long_path.as_str()] {
        for op in ["read", "write", "mkdir", "unlink", "stat"] {
            let (code, record) = world.denied(&world.write(), json!({"op": op, "path": path, "text": "x"}));
            assert_eq!((code.as_str(), record.rule.as_str()), ("invalid", "bad-path"), "{op} {path:?}");
        }
        world.denied(&world.write(), json!({"op": "rename", "path": "note", "to": path}));
    }
    world.denied(&world.write(), json!({"op": "symlink", "path": "l", "target": "no\0te"}));
    assert_eq!(std::fs::read_dir(world.path("ws")).unwrap().count(), 2);
    world.allowed(&world.write(), json!({"op": "write", "path": "n".repeat(255), "text": "x"}));
    assert_eq!(world.allowed(&world.write(), json!({"op": "read", "path": "sub/../".repeat(500) + "note"})), "inside");
}

#[test]
fn fs_12_a_name_that_is_not_utf_8_does_not_reach_the_file_system() {
    let world = World::new();
    let bytes = json!([{"op": "open_bytes", "path": [0x6e, 0xff, 0xfe], "flags": ["write", "create"]}]);
    assert!(world.try_call("probe_write", world.write(), bytes).is_err());
    assert_eq!(std::fs::read_dir(world.path("ws")).unwrap().count(), 2);
    let bytes = json!([{"op": "open_bytes", "path": "note".as_bytes()}]);
    assert!(world.call(world.write(), bytes)[0].is_ok());
}

#[test]
fn fs_13_other_spellings_of_dots_and_slashes_are_ordinary_names() {
    let world = World::new();
    for path in [
        "%2e%2e/outside/secret",
        "..%2foutside%2fsecret",
        "%2e%2e%2foutside",
        "\u{ff0e}\u{ff0e}/outside/secret",
        ".\u{200b}./outside/secret",
        "\u{2025}/outside/secret",
        "..\u{2215}outside",
        "..\\outside\\secret",
        "..;/outside/secret",
    ] {
        assert_eq!(world.missing(&world.write(), json!({"op": "read", "path": path})), "no-entry");
    }
    world.allowed(&world.write(), json!({"op": "write", "path": "..%2foutside", "text": "x"}));
    assert!(world.path("ws/..%2foutside").is_file());
}

#[test]
fn fs_14_nothing_in_a_name_is_expanded() {
    let world = World::new();
    for path in ["~", "~root", "$HOME", "${HOME}", "*", "n?te", "[n]ote", "file:///etc/passwd", "~/x"] {
        assert_eq!(world.missing(&world.write(), json!({"op": "read", "path": path})), "no-entry");
    }
    for name in ["~", "$HOME", "*", "file:"] {
        world.allowed(&world.write(), json!({"op": "write", "path": name, "text": "x"}));
        assert!(world.path("ws").join(name).is_file());
    }
}

#[test]
fn fs_25_timestamps_out_of_range_are_errors() {
    let world = World::new();
    for seconds in [u64::MAX, i64::MAX as u64, i64::MAX as u64 + 1] {
        for op in [
            json!({"op": "utimes", "path": "note", "seconds": seconds}),
            json!({"op": "utimes", "path": "note", "seconds": seconds, "nanoseconds": u32::MAX}),
        ] {
            let _ = world.call(world.write(), json!([op, {"op": "stat", "path": "note"}]));
            world.alive();
        }
    }
    assert_eq!(world.missing(&world.write(), json!({"op": "utimes", "path": "note", "seconds": u64::MAX})), "overflow");
    world.allowed(&world.write(), json!({"op": "utimes", "path": "note", "seconds": 1_000_000_000}));
    assert_eq!(world.allowed(&world.read(), json!({"op": "stat", "path": "note"}))["modified"], 1_000_000_000);
}

#[test]
fn fs_25_a_file_from_before_1970_is_shown_without_its_time() {
    let world = World::new();
    let before = std::time::SystemTime::UNIX_EPOCH - std::time::Duration::from_secs(86_400);
    let times = std::fs::FileTimes::new().set_modified(before);
    std::fs::File::open(world.path("ws/note")).unwrap().set_times(times).unwrap();
    let found = world.allowed(&world.read(), json!({"op": "stat", "path": "note"}));
    assert_eq!((&found["size"], &found["modified"]), (&json!(6), &json!(null)));
}
