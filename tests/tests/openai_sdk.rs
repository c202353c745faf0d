//! The official `openai` Python SDK reads what the fake model sends.

use chiton_tests::fake_openai::{Answer, End, FakeOpenAi, Reply, Rule, Script};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const REQUIREMENTS: &str = include_str!("../python/requirements.txt");

#[test]
fn the_official_python_sdk_reads_the_fakes_answers() {
    if std::env::var_os("CHITON_SKIP_PYTHON").is_some_and(|value| value == "1") {
        eprintln!("SKIPPED because CHITON_SKIP_PYTHON=1: the fake was not compared with the official SDK");
        return;
    }
    let python = match environment() {
        Ok(python) => python,
        Err(reason) => panic!(
            "the official openai SDK cannot be had ({reason}); connect to the package index once, or set CHITON_SKIP_PYTHON=1 to do without this test"
        ),
    };
    let fake = FakeOpenAi::start_blocking(script());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("python");
    let output = run(Command::new(python)
        .arg("-B")
        .arg("test_fake_openai.py")
        .current_dir(folder)
        .env("FAKE_OPENAI_URL", fake.base_url()));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn script() -> Script {
    let hello = Reply { usage: Some((12, 3)), ..Reply::text("Hello, wörld") };
    let calls = Reply::call("read_file", json!({ "path": "a" })).and_call("read_file", json!({ "path": "b" }));
    let dropped = Reply { cut_after: Some(3), end: End::Drop, ..Reply::text("a long answer that is cut") };
    let rules: [(&str, Answer); 6] = [
        ("say hello", hello.into()),
        ("read two", calls.into()),
        ("result", Reply::text("done").into()),
        ("limit me", Answer::status(429, "slow down").header("retry-after", "7")),
        ("break", Answer::status(500, "broken")),
        ("drop", dropped.into()),
    ];
    let rules = rules.map(|(words, answer)| Rule { when: Some(words.into()), times: 0, answer });
    Script { models: vec!["m".into()], key: Some("right".into()), rules: rules.into() }
}

/// A virtual environment below `target` with the pinned SDK; made once.
fn environment() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("python-venv");
    let (python, stamp) = (folder.join("bin/python"), folder.join("requirements.txt"));
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == REQUIREMENTS) {
        return Ok(python);
    }
    check(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    check(Command::new(&python).args(install).arg(concat!(env!("CARGO_MANIFEST_DIR"), "/python/requirements.txt")))?;
    std::fs::write(&stamp, REQUIREMENTS).map_err(|error| format!("{} cannot be written: {error}", stamp.display()))?;
    Ok(python)
}

fn check(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?} cannot be started: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    Err(said.lines().last().unwrap_or("it failed without a word").to_string())
}

fn run(command: &mut Command) -> Output {
    match command.output() {
        Ok(output) => output,
        Err(error) => panic!("{command:?} cannot be started: {error}"),
    }
}
