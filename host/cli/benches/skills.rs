//! 200 skills that were approved: what a start costs (bars: prompt after 150 ms, 80 MiB), and how long a script is on its
//! way from being saved until `chiton skill dev` has it (bar: 300 ms). A plain program: what is measured are other
//! processes.

#[path = "support/prompt.rs"]
mod prompt;

use std::io::{BufRead, BufReader, Error, Result};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const SKILLS: usize = 200;
const RUNS: usize = 20;
const SAVES: usize = 20;

fn main() -> Result<()> {
    let home = tempfile::tempdir()?;
    std::fs::write(home.path().join("config.json"), prompt::CONFIG)?;
    let skills = tempfile::tempdir()?;
    let begun = Instant::now();
    for number in 0..SKILLS {
        let folder = skills.path().join(format!("skill-{number}"));
        write(&folder, &format!("skill-{number}"), 0)?;
        let added = chiton(home.path()).args(["skill", "add", "--approve"]).arg(&folder).output()?;
        if !added.status.success() {
            return Err(Error::other(String::from_utf8_lossy(&added.stderr).into_owned()));
        }
    }
    println!("{SKILLS} skills added, {:.0} ms each", ms(begun.elapsed()) / SKILLS as f64);
    prompt::start(home.path())?;
    prompt::report(home.path(), RUNS)?;
    develop(home.path(), &skills.path().join("skill-0"))
}

/// Saves a script again and again while it is in development.
fn develop(home: &Path, folder: &Path) -> Result<()> {
    let mut program = chiton(home).args(["skill", "dev"]).arg(folder).stdout(Stdio::piped()).spawn()?;
    let output = program.stdout.take().ok_or_else(|| Error::other("no output"))?;
    let mut lines = BufReader::new(output).lines();
    let mut times = Vec::new();
    let mut until_taken = |begun: Instant| -> Result<Duration> {
        for line in lines.by_ref() {
            if line?.contains(" runs (") {
                return Ok(begun.elapsed());
            }
        }
        Err(Error::other("the development ended"))
    };
    until_taken(Instant::now())?;
    for number in 1..=SAVES {
        write(folder, "skill-0", number)?;
        times.push(until_taken(Instant::now())?);
    }
    program.kill()?;
    program.wait()?;
    times.sort();
    println!("save -> taken: p50 {:.0} ms, worst {:.0} ms ({SAVES} saves)", ms(times[SAVES / 2]), ms(times[SAVES - 1]));
    Ok(())
}

fn write(folder: &Path, name: &str, number: usize) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let tool = name.replace('-', "_");
    let manifest = format!(
        "name = \"{name}\"\nversion = \"1.0.0\"\ndescription = \"Adds {number}.\"\nengine = \"js\"\nscript = \"add.js\"\n"
    );
    if number == 0 {
        std::fs::write(folder.join("skill.toml"), manifest)?;
    }
    let script = format!(
        "import {{ tool }} from \"chiton\";\ntool({{ name: \"{tool}\", description: \"Adds.\", parameters: \
         {{ a: {{ type: \"integer\" }} }} }}, ({{ a }}) => a + {number});\n"
    );
    std::fs::write(folder.join("add.js"), script)
}

fn chiton(home: &Path) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_chiton"));
    program.env("CHITON_HOME", home).stdin(Stdio::null());
    program
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
