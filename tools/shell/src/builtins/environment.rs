//! `cd`, `pwd`, and what a name means.

use crate::error::Run;
use crate::redirect::reason;
use crate::shell::Shell;
use crate::system::System;

const KEYWORDS: [&str; 17] = [
    "if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac", "in", "function", "{",
    "}", "[[",
];

/// `cd [directory]`
pub(super) fn cd<S: System>(shell: &mut Shell<S>, words: &[String]) -> Run {
    let arguments: Vec<&str> =
        words.iter().skip(1).map(String::as_str).skip_while(|word| ["-L", "-P", "--"].contains(word)).collect();
    let variable = |name: &str| shell.state.variables.text(name).map(str::to_owned);
    let (target, shown) = match arguments[..] {
        [] => (variable("HOME").ok_or("HOME not set"), false),
        ["-"] => (variable("OLDPWD").ok_or("OLDPWD not set"), true),
        [directory] => (Ok(directory.to_owned()), false),
        _ => (Err("too many arguments"), false),
    };
    let target = match target {
        Ok(target) => target,
        Err(message) => return Ok(shell.fail(1, &format!("cd: {message}"))),
    };
    let directory = shell.absolute(&target);
    let directory = if directory.len() > 1 { directory.trim_end_matches('/') } else { &directory };
    match std::fs::metadata(directory) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Ok(shell.fail(1, &format!("cd: {target}: Not a directory"))),
        Err(error) => return Ok(shell.fail(1, &format!("cd: {target}: {}", reason(&error)))),
    }
    let before = std::mem::replace(&mut shell.state.directory, directory.to_owned());
    shell.state.variables.set_own("OLDPWD", before);
    shell.state.variables.set_own("PWD", directory);
    if shown {
        return shell.print(format!("{directory}\n").as_bytes());
    }
    Ok(0)
}

/// `pwd`
pub(super) fn pwd<S: System>(shell: &mut Shell<S>, _: &[String]) -> Run {
    let line = format!("{}\n", shell.state.directory);
    shell.print(line.as_bytes())
}

/// What a name means to this shell.
enum Meaning {
    Keyword,
    Function,
    Builtin,
    Program,
    File,
}

fn meaning<S: System>(shell: &Shell<S>, name: &str) -> Option<Meaning> {
    if KEYWORDS.contains(&name) {
        Some(Meaning::Keyword)
    } else if shell.state.functions.contains_key(name) {
        Some(Meaning::Function)
    } else if super::is_builtin::<S>(name) {
        Some(Meaning::Builtin)
    } else if name.contains('/') {
        std::fs::metadata(shell.absolute(name)).is_ok_and(|metadata| metadata.is_file()).then_some(Meaning::File)
    } else {
        shell.system.programs().iter().any(|program| program == name).then_some(Meaning::Program)
    }
}

/// `command -v` and `command -V`
pub(super) fn show<S: System>(shell: &mut Shell<S>, names: &[String], long: bool) -> Run {
    let mut status = u8::from(names.is_empty());
    for name in names {
        let Some(meaning) = meaning(shell, name) else {
            if long {
                shell.fail(1, &format!("{name}: not found"));
            }
            status = 1;
            continue;
        };
        let line = match (meaning, long) {
            (Meaning::Program, false) => format!("/usr/bin/{name}\n"),
            (_, false) => format!("{name}\n"),
            (meaning, true) => sentence(shell, name, &meaning),
        };
        shell.print(line.as_bytes())?;
    }
    Ok(status)
}

fn sentence<S: System>(shell: &Shell<S>, name: &str, meaning: &Meaning) -> String {
    match meaning {
        Meaning::Keyword => format!("{name} is a shell keyword\n"),
        Meaning::Builtin => format!("{name} is a shell builtin\n"),
        Meaning::Program => format!("{name} is /usr/bin/{name}\n"),
        Meaning::File => format!("{name} is {name}\n"),
        Meaning::Function => {
            let source = shell.state.functions.get(name).map(|function| function.to_string()).unwrap_or_default();
            format!("{name} is a function\n{source}\n")
        }
    }
}

/// `type [-t] name...`
pub(super) fn type_<S: System>(shell: &mut Shell<S>, words: &[String]) -> Run {
    let rest = words.get(1..).unwrap_or_default();
    let (option, names) = match rest {
        [option, names @ ..] if option.starts_with('-') => (option.as_str(), names),
        names => ("", names),
    };
    let mut status = 0;
    for name in names {
        let line = match (meaning(shell, name), option) {
            (None, "") => {
                status = shell.fail(1, &format!("type: {name}: not found"));
                continue;
            }
            (None, _) => {
                status = 1;
                continue;
            }
            (Some(meaning), "" | "-a") => sentence(shell, name, &meaning),
            (Some(meaning), "-t") => {
                let word = match meaning {
                    Meaning::Keyword => "keyword",
                    Meaning::Function => "function",
                    Meaning::Builtin => "builtin",
                    Meaning::Program | Meaning::File => "file",
                };
                format!("{word}\n")
            }
            (Some(Meaning::Program), "-p" | "-P") => format!("/usr/bin/{name}\n"),
            (Some(_), "-p" | "-P") => continue,
            (Some(_), option) => return shell.bad_option("type", option, "type [-apt] name [name ...]"),
        };
        shell.print(line.as_bytes())?;
    }
    Ok(status)
}

/// `compgen -c`: the names of all programs, as a way to list them.
pub(super) fn compgen<S: System>(shell: &mut Shell<S>, words: &[String]) -> Run {
    match words.get(1).map(String::as_str) {
        Some("-c") => {
            let names = shell.system.programs().join("\n") + "\n";
            shell.print(names.as_bytes())
        }
        _ => shell.misuse("compgen", "only compgen -c (the names of all programs) is supported"),
    }
}
