//! One host per home, and a home that other users cannot read or exchange.
#![cfg(test)]

mod support;

use chiton_tests::fake_openai::{FakeOpenAi, Reply, Script};
use serde_json::json;
use std::fs::{File, Permissions};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use support::{Home, Ran, mode};

/// A host that is busy with a slow model.
struct Running {
    child: Child,
    _model: FakeOpenAi,
}

impl Running {
    fn start(home: &Home) -> Self {
        let slow = Reply { first_delay_ms: 60_000, ..Reply::text("late") };
        let model = FakeOpenAi::start_blocking(Script::new().always(slow));
        home.use_model(&model.base_url());
        let child =
            home.chiton(&["chat", "-m", "hello"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let running = Self { child, _model: model };
        wait_for(|| !running._model.chats().is_empty());
        running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn wait_for(done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it did not happen in time");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn commands_go_through_the_running_host() {
    let home = Home::new();
    let _running = Running::start(&home);
    home.file("note.txt", b"canary");
    let path = json!({"path": home.work().join("note.txt")});
    home.call("read_file", path.clone(), &[]).bad(4, "files=");
    home.run(&["grant", "add", "file", "files=.:read"]).good();
    assert!(home.call("read_file", path.clone(), &[]).good().stdout.contains("canary"));
    home.run(&["grant", "remove", "file", "files=.:read"]).good();
    home.call("read_file", path, &[]).bad(4, "files=");
    home.file("hello.wasm", &chiton_hostile::tool("hello"));
    home.run(&["tool", "approve", "hello.wasm"]).good();
    home.call("hello", json!({}), &[]).good();
    home.run(&["tool", "revoke", "hello"]).good();
    home.call("hello", json!({}), &[]).bad(10, "hello");
    let doctor = home.run(&["doctor", "--json"]).json();
    let host = doctor.as_array().unwrap().iter().find(|finding| finding["name"] == "host").unwrap().clone();
    assert_eq!(host["detail"], "a chiton runs in this home");
}

#[test]
fn a_home_that_another_host_holds_is_left_alone() {
    let home = Home::new();
    home.run(&["grant", "add", "file", "files=.:read"]).good();
    let lock = File::options().write(true).open(home.root().join("host.lock")).unwrap();
    lock.lock().unwrap();
    let begun = Instant::now();
    home.run(&["grant", "add", "file", "files=.:write"]).bad(6, "in use by another chiton");
    assert!(begun.elapsed() < Duration::from_secs(10));
    home.run(&["grant", "list"]).good();
    drop(lock);
    home.run(&["grant", "add", "file", "files=.:write"]).good();
}

#[test]
fn a_killed_host_leaves_nothing_that_must_be_cleaned_up() {
    let home = Home::new();
    let mut running = Running::start(&home);
    let socket = home.root().join("control.sock");
    assert!(socket.symlink_metadata().unwrap().file_type().is_socket());
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    assert!(socket.exists());
    home.run(&["grant", "add", "file", "files=.:read"]).good();
    assert!(!socket.exists());
}

#[test]
fn loc_01_everything_is_private_from_the_first_byte_under_any_umask() {
    let home = Home::empty();
    std::fs::remove_dir(home.root()).unwrap();
    let mut shell = std::process::Command::new("sh");
    shell
        .args(["-c", "umask 000; exec \"$0\" \"$@\""])
        .arg(assert_cmd::cargo::cargo_bin!("chiton"))
        .args(["tool", "call", "write_file", r#"{"path": "x.txt", "content": "x"}"#])
        .env("CHITON_HOME", home.root())
        .current_dir(home.work());
    assert!(shell.status().unwrap().success());
    let mut seen = 0;
    each(&home.root(), &mut |path| {
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(path) & 0o077, 0, "{}", path.display());
        assert!(mode(path) <= wanted, "{}", path.display());
        seen += 1;
    });
    assert!(seen > 8);
}

fn each(path: &Path, look: &mut dyn FnMut(&Path)) {
    look(path);
    if path.is_dir() {
        std::fs::read_dir(path).unwrap().flatten().for_each(|entry| each(&entry.path(), look));
    }
}

#[test]
fn loc_01_the_control_socket_is_private() {
    let home = Home::new();
    let _running = Running::start(&home);
    assert_eq!(mode(&home.root().join("control.sock")) & 0o077, 0);
}

#[test]
fn loc_02_loose_modes_are_repaired_and_said() {
    let home = Home::new();
    home.run(&["grant", "add", "file", "files=.:read"]).good();
    for name in ["chiton.db", "."] {
        let path = home.root().join(name);
        let loose = if path.is_dir() { 0o755 } else { 0o644 };
        std::fs::set_permissions(&path, Permissions::from_mode(loose)).unwrap();
        let ran = home.run(&["grant", "list"]).good();
        assert!(ran.stderr.contains("was open to other users"), "{ran:?}");
        assert_eq!(mode(&path) & 0o077, 0);
        assert!(!home.run(&["grant", "list"]).good().stderr.contains("was open"));
    }
}

#[test]
fn loc_03_nothing_is_followed_at_the_places_of_the_home() {
    for name in ["control.sock", "host.lock", "chiton.db", "config.json"] {
        let home = Home::new();
        let victim = home.file("victim", b"untouched");
        symlink(&victim, home.root().join(name)).unwrap();
        let ran = home.run(&["grant", "add", "file", "files=.:read"]);
        assert_eq!(ran.code, 7, "{name}: {ran:#?}");
        assert_eq!(std::fs::read(&victim).unwrap(), b"untouched", "{name}");
        std::fs::remove_file(home.root().join(name)).unwrap();
        home.run(&["grant", "add", "file", "files=.:read"]).good();
    }
}

#[test]
fn loc_04_a_running_host_gives_no_core_dump_and_no_secret_in_its_arguments() {
    let home = Home::new();
    let running = Running::start(&home);
    let process = format!("/proc/{}", running.child.id());
    let limits = std::fs::read_to_string(format!("{process}/limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    for place in ["cmdline", "environ"] {
        let bytes = std::fs::read(format!("{process}/{place}")).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("canary"), "{place}");
    }
}

#[test]
fn loc_05_another_user_reaches_neither_the_home_nor_its_host() {
    if !rustix::process::geteuid().is_root() {
        return; // only root can act as another user
    }
    let home = Home::new();
    let _running = Running::start(&home);
    // The other user may even reach the folders; what is inside stays closed.
    for folder in [home.root().parent().unwrap().to_owned(), home.work()] {
        std::fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    }
    let copy = home.work().join("chiton");
    std::fs::copy(assert_cmd::cargo::cargo_bin!("chiton"), &copy).unwrap();
    std::fs::set_permissions(&copy, Permissions::from_mode(0o755)).unwrap();
    let mut stranger = std::process::Command::new(&copy);
    stranger.args(["tool", "call", "list_dir", "{\"path\": \".\"}"]).env("CHITON_HOME", home.root()).current_dir("/");
    let ran: support::Ran = stranger.uid(65_534).gid(65_534).output().unwrap().into();
    ran.bad(7, "cannot use");
    let connect = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])";
    let mut python = std::process::Command::new("python3");
    let refused = python.args(["-c", connect]).arg(home.root().join("control.sock")).uid(65_534).gid(65_534);
    assert!(!refused.stderr(Stdio::null()).status().unwrap().success());
}

#[test]
fn loc_06_a_socket_that_is_not_the_hosts_is_not_asked() {
    let home = Home::new();
    let socket = home.root().join("control.sock");
    std::fs::write(&socket, b"no socket").unwrap();
    home.run(&["grant", "add", "file", "files=.:read"]).bad(7, "no socket");
    assert_eq!(std::fs::read(&socket).unwrap(), b"no socket");
}

#[test]
fn loc_07_a_home_that_others_could_exchange_is_refused() {
    let home = Home::new();
    let parent = home.root().parent().unwrap().to_owned();
    std::fs::set_permissions(&parent, Permissions::from_mode(0o777)).unwrap();
    home.run(&["grant", "list"]).bad(7, "chmod go-w");
    std::fs::set_permissions(&parent, Permissions::from_mode(0o700)).unwrap();
    home.run(&["grant", "list"]).good();
}

#[test]
fn loc_08_a_component_of_another_user_is_not_approved() {
    if !rustix::process::geteuid().is_root() {
        return; // only root can give a file away
    }
    let home = Home::new();
    let file = home.file("hello.wasm", &chiton_hostile::tool("hello"));
    std::os::unix::fs::chown(&file, Some(65_534), None).unwrap();
    home.run(&["tool", "approve", "hello.wasm"]).bad(8, "belongs to the user with uid 65534");
    std::os::unix::fs::chown(&file, Some(0), None).unwrap();
    home.run(&["tool", "approve", "hello.wasm"]).good();
}

#[test]
fn loc_11_root_is_warned() {
    let home = Home::new();
    let ran = home.call("list_dir", json!({"path": "."}), &[]).good();
    let root = rustix::process::geteuid().is_root();
    assert_eq!(ran.stderr.contains("runs as root"), root, "{ran:?}");
}

#[test]
fn a_damaged_database_is_never_overwritten() {
    let home = Home::new();
    home.run(&["grant", "add", "file", "files=.:read"]).good();
    let database = home.root().join("chiton.db");
    let damaged = vec![0x5a; 8_192];
    std::fs::write(&database, &damaged).unwrap();
    // What is left of the last writer would repair it.
    for left in ["chiton.db-wal", "chiton.db-shm"] {
        std::fs::remove_file(home.root().join(left)).ok();
    }
    home.run(&["grant", "add", "file", "files=.:write"]).bad(7, "damaged");
    home.run(&["tool", "list"]).bad(7, "damaged");
    assert_eq!(std::fs::read(&database).unwrap(), damaged);
}

#[test]
fn a_home_with_a_long_path_works() {
    let home = Home::new();
    let long = home.root().join("n".repeat(60)).join("m".repeat(60));
    std::fs::create_dir_all(&long).unwrap();
    for folder in [&long, long.parent().unwrap()] {
        std::fs::set_permissions(folder, Permissions::from_mode(0o700)).unwrap();
    }
    let mut command = home.chiton(&["grant", "add", "file", "files=.:read"]);
    assert!(command.env("CHITON_HOME", long.join("home")).status().unwrap().success());
}

#[test]
fn loc_10_no_secret_is_in_logs_or_taken_from_the_command_line_and_all_files_are_private() {
    let home = Home::new();
    home.run(&["config", "set", "providers.mine.apiKey", "sk-canary-argv"]).bad(2, "");
    let model = FakeOpenAi::start_blocking(Script::new().then(Reply::text("yes")));
    home.use_model(&model.base_url());
    let mut chat = home.chiton(&["chat", "-m", "hello"]);
    chat.env("RUST_LOG", "trace").env("CHITON_LOG", "trace");
    let ran: Ran = chat.output().unwrap().into();
    assert!(!format!("{ran:?}").contains("canary"), "{ran:#?}");
    let mut open = vec![home.root()];
    while let Some(path) = open.pop() {
        assert_eq!(mode(&path) & 0o077, 0, "{path:?}");
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
}
