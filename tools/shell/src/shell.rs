//! A shell: its state, and how it runs a script.

use crate::error::{Flow, MISUSE, Run};
use crate::options::Options;
use crate::pipeline::Stage;
use crate::syntax;
use crate::system::System;
use crate::variables::Variables;
use brush_parser::ast::FunctionDefinition;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Deepest nesting of functions, subshells, `eval` and `source`: the stack of a component is small.
pub(crate) const DEEPEST: usize = 100;

/// The name in front of messages.
pub(crate) const NAME: &str = "sh";
/// The variable with the file whose lines run: scripts find what lies beside them by it.
pub(crate) const SOURCE: &str = "BASH_SOURCE";

/// One of a shell's numbered streams.
pub(crate) enum Stream<S: System> {
    Input(S::Input),
    Output(S::Output),
}

impl<S: System> Clone for Stream<S> {
    fn clone(&self) -> Self {
        match self {
            Self::Input(input) => Self::Input(input.clone()),
            Self::Output(output) => Self::Output(output.clone()),
        }
    }
}

/// The numbered streams.
pub(crate) type Streams<S> = BTreeMap<i32, Stream<S>>;

/// What a subshell has a copy of.
pub(crate) struct State<S: System> {
    pub(crate) variables: Variables,
    pub(crate) functions: BTreeMap<String, Rc<FunctionDefinition>>,
    pub(crate) options: Options,
    /// `$0`
    pub(crate) name: String,
    pub(crate) positional: Vec<String>,
    /// The working directory, absolute.
    pub(crate) directory: String,
    /// `$?`
    pub(crate) status: u8,
    pub(crate) streams: Streams<S>,
    /// Commands of `trap ... EXIT`.
    pub(crate) exit_trap: Option<String>,
    /// Whether this is a copy of another shell.
    pub(crate) nested: bool,
    /// Loops around the running command, within its function.
    pub(crate) loops: usize,
    /// Functions, subshells and scripts around it.
    pub(crate) depth: usize,
    /// Whether its failure is tested, so that `set -e` does not count.
    pub(crate) tested: bool,
    /// `$!`
    pub(crate) last_background: Option<u32>,
}

impl<S: System> Clone for State<S> {
    fn clone(&self) -> Self {
        Self {
            variables: self.variables.clone(),
            functions: self.functions.clone(),
            options: self.options.clone(),
            name: self.name.clone(),
            positional: self.positional.clone(),
            directory: self.directory.clone(),
            status: self.status,
            streams: self.streams.clone(),
            exit_trap: self.exit_trap.clone(),
            nested: self.nested,
            loops: self.loops,
            depth: self.depth,
            tested: self.tested,
            last_background: self.last_background,
        }
    }
}

/// A program in the background.
pub(crate) struct Job<S: System> {
    pub(crate) number: u32,
    pub(crate) stage: Stage<S>,
}

/// A shell over a system.
pub struct Shell<S: System> {
    pub(crate) system: Rc<S>,
    pub(crate) state: State<S>,
    pub(crate) jobs: Vec<Job<S>>,
    /// Programs of `< <(...)`, which nobody waits for.
    pub(crate) beside: Vec<S::Process>,
    /// Exit code of the last command substitution of the command that is being expanded.
    pub(crate) substituted: Option<u8>,
    /// Files of process substitutions of the running command.
    pub(crate) temporary: Vec<String>,
    pub(crate) started: std::time::Instant,
    /// Counts jobs and temporary files.
    pub(crate) counter: u32,
}

/// The three streams that a shell starts with.
pub struct Standard<S: System> {
    /// Stream 0.
    pub input: S::Input,
    /// Stream 1.
    pub output: S::Output,
    /// Stream 2.
    pub error: S::Output,
}

impl<S: System> Shell<S> {
    /// A shell in `directory` with exported variables.
    pub fn new(system: Rc<S>, directory: &str, environment: Vec<(String, String)>, standard: Standard<S>) -> Self {
        let mut variables = Variables::default();
        for (name, value) in environment {
            if crate::words::is_name(&name) {
                variables.set_own(&name, value);
                variables.entry(&name).attributes.exported = true;
            }
        }
        for (name, value) in [("PWD", directory), ("IFS", " \t\n"), ("OPTIND", "1"), ("BASH_VERSION", "5.2 (chiton)")] {
            variables.set_own(name, value);
        }
        variables.entry("PWD").attributes.exported = true;
        let streams = BTreeMap::from([
            (0, Stream::Input(standard.input)),
            (1, Stream::Output(standard.output)),
            (2, Stream::Output(standard.error)),
        ]);
        let state = State {
            variables,
            functions: BTreeMap::new(),
            options: Options::default(),
            name: NAME.to_owned(),
            positional: Vec::new(),
            directory: directory.to_owned(),
            status: 0,
            streams,
            exit_trap: None,
            nested: false,
            loops: 0,
            depth: 0,
            tested: false,
            last_background: None,
        };
        Self {
            system,
            state,
            jobs: Vec::new(),
            beside: Vec::new(),
            substituted: None,
            temporary: Vec::new(),
            started: std::time::Instant::now(),
            counter: 0,
        }
    }

    /// Sets `$0` and the positional parameters.
    pub fn set_arguments(&mut self, name: &str, arguments: Vec<String>) {
        name.clone_into(&mut self.state.name);
        self.state.positional = arguments;
    }

    /// Runs a whole script and the `EXIT` trap after it, and gives the exit code.
    ///
    /// # Errors
    /// When the host ended it; the text is the host's reason.
    pub fn run(&mut self, source: &str) -> Result<u8, String> {
        let flow = self.source(source);
        self.finish(flow)
    }

    /// The exit code after the `EXIT` trap.
    pub(crate) fn finish(&mut self, flow: Run) -> Result<u8, String> {
        self.state.status = ended(flow)?;
        if let Some(trap) = self.state.exit_trap.take() {
            let status = self.state.status;
            if let Err(Flow::Exit(code)) = self.source(&trap) {
                self.state.status = code;
            } else {
                self.state.status = status;
            }
        }
        Ok(self.state.status)
    }

    /// Runs the lines of a script in this shell.
    pub(crate) fn source(&mut self, source: &str) -> Run {
        let program = match syntax::program(source) {
            Ok(program) => program,
            Err(error) => return Ok(self.fail(MISUSE, &error.to_string())),
        };
        let mut status = 0;
        for list in &program.complete_commands {
            if self.state.options.is_on("noexec") {
                break;
            }
            status = match self.list(list) {
                Err(Flow::Discard(status)) => status,
                other => other?,
            };
            self.state.status = status;
        }
        Ok(status)
    }

    /// Writes a message to the error stream and gives `status` back.
    pub(crate) fn fail(&mut self, status: u8, message: &str) -> u8 {
        self.complain(&format!("{NAME}: {message}\n"));
        status
    }

    pub(crate) fn complain(&mut self, text: &str) {
        if let Some(Stream::Output(error)) = self.state.streams.get(&2) {
            // Where nobody reads errors there is nobody to tell.
            let _ = self.system.write(error, text.as_bytes());
        }
    }

    /// Ends the shell for a parameter that must be set; a subshell ends with a plain failure.
    pub(crate) fn abort(&mut self, message: &str) -> Flow {
        let code = if self.state.nested { 1 } else { crate::error::NOT_FOUND };
        Flow::Exit(self.fail(code, message))
    }

    /// Writes to stream 1. A reader that is gone ends the shell, as SIGPIPE would.
    pub(crate) fn print(&mut self, bytes: &[u8]) -> Run {
        self.print_to(1, bytes)
    }

    pub(crate) fn print_to(&mut self, number: i32, bytes: &[u8]) -> Run {
        let Some(Stream::Output(output)) = self.state.streams.get(&number) else {
            return Ok(self.fail(1, &format!("write error: {number}: Bad file descriptor")));
        };
        match self.system.write(output, bytes) {
            Ok(()) => Ok(0),
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(Flow::Exit(crate::error::BROKEN_PIPE)),
            Err(error) => {
                self.check()?;
                Ok(self.fail(1, &format!("write error: {error}")))
            }
        }
    }

    /// Ends the shell when the host says so.
    pub(crate) fn check(&self) -> Run<()> {
        self.system.interrupted().map_or(Ok(()), |reason| Err(Flow::Stopped(reason)))
    }

    /// One level deeper; refused when that is too deep for the stack.
    pub(crate) fn enter(&mut self) -> Run<()> {
        self.state.depth += 1;
        if self.state.depth > DEEPEST {
            self.fail(1, &format!("functions, subshells and scripts are nested deeper than {DEEPEST}"));
            return Err(Flow::Exit(1));
        }
        Ok(())
    }

    /// Runs something on a copy of the state, as a subshell does.
    pub(crate) fn subshell(&mut self, run: impl FnOnce(&mut Self) -> Run) -> Run {
        let outer = self.state.clone();
        self.state.exit_trap = None;
        self.state.nested = true;
        self.state.loops = 0;
        let flow = self.enter().and_then(|()| run(self));
        let finished = self.finish(flow);
        self.state = outer;
        finished.map_err(Flow::Stopped)
    }

    /// An absolute path, without `.` and `..`.
    pub(crate) fn absolute(&self, path: &str) -> String {
        let joined = if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", self.state.directory) };
        let mut parts: Vec<&str> = Vec::new();
        for part in joined.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                other => parts.push(other),
            }
        }
        let trailing = path.len() > 1 && path.ends_with('/') && !parts.is_empty();
        format!("/{}{}", parts.join("/"), if trailing { "/" } else { "" })
    }
}

/// The exit code that a shell ends with.
fn ended(flow: Run) -> Result<u8, String> {
    match flow {
        Ok(status) | Err(Flow::Exit(status) | Flow::Return(status) | Flow::Discard(status)) => Ok(status),
        Err(Flow::Break(_) | Flow::Continue(_)) => Ok(0),
        Err(Flow::Stopped(reason)) => Err(reason),
    }
}
