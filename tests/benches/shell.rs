//! `exec` against `bash -c` in the same run, warm: `ls` of 20 and of 1,000 files, a pipeline over 1,000 files, and one line of JavaScript (and of
//! Python, if `target/python.wasm` is there). Prints the median and the 95th percentile of each.
#![allow(clippy::unwrap_used, reason = "a bench ends at its first error")]

use chiton_sandbox::{Access, CallRequest, FileGrant, Grants, Part, Sandbox, SessionRights};
use chiton_tests::shell;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const ROUNDS: usize = 200;
const FILES: usize = 1_000;
const FEW: usize = 20;
/// What is run in both, and for whom a native command stands in its place.
const COMMANDS: [(&str, &str, &str); 5] = [
    ("ls, 20", "ls few", "ls few"),
    ("ls, 1000", "ls", "ls"),
    ("pipeline", "grep -r x . | sort | head", "grep -r x . | sort | head"),
    (
        "js",
        "js -e 'console.log([1,2,3].map(x => x * 2).join())'",
        "node -e 'console.log([1,2,3].map(x => x * 2).join())'",
    ),
    ("python", "python -c 'print(sum(range(10)))'", "python3 -c 'print(sum(range(10)))'"),
];

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..FILES {
        std::fs::write(folder.path().join(format!("{number}.txt")), format!("line {number}\nx marks {number}\n"))
            .unwrap();
    }
    std::fs::create_dir(folder.path().join("few")).unwrap();
    for number in 0..FEW {
        std::fs::write(folder.path().join(format!("few/{number}.txt")), "one line\n").unwrap();
    }
    let sandbox = sandbox(folder.path()).await;
    println!("{:10} {:>12} {:>12} {:>12} {:>12}", "", "exec p50", "exec p95", "bash p50", "bash p95");
    for (name, ours, native) in COMMANDS {
        let program = ours.split(' ').next().unwrap();
        if name == "python" && shell::python().is_none() {
            continue;
        }
        exec(&sandbox, &format!("command -v {program}")).await;
        let mut mine = Vec::new();
        let mut theirs = Vec::new();
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            exec(&sandbox, ours).await;
            mine.push(begun.elapsed());
            let begun = Instant::now();
            Command::new("bash").args(["-c", native]).current_dir(folder.path()).output().unwrap();
            theirs.push(begun.elapsed());
        }
        let of = |times: &mut Vec<Duration>, share: usize| {
            times.sort();
            format!("{:.2} ms", times[times.len() * share / 100].as_secs_f64() * 1_000.0)
        };
        println!(
            "{name:10} {:>12} {:>12} {:>12} {:>12}",
            of(&mut mine, 50),
            of(&mut mine, 95),
            of(&mut theirs, 50),
            of(&mut theirs, 95)
        );
    }
}

async fn exec(sandbox: &Sandbox, command: &str) {
    let request = CallRequest {
        tool: "exec".to_owned(),
        arguments: json!({ "command": command }),
        session: SessionRights::of("bench:shell"),
        limits: None,
        cancel: Default::default(),
        progress: None,
    };
    let parts = sandbox.call(request).await.result.unwrap();
    let Some(Part::Text(text)) = parts.first() else { panic!("{parts:?}") };
    assert!(text.contains("Exit code: 0"), "{command}: {text}");
}

async fn sandbox(folder: &Path) -> Sandbox {
    let sandbox = shell::sandbox(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("programs"));
    for program in ["coreutils", "search", "js"] {
        shell::publish(&sandbox, program).await;
    }
    if let Some(python) = shell::python() {
        shell::publish_as(&sandbox, &["python".to_owned()], python).await;
    }
    let exec = sandbox.load(shell::built("exec")).await.unwrap();
    let files = vec![FileGrant::directory(folder, Access::Write).unwrap()];
    sandbox.publish("exec", exec, Grants { files, limits: Some(shell::limits()), ..Grants::default() }).unwrap();
    sandbox
}
