//! Ways out of a granted directory: dots, absolute paths, links, renames, races.

use crate::harness::{CANARY, World, grant};
use chiton_sandbox::Access;
use serde_json::json;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn fs_01_dots_do_not_lead_out_and_tell_nothing_of_what_is_there() {
    let world = World::new();
    for (there, missing) in [
        ("../outside/secret", "../outside/none"),
        ("sub/../../outside/secret", "sub/../../outside/none"),
        ("sub/deep/../../../outside/secret", "sub/deep/../../../outside/none"),
        ("./../outside/secret", "./../none/secret"),
        ("sub/..//..//outside/secret", "sub/..//..//none"),
        ("../ws/../outside/secret", "../none/../outside/secret"),
    ] {
        for op in ["read", "stat", "readlink", "write", "truncate", "mkdir", "unlink", "rmdir", "utimes", "list"] {
            let (code, record) = world.denied(&world.write(), json!({"op": op, "path": there}));
            assert_eq!(world.denied(&world.write(), json!({"op": op, "path": missing})).0, code);
            assert!(record.rule.starts_with("files=/"), "{op} {there}: {}", record.rule);
        }
    }
    for path in ["..", "../", "sub/../.."] {
        world.denied(&world.write(), json!({"op": "open", "path": path}));
    }
    assert_eq!(world.missing(&world.write(), json!({"op": "read", "path": "none/../../outside/secret"})), "no-entry");
    assert_eq!(world.allowed(&world.write(), json!({"op": "read", "path": "sub/../sub/./deep/../note"})), "inside sub");
}

#[test]
fn fs_01_the_denial_names_the_grant_that_is_missing() {
    let world = World::new();
    let outside = world.path("outside");
    let (_, record) = world.denied(&world.write(), json!({"op": "read", "path": "../outside/secret"}));
    assert_eq!(record.target, outside.join("secret").display().to_string());
    assert_eq!(record.rule, format!("files={}:read", outside.display()));
    let (_, record) =
        world.denied(&world.write(), json!({"op": "write", "path": "sub/../../outside/new", "text": "x"}));
    assert_eq!(record.rule, format!("files={}:write", outside.display()));
}

#[test]
fn fs_02_absolute_paths_do_not_reach_the_host() {
    let world = World::new();
    let secret = world.path("outside/secret").display().to_string();
    for path in [
        "/etc/passwd",
        "//etc/passwd",
        "/",
        "//",
        "/..",
        "/../etc/passwd",
        "/proc/self/environ",
        "/proc/self/mem",
        "/proc/self/root",
        "/proc/self/cwd",
        "/proc/self/fd",
        "/proc/self/fd/0",
        &secret,
    ] {
        for op in ["open", "stat", "readlink"] {
            world.denied(&world.write(), json!({"op": op, "path": path}));
        }
        world.denied(&world.write(), json!({"op": "write", "path": path, "text": "x"}));
    }
    assert_eq!(world.allowed(&world.write(), json!({"op": "read", "path": "note"})), "inside");
}

#[test]
fn fs_03_a_sibling_that_shares_the_name_as_prefix_is_outside() {
    let world = World::new();
    for path in ["../ws-evil/secret", "sub/../../ws-evil/secret"] {
        world.denied(&world.write(), json!({"op": "read", "path": path}));
    }
    std::fs::create_dir(world.path("ws/ws-evil")).unwrap();
    world.allowed(&world.write(), json!({"op": "write", "path": "ws-evil/new", "text": "x"}));
}

#[test]
fn fs_04_symlink_planted_by_someone_else_is_denied() {
    let world = World::new();
    symlink(world.path("outside/secret"), world.path("ws/absolute")).unwrap();
    symlink("../outside/secret", world.path("ws/relative")).unwrap();
    symlink("relative", world.path("ws/chain")).unwrap();
    symlink("../outside", world.path("ws/dir")).unwrap();
    symlink("../outside/new", world.path("ws/dangling")).unwrap();
    symlink("/proc/self/cwd", world.path("ws/magic")).unwrap();
    for path in
        ["absolute", "relative", "chain", "dir/secret", "dir/dir/secret", "sub/../dir/secret", "dangling", "magic"]
    {
        world.denied(&world.write(), json!({"op": "read", "path": path}));
        world.denied(&world.write(), json!({"op": "stat", "path": path}));
        world.denied(&world.write(), json!({"op": "write", "path": path, "text": "x"}));
        world.denied(&world.write(), json!({"op": "append", "path": path, "text": "x"}));
        world.denied(&world.write(), json!({"op": "truncate", "path": path}));
        world.denied(&world.write(), json!({"op": "utimes", "path": path}));
    }
    for op in ["mkdir", "unlink", "rmdir"] {
        world.denied(&world.write(), json!({"op": op, "path": "dir/dir"}));
    }
    world.denied(&world.write(), json!({"op": "symlink", "target": "x", "path": "dir/new"}));
    assert!(!world.path("outside/new").exists());
}

#[test]
fn fs_04_a_symlink_that_stays_inside_works() {
    let world = World::new();
    symlink("sub/../note", world.path("ws/link")).unwrap();
    symlink("../note", world.path("ws/sub/up")).unwrap();
    symlink("sub", world.path("ws/dir")).unwrap();
    for path in ["link", "sub/up", "dir/up"] {
        assert_eq!(world.allowed(&world.write(), json!({"op": "read", "path": path})), "inside");
    }
    world.allowed(&world.write(), json!({"op": "write", "path": "dir/new", "text": "x"}));
    world.allowed(&world.write(), json!({"op": "write", "path": "link", "text": "changed"}));
    assert_eq!(std::fs::read_to_string(world.path("ws/note")).unwrap(), "changed");
}

#[test]
fn fs_05_a_guest_cannot_make_a_symlink_that_leads_out() {
    let world = World::new();
    for (target, path) in [
        ("/etc/passwd", "l1"),
        ("../outside/secret", "l2"),
        ("sub/../../outside/secret", "l3"),
        ("../../outside/secret", "sub/l4"),
        ("../../../../../../../../etc/passwd", "sub/deep/l5"),
        ("", "l6"),
    ] {
        world.denied(&world.write(), json!({"op": "symlink", "target": target, "path": path}));
        assert!(world.path("ws").join(path).symlink_metadata().is_err());
    }
}

#[test]
fn fs_05_a_link_that_was_moved_until_it_leads_out_is_denied_at_use() {
    let world = World::new();
    world.allowed(&world.write(), json!({"op": "symlink", "target": "../../note", "path": "sub/deep/l"}));
    assert_eq!(world.allowed(&world.write(), json!({"op": "read", "path": "sub/deep/l"})), "inside");
    world.allowed(&world.write(), json!({"op": "rename", "path": "sub/deep/l", "to": "l"}));
    world.denied(&world.write(), json!({"op": "read", "path": "l"}));
}

#[test]
fn fs_06_swapping_files_and_links_under_an_open_never_leaks() {
    let world = World::new();
    let stop = AtomicBool::new(false);
    let (file, link) = (world.path("ws/flip"), world.path("ws/flip-link"));
    let (dir, dir_link) = (world.path("ws/flop"), world.path("ws/flop-link"));
    std::fs::write(&file, "inside").unwrap();
    symlink("../outside/secret", &link).unwrap();
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("secret"), "inside").unwrap();
    symlink("../outside", &dir_link).unwrap();
    let exchange = |a: &_, b: &_| {
        let _ = rustix::fs::renameat_with(rustix::fs::CWD, a, rustix::fs::CWD, b, rustix::fs::RenameFlags::EXCHANGE);
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                exchange(&file, &link);
                exchange(&dir, &dir_link);
            }
        });
        let mut done = 0;
        for _ in 0..20 {
            let round = |_| {
                [
                    json!({"op": "read", "path": "flip"}),
                    json!({"op": "read", "path": "flop/secret"}),
                    json!({"op": "write", "path": "flip", "text": "inside"}),
                    json!({"op": "write", "path": "flop/secret", "text": "inside"}),
                ]
            };
            let ops: Vec<_> = (0..125).flat_map(round).collect();
            for result in world.call(world.write(), json!(ops)) {
                match result {
                    Ok(content) => {
                        assert_ne!(content, CANARY);
                        done += 1;
                    }
                    Err(code) => assert!(["not-permitted", "no-entry", "busy"].contains(&code.as_str()), "{code}"),
                }
            }
        }
        stop.store(true, Ordering::Relaxed);
        assert!(done > 0, "no operation hit the allowed side");
    });
    world.outside_is_untouched();
}

#[test]
fn fs_07_a_hard_link_carries_nothing_in_or_out() {
    let world = World::new();
    let both = [grant(&world, "ws", Access::Write), grant(&world, "other", Access::Read)];
    world.denied(&both, json!({"op": "link", "path": "../outside/secret", "to": "in"}));
    world.denied(&both, json!({"op": "link", "path": "note", "to": "../outside/out"}));
    world.denied(&both, json!({"op": "link", "path": "note", "to": "second"}));
    world.denied(&both, json!({"op": "link", "root": 1, "path": "secret", "to_root": 0, "to": "from-read-only"}));
    std::fs::hard_link(world.path("outside/secret"), world.path("ws/planted")).unwrap();
    for op in ["write", "append", "truncate", "utimes"] {
        let (_, record) = world.denied(&both, json!({"op": op, "path": "planted", "text": "x"}));
        assert_eq!(record.rule, "hard-link");
    }
    world.allowed(&both, json!({"op": "unlink", "path": "planted"}));
    world.allowed(&both, json!({"op": "write", "path": "note", "text": "x"}));
}

#[test]
fn fs_07_a_hard_link_to_a_file_of_another_user_cannot_be_read() {
    let world = World::new();
    std::fs::write(world.path("ws/own"), "inside").unwrap();
    std::fs::hard_link(world.path("ws/own"), world.path("ws/twin")).unwrap();
    assert_eq!(world.allowed(&world.read(), json!({"op": "read", "path": "twin"})), "inside");
    if std::os::unix::fs::chown(world.path("ws/own"), Some(65534), None).is_err() {
        return; // only a privileged user can make a file of another user
    }
    world.denied(&world.read(), json!({"op": "read", "path": "twin"}));
}

#[test]
fn fs_08_a_rename_carries_nothing_in_out_or_across() {
    let world = World::new();
    let both = [grant(&world, "ws", Access::Write), grant(&world, "ws-evil", Access::Write)];
    for (path, to) in [
        ("../outside/secret", "in"),
        ("note", "../outside/out"),
        ("sub", "../outside/sub"),
        (".", "x"),
        ("note", "."),
        ("sub", "."),
        ("sub", "sub/.."),
        ("..", "x"),
    ] {
        world.denied(&both, json!({"op": "rename", "path": path, "to": to}));
    }
    let (_, record) = world.denied(&both, json!({"op": "rename", "path": "note", "to_root": 1, "to": "note"}));
    assert_eq!(record.rule, "across-mounts");
    world.denied(&both, json!({"op": "rename", "root": 1, "path": "secret", "to_root": 0, "to": "secret"}));
    assert_eq!(std::fs::read_to_string(world.path("ws/note")).unwrap(), "inside");
    world.allowed(&both, json!({"op": "rename", "path": "note", "to": "sub/moved"}));
    assert_eq!(std::fs::read_to_string(world.path("ws/sub/moved")).unwrap(), "inside");
}

#[test]
fn fs_09_renaming_a_symlink_with_a_trailing_slash_moves_nothing_outside() {
    let world = World::new();
    symlink("../outside/dir", world.path("ws/link")).unwrap();
    for (path, to) in [("link/", "moved"), ("link/", "moved/"), ("sub", "link/"), ("link/.", "moved")] {
        world.denied(&world.write(), json!({"op": "rename", "path": path, "to": to}));
    }
    assert!(world.path("ws/link").is_symlink() && world.path("ws/sub").is_dir());
    world.allowed(&world.write(), json!({"op": "rename", "path": "sub/", "to": "moved/"}));
    world.allowed(&world.write(), json!({"op": "rename", "path": "link", "to": "renamed"}));
    assert!(world.path("ws/renamed").is_symlink() && world.path("ws/moved").is_dir());
}
