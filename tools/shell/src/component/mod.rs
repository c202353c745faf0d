//! The system of a component: programs and pipes of the contract, files of WASI.

mod files;
mod pump;

#[allow(missing_docs, clippy::undocumented_unsafe_blocks, reason = "generated from the contract in wit/")]
mod bindings {
    wit_bindgen::generate!({
        inline: "
            package chiton:shell;
            world shell {
                import chiton:tool/programs@0.1.0;
                import chiton:tool/secrets@0.1.0;
            }
        ",
        path: "../../wit",
        generate_all,
        with: {
            "wasi:io/error@0.2.12": wasip2::io::error,
            "wasi:io/poll@0.2.12": wasip2::io::poll,
            "wasi:io/streams@0.2.12": wasip2::io::streams,
        },
    });
}

use crate::system::{Launch, OpenMode, SpawnError, System};
use bindings::chiton::tool::{programs, secrets};
use files::{FileInput, Mounts};
use pump::{Capture, Keep, Pump, Text, write_waiting};
use std::cell::{OnceCell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;
use wasip2::clocks::monotonic_clock;
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

/// Bytes that `blocking_write_and_flush` takes at most, by WASI.
const WRITE_LIMIT: usize = 4096;

/// The system of a component.
pub struct Component {
    mounts: Mounts,
    names: OnceCell<Vec<String>>,
    /// Takes what is written to `/dev/null`.
    sink: OnceCell<Output>,
    pump: Pump,
}

/// A stream to read from.
#[derive(Clone)]
pub enum Input {
    /// A pipe, or the component's own input.
    Stream(Rc<InputStream>),
    /// A file.
    File(Rc<FileInput>),
    /// A here-document.
    Text(Rc<RefCell<Text>>),
    /// Nothing.
    Empty,
}

/// A stream to write to.
#[derive(Clone)]
pub enum Output {
    /// A pipe, or one of the component's own.
    Stream(Rc<OutputStream>),
    /// A file: never full, but to be flushed.
    File(Rc<OutputStream>),
    /// Memory of the shell.
    Capture(Rc<Capture>),
}

impl Input {
    /// The component's own standard input.
    pub fn standard() -> Self {
        Self::Stream(Rc::new(wasip2::cli::stdin::get_stdin()))
    }
}

impl Output {
    /// The component's own standard output.
    pub fn standard() -> Self {
        Self::Stream(Rc::new(wasip2::cli::stdout::get_stdout()))
    }

    /// The component's own standard error.
    pub fn error() -> Self {
        Self::Stream(Rc::new(wasip2::cli::stderr::get_stderr()))
    }

    /// An output that hands all bytes, those of programs too, to a function.
    pub fn to(take: impl Fn(&[u8]) + 'static) -> Self {
        Self::Capture(Capture::new(Keep::Hand(Box::new(take))))
    }
}

impl Default for Component {
    fn default() -> Self {
        Self { mounts: Mounts::default(), names: OnceCell::new(), sink: OnceCell::new(), pump: Pump::default() }
    }
}

impl Component {
    /// The same, but everything ends after `limit`, and `tick` is called every few seconds while programs run.
    pub fn with_limit(limit: Duration, tick: impl Fn() + 'static) -> Self {
        let mut component = Self::default();
        component.pump.limit(limit, Box::new(tick));
        component
    }

    fn input_handle(&self, input: &Input) -> io::Result<InputStream> {
        match input {
            Input::Stream(stream) => programs::share_input(stream).map_err(refused),
            Input::File(file) => file.handle(|stream| programs::share_input(stream).map_err(refused)),
            Input::Empty => programs::pipe().map(|(reader, _)| reader).map_err(refused),
            Input::Text(text) => {
                let (reader, writer) = programs::pipe().map_err(refused)?;
                self.pump.feed(writer, text.borrow_mut().take());
                Ok(reader)
            }
        }
    }

    fn output_handle(&self, output: &Output) -> io::Result<OutputStream> {
        match output {
            Output::Stream(stream) | Output::File(stream) => programs::share_output(stream).map_err(refused),
            Output::Capture(capture) => {
                self.pump.add(capture)?;
                capture.writer(|writer| programs::share_output(writer).map_err(refused))
            }
        }
    }
}

/// A pipe for a capture.
fn pipe() -> io::Result<(InputStream, OutputStream)> {
    programs::pipe().map_err(refused)
}

fn refused(failure: programs::Failure) -> io::Error {
    io::Error::other(words(failure))
}

fn words(failure: programs::Failure) -> String {
    use programs::Failure;
    match failure {
        Failure::Denied(grant) => format!("not permitted: the grant {grant} is missing"),
        Failure::NotFound(text) | Failure::InvalidArguments(text) | Failure::TimedOut(text) | Failure::Failed(text) => {
            text
        }
    }
}

/// What a stream's refusal means.
fn broken(error: StreamError) -> io::Error {
    match error {
        StreamError::Closed => io::ErrorKind::BrokenPipe.into(),
        StreamError::LastOperationFailed(error) => {
            let text = error.to_debug_string();
            // The host gives EPIPE where nobody reads any more.
            if text.contains("roken pipe") { io::ErrorKind::BrokenPipe.into() } else { io::Error::other(text) }
        }
    }
}

impl System for Component {
    type Input = Input;
    type Output = Output;
    type Process = programs::Process;

    fn spawn(
        &self,
        launch: &Launch<'_>,
        stdin: &Input,
        stdout: &Output,
        stderr: &Output,
    ) -> Result<programs::Process, SpawnError> {
        let failed = |error: io::Error| SpawnError::Refused(error.to_string());
        let command = programs::Command {
            argv: launch.argv.to_vec(),
            environment: launch.environment.to_vec(),
            working_directory: launch.directory.to_owned(),
        };
        let stdin = self.input_handle(stdin).map_err(failed)?;
        let stdout = self.output_handle(stdout).map_err(failed)?;
        let stderr = self.output_handle(stderr).map_err(failed)?;
        programs::spawn(&command, stdin, stdout, stderr).map_err(|failure| match failure {
            programs::Failure::NotFound(_) => SpawnError::NotFound,
            other => SpawnError::Refused(words(other)),
        })
    }

    fn wait(&self, process: &mut programs::Process) -> io::Result<u8> {
        if self.pump.has_work() {
            self.pump.until(&process.subscribe())?;
        }
        let code = process.wait().map_err(refused)?;
        // What it wrote last comes before what the shell writes next.
        self.pump.move_bytes();
        Ok(code)
    }

    fn kill(&self, process: &mut programs::Process) {
        process.kill();
    }

    fn pipe(&self) -> io::Result<(Input, Output)> {
        let (reader, writer) = pipe()?;
        Ok((Input::Stream(Rc::new(reader)), Output::Stream(Rc::new(writer))))
    }

    fn text(&self, bytes: Vec<u8>) -> io::Result<Input> {
        Ok(Input::Text(Rc::new(RefCell::new(Text::new(bytes)))))
    }

    fn capture(&self, limit: usize) -> io::Result<Output> {
        Ok(Output::Capture(Capture::new(Keep::Bytes { limit, bytes: RefCell::new(Vec::new()) })))
    }

    fn captured(&self, capture: Output) -> io::Result<Vec<u8>> {
        match capture {
            Output::Capture(capture) => self.pump.finish(&capture),
            _ => Ok(Vec::new()),
        }
    }

    fn feed(&self, output: Output, bytes: Vec<u8>) -> io::Result<()> {
        match output {
            Output::Stream(stream) => {
                let writer = match Rc::try_unwrap(stream) {
                    Ok(writer) => writer,
                    Err(shared) => programs::share_output(&shared).map_err(refused)?,
                };
                self.pump.feed(writer, bytes);
                Ok(())
            }
            other => self.write(&other, &bytes),
        }
    }

    fn null_input(&self) -> io::Result<Input> {
        Ok(Input::Empty)
    }

    fn null_output(&self) -> io::Result<Output> {
        Ok(self.sink.get_or_init(|| Output::Capture(Capture::new(Keep::Nothing))).clone())
    }

    fn open_input(&self, path: &str) -> io::Result<Input> {
        self.mounts.open_input(path).map(|file| Input::File(Rc::new(file)))
    }

    fn open_output(&self, path: &str, mode: OpenMode) -> io::Result<Output> {
        self.mounts.open_output(path, mode).map(|stream| Output::File(Rc::new(stream)))
    }

    fn read(&self, input: &Input, most: usize) -> io::Result<Vec<u8>> {
        match input {
            Input::Stream(stream) => self.pump.read(stream, most),
            Input::File(file) => file.read(most, |stream| self.pump.read(stream, most)),
            Input::Text(text) => Ok(text.borrow_mut().read(most)),
            Input::Empty => Ok(Vec::new()),
        }
    }

    fn write(&self, output: &Output, bytes: &[u8]) -> io::Result<()> {
        match output {
            Output::Stream(stream) => write_waiting(stream, bytes, &self.pump),
            Output::File(stream) => {
                bytes.chunks(WRITE_LIMIT).try_for_each(|chunk| stream.blocking_write_and_flush(chunk).map_err(broken))
            }
            Output::Capture(capture) => {
                capture.take(bytes);
                Ok(())
            }
        }
    }

    fn programs(&self) -> Vec<String> {
        self.names.get_or_init(programs::available).clone()
    }

    fn placeholder(&self, name: &str) -> Option<String> {
        secrets::placeholder(name)
    }

    fn interrupted(&self) -> Option<String> {
        self.pump.over().then(|| "the time is over".to_owned())
    }
}

/// Now, on the clock of deadlines, in nanoseconds.
fn now() -> u64 {
    monotonic_clock::now()
}
