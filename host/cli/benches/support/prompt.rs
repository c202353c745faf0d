//! A chat in a real terminal (made by `script` of util-linux), until its first prompt.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A configuration that waits for input without a model.
pub const CONFIG: &str = r#"{"agents": {"defaults": {"model": "none", "provider": "mine"}},
    "providers": {"mine": {"apiBase": "http://127.0.0.1:9/v1"}}}"#;
/// What stands at the beginning of the line that waits for input.
const PROMPT: &str = "› ";

/// Starts so many chats one after the other and prints what they took.
pub fn report(home: &Path, runs: usize) -> std::io::Result<()> {
    let mut times = Vec::new();
    let mut resident = 0;
    for _ in 0..runs {
        let (time, memory) = start(home)?;
        times.push(time.as_secs_f64() * 1_000.0);
        resident = resident.max(memory);
    }
    times.sort_by(f64::total_cmp);
    let (middle, worst) = (times[runs / 2], times[runs - 1]);
    println!(
        "warm: prompt after p50 {middle:.1} ms, worst {worst:.1} ms; {resident} KiB resident at most ({runs} runs)"
    );
    Ok(())
}

/// Starts a chat, waits for its prompt, and gives the time and the resident memory in KiB.
pub fn start(home: &Path) -> std::io::Result<(Duration, u64)> {
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
