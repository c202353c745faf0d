//! The machine as a system: real processes, pipes and files. It lets the language be tested without a sandbox.

use chiton_shell::{Launch, OpenMode, SpawnError, System};
use std::fs::{File, OpenOptions};
use std::io::{self, PipeReader, Read, Seek, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

pub struct Native;

/// Names that this test's own binary serves.
const SHELLS: [&str; 2] = ["sh", "bash"];

#[derive(Clone)]
pub struct Input(Arc<OwnedFd>);

/// Where the bytes of a capture arrive once all writers are done.
type Captured = Arc<Mutex<Receiver<io::Result<Vec<u8>>>>>;

#[derive(Clone)]
pub struct Output {
    file: Arc<OwnedFd>,
    captured: Option<Captured>,
}

impl Input {
    pub fn standard() -> io::Result<Self> {
        Ok(Self(Arc::new(io::stdin().as_fd().try_clone_to_owned()?)))
    }
}

impl Output {
    pub fn standard(stream: impl AsFd) -> io::Result<Self> {
        Ok(output(stream.as_fd().try_clone_to_owned()?))
    }
}

fn output(file: impl Into<OwnedFd>) -> Output {
    Output { file: Arc::new(file.into()), captured: None }
}

fn stdio(file: &OwnedFd) -> Result<Stdio, SpawnError> {
    file.try_clone().map(Stdio::from).map_err(|error| SpawnError::Refused(error.to_string()))
}

/// All bytes of a pipe, or an error if there are more than `limit`.
fn collect(mut reader: PipeReader, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    (&mut reader).take(limit as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limit { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

impl System for Native {
    type Input = Input;
    type Output = Output;
    type Process = Child;

    fn spawn(&self, launch: &Launch<'_>, stdin: &Input, stdout: &Output, stderr: &Output) -> Result<Child, SpawnError> {
        let name = &launch.argv[0];
        let own = std::env::current_exe().map_err(|error| SpawnError::Refused(error.to_string()))?;
        let mut command = if SHELLS.contains(&name.as_str()) { Command::new(own) } else { Command::new(name) };
        if SHELLS.contains(&name.as_str()) {
            command.arg("sh");
        }
        command.arg0(name).args(&launch.argv[1..]).current_dir(launch.directory);
        command.env_clear().envs(launch.environment.iter().map(|(name, value)| (name, value)));
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(stdio(&stdin.0)?).stdout(stdio(&stdout.file)?).stderr(stdio(&stderr.file)?);
        command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => SpawnError::NotFound,
            _ => SpawnError::Refused(error.to_string()),
        })
    }

    fn wait(&self, process: &mut Child) -> io::Result<u8> {
        let status = process.wait()?;
        Ok(status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1) as u8)
    }

    fn kill(&self, process: &mut Child) {
        let _ = process.kill();
    }

    fn pipe(&self) -> io::Result<(Input, Output)> {
        let (reader, writer) = io::pipe()?;
        Ok((Input(Arc::new(reader.into())), output(writer)))
    }

    fn text(&self, bytes: Vec<u8>) -> io::Result<Input> {
        let mut file = tempfile::tempfile()?;
        file.write_all(&bytes)?;
        file.rewind()?;
        Ok(Input(Arc::new(file.into())))
    }

    fn capture(&self, limit: usize) -> io::Result<Output> {
        let (reader, writer) = io::pipe()?;
        let (send, receive) = channel();
        std::thread::spawn(move || send.send(collect(reader, limit)));
        Ok(Output { file: Arc::new(writer.into()), captured: Some(Arc::new(Mutex::new(receive))) })
    }

    fn captured(&self, capture: Output) -> io::Result<Vec<u8>> {
        let Output { file, captured } = capture;
        drop(file);
        let receiver = captured.ok_or(io::ErrorKind::InvalidInput)?;
        let received = receiver.lock().map_err(|_| io::ErrorKind::Other)?.recv();
        received.map_err(|_| io::ErrorKind::BrokenPipe)?
    }

    fn feed(&self, output: Output, bytes: Vec<u8>) -> io::Result<()> {
        std::thread::spawn(move || Native.write(&output, &bytes));
        Ok(())
    }

    fn null_input(&self) -> io::Result<Input> {
        self.open_input("/dev/null")
    }

    fn null_output(&self) -> io::Result<Output> {
        Ok(output(OpenOptions::new().write(true).open("/dev/null")?))
    }

    fn open_input(&self, path: &str) -> io::Result<Input> {
        Ok(Input(Arc::new(File::open(path)?.into())))
    }

    fn open_output(&self, path: &str, mode: OpenMode) -> io::Result<Output> {
        let mut options = OpenOptions::new();
        match mode {
            OpenMode::Truncate => options.write(true).create(true).truncate(true),
            OpenMode::New => options.write(true).create_new(true),
            OpenMode::Append => options.append(true).create(true),
            OpenMode::Keep => options.write(true).create(true).truncate(false),
        };
        Ok(output(options.open(path)?))
    }

    fn read(&self, input: &Input, most: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; most];
        let read = rustix::io::read(&*input.0, &mut bytes)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    fn write(&self, output: &Output, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let written = rustix::io::write(&*output.file, rest)?;
            rest = &rest[written..];
        }
        Ok(())
    }

    fn programs(&self) -> Vec<String> {
        ["cat", "ls", "sort"].map(str::to_owned).into()
    }

    fn placeholder(&self, name: &str) -> Option<String> {
        (name == "GRANTED_SECRET").then(|| "placeholder-of-the-secret".to_owned())
    }

    fn interrupted(&self) -> Option<String> {
        None
    }
}
