//! From the start of the program to its first prompt in a real terminal (made by `script` of
//! util-linux), with a warm and with an empty code cache, and what it then holds in memory. A plain
//! program: what is measured is another process.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const RUNS: usize = 30;
/// What stands at the beginning of the line that waits for input.
const PROMPT: &str = "› ";

fn main() -> std::io::Result<()> {
    let home = tempfile::tempdir()?;
    let config = r#"{"agents": {"defaults": {"model": "none", "provider": "mine"}},
        "providers": {"mine": {"apiBase": "http://127.0.0.1:9/v1"}}}"#;
    std::fs::write(home.path().join("config.json"), config)?;
    let (cold, settled) = start(home.path())?;
    println!("empty cache: prompt after {:.0} ms, {settled} KiB resident", ms(cold));
    let mut times = Vec::new();
    let mut resident = 0;
    for _ in 0..RUNS {
        let (time, memory) = start(home.path())?;
        times.push(time);
        resident = resident.max(memory);
    }
    times.sort();
    println!(
        "warm: prompt after p50 {:.1} ms, p99 {:.1} ms; {resident} KiB resident at most ({RUNS} runs)",
        ms(times[RUNS / 2]),
        ms(times[RUNS - 1])
    );
    Ok(())
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Starts a chat, waits for its prompt, and gives the time and the resident memory in KiB.
fn start(home: &Path) -> std::io::Result<(Duration, u64)> {
    let begun = Instant::now();
    let mut terminal = Command::new("script")
        .args(["-qfec", &format!("exec {} chat", env!("CARGO_BIN_EXE_chiton")), "/dev/null"])
        .env("CHITON_HOME", home)
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let time = wait_for_prompt(&mut terminal, begun);
    std::thread::sleep(Duration::from_millis(300));
    let memory = resident(terminal.id()).unwrap_or(0);
    // Closing the terminal's input ends the chat as Ctrl-D does.
    drop(terminal.stdin.take());
    terminal.kill()?;
    terminal.wait()?;
    Ok((time?, memory))
}

fn wait_for_prompt(terminal: &mut Child, begun: Instant) -> std::io::Result<Duration> {
    let mut shown = Vec::new();
    let mut byte = [0];
    let Some(output) = &mut terminal.stdout else { return Err(std::io::ErrorKind::BrokenPipe.into()) };
    while output.read(&mut byte)? > 0 {
        shown.push(byte[0]);
        if String::from_utf8_lossy(&shown).contains(PROMPT) {
            return Ok(begun.elapsed());
        }
    }
    Err(std::io::Error::other(format!("no prompt: {}", String::from_utf8_lossy(&shown))))
}

/// Resident memory of the program in the terminal.
fn resident(terminal: u32) -> Option<u64> {
    let children = std::fs::read_to_string(format!("/proc/{terminal}/task/{terminal}/children")).ok()?;
    let program = children.split_whitespace().next()?;
    let status = std::fs::read_to_string(format!("/proc/{program}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
