//! What the kernel keeps from a program: EXE-03, EXE-06, EXE-07, EXE-09, EXE-10, EXE-15, and what happens on a kernel
//! that lacks a wall.

use crate::house::{House, child, hostile};
use chiton_native::{Directory, NativeError, Options, Wall};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use tokio_util::sync::CancellationToken;

/// Whether one line of an outcome says that something was refused.
fn refused(out: &str, what: &str) -> bool {
    out.lines().any(|line| line.starts_with(&format!("{what}: ")) && !line.contains("got"))
}

#[tokio::test]
async fn this_machine_has_every_wall_or_refuses_to_run() {
    let house = House::new();
    let walls = house.native.walls(&house.directory()).await.unwrap();
    println!("Landlock ABI {}", walls.landlock_abi);
    for state in &walls.states {
        println!("{}: {}", state.wall, state.missing.as_deref().unwrap_or("present"));
    }
    assert_eq!(walls.states.len(), Wall::ALL.len());
    let outcome = house.allowed("true", &["true"]).await;
    match walls.missing().find(|state| !Wall::COVERED_BY_OTHERS.contains(&state.wall)) {
        None => assert_eq!(outcome.code(), 0),
        Some(state) => {
            assert!(matches!(outcome.result, Err(NativeError::WallMissing { wall, .. }) if wall == state.wall));
        }
    }
}

#[tokio::test]
async fn a_missing_wall_is_a_refusal_that_names_it() {
    let unshare = if rustix::process::geteuid().is_root() { Wall::Files } else { Wall::User };
    let cases =
        [("unshare", unshare), ("landlock", Wall::Landlock), ("seccomp", Wall::Seccomp), ("mounts", Wall::Files)];
    for (call, expected) in cases {
        let house = House::lacking(call, &[]);
        let outcome = house.hostile(&["write", "pwned"]).await;
        let Err(NativeError::WallMissing { wall, reason }) = &outcome.result else { panic!("{call}: {outcome:?}") };
        assert!(!reason.is_empty());
        // As root a kernel without it cannot map owners either, which is noticed first.
        assert!(*wall == expected || *wall == Wall::User, "{call}: {wall:?}");
        assert!(!house.workspace().join("pwned").exists());
        let walls = house.native.walls(&house.directory()).await.unwrap();
        assert!(walls.missing().any(|state| state.wall == *wall), "{walls:?}");
    }
}

#[tokio::test]
async fn a_wall_that_the_owner_does_without_stops_nothing() {
    let house = House::lacking("landlock", &[Wall::Landlock]);
    let outcome = house.hostile(&["write", "file"]).await;
    assert_eq!(outcome.out(), "write: got ()\n", "{outcome:?}");
    let secret = house.root.path().join("secret");
    symlink(&secret, house.workspace().join("link")).unwrap();
    let outcome = house.hostile(&["read", "link"]).await;
    assert!(refused(&outcome.out(), "read"), "the mount namespace still stands: {outcome:?}");
}

#[tokio::test]
async fn exe_07_links_in_a_grant_lead_nowhere() {
    let house = House::new();
    for (name, target) in
        [("a", "secret"), ("b", "../secret"), ("c", "/etc/shadow"), ("d", "/proc/self/environ"), ("e", "/root/.ssh")]
    {
        let target = if name == "a" { house.root.path().join(target) } else { target.into() };
        symlink(target, house.workspace().join(name)).unwrap();
        let outcome = house.hostile(&["read", name]).await;
        assert!(refused(&outcome.out(), "read"), "{name}: {outcome:?}");
    }
    symlink(house.root.path().join("new"), house.workspace().join("dangling")).unwrap();
    // At most it writes into the private `/tmp`, below which this place lies.
    assert!(house.hostile(&["write", "dangling"]).await.result.is_ok());
    assert!(!house.root.path().join("new").exists());
    house.write("plain", "text");
    assert_eq!(house.hostile(&["read", "plain"]).await.out(), "read: got \"text\"\n");
}

#[tokio::test]
async fn exe_07_a_program_sees_its_grants_and_the_system_only() {
    let house = House::new();
    let around = house.root.path().canonicalize().unwrap();
    // Composed in the program, so that no check of arguments is in the way.
    for path in ["..", "../..", "../../.."] {
        let outcome = house.hostile(&["list", path]).await;
        assert!(outcome.denied().starts_with("files="), "{path}");
    }
    symlink("..", house.workspace().join("up")).unwrap();
    symlink("/", house.workspace().join("top")).unwrap();
    let outcome = house.hostile(&["list", "up"]).await;
    assert!(outcome.out() == "list: got 1\n" || refused(&outcome.out(), "list"), "{outcome:?}");
    for name in ["top/proc", "top/sys", "top/home", "top/root", "top/var", "up/secret"] {
        assert!(refused(&house.hostile(&["list", name]).await.out(), "list"), "{name}");
    }
    assert!(around.join("secret").exists());
}

#[tokio::test]
async fn a_directory_granted_for_reading_is_not_written() {
    let mut house = House::new();
    house.write("file", "text");
    house.writable = false;
    assert!(refused(&house.hostile(&["write", "file"]).await.out(), "write"));
    assert!(refused(&house.hostile(&["write", "new"]).await.out(), "write"));
    assert_eq!(std::fs::read_to_string(house.workspace().join("file")).unwrap(), "text");
    house.writable = true;
    assert_eq!(house.hostile(&["write", "new"]).await.out(), "write: got ()\n");
    assert_eq!(std::fs::read_to_string(house.workspace().join("new")).unwrap(), "written");
}

#[tokio::test]
async fn an_inner_directory_keeps_its_own_access() {
    let house = House::new();
    house.write("inner/file", "text");
    let outer = Directory::open(&house.workspace(), false).unwrap();
    let inner = Directory::open(&house.workspace().join("inner"), true).unwrap();
    let directories = [inner, outer];
    let pinned = House::approve_hostile();
    let run = |path| {
        let argv = ["chiton-native-hostile", "write", path];
        let (house, pinned, directories) = (&house, &pinned, &directories);
        async move { house.run_in(pinned, &argv, directories, &house.workspace(), &CancellationToken::new()).await.out() }
    };
    assert_eq!(run("inner/file").await, "write: got ()\n");
    assert!(refused(&run("outer").await, "write"));
}

#[tokio::test]
async fn the_bots_own_places_stay_out_of_sight() {
    let mut options = Options::new(child(), Vec::new());
    let mut house = House::with(options.clone());
    house.write(".chiton/config.json", "{}");
    house.write(".token", "secret");
    options.hidden =
        vec![house.workspace().join(".chiton"), house.workspace().join(".token"), house.workspace().join("none")];
    house.native = chiton_native::Native::new(options);
    assert_eq!(house.hostile(&["list", ".chiton"]).await.out(), "list: got 0\n");
    assert!(refused(&house.hostile(&["write", ".chiton/new"]).await.out(), "write"));
    assert_eq!(house.hostile(&["read", ".token"]).await.out(), "read: got \"\"\n");
    assert_eq!(std::fs::read_to_string(house.workspace().join(".chiton/config.json")).unwrap(), "{}");
}

#[tokio::test]
async fn what_is_granted_inside_a_hidden_place_is_seen_and_the_rest_of_it_is_not() {
    let mut options = Options::new(child(), Vec::new());
    let mut house = House::with(options.clone());
    let home = house.workspace().join("home");
    house.write("home/key", "secret");
    house.write("home/work/notes", "mine");
    options.hidden = vec![home.clone()];
    house.native = chiton_native::Native::new(options);
    let directories =
        [Directory::open(&house.workspace(), true).unwrap(), Directory::open(&home.join("work"), true).unwrap()];
    let pinned = House::approve_hostile();
    let run = |argv: [&'static str; 2]| {
        let argv = ["chiton-native-hostile", argv[0], argv[1]];
        let (house, pinned, directories) = (&house, &pinned, &directories);
        async move { house.run_in(pinned, &argv, directories, &house.workspace(), &CancellationToken::new()).await.out() }
    };
    assert_eq!(run(["read", "home/work/notes"]).await, "read: got \"mine\"\n");
    assert_eq!(run(["write", "home/work/new"]).await, "write: got ()\n");
    assert!(refused(&run(["read", "home/key"]).await, "read"));
    assert!(refused(&run(["write", "home/new"]).await, "write"));
    // The home itself may also be the only thing around the grant.
    let directories = [Directory::open(&home.join("work"), true).unwrap()];
    let argv = ["chiton-native-hostile", "read", "notes"];
    let ended = house.run_in(&pinned, &argv, &directories, &home.join("work"), &CancellationToken::new()).await;
    assert_eq!(ended.out(), "read: got \"mine\"\n");
}

#[tokio::test]
async fn exe_06_a_program_can_start_itself_but_no_other() {
    let house = House::new();
    let copied = house.workspace().join("copied");
    assert!(std::process::Command::new("/bin/cp").arg(hostile()).arg(&copied).status().unwrap().success());
    // Paths reach the program through a link, so that no check of arguments is in the way.
    symlink("/", house.workspace().join("top")).unwrap();
    for path in ["top/bin/sh", "top/usr/bin/env", "top/usr/bin/true", "copied"] {
        let outcome = house.hostile(&["execute", path, "-c", "id"]).await;
        assert!(refused(&outcome.out(), "execute"), "{path}: {outcome:?}");
    }
    let loader =
        if cfg!(target_arch = "x86_64") { "top/lib64/ld-linux-x86-64.so.2" } else { "top/lib/ld-linux-aarch64.so.1" };
    if std::path::Path::new("/").join(loader.trim_start_matches("top/")).exists() {
        // The loader may be executed, but nothing in a grant can be mapped as code.
        let outcome = house.hostile(&["execute", loader, "./copied", "write", "pwned"]).await;
        assert!(!house.workspace().join("pwned").exists(), "{outcome:?}");
        assert!(!outcome.out().contains("ExitStatus(unix_wait_status(0))"), "{outcome:?}");
    }
    let outcome = house.allowed("ls", &["ls", "copied"]).await;
    assert_eq!(outcome.out(), "copied\n");
}

#[tokio::test]
async fn exe_03_exe_10_the_environment_is_a_fixed_short_list() {
    let house = House::new();
    let outcome = house.hostile(&["environment"]).await;
    let out = outcome.out();
    let mut names: Vec<&str> = out.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    names.sort_unstable();
    assert_eq!(names, ["HOME", "LANG", "PATH", "TERM", "TMPDIR"], "{out}");
    assert!(out.contains(&format!("HOME={}\n", house.workspace().display())));
}

#[tokio::test]
async fn exe_10_only_the_standard_streams_are_open() {
    // A descriptor that a careless part of the host left open for its children.
    let leaked = rustix::io::fcntl_dupfd_cloexec(std::io::stderr(), 600).unwrap();
    rustix::io::fcntl_setfd(&leaked, rustix::io::FdFlags::empty()).unwrap();
    let house = House::new();
    assert_eq!(house.hostile(&["descriptors"]).await.out(), "[0, 1, 2]\n");
}

#[tokio::test]
async fn exe_09_there_is_no_terminal_and_no_input() {
    let house = House::new();
    let outcome = house.hostile(&["terminal"]).await;
    let out = outcome.out();
    assert!(refused(&out, "controlling terminal") && refused(&out, "push"), "{out}");
    assert!(out.contains("terminals: []\n") && out.contains("input: got 0\n"), "{out}");
}

#[tokio::test]
async fn exe_15_no_way_leads_to_the_network() {
    let house = House::new();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let unix = UnixListener::bind(house.workspace().join("socket")).unwrap();
    tcp.set_nonblocking(true).unwrap();
    unix.set_nonblocking(true).unwrap();
    let address = tcp.local_addr().unwrap().to_string();
    let out = house.hostile(&["network", &address, "socket"]).await.out();
    for what in ["tcp", "udp", "unix", "raw"] {
        assert!(refused(&out, what), "{what}: {out}");
    }
    assert!(tcp.accept().is_err() && unix.accept().is_err());
}

#[tokio::test]
async fn exe_15_without_seccomp_the_namespace_keeps_the_network_away() {
    let house = House::lacking("seccomp", &[Wall::Seccomp]);
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    tcp.set_nonblocking(true).unwrap();
    let out = house.hostile(&["network", &tcp.local_addr().unwrap().to_string(), "none"]).await.out();
    assert!(refused(&out, "tcp") && refused(&out, "udp"), "{out}");
    assert!(tcp.accept().is_err());
}

#[tokio::test]
async fn dangerous_system_calls_are_refused() {
    let house = House::new();
    house.write("file", "x");
    let out = house.hostile(&["calls", "file"]).await.out();
    let refusals = ["ptrace", "unshare", "clone", "keyctl", "bpf", "io_uring", "mount", "memfd", "set-uid", "setuid"];
    for what in refusals {
        assert!(refused(&out, what), "{what}: {out}");
    }
    assert!(out.contains("chmod: got ()"), "{out}");
    assert!(!out.contains("x32: got"), "{out}");
}

#[tokio::test]
async fn a_program_is_alone_and_nobody_special() {
    let house = House::new();
    let out = house.hostile(&["identity"]).await.out();
    assert!(out.starts_with("pid 2 parent 1 "), "{out}");
    assert!(!out.contains("uid 0"), "{out}");
    let own = std::process::id().to_string();
    assert!(refused(&house.hostile(&["kill", &own]).await.out(), "kill"));
}

#[tokio::test]
async fn files_that_a_program_makes_belong_to_the_owner_of_the_directory() {
    use std::os::unix::fs::MetadataExt as _;
    let house = House::new();
    assert_eq!(house.hostile(&["write", "made"]).await.out(), "write: got ()\n");
    let made = house.workspace().join("made").metadata().unwrap();
    let directory = house.workspace().metadata().unwrap();
    assert_eq!((made.uid(), made.gid()), (directory.uid(), directory.gid()));
    std::fs::remove_file(house.workspace().join("made")).unwrap();
}

#[tokio::test]
async fn temporary_files_are_private_and_gone_afterwards() {
    let house = House::new();
    symlink("/tmp/from-a-program", house.workspace().join("link")).unwrap();
    assert_eq!(house.hostile(&["write", "link"]).await.out(), "write: got ()\n");
    assert!(refused(&house.hostile(&["read", "link"]).await.out(), "read"));
    assert!(!std::path::Path::new("/tmp/from-a-program").exists());
}
