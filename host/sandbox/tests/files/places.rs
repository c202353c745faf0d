//! Which directories a guest sees, and which it does not even when they lie inside a grant.

use crate::harness::{CANARY, World, around_home, grant};
use chiton_sandbox::{Access, CallError, FileGrant};
use serde_json::json;
use std::os::unix::fs::symlink;
use std::time::Duration;

#[test]
fn fs_15_what_is_neither_file_nor_directory_cannot_be_opened_and_hangs_nobody() {
    let world = World::new();
    let fifo = world.path("ws/fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o644.into(), 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(world.path("ws/socket")).unwrap();
    let devices = [FileGrant::directory("/dev".as_ref(), Access::Write).unwrap()];
    let started = std::time::Instant::now();
    for (grants, path) in
        [(world.write(), "fifo"), (world.write(), "socket"), (devices.to_vec(), "null"), (devices.to_vec(), "zero")]
    {
        for flags in [json!(["read"]), json!(["write"]), json!(["read", "write", "create"])] {
            let (code, record) = world.denied(&grants, json!({"op": "open", "path": path, "flags": flags}));
            assert_eq!((code.as_str(), record.rule.as_str()), ("not-permitted", "not-a-regular-file"), "{path}");
        }
    }
    assert_eq!(world.missing(&world.write(), json!({"op": "open", "path": "sub", "flags": ["write"]})), "is-directory");
    assert_eq!(world.missing(&world.write(), json!({"op": "stream_read", "path": "sub"})), "is-directory");
    assert_eq!(
        world.missing(&world.write(), json!({"op": "open", "path": "note", "flags": ["directory"]})),
        "not-directory"
    );
    assert!(started.elapsed() < Duration::from_secs(10));
    world.allowed(&world.write(), json!({"op": "list", "path": "."}));
}

#[test]
fn fs_16_huge_and_endless_files_are_read_in_bounded_pieces() {
    let world = World::new();
    std::fs::File::create(world.path("ws/sparse")).unwrap().set_len(1 << 40).unwrap();
    symlink("/dev/zero", world.path("ws/zero")).unwrap();
    world.denied(&world.write(), json!({"op": "read", "path": "zero"}));
    let before = resident();
    for op in ["read", "stream_read"] {
        let read = world.allowed(&world.read(), json!({"op": op, "path": "sparse", "max": 16 << 20}));
        assert_eq!(read["length"], 16 << 20);
    }
    assert_eq!(world.allowed(&world.read(), json!({"op": "stat", "path": "sparse"}))["size"], 1_u64 << 40);
    assert!(resident() < before + (96 << 20), "the host kept what the guest read");
    assert_eq!(world.allowed(&world.read(), json!({"op": "read", "path": "note", "max": 1_u64 << 40})), "inside");
}

/// Resident bytes of this process.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[test]
fn fs_18_a_link_planted_by_one_tool_does_not_lead_another_out_of_its_grant() {
    let world = World::new();
    let (wide, narrow) = (world.write(), [grant(&world, "ws/sub", Access::Read)]);
    world.allowed(&wide, json!({"op": "symlink", "target": "../note", "path": "sub/planted"}));
    world.denied(&wide, json!({"op": "symlink", "target": "../../other/secret", "path": "sub/far"}));
    world.denied(&narrow, json!({"op": "read", "path": "planted"}));
    assert_eq!(world.allowed(&wide, json!({"op": "read", "path": "sub/planted"})), "inside");
    assert_eq!(world.allowed(&narrow, json!({"op": "read", "path": "note"})), "inside sub");
}

#[test]
fn fs_19_a_guest_has_exactly_the_directories_it_was_given() {
    let world = World::new();
    let both = [grant(&world, "ws", Access::Read), grant(&world, "ws/sub", Access::Write)];
    let names = [world.path("ws"), world.path("ws/sub")].map(|path| path.display().to_string());
    assert_eq!(world.allowed(&both, json!({"op": "preopens"})), json!(names));
    assert_eq!(world.allowed(&[], json!({"op": "preopens"})), json!([]));
    for path in [world.path("other/secret"), world.path("ws/note")] {
        world.denied(&both, json!({"op": "read", "path": path}));
    }
    assert_eq!(world.missing(&both, json!({"op": "read", "root": 2, "path": "note"})), "no-preopen");
    world.denied(&both, json!({"op": "write", "path": "sub/new", "text": "x"}));
    world.allowed(&both, json!({"op": "write", "root": 1, "path": "new", "text": "x"}));
}

#[test]
fn fs_20_a_directory_replaced_while_a_tool_runs_stays_the_old_one() {
    let world = World::new();
    let ops = json!([
        {"op": "read", "path": "note"}, {"op": "sleep", "ms": 400},
        {"op": "read", "path": "note"}, {"op": "write", "path": "new", "text": "x"}, {"op": "read", "path": "secret"},
    ]);
    let grants = world.write();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(150));
            std::fs::rename(world.path("ws"), world.path("moved")).unwrap();
            symlink("outside", world.path("ws")).unwrap();
        });
        let results = world.call(grants.clone(), ops);
        assert_eq!(results[2], Ok(json!("inside")));
        assert!(results[3].is_ok() && results[4].is_err(), "{results:?}");
    });
    assert!(world.path("moved/new").is_file());
    world.outside_is_untouched();
    let refused = world.try_call("probe_write", grants, json!([{"op": "preopens"}]));
    assert!(matches!(refused, Err(CallError::Host(_))), "a link took the directory's place: {refused:?}");
}

#[test]
fn fs_21_nothing_in_a_git_directory_can_be_changed_or_made() {
    let world = World::new();
    std::fs::create_dir_all(world.path("ws/repo/.git/hooks")).unwrap();
    std::fs::write(world.path("ws/repo/.git/config"), "[core]").unwrap();
    std::fs::create_dir_all(world.path("ws/fake/hooks")).unwrap();
    symlink("repo/.git", world.path("ws/git")).unwrap();
    for op in [
        json!({"op": "write", "path": "repo/.git/hooks/pre-commit", "text": "x"}),
        json!({"op": "write", "path": "repo/.git/config", "text": "x"}),
        json!({"op": "append", "path": "repo/.git/config", "text": "x"}),
        json!({"op": "write", "path": "git/hooks/pre-commit", "text": "x"}),
        json!({"op": "write", "path": "git/config", "text": "x"}),
        json!({"op": "write", "path": "repo/.GIT", "text": "gitdir: ../fake"}),
        json!({"op": "write", "path": "fake/.git", "text": "gitdir: ."}),
        json!({"op": "mkdir", "path": "repo/.git/modules"}),
        json!({"op": "mkdir", "path": "fake/.Git"}),
        json!({"op": "symlink", "target": "../fake", "path": "sub/.git"}),
        json!({"op": "rename", "path": "fake", "to": "sub/.git"}),
        json!({"op": "rename", "path": "fake/hooks", "to": "repo/.git/hooks"}),
        json!({"op": "rename", "path": "repo/.git", "to": "repo/git"}),
        json!({"op": "unlink", "path": "repo/.git/config"}),
        json!({"op": "utimes", "path": "repo/.git/config"}),
    ] {
        assert_eq!(world.denied(&world.write(), op).1.rule, "git-directory");
    }
    assert_eq!(world.allowed(&world.write(), json!({"op": "read", "path": "repo/.git/config"})), "[core]");
    world.allowed(&world.write(), json!({"op": "write", "path": "repo/.gitignore", "text": "x"}));
    world.allowed(&world.write(), json!({"op": "mkdir", "path": "repo/.github"}));
    world.allowed(&world.write(), json!({"op": "write", "path": "repo/src", "text": "x"}));
}

#[test]
fn fs_21_a_handle_inside_a_git_directory_does_not_help() {
    let world = World::new();
    std::fs::create_dir_all(world.path("ws/.git/hooks")).unwrap();
    let results = world.call(
        world.write(),
        json!([
            {"op": "open", "path": ".git/hooks", "flags": ["read", "directory"]},
            {"op": "write", "fd": 0, "path": "pre-commit", "text": "x"},
            {"op": "utimes", "fd": 0},
        ]),
    );
    assert!(results[0].is_ok() && results[1].is_err() && results[2].is_err(), "{results:?}");
    assert_eq!(world.denials().len(), 2);
}

#[test]
fn fs_21_the_bots_own_home_is_closed_even_inside_a_grant() {
    let world = World::new();
    let around = [FileGrant::directory(around_home(), Access::Write).unwrap()];
    symlink("home", around_home().join("link")).unwrap();
    for op in [
        json!({"op": "read", "path": "home/config.json"}),
        json!({"op": "stat", "path": "home/config.json"}),
        json!({"op": "open", "path": "home"}),
        json!({"op": "read", "path": "link/config.json"}),
        json!({"op": "list", "path": "home"}),
        json!({"op": "write", "path": "home/config.json", "text": "x"}),
        json!({"op": "write", "path": "home/cache/new", "text": "x"}),
        json!({"op": "write", "path": "home/control.sock", "text": "x"}),
        json!({"op": "mkdir", "path": "HOME"}),
        json!({"op": "unlink", "path": "home/config.json"}),
        json!({"op": "rename", "path": "home", "to": "away"}),
        json!({"op": "rename", "path": "home/config.json", "to": "config.json"}),
        json!({"op": "symlink", "target": "x", "path": "home/new"}),
        json!({"op": "utimes", "path": "home/config.json"}),
    ] {
        assert_eq!(world.denied(&around, op).1.rule, "protected");
    }
    assert_eq!(std::fs::read_to_string(around_home().join("home/config.json")).unwrap(), CANARY);
    world.allowed(&around, json!({"op": "write", "path": "beside", "text": "x"}));
    for own in ["home", "home/cache"] {
        let own = FileGrant::directory(&around_home().join(own), Access::Read).unwrap();
        let refused = world.try_call("probe_write", vec![own], json!([{"op": "preopens"}]));
        assert!(matches!(refused, Err(CallError::Host(_))), "{refused:?}");
    }
    let workspace = [FileGrant::directory(&around_home().join("home/workspace"), Access::Write).unwrap()];
    world.allowed(&workspace, json!({"op": "write", "path": "new", "text": "x"}));
    world.denied(&workspace, json!({"op": "read", "path": "../config.json"}));
}
