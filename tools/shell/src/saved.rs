//! The state of a shell as text, for a stage of a pipeline that runs as an `sh` of its own.

use crate::options::Options;
use crate::shell::{Shell, State};
use crate::system::{OpenMode, System};
use crate::variables::Variables;
use brush_parser::ast::{Command, FunctionDefinition};
use serde::{Deserialize, Serialize};
use std::rc::Rc;

/// The largest state, in bytes, that goes into an argument; larger ones go through a file.
const LARGEST_ARGUMENT: usize = 96 << 10;

/// The option of `sh` before a state.
pub(crate) const STATE: &str = "--state";
/// The option of `sh` before the path of a state, which the reader removes.
pub(crate) const STATE_FILE: &str = "--state-file";

/// A state, and the command to run with it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Saved {
    variables: Variables,
    functions: Vec<FunctionDefinition>,
    options: Options,
    name: String,
    positional: Vec<String>,
    directory: String,
    status: u8,
    tested: bool,
    depth: usize,
    last_background: Option<u32>,
    pub(crate) command: Command,
}

impl Saved {
    /// A copy of a state.
    pub(crate) fn of<S: System>(state: &State<S>, command: &Command) -> Self {
        Self {
            variables: state.variables.clone(),
            functions: state.functions.values().map(|function| (**function).clone()).collect(),
            options: state.options.clone(),
            name: state.name.clone(),
            positional: state.positional.clone(),
            directory: state.directory.clone(),
            status: state.status,
            tested: state.tested,
            depth: state.depth + 1,
            last_background: state.last_background,
            command: command.clone(),
        }
    }

    /// Puts the copy in the place of a fresh shell's state, and gives the command.
    pub(crate) fn restore<S: System>(self, shell: &mut Shell<S>) -> Command {
        let state = &mut shell.state;
        state.variables = self.variables;
        let functions = self.functions.into_iter();
        state.functions = functions.map(|function| (function.fname.value.clone(), Rc::new(function))).collect();
        state.options = self.options;
        state.name = self.name;
        state.positional = self.positional;
        state.directory = self.directory;
        state.status = self.status;
        state.tested = self.tested;
        state.depth = self.depth;
        state.nested = true;
        state.last_background = self.last_background;
        self.command
    }
}

impl<S: System> Shell<S> {
    /// The arguments of an `sh` that takes a state over.
    ///
    /// # Errors
    /// When the state is large and there is no scratch directory.
    pub(crate) fn saved_arguments(&mut self, saved: &Saved) -> Result<Vec<String>, String> {
        let sh = crate::shell::NAME.to_owned();
        let text = serde_json::to_string(saved).map_err(|error| format!("the state of the shell: {error}"))?;
        if text.len() <= LARGEST_ARGUMENT {
            return Ok(vec![sh, STATE.to_owned(), text]);
        }
        let directory = self.state.variables.text("TMPDIR").ok_or_else(|| {
            let size = text.len();
            format!("the variables and functions for this stage take {size} bytes, and there is no scratch directory")
        })?;
        self.counter += 1;
        let path = format!("{}/state-{}-{}", directory.trim_end_matches('/'), self.instance(), self.counter);
        let written = self
            .system
            .open_output(&path, OpenMode::Truncate)
            .and_then(|output| self.system.write(&output, text.as_bytes()));
        written.map_err(|error| format!("{path}: {}", crate::redirect::reason(&error)))?;
        Ok(vec![sh, STATE_FILE.to_owned(), path])
    }
}
