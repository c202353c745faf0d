//! How much a program may use, and that nothing of it is left: EXE-08, EXE-11, EXE-12.

use crate::house::{House, child};
use chiton_native::{Limits, NativeError, Options};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

const MIB: u64 = 1 << 20;

/// Whether nothing changes the file any more.
async fn still(house: &House, name: &str) -> bool {
    let read = || std::fs::read_to_string(house.workspace().join(name)).unwrap_or_default();
    let before = read();
    tokio::time::sleep(Duration::from_millis(400)).await;
    read() == before
}

#[tokio::test]
async fn exe_08_what_a_program_leaves_behind_ends_with_it() {
    let house = House::new();
    let outcome = house.hostile(&["escape", "beat"]).await;
    assert_eq!((outcome.code(), outcome.out().as_str()), (0, "left\n"), "{outcome:?}");
    assert!(house.workspace().join("beat").exists(), "it did live for a while");
    assert!(still(&house, "beat").await);
}

#[tokio::test]
async fn exe_08_the_deadline_ends_every_process() {
    let mut house = House::new();
    house.limits = Limits { time: Duration::from_millis(200), ..Limits::default() };
    let start = Instant::now();
    let outcome = house.hostile(&["escape", "beat"]).await;
    assert!(matches!(outcome.result, Err(NativeError::TimedOut(_))), "{outcome:?}");
    assert!(start.elapsed() < house.limits.time + Duration::from_millis(250), "{:?}", start.elapsed());
    assert!(still(&house, "beat").await);
    let start = Instant::now();
    assert!(matches!(house.hostile(&["sleep"]).await.result, Err(NativeError::TimedOut(_))));
    assert!(start.elapsed() < house.limits.time + Duration::from_millis(250), "{:?}", start.elapsed());
}

#[tokio::test]
async fn exe_08_cancelling_ends_every_process() {
    let house = House::new();
    let cancel = CancellationToken::new();
    let argv = ["chiton-native-hostile", "sleep"];
    let (pinned, directories, cwd) = (House::approve_hostile(), [house.directory()], house.workspace());
    let (outcome, ()) = tokio::join!(house.run_in(&pinned, &argv, &directories, &cwd, &cancel), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        cancel.cancel();
    });
    assert!(matches!(outcome.result, Err(NativeError::Cancelled)), "{outcome:?}");
}

#[tokio::test]
async fn exe_08_a_run_that_nobody_waits_for_ends() {
    let house = House::new();
    let beat = house.workspace().join("beat");
    let alive = async {
        while !beat.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    // The run is dropped as soon as it is seen to live.
    tokio::select! {
        outcome = house.hostile(&["escape", "beat"]) => panic!("it ended by itself: {outcome:?}"),
        () = alive => {}
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(still(&house, "beat").await);
}

/// Whether a process has this word in its command.
fn lives(tag: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let commands = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    commands.into_iter().any(|command| String::from_utf8_lossy(&command).contains(tag))
}

#[tokio::test]
async fn exe_08_a_run_dropped_at_any_moment_leaves_nothing() {
    let tag = format!("tag-{}", std::process::id());
    let house = House::with(Options::new(child(), vec![tag.clone().into()]));
    let escape = ["escape", tag.as_str()];
    for milliseconds in 0..40 {
        let run = house.hostile(&escape);
        let _ = tokio::time::timeout(Duration::from_millis(milliseconds), run).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!lives(&tag));

    let run = house.hostile(&escape);
    let seen = async {
        while !lives(&tag) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    assert!(tokio::join!(run, seen).0.result.is_ok(), "a living one is seen");
}

#[tokio::test]
async fn exit_codes_and_signals_come_through() {
    let house = House::new();
    assert_eq!(house.hostile(&["code", "0"]).await.code(), 0);
    assert_eq!(house.hostile(&["code", "255"]).await.code(), 255);
    let outcome = house.hostile(&["core"]).await;
    let exit = outcome.result.unwrap();
    assert_eq!((exit.code, exit.signal), (134, Some(6)));
}

#[tokio::test]
async fn exe_11_output_ends_at_its_limit_with_a_notice() {
    let mut house = House::new();
    house.limits.output = MIB;
    let start = Instant::now();
    let outcome = house.hostile(&["flood"]).await;
    assert!(outcome.result.as_ref().unwrap().cut);
    assert_eq!(outcome.stdout.len() as u64, MIB);
    assert!(outcome.err().contains("its output is over 1048576 bytes"), "{}", outcome.err());
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn exe_11_a_trickle_ends_at_the_deadline_and_keeps_what_came() {
    let mut house = House::new();
    house.limits.time = Duration::from_millis(1500);
    let outcome = house.hostile(&["drip"]).await;
    assert!(matches!(outcome.result, Err(NativeError::TimedOut(_))), "{outcome:?}");
    assert_eq!(outcome.out(), "..");
}

#[tokio::test]
async fn exe_11_bytes_come_through_as_they_are() {
    let house = House::new();
    assert_eq!(house.hostile(&["bytes"]).await.stdout, b"\x1b]8;;x\x07\xff\x00\x1b[2J");
}

#[tokio::test]
async fn a_large_stream_flows_both_ways() {
    let mut house = House::new();
    house.limits.output = 64 * MIB;
    house.input = Some((0..32 * MIB).map(|index| (index % 251) as u8).collect());
    let outcome = house.allowed("cat", &["cat"]).await;
    assert_eq!(outcome.code(), 0);
    assert!(outcome.stdout == house.input.unwrap());
}

#[tokio::test]
async fn a_reader_that_goes_away_ends_the_program() {
    let house = House::new();
    let argv = ["chiton-native-hostile", "flood"].map(str::to_owned);
    let (pinned, directories, cwd) = (House::approve_hostile(), [house.directory()], house.workspace());
    let limits = Limits { output: 1 << 40, ..Limits::default() };
    let request =
        chiton_native::Request { program: &pinned, argv: &argv, cwd: &cwd, directories: &directories, limits };
    let (near, far) = tokio::io::duplex(1024);
    drop(far);
    let none: Option<tokio::io::Empty> = None;
    let exit = house.native.run(request, none, near, tokio::io::sink(), &CancellationToken::new()).await.unwrap();
    // The habit stops at the error; a program that does not handle the signal would be ended by it.
    assert!(exit.code == 0 || exit.signal == Some(13), "{exit:?}");
}

#[tokio::test]
async fn exe_12_processes_are_limited() {
    let mut house = House::new();
    house.limits.time = Duration::from_secs(5);
    let outcome = house.hostile(&["fork-bomb"]).await;
    let children: u64 = outcome.out().trim().strip_prefix("children: ").unwrap().parse().unwrap();
    assert!((1..house.limits.processes).contains(&children), "{children}");
    assert_eq!(outcome.code(), 0);
}

#[tokio::test]
async fn processes_of_another_run_do_not_count() {
    let house = House::new();
    let runs =
        tokio::join!(house.hostile(&["fork-bomb"]), house.hostile(&["fork-bomb"]), house.hostile(&["fork-bomb"]));
    for outcome in [runs.0, runs.1, runs.2] {
        let children: u64 = outcome.out().trim().strip_prefix("children: ").unwrap().parse().unwrap();
        assert!(children + 4 > house.limits.processes, "{children}");
    }
}

#[tokio::test]
async fn exe_12_memory_is_limited() {
    let house = House::new();
    let outcome = house.hostile(&["allocate", "107374182400"]).await;
    assert!(outcome.out().contains("allocate: ") && !outcome.out().contains("got"), "{outcome:?}");
    let outcome = house.hostile(&["allocate", "104857600"]).await;
    assert!(outcome.out().contains("got"), "{outcome:?}");
}

#[tokio::test]
async fn exe_12_files_are_limited() {
    let mut house = House::new();
    house.limits.file = 4 * MIB;
    assert_eq!(house.hostile(&["disk", "large"]).await.out(), format!("disk: got {}\n", 4 * MIB));
    house.limits.temporary = 2 * MIB;
    std::os::unix::fs::symlink("/tmp/large", house.workspace().join("link")).unwrap();
    assert_eq!(house.hostile(&["disk", "link"]).await.out(), format!("disk: got {}\n", 2 * MIB));
}

#[tokio::test]
async fn exe_12_a_crash_leaves_no_core() {
    let house = House::new();
    let outcome = house.hostile(&["core"]).await;
    assert!(outcome.out().starts_with("core: 0 0"), "{outcome:?}");
    assert_eq!(std::fs::read_dir(house.workspace()).unwrap().count(), 0);
}
