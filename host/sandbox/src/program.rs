//! Programs: components that export `wasi:cli/run`, started by a call beside itself. Each has its own
//! store and task, and the files, rights, deadline, memory and log of the call that it belongs to.

use crate::contract::v0_1::{exit_code, programs, tool_types};
use crate::engine::PROGRAM_INSTANCES;
use crate::imports::{self, Kind};
use crate::pipe::{self, BrokenPipe, Handle};
use crate::ports::NativeCommand;
use crate::state::{Call, CommandLine, State};
use crate::{Capability, Digest, Effects, LoadError, Sandbox};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{OnceCell, watch};
use tokio_util::task::AbortOnDropHandle;
use tool_types::Failure;
use wasmtime::component::Resource;
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p2::bindings::CommandPre;
use wasmtime_wasi::p2::pipe::{ClosedInputStream, ClosedOutputStream};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable, OutputStream, Pollable};

/// Programs that one call may have running at the same time.
const MAX_PROGRAMS: usize = 32;
/// Most bytes of all arguments and environment variables of a program together.
const MAX_COMMAND: usize = 1 << 20;
/// The exit code of a program that was killed, or ended at a limit.
const KILLED: u8 = 137;
/// The exit code of a program that broke down.
const BROKE_DOWN: u8 = 134;
/// The exit code of a program that wrote where nobody reads.
const UNREAD: u8 = 141;
/// The exit code of a program that is there but cannot be started.
const NOT_STARTED: u8 = 126;
/// Bytes that a stream hands over to or from a program of the machine before it waits.
const NATIVE_BUFFER: usize = 64 << 10;

/// Where the bytes of a component come from when they are first needed.
pub type ComponentBytes = Arc<dyn Fn() -> std::io::Result<Vec<u8>> + Send + Sync>;

/// A program that can be started. It is compiled, or taken from the cache, when it first is.
pub(crate) struct Program {
    digest: Digest,
    bytes: ComponentBytes,
    prepared: OnceCell<CommandPre<State>>,
}

/// All programs by name.
pub(crate) type Programs = BTreeMap<String, Arc<Program>>;

impl Program {
    pub(crate) fn new(digest: Digest, bytes: ComponentBytes) -> Self {
        Self { digest, bytes, prepared: OnceCell::new() }
    }

    pub(crate) async fn prepared(&self, sandbox: &Sandbox) -> Result<&CommandPre<State>, LoadError> {
        self.prepared.get_or_try_init(|| sandbox.prepare_program(self.digest, &self.bytes)).await
    }
}

impl Sandbox {
    /// Checks and compiles a program, so that its first start is as quick as any.
    ///
    /// # Errors
    /// When there is none of this name, or it is refused.
    pub async fn warm_program(&self, name: &str) -> Result<(), LoadError> {
        match self.programs().get(name) {
            Some(program) => program.prepared(self).await.map(drop),
            None => Err(LoadError::Host(format!("there is no program '{name}'"))),
        }
    }

    /// Checks and compiles a program without making it known.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn check_program(&self, digest: Digest, bytes: Vec<u8>) -> Result<(), LoadError> {
        let bytes: ComponentBytes = Arc::new(move || Ok(bytes.clone()));
        self.prepare_program(digest, &bytes).await.map(drop)
    }

    /// Checks and compiles a program into the code cache, without loading it.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn compile_program(&self, digest: Digest, bytes: ComponentBytes) -> Result<(), LoadError> {
        let bytes = self.read(digest, &bytes).await?;
        imports::declared(&bytes)?.check(Kind::Program)?;
        let code = self.compile(bytes).await?;
        self.keep(digest, code).await
    }

    /// Reads, checks and compiles a program, or takes it from the code cache.
    pub(crate) async fn prepare_program(
        &self,
        digest: Digest,
        bytes: &ComponentBytes,
    ) -> Result<CommandPre<State>, LoadError> {
        let (linked, _) = self.prepare_known(digest, bytes, Kind::Program).await?;
        CommandPre::new(linked).map_err(|error| LoadError::Contract(format!("{error:#}")))
    }
}

/// A program that runs, as its starter sees it. Dropping it ends the program.
pub struct Process {
    ended: watch::Receiver<Option<u8>>,
    task: AbortOnDropHandle<()>,
}

impl Process {
    async fn end(&mut self) -> u8 {
        // A task that is gone without a word was killed.
        self.ended.wait_for(Option::is_some).await.map_or(KILLED, |code| code.unwrap_or(KILLED))
    }
}

#[async_trait::async_trait]
impl Pollable for Process {
    async fn ready(&mut self) {
        self.end().await;
    }
}

/// How a program ends itself with an exit code.
#[derive(Debug, thiserror::Error)]
#[error("exit code {0}")]
struct Exit(u8);

impl exit_code::Host for State {
    async fn end(&mut self, code: u8) -> wasmtime::Result<()> {
        Err(Exit(code).into())
    }
}

impl programs::HostProcess for State {
    async fn wait(&mut self, process: Resource<Process>) -> wasmtime::Result<Result<u8, Failure>> {
        Ok(Ok(self.table.get_mut(&process)?.end().await))
    }

    fn subscribe(&mut self, process: Resource<Process>) -> wasmtime::Result<Resource<DynPollable>> {
        wasmtime_wasi::p2::subscribe(&mut self.table, process)
    }

    fn kill(&mut self, process: Resource<Process>) -> wasmtime::Result<()> {
        self.table.get(&process)?.task.abort();
        Ok(())
    }

    async fn drop(&mut self, process: Resource<Process>) -> wasmtime::Result<()> {
        self.table.delete(process)?;
        Ok(())
    }
}

type Stream<T> = Result<Resource<T>, Failure>;

impl programs::Host for State {
    fn available(&mut self) -> wasmtime::Result<Vec<String>> {
        Ok(self.call.sandbox.programs().keys().cloned().collect())
    }

    fn pipe(&mut self) -> wasmtime::Result<Result<(Resource<DynInputStream>, Resource<DynOutputStream>), Failure>> {
        let (reader, writer) = pipe::pipe();
        let reader = self.table.push(Box::new(reader) as DynInputStream)?;
        Ok(Ok((reader, self.table.push(Box::new(writer) as DynOutputStream)?)))
    }

    fn share_input(&mut self, of: Resource<DynInputStream>) -> wasmtime::Result<Stream<DynInputStream>> {
        let slot: &mut DynInputStream = self.table.get_mut(&of)?;
        let handle = Handle::new(std::mem::replace(slot, Box::new(ClosedInputStream)));
        *slot = Box::new(handle.clone());
        Ok(Ok(self.table.push(Box::new(handle) as DynInputStream)?))
    }

    fn share_output(&mut self, of: Resource<DynOutputStream>) -> wasmtime::Result<Stream<DynOutputStream>> {
        let slot: &mut DynOutputStream = self.table.get_mut(&of)?;
        let handle = Handle::new(std::mem::replace(slot, Box::new(ClosedOutputStream)));
        *slot = Box::new(handle.clone());
        Ok(Ok(self.table.push(Box::new(handle) as DynOutputStream)?))
    }

    async fn spawn(
        &mut self,
        command: programs::Command,
        stdin: Resource<DynInputStream>,
        stdout: Resource<DynOutputStream>,
        stderr: Resource<DynOutputStream>,
    ) -> wasmtime::Result<Result<Resource<Process>, Failure>> {
        let (stdin, stdout, stderr) =
            (self.table.delete(stdin)?, self.table.delete(stdout)?, self.table.delete(stderr)?);
        let command = CommandLine {
            argv: command.argv,
            environment: command.environment,
            working_directory: command.working_directory,
            stdin: Handle::new(stdin),
            stdout: Handle::new(stdout),
            stderr: Handle::new(stderr),
        };
        match self.start(command) {
            Ok(process) => Ok(Ok(self.table.push(process)?)),
            Err(error) => Ok(Err(error)),
        }
    }
}

impl State {
    /// Starts a program of the sandbox, or else of the machine.
    fn start(&mut self, command: CommandLine) -> Result<Process, Failure> {
        let call = self.call.clone();
        if !call.rights.effects.contains(Effects::RUNS_PROGRAMS) {
            let (rule, target) = ("effects=runs-programs", command.argv.first().map_or("", String::as_str));
            call.subject.deny("spawn", target, rule);
            return Err(Failure::Denied(rule.to_owned()));
        }
        let variables = command.environment.iter().map(|(name, value)| name.len() + value.len());
        if command.argv.iter().map(String::len).chain(variables).sum::<usize>() > MAX_COMMAND {
            return Err(Failure::Failed(format!("the command line has more than {} MiB", MAX_COMMAND >> 20)));
        }
        let Some(name) = command.argv.first().cloned() else {
            return Err(Failure::InvalidArguments("the command is empty".to_owned()));
        };
        let running = Running::take(&call)?;
        let program = call.sandbox.programs().get(&name).cloned();
        if program.is_none() {
            self.native_is_possible(&name)?;
        }
        let (files, (sender, ended)) = (self.files.share().hearing_of_all(), watch::channel(None));
        let task = tokio::spawn(async move {
            let stderr = command.stderr.clone();
            let ran = match program {
                Some(program) => run(&call, &program, files, command).await,
                None => native(&call, command).await.map_err(|failure| (NOT_STARTED, told(failure))),
            };
            let code = match ran {
                Ok(code) => code,
                Err((code, reason)) => complain(stderr, &name, &reason, code).await,
            };
            drop(running);
            sender.send_replace(Some(code));
        });
        Ok(Process { ended, task: AbortOnDropHandle::new(task) })
    }

    fn native_is_possible(&self, name: &str) -> Result<(), Failure> {
        let ports = self.call.ports();
        match self.call.port(Capability::Programs, &ports.native, name) {
            Ok(_) => Ok(()),
            Err(_) => Err(Failure::NotFound(format!("there is no program '{name}'"))),
        }
    }
}

/// One of the programs that a call may have running.
struct Running(Arc<Call>);

impl Running {
    fn take(call: &Arc<Call>) -> Result<Self, Failure> {
        let running = Self(call.clone());
        if call.programs.fetch_add(1, Ordering::Relaxed) >= MAX_PROGRAMS {
            return Err(Failure::Failed(format!("more than {MAX_PROGRAMS} programs at the same time")));
        }
        Ok(running)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.programs.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Runs a program to its end. The error is an exit code with its reason.
async fn run(
    call: &Arc<Call>,
    program: &Program,
    files: chiton_files::FileContext,
    command: CommandLine,
) -> Result<u8, (u8, String)> {
    let prepared = program.prepared(&call.sandbox).await.map_err(|error| (NOT_STARTED, error.to_string()))?;
    let _place = call.sandbox.program_place().await;
    let mut store = call.sandbox.store(call.clone(), files, Some(command));
    let ran = async {
        let instance = prepared.instantiate_async(&mut store).await?;
        instance.wasi_cli_run().call_run(&mut store).await
    };
    let error = match ran.await {
        Ok(Ok(())) => return Ok(0),
        Ok(Err(())) => return Ok(1),
        Err(error) => error,
    };
    if let Some(Exit(code)) = error.downcast_ref() {
        return Ok(*code);
    }
    if let Some(I32Exit(code)) = error.downcast_ref() {
        return Ok(u8::try_from(*code).unwrap_or(1));
    }
    if error.downcast_ref::<BrokenPipe>().is_some() {
        return Ok(UNREAD);
    }
    match crate::call::broken(&error, &store, &call.limits) {
        crate::CallError::Trap(reason) => Err((BROKE_DOWN, format!("broke down: {reason}"))),
        limit => Err((KILLED, limit.to_string())),
    }
}

/// Runs a program of the machine on the streams of `command`.
async fn native(call: &Call, command: CommandLine) -> Result<u8, Failure> {
    let (stdin, to_stdin) = tokio::io::duplex(NATIVE_BUFFER);
    let (stdout, from_stdout) = tokio::io::duplex(NATIVE_BUFFER);
    let (stderr, from_stderr) = tokio::io::duplex(NATIVE_BUFFER);
    let target = command.argv.join(" ");
    let ports = call.ports();
    let ran = async {
        let (granted, port) = call.port(Capability::Programs, &ports.native, &target)?;
        let CommandLine { argv, working_directory, .. } = command;
        let files = call.rights.files.clone();
        let native = NativeCommand { argv, working_directory, files, stdin, stdout, stderr };
        port.run(&call.caller, granted, native).await
    };
    let feeding = AbortOnDropHandle::new(tokio::spawn(pipe::feed(Box::new(command.stdin), to_stdin)));
    let (ran, (), ()) =
        tokio::join!(ran, pipe::drain(from_stdout, command.stdout), pipe::drain(from_stderr, command.stderr));
    drop(feeding);
    call.audited("program", &target, ran)
}

fn told(failure: Failure) -> String {
    match failure {
        Failure::Denied(grant) => format!("denied: {grant}"),
        Failure::InvalidArguments(text) | Failure::NotFound(text) | Failure::TimedOut(text) | Failure::Failed(text) => {
            text
        }
    }
}

/// Says on a program's standard error why it ended, if anybody reads it.
async fn complain(mut stderr: Handle<DynOutputStream>, name: &str, reason: &str, code: u8) -> u8 {
    let _ = stderr.blocking_write_and_flush(Bytes::from(format!("{name}: {reason}\n"))).await;
    code
}

/// Places for programs of all calls.
pub(crate) fn places() -> tokio::sync::Semaphore {
    tokio::sync::Semaphore::new(PROGRAM_INSTANCES as usize)
}
