//! `declare`, `local`, `export`, `readonly` and `unset`.

use crate::assign::{Assigned, Assignment};
use crate::error::Run;
use crate::quote;
use crate::shell::Shell;
use crate::simple::Argument;
use crate::system::System;
use crate::variables::{Value, Variable};
use crate::words::is_name;
use std::collections::BTreeMap;

/// What the options of `declare` ask for.
#[derive(Debug, Clone, Copy, Default)]
struct Wanted {
    print: bool,
    functions: bool,
    names_only: bool,
    global: bool,
    indexed: bool,
    associative: bool,
    exported: Option<bool>,
    readonly: bool,
    integer: Option<bool>,
    lower: Option<bool>,
    upper: Option<bool>,
}

impl Wanted {
    /// Takes an option such as `-ax`; gives the letter that is unknown.
    fn take(&mut self, option: &str) -> Result<(), char> {
        let on = option.starts_with('-');
        for letter in option.chars().skip(1) {
            match letter {
                'p' => self.print = true,
                'f' => self.functions = true,
                'F' => (self.functions, self.names_only) = (true, true),
                'g' => self.global = true,
                'a' => self.indexed = on,
                'A' => self.associative = on,
                'x' => self.exported = Some(on),
                'r' => self.readonly = on,
                'i' => self.integer = Some(on),
                'l' => self.lower = Some(on),
                'u' => self.upper = Some(on),
                'n' if on => return Err('n'),
                'n' => self.exported = Some(false),
                other => return Err(other),
            }
        }
        Ok(())
    }
}

/// `declare`, `typeset` and `local`
pub(super) fn declare<S: System>(shell: &mut Shell<S>, name: &str, arguments: &[Argument]) -> Run {
    if name == "local" && !shell.state.variables.in_function() {
        return Ok(shell.fail(1, "local: can only be used in a function"));
    }
    run(shell, name, Wanted::default(), arguments)
}

/// `export`
pub(super) fn export<S: System>(shell: &mut Shell<S>, name: &str, arguments: &[Argument]) -> Run {
    let unexport = matches!(arguments.first(), Some(Argument::Text(option)) if option == "-n");
    let wanted = Wanted { exported: Some(!unexport), global: true, ..Wanted::default() };
    run(shell, name, wanted, arguments.get(usize::from(unexport)..).unwrap_or_default())
}

/// `readonly`
pub(super) fn readonly<S: System>(shell: &mut Shell<S>, name: &str, arguments: &[Argument]) -> Run {
    run(shell, name, Wanted { readonly: true, global: true, ..Wanted::default() }, arguments)
}

fn run<S: System>(shell: &mut Shell<S>, name: &str, mut wanted: Wanted, arguments: &[Argument]) -> Run {
    let mut arguments = arguments.iter().peekable();
    while let Some(Argument::Text(option)) = arguments.peek() {
        if !option.starts_with(['-', '+']) || option.len() < 2 {
            break;
        }
        arguments.next();
        if option == "--" {
            break;
        }
        match wanted.take(option) {
            Ok(()) => {}
            Err('n') => return Ok(shell.fail(1, &format!("{name}: -n: references are not supported; use ${{!name}}"))),
            Err(letter) => {
                return shell.bad_option(name, &format!("-{letter}"), "declare [-aAfFgilprux] [name[=value] ...]");
            }
        }
    }
    if wanted.functions {
        let names =
            arguments.filter_map(|argument| if let Argument::Text(name) = argument { Some(name) } else { None });
        return print_functions(shell, name, wanted, names.cloned().collect());
    }
    if arguments.peek().is_none() {
        return print_all(shell, name, wanted);
    }
    let mut status = 0;
    for argument in arguments {
        status = status.max(one(shell, name, wanted, argument)?);
    }
    Ok(status)
}

/// `name`, `name=value`, `name[subscript]=value` or `name+=value` as text.
fn parsed(text: &str) -> Option<(String, Option<Assignment>)> {
    let Some((target, value)) = text.split_once('=') else { return is_name(text).then(|| (text.to_owned(), None)) };
    let (target, append) = target.strip_suffix('+').map_or((target, false), |target| (target, true));
    let (name, subscript) = match target.strip_suffix(']').and_then(|target| target.split_once('[')) {
        Some((name, subscript)) => (name, Some(subscript.to_owned())),
        None => (target, None),
    };
    if !is_name(name) {
        return None;
    }
    let value = Assigned::Text(value.to_owned());
    Some((name.to_owned(), Some(Assignment { name: name.to_owned(), subscript, append, value })))
}

fn one<S: System>(shell: &mut Shell<S>, builtin: &str, wanted: Wanted, argument: &Argument) -> Run {
    let (name, assignment) = match argument {
        Argument::Assignment(assignment) => (assignment.name.clone(), Some(assignment.clone())),
        Argument::Text(text) => match parsed(text) {
            Some(parsed) => parsed,
            None => return Ok(shell.fail(1, &format!("{builtin}: `{text}': not a valid identifier"))),
        },
    };
    if wanted.print {
        return match shell.state.variables.get(&name).map(|variable| declaration(&name, variable)) {
            Some(line) => shell.print(format!("{line}\n").as_bytes()),
            None => Ok(shell.fail(1, &format!("{builtin}: {name}: not found"))),
        };
    }
    if !wanted.global && shell.state.variables.in_function() {
        shell.state.variables.make_local(&name);
    }
    set_attributes(shell, &name, wanted);
    if let Some(assignment) = assignment {
        // `local x=1` of a read-only variable is refused, but the script goes on.
        if shell.assign(&assignment).is_err() {
            return Ok(1);
        }
    }
    if wanted.readonly {
        shell.state.variables.entry(&name).attributes.readonly = true;
    }
    Ok(0)
}

/// All attributes but read-only, which must come after the assignment.
fn set_attributes<S: System>(shell: &mut Shell<S>, name: &str, wanted: Wanted) {
    let variable = shell.state.variables.entry(name);
    let attributes = &mut variable.attributes;
    attributes.exported = wanted.exported.unwrap_or(attributes.exported);
    attributes.integer = wanted.integer.unwrap_or(attributes.integer);
    attributes.lower = wanted.lower.unwrap_or(attributes.lower) && wanted.upper != Some(true);
    attributes.upper = wanted.upper.unwrap_or(attributes.upper) && wanted.lower != Some(true);
    match (&variable.value, wanted.indexed, wanted.associative) {
        (Value::Unset | Value::Text(_), _, true) => variable.value = Value::Associative(BTreeMap::new()),
        (Value::Unset, true, _) => variable.value = Value::Indexed(BTreeMap::new()),
        (Value::Text(text), true, _) => variable.value = Value::Indexed(BTreeMap::from([(0, text.clone())])),
        _ => {}
    }
}

fn print_all<S: System>(shell: &mut Shell<S>, builtin: &str, wanted: Wanted) -> Run {
    let fits = |variable: &Variable| {
        let attributes = variable.attributes;
        (!wanted.exported.unwrap_or(false) || attributes.exported)
            && (!wanted.readonly || attributes.readonly)
            && (!wanted.integer.unwrap_or(false) || attributes.integer)
            && (!wanted.indexed || matches!(variable.value, Value::Indexed(_)))
            && (!wanted.associative || matches!(variable.value, Value::Associative(_)))
    };
    if builtin == "local" {
        return Ok(0);
    }
    let lines = shell.state.variables.iter().filter(|(_, variable)| fits(variable));
    let lines: Vec<String> = lines.map(|(name, variable)| declaration(name, variable) + "\n").collect();
    shell.print(lines.concat().as_bytes())
}

fn print_functions<S: System>(shell: &mut Shell<S>, builtin: &str, wanted: Wanted, names: Vec<String>) -> Run {
    if builtin == "export" {
        return Ok(shell.fail(1, "export: -f is not supported; write the functions to a file and source it"));
    }
    let all = names.is_empty();
    let names: Vec<String> = if all { shell.state.functions.keys().cloned().collect() } else { names };
    let mut status = 0;
    for name in names {
        match shell.state.functions.get(&name) {
            Some(_) if wanted.names_only && all => drop(shell.print(format!("declare -f {name}\n").as_bytes())?),
            Some(_) if wanted.names_only => drop(shell.print(format!("{name}\n").as_bytes())?),
            Some(function) => {
                let text = format!("{function}\n");
                shell.print(text.as_bytes())?;
            }
            None => status = 1,
        }
    }
    Ok(status)
}

/// The letters of a variable's attributes, as in `${x@a}`.
pub(crate) fn attribute_letters(variable: &Variable) -> String {
    let attributes = variable.attributes;
    let letters = [
        ('a', matches!(variable.value, Value::Indexed(_))),
        ('A', matches!(variable.value, Value::Associative(_))),
        ('i', attributes.integer),
        ('r', attributes.readonly),
        ('l', attributes.lower),
        ('u', attributes.upper),
        ('x', attributes.exported),
    ];
    letters.iter().filter(|(_, on)| *on).map(|(letter, _)| *letter).collect()
}

/// The line of `declare -p`.
pub(crate) fn declaration(name: &str, variable: &Variable) -> String {
    let letters = attribute_letters(variable);
    let letters = if letters.is_empty() { "-" } else { &letters };
    let value = match &variable.value {
        Value::Unset => String::new(),
        Value::Text(text) => format!("={}", quote::double(text)),
        Value::Indexed(elements) => {
            let elements = elements.iter().map(|(index, text)| format!("[{index}]={}", quote::double(text)));
            format!("=({})", elements.collect::<Vec<_>>().join(" "))
        }
        Value::Associative(elements) => {
            let elements =
                elements.iter().map(|(key, text)| format!("[{}]={} ", quote::quote(key), quote::double(text)));
            format!("=({})", elements.collect::<String>())
        }
    };
    format!("declare -{letters} {name}{value}")
}

/// `unset [-fv] name...`
pub(super) fn unset<S: System>(shell: &mut Shell<S>, words: &[String]) -> Run {
    let (mut functions, mut variables) = (true, true);
    let mut status = 0;
    for word in words.iter().skip(1) {
        match word.as_str() {
            "-f" => variables = false,
            "-v" => functions = false,
            option if option.starts_with('-') => {
                return shell.bad_option("unset", option, "unset [-f] [-v] [name ...]");
            }
            name => status = status.max(unset_one(shell, name, functions, variables)?),
        }
    }
    Ok(status)
}

fn unset_one<S: System>(shell: &mut Shell<S>, name: &str, functions: bool, variables: bool) -> Run {
    let (base, subscript) = match name.strip_suffix(']').and_then(|target| target.split_once('[')) {
        Some((base, subscript)) => (base, Some(subscript)),
        None => (name, None),
    };
    let readonly = shell.state.variables.get(base).is_some_and(|variable| variable.attributes.readonly);
    if variables && readonly {
        return Ok(shell.fail(1, &format!("unset: {base}: cannot unset: readonly variable")));
    }
    match subscript {
        Some("@" | "*") => shell.state.variables.put(base, None),
        Some(subscript) => {
            let key = shell.key(base, subscript)?;
            shell.state.variables.entry(base).remove_element(&key);
        }
        None if variables && shell.state.variables.get(base).is_some() => shell.state.variables.put(base, None),
        None if functions => drop(shell.state.functions.remove(base)),
        None => {}
    }
    Ok(0)
}
