//! Pipelines, and programs that run beside the shell.
//!
//! A stage that is a program is started on the pipe. A stage that is shell code is started as a fresh `sh` with a copy
//! of the state, except the last, which this shell runs itself, and `echo` and its like, whose output is short.

use crate::builtins;
use crate::error::{Flow, Run};
use crate::saved::Saved;
use crate::shell::{Job, Shell, Stream, Streams};
use crate::simple::Start;
use crate::system::System;
use brush_parser::ast::{
    AndOrList, Command, CompoundCommand, CompoundList, CompoundListItem, Pipeline, SeparatorOperator, SimpleCommand,
    SubshellCommand,
};
use std::time::Instant;

/// Most bytes that `echo` and its like may write into a pipe while this shell keeps them.
const LARGEST_BRIEF: usize = 1 << 20;

/// A stage that was started.
pub(crate) enum Stage<S: System> {
    Program(S::Process),
    /// It is over, with this exit code.
    Over(u8),
}

impl<S: System> Shell<S> {
    pub(crate) fn pipeline(&mut self, pipeline: &Pipeline) -> Run {
        let start = Instant::now();
        let status = match &pipeline.seq[..] {
            [] => Ok(0),
            [command] => {
                let status = self.command(command)?;
                self.set_statuses(&[status])?;
                Ok(status)
            }
            stages => self.stages(stages),
        };
        if pipeline.timed.is_some() {
            let seconds = start.elapsed().as_secs_f64();
            let whole = (seconds / 60.0) as u64;
            let real = format!("{whole}m{:.3}s", seconds % 60.0);
            // Only the clock on the wall is known here.
            self.complain(&format!("\nreal\t{real}\nuser\t0m0.000s\nsys\t0m0.000s\n"));
        }
        status
    }

    fn stages(&mut self, commands: &[Command]) -> Run {
        let Some((last, others)) = commands.split_last() else { return Ok(0) };
        let mut streams = self.state.streams.clone();
        let mut started = Vec::new();
        for command in others {
            let (input, output) = match self.system.pipe() {
                Ok(pipe) => pipe,
                Err(error) => return Ok(self.fail(1, &format!("pipe: {error}"))),
            };
            let mut stage = streams.clone();
            stage.insert(1, Stream::Output(output));
            started.push(self.start_stage(command, stage, true)?);
            streams.insert(0, Stream::Input(input));
        }
        let status = self.subshell(move |shell| {
            shell.state.streams = streams;
            shell.command(last)
        })?;
        let mut statuses = Vec::new();
        for stage in started {
            statuses.push(self.wait_stage(stage)?);
        }
        statuses.push(status);
        self.set_statuses(&statuses)?;
        let failed = statuses.iter().rev().find(|status| **status != 0);
        Ok(if self.state.options.is_on("pipefail") { failed.copied().unwrap_or(0) } else { status })
    }

    /// `PIPESTATUS`
    fn set_statuses(&mut self, statuses: &[u8]) -> Run<()> {
        self.assign_list("PIPESTATUS", statuses.iter().map(u8::to_string).collect())
    }

    fn wait_stage(&mut self, stage: Stage<S>) -> Run {
        match stage {
            Stage::Over(status) => Ok(status),
            Stage::Program(process) => self.wait_program(process),
        }
    }

    pub(crate) fn wait_program(&mut self, mut process: S::Process) -> Run {
        match self.system.wait(&mut process) {
            Ok(status) => Ok(status),
            Err(error) => {
                self.check()?;
                Ok(self.fail(1, &error.to_string()))
            }
        }
    }

    /// Starts a command on streams, without waiting for it; `piped` says that it writes into a pipe made for it.
    fn start_stage(&mut self, command: &Command, streams: Streams<S>, piped: bool) -> Run<Stage<S>> {
        let outer = self.state.clone();
        self.state.streams = streams;
        let stage = self.start(command, piped);
        self.state = outer;
        match stage {
            Err(Flow::Exit(status) | Flow::Return(status) | Flow::Discard(status)) => Ok(Stage::Over(status)),
            other => other,
        }
    }

    fn start(&mut self, command: &Command, piped: bool) -> Run<Stage<S>> {
        match command {
            Command::Simple(simple) => self.start_simple(simple, piped),
            Command::Compound(compound, Some(redirects)) => {
                let Some(streams) = self.redirect_all(redirects.0.iter())? else { return Ok(Stage::Over(1)) };
                self.state.streams = streams;
                self.start_shell(&Command::Compound(compound.clone(), None))
            }
            other => self.start_shell(other),
        }
    }

    fn start_simple(&mut self, simple: &SimpleCommand, piped: bool) -> Run<Stage<S>> {
        let name = simple.word_or_name.as_ref().map_or("", |word| word.value.as_str());
        let known = self.state.functions.contains_key(name) || builtins::is_builtin::<S>(name);
        if builtins::BRIEF.contains(&name) && !self.state.functions.contains_key(name) {
            return if piped { self.start_brief(simple) } else { self.simple(simple).map(Stage::Over) };
        }
        if known || name.is_empty() {
            return self.start_shell(&Command::Simple(simple.clone()));
        }
        match self.start_program(simple)? {
            Start::Program(process) => Ok(Stage::Program(process)),
            Start::Over(status) => Ok(Stage::Over(status)),
            Start::Shell(words) => self.start_shell(&Command::Simple(words)),
        }
    }

    /// Runs a builtin with short output here; its bytes go into the pipe as the reader takes them.
    fn start_brief(&mut self, simple: &SimpleCommand) -> Run<Stage<S>> {
        let Some(Stream::Output(output)) = self.state.streams.get(&1).cloned() else {
            return self.simple(simple).map(Stage::Over);
        };
        let broken = |shell: &mut Self, error: std::io::Error| Flow::Exit(shell.fail(1, &error.to_string()));
        let capture = self.system.capture(LARGEST_BRIEF).map_err(|error| broken(self, error))?;
        self.state.streams.insert(1, Stream::Output(capture.clone()));
        let status = self.simple(simple);
        self.state.streams.remove(&1);
        let bytes = self.system.captured(capture).map_err(|error| broken(self, error))?;
        self.system.feed(output, bytes).map_err(|error| broken(self, error))?;
        status.map(Stage::Over)
    }

    /// Starts a fresh `sh` with this state for one command.
    fn start_shell(&mut self, command: &Command) -> Run<Stage<S>> {
        let saved = Saved::of(&self.state, command);
        let argv = match self.saved_arguments(&saved) {
            Ok(argv) => argv,
            Err(message) => return Ok(Stage::Over(self.fail(1, &message))),
        };
        let environment = self.state.variables.environment();
        match self.spawn(&argv, &environment)? {
            Start::Program(process) => Ok(Stage::Program(process)),
            Start::Over(status) => Ok(Stage::Over(status)),
            Start::Shell(_) => Ok(Stage::Over(1)),
        }
    }

    /// Starts the commands of `<(...)` on a pipe; they end with the shell at the latest.
    pub(crate) fn start_beside(&mut self, commands: &SubshellCommand, output: S::Output) -> Run<()> {
        let mut streams = self.state.streams.clone();
        streams.insert(1, Stream::Output(output));
        let stage = match single(&commands.list) {
            Some(command) => self.start_stage(command, streams, true)?,
            None => {
                let subshell = Command::Compound(CompoundCommand::Subshell(commands.clone()), None);
                self.start_stage(&subshell, streams, true)?
            }
        };
        if let Stage::Program(process) = stage {
            self.counter += 1;
            self.beside.push(process);
        }
        Ok(())
    }

    /// `list &`
    pub(crate) fn background(&mut self, list: &AndOrList) -> Run {
        let mut streams = self.state.streams.clone();
        match self.system.null_input() {
            Ok(input) => drop(streams.insert(0, Stream::Input(input))),
            Err(error) => return Ok(self.fail(1, &error.to_string())),
        }
        let list = CompoundList(vec![CompoundListItem(list.clone(), SeparatorOperator::Sequence)]);
        let stage = match single(&list) {
            Some(command) => self.start_stage(command, streams, false)?,
            None => {
                let group = brush_parser::ast::BraceGroupCommand { list, loc: Default::default() };
                self.start_stage(&Command::Compound(CompoundCommand::BraceGroup(group), None), streams, false)?
            }
        };
        self.counter += 1;
        let number = FIRST_JOB + self.counter;
        self.jobs.push(Job { number, stage });
        self.state.last_background = Some(number);
        Ok(0)
    }

    /// Waits for a job, which is over then.
    pub(crate) fn wait_job(&mut self, number: u32) -> Run<Option<u8>> {
        let Some(index) = self.jobs.iter().position(|job| job.number == number) else { return Ok(None) };
        let job = self.jobs.swap_remove(index);
        self.wait_stage(job.stage).map(Some)
    }
}

/// Numbers of jobs begin above this one, so that they look like process numbers.
const FIRST_JOB: u32 = 1000;

/// The command of a list that has only one.
fn single(list: &CompoundList) -> Option<&Command> {
    match &list.0[..] {
        [CompoundListItem(and_or, SeparatorOperator::Sequence)] if and_or.additional.is_empty() => {
            match &and_or.first {
                Pipeline { timed: None, bang: false, seq } if seq.len() == 1 => seq.first(),
                _ => None,
            }
        }
        _ => None,
    }
}
