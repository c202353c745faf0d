//! From the start of the program to its first prompt in a real terminal, with a warm and with an empty code cache, and
//! what it then holds in memory. A plain program: what is measured is another process.

#[path = "support/prompt.rs"]
mod prompt;

const RUNS: usize = 30;

fn main() -> std::io::Result<()> {
    let home = tempfile::tempdir()?;
    std::fs::write(home.path().join("config.json"), prompt::CONFIG)?;
    let (cold, settled) = prompt::start(home.path())?;
    println!("empty cache: prompt after {:.0} ms, {settled} KiB resident", cold.as_secs_f64() * 1_000.0);
    prompt::report(home.path(), RUNS)
}
