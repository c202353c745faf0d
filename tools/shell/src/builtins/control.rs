//! Builtins that decide what runs next.

use super::{Builtin, exit_code, find};
use crate::error::{CANNOT_RUN, Flow, NOT_FOUND, Run};
use crate::pipeline::Stage;
use crate::shell::{SOURCE, Shell};
use crate::simple::{Argument, Start};
use crate::system::System;

/// `break [n]` and `continue [n]`
pub(super) fn end_loop<S: System>(shell: &mut Shell<S>, words: &[String]) -> Run {
    let [name, arguments @ ..] = words else { return Ok(0) };
    let levels = match arguments.first().map(|text| text.parse::<usize>()) {
        None => 1,
        Some(Ok(levels)) if levels > 0 => levels,
        Some(_) => {
            shell.fail(1, &format!("{name}: {}: loop count out of range", arguments.join(" ")));
            return Err(Flow::Exit(128));
        }
    };
    if shell.state.loops == 0 {
        return Ok(0);
    }
    let levels = levels.min(shell.state.loops);
    Err(if name == "break" { Flow::Break(levels) } else { Flow::Continue(levels) })
}

/// The exit code that `exit` and `return` are given, or the last one.
fn given<S: System>(shell: &mut Shell<S>, words: &[String]) -> u8 {
    let Some(text) = words.get(1) else { return shell.state.status };
    exit_code(text).unwrap_or_else(|| {
        let name = words.first().map_or("", String::as_str);
        shell.fail(2, &format!("{name}: {text}: numeric argument required"))
    })
}

/// `exit [n]`
pub(super) fn exit<S: System>(shell: &mut Shell<S>, words: &[String]) -> Run {
    Err(Flow::Exit(given(shell, words)))
}

/// `return [n]`
pub(super) fn return_<S: System>(shell: &mut Shell<S>, words: &[String]) -> Run {
    if shell.state.depth == 0 {
        return shell.misuse("return", "can only `return' from a function or sourced script");
    }
    Err(Flow::Return(given(shell, words)))
}

/// `eval words...`
pub(super) fn eval<S: System>(shell: &mut Shell<S>, words: &[String]) -> Run {
    let source = words.get(1..).unwrap_or_default().join(" ");
    shell.enter()?;
    let status = shell.source(&source);
    shell.state.depth -= 1;
    status
}

/// `source file [arguments]`
pub(super) fn source<S: System>(shell: &mut Shell<S>, words: &[String]) -> Run {
    let [name, path, arguments @ ..] = words else {
        return shell.misuse(words.first().map_or("source", String::as_str), "filename argument required");
    };
    let text = match std::fs::read_to_string(shell.absolute(path)) {
        Ok(text) => text,
        Err(error) => return Ok(shell.fail(1, &format!("{name}: {path}: {}", crate::redirect::reason(&error)))),
    };
    shell.enter()?;
    let positional =
        (!arguments.is_empty()).then(|| std::mem::replace(&mut shell.state.positional, arguments.to_vec()));
    let outer = shell.state.variables.get(SOURCE).cloned();
    shell.state.variables.set_own(SOURCE, path.as_str());
    let status = shell.source(&text);
    shell.state.variables.put(SOURCE, outer);
    if let Some(positional) = positional {
        shell.state.positional = positional;
    }
    shell.state.depth -= 1;
    match status {
        Err(Flow::Return(status)) => Ok(status),
        other => other,
    }
}

/// `exec command`: the command takes the place of the shell. Without one its redirections stay.
pub(super) fn exec<S: System>(shell: &mut Shell<S>, words: &[String]) -> Run {
    let Some(rest) = words.get(1..).filter(|rest| !rest.is_empty()) else { return Ok(0) };
    if rest.first().is_some_and(|option| option.starts_with('-')) {
        return shell.misuse("exec", "options are not supported");
    }
    let status = run_program(shell, rest)?;
    Err(Flow::Exit(status))
}

fn run_program<S: System>(shell: &mut Shell<S>, words: &[String]) -> Run {
    match shell.start_words(words, &[])? {
        Start::Program(process) => shell.wait_program(process),
        Start::Over(status) => Ok(status),
        Start::Shell(_) => Ok(CANNOT_RUN),
    }
}

/// Runs words as a builtin or a program, passing functions over.
fn run_words<S: System>(shell: &mut Shell<S>, words: &[String], programs: bool) -> Run {
    let Some(name) = words.first() else { return Ok(0) };
    match find(name) {
        Some(Builtin::Plain(run)) => run(shell, words),
        Some(Builtin::Declaration(run)) => {
            let arguments: Vec<Argument> = words.iter().skip(1).cloned().map(Argument::Text).collect();
            run(shell, name, &arguments)
        }
        None if programs => run_program(shell, words),
        None => Ok(shell.fail(1, &format!("builtin: {name}: not a shell builtin"))),
    }
}

/// `builtin name arguments...`
pub(super) fn builtin<S: System>(shell: &mut Shell<S>, words: &[String]) -> Run {
    run_words(shell, words.get(1..).unwrap_or_default(), false)
}

/// `command [-pvV] name arguments...`
pub(super) fn command<S: System>(shell: &mut Shell<S>, words: &[String]) -> Run {
    let rest = words.get(1..).unwrap_or_default();
    match rest.first().map(String::as_str) {
        Some("-v") => super::environment::show(shell, rest.get(1..).unwrap_or_default(), false),
        Some("-V") => super::environment::show(shell, rest.get(1..).unwrap_or_default(), true),
        Some("-p" | "--") => run_words(shell, rest.get(1..).unwrap_or_default(), true),
        Some(option) if option.starts_with('-') && option.len() > 1 => {
            shell.bad_option("command", option, "command [-pVv] command [arg ...]")
        }
        _ => run_words(shell, rest, true),
    }
}

/// `trap [-lp] [[commands] signal...]`: only the end of the shell can be trapped.
pub(super) fn trap<S: System>(shell: &mut Shell<S>, words: &[String]) -> Run {
    let rest = match words.get(1..).unwrap_or_default() {
        [dashes, rest @ ..] if dashes == "--" => rest,
        rest => rest,
    };
    let (commands, signals) = match rest {
        [] => return print_trap(shell),
        [option, ..] if option == "-p" => return print_trap(shell),
        [option, ..] if option == "-l" => return shell.misuse("trap", "-l is not supported: there are no signals"),
        [signal] => (None, std::slice::from_ref(signal)),
        [commands, signals @ ..] => (Some(commands.as_str()).filter(|commands| *commands != "-"), signals),
    };
    let mut status = 0;
    for signal in signals {
        match signal.to_ascii_uppercase().trim_start_matches("SIG") {
            "EXIT" | "0" => shell.state.exit_trap = commands.map(str::to_owned).filter(|commands| !commands.is_empty()),
            // Nothing sends these here, so a handler has nothing to do.
            "INT" | "TERM" | "HUP" | "QUIT" | "PIPE" | "1" | "2" | "3" | "13" | "15" => {}
            other => status = shell.fail(1, &format!("trap: {other} is not supported; only EXIT is")),
        }
    }
    Ok(status)
}

fn print_trap<S: System>(shell: &mut Shell<S>) -> Run {
    match shell.state.exit_trap.clone() {
        Some(commands) => shell.print(format!("trap -- '{}' EXIT\n", commands.replace('\'', r"'\''")).as_bytes()),
        None => Ok(0),
    }
}

/// The number of a job in `$!` or `%n`.
fn job_number<S: System>(shell: &Shell<S>, text: &str) -> Option<u32> {
    match text.strip_prefix('%') {
        None => text.parse().ok(),
        Some("" | "%" | "+") => shell.jobs.last().map(|job| job.number),
        Some(place) => shell.jobs.get(place.parse::<usize>().ok()?.checked_sub(1)?).map(|job| job.number),
    }
}

/// `wait [job...]`
pub(super) fn wait<S: System>(shell: &mut Shell<S>, words: &[String]) -> Run {
    let mut status = 0;
    if let [_, options @ ..] = words
        && let Some(option) = options.iter().find(|option| option.starts_with('-'))
    {
        return shell.bad_option("wait", option, "wait [job ...]");
    }
    if words.len() < 2 {
        for number in shell.jobs.iter().map(|job| job.number).collect::<Vec<_>>() {
            shell.wait_job(number)?;
        }
        return Ok(0);
    }
    for text in words.iter().skip(1) {
        let Some(number) = job_number(shell, text) else {
            return Ok(shell.fail(1, &format!("wait: `{text}': not a pid or valid job spec")));
        };
        status = match shell.wait_job(number)? {
            Some(status) => status,
            None => shell.fail(NOT_FOUND, &format!("wait: pid {text} is not a child of this shell")),
        };
    }
    Ok(status)
}

/// `kill [-signal] job...`: every signal ends the job.
pub(super) fn kill<S: System>(shell: &mut Shell<S>, words: &[String]) -> Run {
    let mut status = 0;
    let mut rest = words.iter().skip(1).peekable();
    while rest.peek().is_some_and(|option| option.starts_with('-')) {
        let option = rest.next().map_or("", String::as_str);
        match option {
            "-l" | "-L" => return shell.misuse("kill", "-l is not supported: there are no signals"),
            "-s" | "-n" => drop(rest.next()),
            "-0" => {
                let alive = |text: &String| {
                    job_number(shell, text).is_some_and(|number| shell.jobs.iter().any(|job| job.number == number))
                };
                return Ok(u8::from(!rest.all(alive)));
            }
            _ => {}
        }
    }
    for text in rest {
        let number = job_number(shell, text);
        let system = shell.system.clone();
        match shell.jobs.iter_mut().find(|job| Some(job.number) == number) {
            Some(job) => {
                if let Stage::Program(process) = &mut job.stage {
                    system.kill(process);
                }
            }
            None => status = shell.fail(1, &format!("kill: ({text}) - No such process")),
        }
    }
    Ok(status)
}

/// `jobs`
pub(super) fn jobs<S: System>(shell: &mut Shell<S>, _: &[String]) -> Run {
    let lines: Vec<String> =
        shell.jobs.iter().enumerate().map(|(index, job)| format!("[{}] {}\n", index + 1, job.number)).collect();
    shell.print(lines.concat().as_bytes())
}
