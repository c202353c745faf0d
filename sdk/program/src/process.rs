//! Other programs, started by the host beside this one.

use std::ffi::OsString;
use std::io::{self, Read};
use std::time::Duration;

use crate::bindings::chiton::tool::programs;
use crate::bindings::chiton::tool::tool_types::Failure;
use wasip2::cli::{stderr, stdin, stdout};
use wasip2::clocks::monotonic_clock;
use wasip2::io::poll;
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

/// The exit code of a shell for a program that does not exist.
pub const NOT_FOUND: u8 = 127;

/// The exit code of a shell for a program that may not or cannot be run.
pub const CANNOT_RUN: u8 = 126;

/// Bytes read or written in one host call; the size of a pipe.
const CHUNK: usize = 64 * 1024;

/// Bytes that `blocking_write_and_flush` takes at most, by WASI.
const WRITE_LIMIT: usize = 4096;

/// Why a program could not be run.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// There is none of this name.
    #[error("{0}: command not found")]
    NotFound(String),
    /// The host's refusal; the text names the missing grant where there is one.
    #[error("{program}: {reason}")]
    Refused {
        /// The name it was to be started by.
        program: String,
        /// The host's words.
        reason: String,
    },
    /// Arguments cross the host as text.
    #[error("{0}: an argument is not UTF-8; rename the file or pass it on standard input")]
    NotUtf8(String),
    /// The pipe to or from the program broke.
    #[error("{program}: {source}")]
    Stream {
        /// The name it was started by.
        program: String,
        /// What the stream said.
        source: io::Error,
    },
}

impl SpawnError {
    /// What a shell would exit with: [`NOT_FOUND`] or [`CANNOT_RUN`].
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NotFound(_) => NOT_FOUND,
            _ => CANNOT_RUN,
        }
    }
}

/// How a program ended that was given a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With this exit code.
    ByItself(u8),
    /// It took too long and was ended.
    ByTheClock,
}

/// A program to run, with this program's environment and working directory unless told otherwise.
#[derive(Debug, Clone)]
pub struct Command {
    /// Name and arguments.
    pub argv: Vec<OsString>,
    /// The environment; the program has no other variables.
    pub environment: Vec<(OsString, OsString)>,
    /// Absolute path inside a mount.
    pub working_directory: OsString,
}

impl Command {
    /// A command of this name and these arguments.
    pub fn new(argv: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        Self {
            argv: argv.into_iter().map(Into::into).collect(),
            environment: std::env::vars_os().collect(),
            working_directory: std::env::current_dir().unwrap_or_else(|_| "/".into()).into_os_string(),
        }
    }

    /// Runs it on this program's three streams and gives the exit code.
    ///
    /// # Errors
    /// When it cannot be started; a program that fails is no error.
    pub fn run(&self) -> Result<u8, SpawnError> {
        flush();
        self.wait(&self.spawn(stdin::get_stdin(), stdout::get_stdout())?)
    }

    /// Runs it on this program's three streams, and ends it after `limit`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run_for(&self, limit: Duration) -> Result<Ended, SpawnError> {
        flush();
        let process = self.spawn(stdin::get_stdin(), stdout::get_stdout())?;
        let nanoseconds = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        let (ended, time) = (process.subscribe(), monotonic_clock::subscribe_duration(nanoseconds));
        if poll::poll(&[&ended, &time]).contains(&0) {
            return self.wait(&process).map(Ended::ByItself);
        }
        process.kill();
        Ok(Ended::ByTheClock)
    }

    /// Runs it with an empty input instead of this program's, as `xargs` does.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run_without_input(&self) -> Result<u8, SpawnError> {
        flush();
        let (input, writer) = self.pipe()?;
        drop(writer);
        self.wait(&self.spawn(input, stdout::get_stdout())?)
    }

    /// Runs it, collects what it writes and gives that with the exit code.
    ///
    /// # Errors
    /// When it cannot be started or its output cannot be read.
    pub fn output(&self) -> Result<(Vec<u8>, u8), SpawnError> {
        let mut running = self.reader()?;
        let mut bytes = Vec::new();
        running.read_to_end(&mut bytes).map_err(|source| self.broken(source))?;
        Ok((bytes, self.wait(&running.process)?))
    }

    /// Starts it and gives what it writes while it writes.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn reader(&self) -> Result<OutputReader, SpawnError> {
        flush();
        let (stream, output) = self.pipe()?;
        let process = self.spawn(stdin::get_stdin(), output)?;
        Ok(OutputReader { stream, process })
    }

    /// Runs it on `input` and gives the exit code. A program that does not read all of it is no error.
    ///
    /// # Errors
    /// When it cannot be started or its input cannot be written.
    pub fn run_on(&self, input: &[u8]) -> Result<u8, SpawnError> {
        flush();
        let (reader, writer) = self.pipe()?;
        let process = self.spawn(reader, stdout::get_stdout())?;
        match write_all(&writer, input) {
            Err(source) if source.kind() != io::ErrorKind::BrokenPipe => return Err(self.broken(source)),
            _ => drop(writer),
        }
        self.wait(&process)
    }

    /// Starts it on the given streams, with this program's standard error.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(&self, stdin: InputStream, stdout: OutputStream) -> Result<programs::Process, SpawnError> {
        let command = programs::Command {
            argv: self.argv.iter().map(|word| self.text(word)).collect::<Result<_, _>>()?,
            environment: self
                .environment
                .iter()
                .filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value.to_str()?.to_owned())))
                .collect(),
            working_directory: self.text(&self.working_directory)?,
        };
        programs::spawn(&command, stdin, stdout, stderr::get_stderr()).map_err(|failure| self.refused(failure))
    }

    fn wait(&self, process: &programs::Process) -> Result<u8, SpawnError> {
        process.wait().map_err(|failure| self.refused(failure))
    }

    fn pipe(&self) -> Result<(InputStream, OutputStream), SpawnError> {
        programs::pipe().map_err(|failure| self.refused(failure))
    }

    fn name(&self) -> String {
        self.argv.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    fn text(&self, word: &OsString) -> Result<String, SpawnError> {
        word.to_str().map(str::to_owned).ok_or_else(|| SpawnError::NotUtf8(self.name()))
    }

    fn broken(&self, source: io::Error) -> SpawnError {
        SpawnError::Stream { program: self.name(), source }
    }

    fn refused(&self, failure: Failure) -> SpawnError {
        let program = self.name();
        match failure {
            Failure::NotFound(_) => SpawnError::NotFound(program),
            Failure::Denied(grant) => {
                SpawnError::Refused { program, reason: format!("not permitted: the grant {grant} is missing") }
            }
            Failure::InvalidArguments(reason) | Failure::TimedOut(reason) | Failure::Failed(reason) => {
                SpawnError::Refused { program, reason }
            }
        }
    }
}

/// What this program has printed comes before what the other prints.
fn flush() {
    let _ = io::Write::flush(&mut io::stdout());
}

/// What a program writes. Dropping it ends the program.
pub struct OutputReader {
    stream: InputStream,
    process: programs::Process,
}

impl Read for OutputReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer.len().min(CHUNK);
        if wanted == 0 {
            return Ok(0);
        }
        match self.stream.blocking_read(wanted as u64) {
            Ok(chunk) => {
                buffer[..chunk.len()].copy_from_slice(&chunk);
                Ok(chunk.len())
            }
            Err(StreamError::Closed) => Ok(0),
            Err(StreamError::LastOperationFailed(error)) => Err(io::Error::other(error.to_debug_string())),
        }
    }
}

/// Writes all bytes to a stream.
///
/// # Errors
/// `BrokenPipe` when nobody reads any more.
fn write_all(to: &OutputStream, bytes: &[u8]) -> io::Result<()> {
    for chunk in bytes.chunks(WRITE_LIMIT) {
        to.blocking_write_and_flush(chunk).map_err(|_| io::ErrorKind::BrokenPipe)?;
    }
    Ok(())
}
