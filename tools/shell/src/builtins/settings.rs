//! `set`, `shopt`, `shift`, `let`, and what does nothing here.

use crate::error::Run;
use crate::options::{SET, SET_IGNORED, SHOPT, SHOPT_IGNORED};
use crate::quote;
use crate::shell::Shell;
use crate::system::System;
use crate::variables::Value;

/// `set [-aefnuxC] [-o option] [--] [arguments...]`
pub(super) fn set<S: System>(shell: &mut Shell<S>, words: &[String]) -> Run {
    if words.len() < 2 {
        return print_variables(shell);
    }
    match shell.take_options(words.get(1..).unwrap_or_default()) {
        Ok(Some(arguments)) => shell.state.positional = arguments,
        Ok(None) => {}
        Err(option) if option.is_empty() => return print_options(shell),
        Err(option) => return shell.bad_option("set", &option, "set [-aefnuxC] [-o option-name] [--] [arg ...]"),
    }
    Ok(0)
}

impl<S: System> Shell<S> {
    /// Takes options as `set` and `sh` have them; gives the arguments behind them, if there are any.
    ///
    /// # Errors
    /// With the option that is unknown, or with nothing for `-o` alone.
    pub(crate) fn take_options(&mut self, words: &[String]) -> Result<Option<Vec<String>>, String> {
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let on = word.starts_with('-');
            if word == "--" {
                return Ok(Some(words.cloned().collect()));
            }
            if word == "-" {
                let rest: Vec<String> = words.cloned().collect();
                return Ok(if rest.is_empty() { None } else { Some(rest) });
            }
            if !word.starts_with(['-', '+']) {
                return Ok(Some([word.clone()].into_iter().chain(words.cloned()).collect()));
            }
            for letter in word.chars().skip(1) {
                if letter == 'o' {
                    let name = words.next().ok_or_else(String::new)?;
                    let known = SET.iter().chain(&SET_IGNORED).any(|(_, known)| known == name);
                    if !known {
                        return Err(name.clone());
                    }
                    self.state.options.set(name, on);
                    continue;
                }
                let known = SET.iter().chain(&SET_IGNORED).find(|(known, _)| *known == letter);
                let (_, name) = known.ok_or_else(|| format!("{}{letter}", if on { '-' } else { '+' }))?;
                self.state.options.set(name, on);
            }
        }
        Ok(None)
    }
}

fn print_variables<S: System>(shell: &mut Shell<S>) -> Run {
    let mut lines = String::new();
    for (name, variable) in shell.state.variables.iter() {
        match &variable.value {
            Value::Text(text) => lines.push_str(&format!("{name}={}\n", quote::quote(text))),
            Value::Unset => {}
            _ => {
                let line = super::declaration(name, variable);
                lines.push_str(line.splitn(3, ' ').nth(2).unwrap_or_default());
                lines.push('\n');
            }
        }
    }
    shell.print(lines.as_bytes())
}

fn print_options<S: System>(shell: &mut Shell<S>) -> Run {
    let mut names: Vec<&str> = SET.iter().chain(&SET_IGNORED).map(|(_, name)| *name).collect();
    names.sort_unstable();
    let line = |name: &&str| {
        let state = if shell.state.options.is_on(name) { "on" } else { "off" };
        format!("{name:<15}\t{state}\n")
    };
    let lines: String = names.iter().map(line).collect();
    shell.print(lines.as_bytes())
}

/// `shopt [-qsu] [option...]`
pub(super) fn shopt<S: System>(shell: &mut Shell<S>, words: &[String]) -> Run {
    let (mut on, mut quiet) = (None, false);
    let mut status = 0;
    for word in words.iter().skip(1) {
        match word.as_str() {
            "-s" => on = Some(true),
            "-u" => on = Some(false),
            "-q" => quiet = true,
            option if option.starts_with('-') => {
                return shell.bad_option("shopt", option, "shopt [-qsu] [optname ...]");
            }
            name if SHOPT.contains(&name) || SHOPT_IGNORED.contains(&name) => match on {
                Some(on) => shell.state.options.set(name, on),
                None => {
                    let is_on = shell.state.options.is_on(name);
                    status |= u8::from(!is_on);
                    if !quiet {
                        let state = if is_on { "on" } else { "off" };
                        shell.print(format!("{name:<20}\t{state}\n").as_bytes())?;
                    }
                }
            },
            name => status = shell.fail(1, &format!("shopt: {name}: not supported")),
        }
    }
    Ok(status)
}

/// `shift [n]`
pub(super) fn shift<S: System>(shell: &mut Shell<S>, words: &[String]) -> Run {
    let count = match words.get(1).map(|text| text.parse::<usize>()) {
        None => 1,
        Some(Ok(count)) => count,
        Some(Err(_)) => return shell.misuse("shift", "numeric argument required"),
    };
    if count > shell.state.positional.len() {
        return Ok(1);
    }
    shell.state.positional.drain(..count);
    Ok(0)
}

/// `let expressions...`
pub(super) fn let_<S: System>(shell: &mut Shell<S>, words: &[String]) -> Run {
    let mut value = 0;
    for expression in words.iter().skip(1) {
        value = shell.arithmetic(expression)?;
    }
    Ok(u8::from(value == 0))
}

/// `times`: only the clock on the wall is known here.
pub(super) fn times<S: System>(shell: &mut Shell<S>, _: &[String]) -> Run {
    shell.print(b"0m0.000s 0m0.000s\n0m0.000s 0m0.000s\n")
}

/// `hash`, `umask` and `ulimit`: programs are not looked up, files have no modes, and the host sets the limits.
pub(super) fn nothing<S: System>(_: &mut Shell<S>, _: &[String]) -> Run {
    Ok(0)
}
