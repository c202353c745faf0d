//! The tool exec: a shell command, run inside the sandbox.

mod output;
mod script;

use chiton_sdk::prelude::*;
use output::Transcript;
use std::time::Duration;

const USUAL_TIMEOUT: u64 = 60;
const USUAL_CHARACTERS: usize = 10_000;
/// Kept from the host's own deadline, so that what was printed is still reported.
#[cfg(target_family = "wasm")]
const SPARE: Duration = Duration::from_millis(500);

/// Runs a shell command (bash syntax: pipes, redirects, variables, $(...), globs, loops, functions) in the sandbox and
/// returns its output (stdout and stderr together) and its exit code. There are the usual programs: coreutils (ls cat
/// cp mv rm mkdir sort uniq wc head tail cut tr date ...), grep, rg, find, xargs, sed, awk, jq, diff, patch, tar, gzip,
/// zip, curl, wget, sh, and where installed python3 and js; 'compgen -c' lists all. Nothing native runs: no compilers,
/// no package managers, no servers, no sudo. Only granted directories and origins can be reached; a refusal names the
/// grant that is missing. There is no terminal and no input; every call starts afresh in the working directory. With
/// 'skill' the command is one script of that skill, or what a skill without scripts tells you to run, with what was
/// granted to the skill.
#[tool(effects(reads_files, writes_files, uses_network, runs_programs))]
pub(crate) fn exec(arguments: Exec) -> ToolResult {
    let command = match (&arguments.command, &arguments.cmd) {
        (Some(command), _) | (None, Some(command)) if !command.trim().is_empty() => command,
        _ => return Err(Failure::InvalidArguments("argument 'command' is missing or empty".to_owned())),
    };
    let (command, folder) = match &arguments.skill {
        None => (command.clone(), None),
        Some(folder) => (script::command(command, folder)?, Some(folder.as_str())),
    };
    let given = arguments.working_dir.as_deref().or(arguments.workdir.as_deref());
    let transcript = Transcript::new(arguments.max_output_chars.unwrap_or(USUAL_CHARACTERS));
    let timeout = Duration::from_secs(arguments.timeout.unwrap_or(USUAL_TIMEOUT));
    run(&command, given, folder, timeout, &transcript)
}

#[arguments]
pub(crate) struct Exec {
    /// The command line or script.
    command: Option<String>,
    /// Alias of command.
    cmd: Option<String>,
    /// Directory to run in (default: the workspace).
    working_dir: Option<String>,
    /// Alias of working_dir.
    workdir: Option<String>,
    /// Seconds until the command is ended (default 60).
    #[schemars(range(min = 1, max = 600))]
    timeout: Option<u64>,
    /// Run a script of this skill: the command is its path in the skill's folder, or an interpreter and that path, with
    /// literal arguments (such as "scripts/today.py Paris" or "python3 scripts/today.py Paris"), or a pipeline of such.
    /// If the skill has no script, any command of its instructions. It has the rights of the skill and not those of exec.
    #[schemars(extend("format" = "skill"))]
    skill: Option<String>,
    /// Most characters of output; the middle of a longer output is left out (default 10000).
    #[schemars(range(min = 1000, max = 50000))]
    max_output_chars: Option<usize>,
}

#[cfg(not(target_family = "wasm"))]
fn run(_: &str, _: Option<&str>, _: Option<&str>, _: Duration, _: &std::rc::Rc<Transcript>) -> ToolResult {
    Err(Failure::Failed("exec runs in the sandbox only".to_owned()))
}

#[cfg(target_family = "wasm")]
fn run(
    command: &str,
    given: Option<&str>,
    skill: Option<&str>,
    timeout: Duration,
    transcript: &std::rc::Rc<Transcript>,
) -> ToolResult {
    use chiton_shell::component::{Component, Input, Output};
    use chiton_shell::{Shell, Standard};
    use std::rc::Rc;

    // A skill starts in what is its own, whatever it is given beside that.
    let own = skill.and_then(|_| chiton_sdk::bindings::chiton::tool::call_context::scratch());
    let directory = paths::directory(given.or(own.as_deref()).unwrap_or("."), Access::Read)?;
    let metadata = std::fs::metadata(&directory).map_err(|error| directory.failure(error))?;
    if !metadata.is_dir() {
        return Err(Failure::InvalidArguments(format!("'{directory}' is not a directory")));
    }
    let place = directory.as_ref().to_string_lossy().into_owned();
    let limit = timeout.min(call::remaining().saturating_sub(SPARE));
    let shown = transcript.clone();
    let component = Rc::new(Component::with_limit(limit, move || call::progress(&shown.last_line())));
    let taken = transcript.clone();
    let output = Output::to(move |bytes| taken.take(bytes));
    let standard = Standard { input: Input::Empty, output: output.clone(), error: output };
    let mut shell = Shell::new(component, &place, environment(&place, skill), standard);
    let ended = shell.run(command);
    // Programs in the background end with the call; what they have written belongs to it.
    drop(shell);
    match ended {
        // What a skill writes lies where nobody else looks.
        Ok(code) if skill.is_some() => {
            Ok(transcript.with_ending(&format!("Exit code: {code} (in the directory {place})")))
        }
        Ok(code) => Ok(transcript.with_ending(&format!("Exit code: {code}"))),
        Err(_) => {
            let seconds = limit.as_secs_f64().round();
            Err(Failure::TimedOut(
                transcript.with_ending(&format!("Ended after {seconds} s: the command took too long")),
            ))
        }
    }
}

#[cfg(target_family = "wasm")]
fn environment(directory: &str, skill: Option<&str>) -> Vec<(String, String)> {
    let home = call::mounts().into_iter().next().map_or_else(|| directory.to_owned(), |mount| mount.path);
    let scratch = chiton_sdk::bindings::chiton::tool::call_context::scratch();
    let mut environment: Vec<(String, String)> =
        [("HOME", home.as_str()), ("PWD", directory), ("LANG", "C.UTF-8"), ("PATH", "/usr/bin:/bin")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
    environment.extend(skill.map(|folder| ("SKILL_DIR".to_owned(), folder.to_owned())));
    environment.extend(scratch.map(|scratch| ("TMPDIR".to_owned(), scratch)));
    environment
}

chiton_sdk::export!(exec);
