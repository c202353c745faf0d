//! The build of a project, as its `skill.toml` says. Only its author runs it; what is installed is built already.

use super::ProjectError;
use chiton_skills::{Build, Manifest};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Where to get the programs that build projects.
const ADVICE: [(&str, &str); 5] = [
    ("cargo", "install Rust from https://rustup.rs"),
    ("componentize-py", "run 'pip install componentize-py'"),
    ("node", "install Node.js from https://nodejs.org"),
    ("npx", "install Node.js from https://nodejs.org"),
    ("zig", "install Zig from https://ziglang.org or run 'pip install ziglang'"),
];

/// What a build made.
#[derive(Debug)]
pub struct Built {
    /// The component.
    pub component: PathBuf,
    /// How long the command ran.
    pub duration: Duration,
}

/// Runs the command of the project in `folder`, whose output goes where ours goes, and puts the component in its place.
pub fn build(folder: &Path) -> Result<Built, ProjectError> {
    let manifest = folder.join("skill.toml");
    let manifest = match fs::read_to_string(&manifest) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(ProjectError::NoManifest(folder.to_path_buf()));
        }
        text => text.map_err(ProjectError::files("read", &manifest))?,
    };
    let Manifest { component, build, .. } = Manifest::parse(&manifest)?;
    let Build { command, output, .. } = build.ok_or(ProjectError::Nothing)?;
    let component = folder.join(&*component.ok_or(ProjectError::NoPlace)?);
    let output = output.map_or_else(|| component.clone(), |output| folder.join(&*output));
    let started = Instant::now();
    run(folder, &command)?;
    let duration = started.elapsed();
    if !output.is_file() {
        return Err(ProjectError::NoOutput(output));
    }
    put(&output, &component)?;
    Ok(Built { component, duration })
}

fn run(folder: &Path, command: &[String]) -> Result<(), ProjectError> {
    let (program, arguments) = command.split_first().ok_or(ProjectError::NoCommand)?;
    let line = command.join(" ");
    eprintln!("{line}");
    let ended = Command::new(program).args(arguments).current_dir(folder).stdin(Stdio::null()).status();
    let status = ended.map_err(|reason| {
        let known = ADVICE.iter().find(|(known, _)| known == program);
        let advice =
            known.map_or("install it, or correct `command` in the [build] of skill.toml", |(_, advice)| advice);
        ProjectError::Start(program.clone(), reason, advice)
    })?;
    let target = arguments.iter().skip_while(|argument| *argument != "--target").nth(1);
    match target {
        _ if status.success() => Ok(()),
        Some(target) if program == "cargo" && !has_target(target) => Err(ProjectError::Target(target.clone())),
        _ => Err(ProjectError::Failed(line, status)),
    }
}

/// Whether the Rust compiler has the standard library for `target`. One that does not answer is not at fault here.
fn has_target(target: &str) -> bool {
    let asked = Command::new("rustc").args(["--print", "target-libdir", "--target", target]).output();
    asked.map_or(true, |answer| Path::new(String::from_utf8_lossy(&answer.stdout).trim_end()).is_dir())
}

/// Puts a copy of `output` where the component is expected: whole, since somebody may be watching for it.
fn put(output: &Path, component: &Path) -> Result<(), ProjectError> {
    if output == component {
        return Ok(());
    }
    let new = component.with_extension("new");
    fs::copy(output, &new).and_then(|_| fs::rename(&new, component)).map_err(ProjectError::files("write", component))
}
