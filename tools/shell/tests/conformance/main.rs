//! Runs every case of `tests/shell` under the machine's `bash` and under this shell over real processes, and compares
//! standard output, exit code, and whether anything was written to standard error.
//!
//! `cargo test -p chiton-shell --test conformance -- PART` runs the cases whose name holds PART. Called as `sh` the
//! binary is this shell itself: so it runs stages of pipelines that are shell code.

mod native;

use chiton_shell::Standard;
use native::{Input, Native, Output};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Longest time of one case.
const LONGEST: Duration = Duration::from_secs(20);

struct Case {
    /// File and name.
    name: String,
    script: String,
}

#[derive(PartialEq)]
struct Outcome {
    output: String,
    code: Option<i32>,
    complains: bool,
    error: String,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).is_some_and(|name| name == "sh") {
        return ExitCode::from(shell(&arguments[1..]).unwrap_or(125));
    }
    let wanted = arguments.iter().skip(1).find(|argument| !argument.starts_with('-'));
    let cases: Vec<Case> =
        corpus().into_iter().filter(|case| wanted.is_none_or(|part| case.name.contains(part.as_str()))).collect();
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(report) = compare(case) {
                        failures.lock().expect("no thread has failed").push((case.name.clone(), report));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().expect("all threads are done");
    failures.sort();
    for (name, report) in &failures {
        println!("--- {name}\n{report}");
    }
    println!("{} cases, {} differ from bash", cases.len(), failures.len());
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn shell(arguments: &[String]) -> io::Result<u8> {
    let directory = std::env::current_dir()?.to_string_lossy().into_owned();
    let standard = Standard {
        input: Input::standard()?,
        output: Output::standard(io::stdout())?,
        error: Output::standard(io::stderr())?,
    };
    let environment = std::env::vars().collect();
    chiton_shell::run(Rc::new(Native), arguments, environment, &directory, standard).map_err(io::Error::other)
}

/// All cases: `#### name` begins one, its script goes to the next.
fn corpus() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/shell");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the corpus is there")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sh"))
        .collect();
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let group = file.file_stem().expect("it has a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).expect("it is text");
        for part in text.split("\n#### ").skip(1) {
            let (name, script) = part.split_once('\n').expect("a case has a script");
            cases.push(Case { name: format!("{group}: {name}"), script: script.to_owned() });
        }
    }
    cases
}

fn compare(case: &Case) -> Option<String> {
    let own = std::env::current_exe().expect("the test has a path");
    let own = own.to_str().expect("it is text");
    let bash = outcome(&["bash"], &case.script);
    let ours = outcome(&[own, "sh"], &case.script);
    let (bash, ours) = match (bash, ours) {
        (Ok(bash), Ok(ours)) => (bash, ours),
        (Err(reason), _) => return Some(format!("bash: {reason}")),
        (_, Err(reason)) => return Some(format!("ours: {reason}")),
    };
    let same = bash.output == ours.output && bash.code == ours.code && bash.complains == ours.complains;
    let show =
        |outcome: &Outcome| format!("code {:?}, stdout {:?}, stderr {:?}", outcome.code, outcome.output, outcome.error);
    (!same).then(|| format!("bash: {}\nours: {}\n", show(&bash), show(&ours)))
}

/// Runs a script in a directory of its own.
fn outcome(shell: &[&str], script: &str) -> io::Result<Outcome> {
    let directory = tempfile::tempdir()?;
    let (work, scratch) = (directory.path().join("work"), directory.path().join("scratch"));
    std::fs::create_dir(&work)?;
    std::fs::create_dir(&scratch)?;
    let (out, err) = (directory.path().join("stdout"), directory.path().join("stderr"));
    let mut child = Command::new(shell[0])
        .args(&shell[1..])
        .args(["-c", script, "sh"])
        .current_dir(&work)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", "/home/somebody")
        .env("LANG", "C.UTF-8")
        .env("TMPDIR", &scratch)
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(&out)?)
        .stderr(std::fs::File::create(&err)?)
        .spawn()?;
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if start.elapsed() > LONGEST {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::other("did not end"));
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let text = |path: &Path| Ok::<_, io::Error>(String::from_utf8_lossy(&std::fs::read(path)?).into_owned());
    // Both runs have their own directory, whose name is no difference.
    let place = work.to_string_lossy().into_owned();
    let output = text(&out)?.replace(&place, "WORK");
    let error = text(&err)?;
    Ok(Outcome { output, code: status.code(), complains: !error.is_empty(), error })
}
