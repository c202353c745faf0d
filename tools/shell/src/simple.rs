//! Simple commands: assignments, builtins, functions and programs.

use crate::assign::Assignment;
use crate::builtins::{self, Builtin};
use crate::error::{CANNOT_RUN, Flow, NOT_FOUND, Run};
use crate::quote;
use crate::shell::{NAME, Shell, Stream, Streams};
use crate::system::{Launch, SpawnError, System};
use crate::variables::Variable;
use brush_parser::ast::{CommandPrefixOrSuffixItem, CommandSuffix, IoRedirect, SimpleCommand, Word};
use std::rc::Rc;

/// Directories in which the programs of the sandbox are said to be.
const PROGRAM_DIRECTORIES: [&str; 5] = ["/bin/", "/usr/bin/", "/usr/local/bin/", "/sbin/", "/usr/sbin/"];

/// What came of starting a command.
pub(crate) enum Start<S: System> {
    Program(S::Process),
    /// It did not start; its exit code.
    Over(u8),
    /// It is shell code after all: the expanded words.
    Shell(SimpleCommand),
}

/// An argument of `declare` and its kin, in which assignments are not yet text.
#[derive(Debug, Clone)]
pub(crate) enum Argument {
    Text(String),
    Assignment(Assignment),
}

/// A simple command after expansion.
struct Expanded<S: System> {
    words: Vec<String>,
    arguments: Vec<Argument>,
    assignments: Vec<Assignment>,
    /// `None` if a redirection failed.
    streams: Option<Streams<S>>,
}

impl<S: System> Shell<S> {
    pub(crate) fn simple(&mut self, command: &SimpleCommand) -> Run {
        let temporary = self.temporary.len();
        let status = self.simple_command(command);
        for path in self.temporary.split_off(temporary) {
            // The scratch directory is emptied by the host anyway.
            let _ = std::fs::remove_file(path);
        }
        status
    }

    fn simple_command(&mut self, command: &SimpleCommand) -> Run {
        let Expanded { words, arguments, assignments, streams } = self.expand_command(command)?;
        let Some(streams) = streams else { return Ok(1) };
        let Some(name) = words.first() else {
            for assignment in &assignments {
                self.assign(assignment)?;
            }
            return Ok(self.substituted.unwrap_or(0));
        };
        if let Some(function) = self.state.functions.get(name).cloned() {
            let hidden = self.assign_for_now(&assignments)?;
            let before = std::mem::replace(&mut self.state.streams, streams);
            let status = self.call(&function, words.get(1..).unwrap_or_default());
            self.state.streams = before;
            self.bring_back(hidden);
            return status;
        }
        if let Some(builtin) = builtins::find(name) {
            return self.run_builtin(builtin, &words, &arguments, &assignments, streams);
        }
        let before = std::mem::replace(&mut self.state.streams, streams);
        let started = self.start_words(&words, &assignments);
        let status = match started {
            Ok(Start::Program(process)) => self.wait_program(process),
            Ok(Start::Over(status)) => Ok(status),
            Ok(Start::Shell(_)) => Ok(1),
            Err(flow) => Err(flow),
        };
        self.state.streams = before;
        status
    }

    fn run_builtin(
        &mut self,
        builtin: Builtin<S>,
        words: &[String],
        arguments: &[Argument],
        assignments: &[Assignment],
        streams: Streams<S>,
    ) -> Run {
        let hidden = self.assign_for_now(assignments)?;
        let permanent = words.first().is_some_and(|name| name == "exec") && words.len() == 1;
        let before = std::mem::replace(&mut self.state.streams, streams);
        let status = match builtin {
            Builtin::Plain(run) => run(self, words),
            Builtin::Declaration(run) => run(self, words.first().map_or("", String::as_str), arguments),
        };
        if !permanent {
            self.state.streams = before;
        }
        self.bring_back(hidden);
        status
    }

    /// Expands a simple command: first words, then redirections, then assignments.
    fn expand_command(&mut self, command: &SimpleCommand) -> Run<Expanded<S>> {
        self.substituted = None;
        let prefix = command.prefix.iter().flat_map(|prefix| &prefix.0);
        let suffix = command.suffix.iter().flat_map(|suffix| &suffix.0);
        let name = command.word_or_name.as_ref().map_or("", |word| word.value.as_str());
        let declares = builtins::is_declaration(name) && !self.state.functions.contains_key(name);
        let mut words = Vec::new();
        let mut arguments = Vec::new();
        if let Some(word) = &command.word_or_name {
            words = self.fields([word.value.as_str()].into_iter())?;
        }
        for item in suffix.clone() {
            match item {
                CommandPrefixOrSuffixItem::Word(word) => {
                    let fields = self.fields([word.value.as_str()].into_iter())?;
                    arguments.extend(fields.iter().cloned().map(Argument::Text));
                    words.extend(fields);
                }
                CommandPrefixOrSuffixItem::AssignmentWord(assignment, _) if declares => {
                    arguments.push(Argument::Assignment(self.expand_assignment(assignment)?));
                }
                CommandPrefixOrSuffixItem::AssignmentWord(_, word) => {
                    words.extend(self.fields([word.value.as_str()].into_iter())?);
                }
                CommandPrefixOrSuffixItem::ProcessSubstitution(kind, commands) => {
                    if matches!(kind, brush_parser::ast::ProcessSubstitutionKind::Write) {
                        let message = ">(...) is not supported; use a pipeline";
                        return Err(Flow::Discard(self.fail(1, message)));
                    }
                    words.push(self.substitution_file(commands)?);
                }
                CommandPrefixOrSuffixItem::IoRedirect(_) => {}
            }
        }
        let redirects: Vec<&IoRedirect> = prefix.clone().chain(suffix).filter_map(redirect_of).collect();
        let streams = self.redirect_all(redirects.into_iter())?;
        let mut assignments = Vec::new();
        for item in prefix {
            if let CommandPrefixOrSuffixItem::AssignmentWord(assignment, _) = item {
                let expanded = self.expand_assignment(assignment)?;
                if words.is_empty() {
                    // `a=1 b=$a` without a command: each counts for the next.
                    self.assign(&expanded)?;
                } else {
                    assignments.push(expanded);
                }
            }
        }
        self.trace(&words, &assignments);
        Ok(Expanded { words, arguments, assignments, streams })
    }

    /// `set -x`
    fn trace(&mut self, words: &[String], assignments: &[Assignment]) {
        if !self.state.options.is_on("xtrace") {
            return;
        }
        let mut line = String::from("+");
        for assignment in assignments {
            if let crate::assign::Assigned::Text(text) = &assignment.value {
                line.push_str(&format!(" {}={}", assignment.name, quote::quote(text)));
            }
        }
        for word in words {
            line.push(' ');
            line.push_str(&quote::quote(word));
        }
        line.push('\n');
        self.complain(&line);
    }

    /// Makes assignments that hold for one command; gives what they hide.
    fn assign_for_now(&mut self, assignments: &[Assignment]) -> Run<Vec<(String, Option<Variable>)>> {
        let mut hidden = Vec::new();
        for assignment in assignments {
            let name = &assignment.name;
            hidden.push((name.clone(), self.state.variables.get(name).cloned()));
            self.assign(assignment)?;
            self.state.variables.entry(name).attributes.exported = true;
        }
        Ok(hidden)
    }

    fn bring_back(&mut self, hidden: Vec<(String, Option<Variable>)>) {
        for (name, variable) in hidden.into_iter().rev() {
            self.state.variables.put(&name, variable);
        }
    }

    /// Calls a function.
    pub(crate) fn call(&mut self, function: &Rc<brush_parser::ast::FunctionDefinition>, arguments: &[String]) -> Run {
        self.enter()?;
        let positional = std::mem::replace(&mut self.state.positional, arguments.to_vec());
        let loops = std::mem::take(&mut self.state.loops);
        self.state.variables.push_scope();
        let body = &function.body;
        let status = self.redirected(body.1.as_ref(), |shell| shell.compound(&body.0));
        self.state.variables.pop_scope();
        self.state.loops = loops;
        self.state.positional = positional;
        self.state.depth -= 1;
        match status {
            Err(Flow::Return(status)) => Ok(status),
            other => other,
        }
    }

    /// Expands a command and starts it, for a pipeline.
    pub(crate) fn start_program(&mut self, command: &SimpleCommand) -> Run<Start<S>> {
        let Expanded { words, assignments, streams, .. } = self.expand_command(command)?;
        let Some(streams) = streams else { return Ok(Start::Over(1)) };
        let Some(name) = words.first() else { return Ok(Start::Over(self.substituted.unwrap_or(0))) };
        self.state.streams = streams;
        if self.state.functions.contains_key(name) || builtins::is_builtin::<S>(name) {
            return Ok(Start::Shell(quoted_command(&words)));
        }
        self.start_words(&words, &assignments)
    }

    /// Starts the program of expanded words.
    pub(crate) fn start_words(&mut self, words: &[String], assignments: &[Assignment]) -> Run<Start<S>> {
        let hidden = self.assign_for_now(assignments)?;
        let environment = self.state.variables.environment();
        self.bring_back(hidden);
        match self.program(words) {
            Ok(argv) => self.spawn(&argv, &environment),
            Err((status, message)) => Ok(Start::Over(self.fail(status, &message))),
        }
    }

    /// The program that runs `words`: by its name, or for a script the one that its first line names.
    fn program(&mut self, words: &[String]) -> Result<Vec<String>, (u8, String)> {
        let Some(name) = words.first() else { return Ok(Vec::new()) };
        if !name.contains('/') {
            return Ok(words.to_vec());
        }
        let path = self.absolute(name);
        let rest = || words.iter().skip(1).cloned();
        let base = PROGRAM_DIRECTORIES.iter().find_map(|directory| path.strip_prefix(directory));
        if let Some(base) = base.filter(|base| !base.contains('/')) {
            return Ok([base.to_owned()].into_iter().chain(rest()).collect());
        }
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => Err((CANNOT_RUN, format!("{name}: Is a directory"))),
            Ok(_) => {
                let start = first_line(&path).map_err(|reason| (CANNOT_RUN, format!("{name}: {reason}")))?;
                let mut argv = interpreter(&start).unwrap_or_else(|| vec![engine(&path).to_owned()]);
                argv.push(path);
                argv.extend(rest());
                Ok(argv)
            }
            Err(error) => Err((NOT_FOUND, format!("{name}: {}", crate::redirect::reason(&error)))),
        }
    }

    /// Starts a program on the streams 0, 1 and 2.
    pub(crate) fn spawn(&mut self, argv: &[String], environment: &[(String, String)]) -> Run<Start<S>> {
        let Some(name) = argv.first().cloned() else { return Ok(Start::Over(0)) };
        if let Err(message) = self.check_size(argv) {
            return Ok(Start::Over(self.fail(CANNOT_RUN, &format!("{name}: {message}"))));
        }
        let (input, output, error) = match self.standard() {
            Ok(standard) => standard,
            Err(reason) => return Ok(Start::Over(self.fail(1, &reason.to_string()))),
        };
        let launch = Launch { argv, environment, directory: &self.state.directory };
        match self.system.spawn(&launch, &input, &output, &error) {
            Ok(process) => Ok(Start::Program(process)),
            Err(SpawnError::NotFound) => {
                let hint = "it is none of the programs of this sandbox, and nothing else can be run";
                Ok(Start::Over(self.fail(NOT_FOUND, &format!("{name}: command not found ({hint})"))))
            }
            Err(refused) => Ok(Start::Over(self.fail(CANNOT_RUN, &format!("{name}: {refused}")))),
        }
    }

    fn check_size(&self, argv: &[String]) -> Result<(), String> {
        let size: usize = argv.iter().map(String::len).sum();
        if size > LARGEST_ARGUMENTS {
            return Err(format!("Argument list too long ({size} bytes, at most {LARGEST_ARGUMENTS}); use xargs"));
        }
        if argv.iter().any(|argument| argument.contains('\0')) {
            return Err("an argument holds a NUL".to_owned());
        }
        Ok(())
    }

    /// The streams 0, 1 and 2; one that is closed, or of the other direction, is replaced by nothing.
    fn standard(&self) -> std::io::Result<(S::Input, S::Output, S::Output)> {
        let streams = &self.state.streams;
        let input = match streams.get(&0) {
            Some(Stream::Input(input)) => input.clone(),
            _ => self.system.null_input()?,
        };
        let output = |number: i32| match streams.get(&number) {
            Some(Stream::Output(output)) => Ok(output.clone()),
            _ => self.system.null_output(),
        };
        Ok((input, output(1)?, output(2)?))
    }
}

/// Most bytes of all arguments of a program together.
const LARGEST_ARGUMENTS: usize = 1 << 20;

/// Longest first line of a script that is looked at, in bytes.
const LONGEST_FIRST_LINE: u64 = 256;

fn redirect_of(item: &CommandPrefixOrSuffixItem) -> Option<&IoRedirect> {
    match item {
        CommandPrefixOrSuffixItem::IoRedirect(redirect) => Some(redirect),
        _ => None,
    }
}

fn quoted_command(words: &[String]) -> SimpleCommand {
    let mut quoted = words.iter().map(|word| Word::new(&quote::quote(word)));
    let word_or_name = quoted.next();
    let suffix = CommandSuffix(quoted.map(CommandPrefixOrSuffixItem::Word).collect());
    SimpleCommand { prefix: None, word_or_name, suffix: Some(suffix) }
}

fn first_line(path: &str) -> Result<String, String> {
    use std::io::Read;
    let file = std::fs::File::open(path).map_err(|error| crate::redirect::reason(&error))?;
    let mut start = Vec::new();
    file.take(LONGEST_FIRST_LINE).read_to_end(&mut start).map_err(|error| crate::redirect::reason(&error))?;
    if start.contains(&0) {
        return Err("cannot execute binary file: only the programs of this sandbox can be run".to_owned());
    }
    Ok(String::from_utf8_lossy(&start).lines().next().unwrap_or_default().to_owned())
}

/// Programs that run scripts whose first line names none, by the ending of their file.
const ENGINES: [(&str, &str); 5] = [("py", "python3"), ("js", "js"), ("mjs", "js"), ("cjs", "js"), ("ts", "js")];

/// The program for a script whose first line names none: this shell, if its ending says nothing else.
fn engine(path: &str) -> &'static str {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    ENGINES.iter().find(|(known, _)| *known == ending).map_or(NAME, |(_, engine)| engine)
}

/// The program and its arguments in `#!/usr/bin/env python3 -u`.
fn interpreter(first_line: &str) -> Option<Vec<String>> {
    let mut words = first_line.strip_prefix("#!")?.split_whitespace().map(str::to_owned).peekable();
    let mut name = words.next()?;
    if name.ends_with("/env") {
        if words.peek().is_some_and(|flag| flag == "-S") {
            words.next();
        }
        name = words.next()?;
    }
    let base = name.rsplit('/').next().unwrap_or_default().to_owned();
    Some([base].into_iter().chain(words).collect())
}
