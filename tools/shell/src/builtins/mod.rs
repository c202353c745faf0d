//! The commands that the shell carries out itself.

mod control;
mod declare;
mod environment;
mod print;
mod printf;
mod read;
mod settings;

pub(crate) use declare::{attribute_letters, declaration};

use crate::error::{MISUSE, Run};
use crate::shell::Shell;
use crate::simple::Argument;
use crate::system::System;

/// How a builtin takes its arguments.
pub(crate) enum Builtin<S: System> {
    /// As text, with its own name first.
    Plain(fn(&mut Shell<S>, &[String]) -> Run),
    /// With its name, and with assignments that are not yet text.
    Declaration(fn(&mut Shell<S>, &str, &[Argument]) -> Run),
}

/// Builtins that write little, read nothing and change nothing: in a pipeline they need no shell of their own.
pub(crate) const BRIEF: [&str; 6] = ["echo", "printf", "pwd", "true", ":", "type"];

const DECLARATIONS: [&str; 5] = ["declare", "typeset", "local", "export", "readonly"];

/// Builtins of bash that there are not, with what to do instead.
const MISSING: [(&str, &str); 14] = [
    ("alias", "define a function"),
    ("unalias", "define a function"),
    ("bg", "there is no job control"),
    ("fg", "there is no job control; use wait"),
    ("disown", "there is no job control"),
    ("suspend", "there is no job control"),
    ("bind", "there is no terminal"),
    ("history", "there is no terminal"),
    ("fc", "there is no terminal"),
    ("complete", "there is no terminal"),
    ("dirs", "use cd"),
    ("pushd", "use cd"),
    ("popd", "use cd -"),
    ("enable", "all builtins are on"),
];

/// The builtin of this name.
pub(crate) fn find<S: System>(name: &str) -> Option<Builtin<S>> {
    use Builtin::{Declaration, Plain};
    Some(match name {
        ":" | "true" => Plain(|_, _| Ok(0)),
        "false" => Plain(|_, _| Ok(1)),
        "." | "source" => Plain(control::source),
        "[" | "test" => Plain(crate::conditional::test),
        "break" => Plain(control::end_loop),
        "builtin" => Plain(control::builtin),
        "cd" => Plain(environment::cd),
        "command" => Plain(control::command),
        "compgen" => Plain(environment::compgen),
        "continue" => Plain(control::end_loop),
        "declare" | "typeset" | "local" => Declaration(declare::declare),
        "echo" => Plain(print::echo),
        "eval" => Plain(control::eval),
        "exec" => Plain(control::exec),
        "exit" => Plain(control::exit),
        "export" => Declaration(declare::export),
        "getopts" => Plain(read::getopts),
        "hash" | "umask" | "ulimit" => Plain(settings::nothing),
        "jobs" => Plain(control::jobs),
        "kill" => Plain(control::kill),
        "let" => Plain(settings::let_),
        "mapfile" | "readarray" => Plain(read::mapfile),
        "printf" => Plain(printf::printf),
        "pwd" => Plain(environment::pwd),
        "read" => Plain(read::read),
        "readonly" => Declaration(declare::readonly),
        "return" => Plain(control::return_),
        "set" => Plain(settings::set),
        "shift" => Plain(settings::shift),
        "shopt" => Plain(settings::shopt),
        "times" => Plain(settings::times),
        "trap" => Plain(control::trap),
        "type" => Plain(environment::type_),
        "unset" => Plain(declare::unset),
        "wait" => Plain(control::wait),
        name if MISSING.iter().any(|(missing, _)| *missing == name) => Plain(missing),
        _ => return None,
    })
}

/// Whether the shell carries out a command of this name itself.
pub(crate) fn is_builtin<S: System>(name: &str) -> bool {
    find::<S>(name).is_some()
}

pub(crate) fn is_declaration(name: &str) -> bool {
    DECLARATIONS.contains(&name)
}

fn missing<S: System>(shell: &mut Shell<S>, words: &[String]) -> Run {
    let name = words.first().map_or("", String::as_str);
    let instead = MISSING.iter().find(|(missing, _)| *missing == name).map_or("", |(_, instead)| instead);
    Ok(shell.fail(MISUSE, &format!("{name}: not supported; {instead}")))
}

impl<S: System> Shell<S> {
    /// Refuses an option, with what there is.
    pub(crate) fn bad_option(&mut self, name: &str, option: &str, usage: &str) -> Run {
        Ok(self.fail(MISUSE, &format!("{name}: {option}: invalid option\n{name}: usage: {usage}")))
    }

    /// Refuses a misuse of a builtin.
    pub(crate) fn misuse(&mut self, name: &str, message: &str) -> Run {
        Ok(self.fail(MISUSE, &format!("{name}: {message}")))
    }
}

/// A number from 0 to 255 as exit codes are: the low eight bits.
fn exit_code(text: &str) -> Option<u8> {
    text.trim().parse::<i64>().ok().map(|number| number as u8)
}
