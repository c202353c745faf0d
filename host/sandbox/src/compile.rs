//! Compiling components in a child process: a compiler thread cannot be stopped, a process can.

use crate::{LoadError, SandboxError, engine};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use wasmtime::Engine;

/// CPU seconds that compiling one component may take.
const CPU_SECONDS: u64 = 60;
/// Wall clock that compiling one component may take: more than its CPU seconds on a machine with much else to do.
const WALL_CLOCK: Duration = Duration::from_secs(600);
/// Address space of the compiling child, in bytes.
const ADDRESS_SPACE: u64 = 4 << 30;
/// Largest compiled code that is accepted, in bytes.
const MAX_ARTEFACT: u64 = 512 << 20;
/// Exit code of a child that refused the component; its reason is on standard output.
const REFUSED: u8 = 3;

/// Who compiles components.
#[derive(Clone, Debug)]
pub enum Compiler {
    /// A child process that ends in [`compile_child`].
    Child {
        /// The program, usually the host itself.
        program: PathBuf,
        /// Its arguments.
        arguments: Vec<OsString>,
    },
    /// This process. Only for components whose source is trusted: nothing bounds the compiler.
    InProcess,
}

/// The whole life of a compiling child: limits itself, reads a component from standard input and
/// writes machine code to standard output.
pub fn compile_child() -> ExitCode {
    let limit = |value| Rlimit { current: Some(value), maximum: Some(value) };
    let limits =
        [(Resource::Cpu, CPU_SECONDS), (Resource::As, ADDRESS_SPACE), (Resource::Core, 0), (Resource::Fsize, 0)];
    for (resource, value) in limits {
        if setrlimit(resource, limit(value)).is_err() {
            return ExitCode::FAILURE;
        }
    }
    let mut bytes = Vec::new();
    if std::io::stdin().lock().read_to_end(&mut bytes).is_err() {
        return ExitCode::FAILURE;
    }
    let (answer, code) =
        match Engine::new(&engine::code_config()).and_then(|engine| engine.precompile_component(&bytes)) {
            Ok(artefact) => (artefact, ExitCode::SUCCESS),
            Err(error) => (format!("{error:#}").into_bytes(), ExitCode::from(REFUSED)),
        };
    match std::io::stdout().lock().write_all(&answer) {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}

impl Compiler {
    /// Turns a component into machine code for `engine`.
    pub(crate) async fn compile(&self, engine: &Engine, bytes: Vec<u8>) -> Result<Vec<u8>, LoadError> {
        match self {
            Self::InProcess => {
                let engine = engine.clone();
                tokio::task::spawn_blocking(move || engine.precompile_component(&bytes))
                    .await
                    .map_err(|error| LoadError::Host(error.to_string()))?
                    .map_err(|error| LoadError::Malformed(format!("{error:#}")))
            }
            Self::Child { program, arguments } => {
                let run = run_child(program, arguments, &bytes);
                tokio::time::timeout(WALL_CLOCK, run).await.unwrap_or_else(|_| {
                    Err(LoadError::Compile(format!(
                        "{} s have passed, as this machine has much else to do; try again",
                        WALL_CLOCK.as_secs()
                    )))
                })
            }
        }
    }
}

async fn run_child(program: &PathBuf, arguments: &[OsString], bytes: &[u8]) -> Result<Vec<u8>, LoadError> {
    let host = |error: std::io::Error| LoadError::Host(format!("the compiler does not run: {error}"));
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(host)?;
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(LoadError::Host("the compiler has no pipes".to_owned()));
    };
    let feed = async move {
        // A child that refuses early closes its end; its answer says why.
        let _ = stdin.write_all(bytes).await;
        drop(stdin);
    };
    let mut answer = Vec::new();
    let mut limited = stdout.take(MAX_ARTEFACT + 1);
    let (_, read) = tokio::join!(feed, limited.read_to_end(&mut answer));
    read.map_err(host)?;
    let status = child.wait().await.map_err(host)?;
    if answer.len() as u64 > MAX_ARTEFACT {
        return Err(LoadError::Compile(format!("its machine code is over {MAX_ARTEFACT} bytes")));
    }
    match status.code() {
        Some(0) => Ok(answer),
        Some(code) if code == i32::from(REFUSED) => {
            let reason = String::from_utf8_lossy(&answer);
            Err(LoadError::Malformed(reason.chars().take(500).collect()))
        }
        _ => Err(LoadError::Compile(format!(
            "the compiler hit its limits of {CPU_SECONDS} s and {} GiB ({status})",
            ADDRESS_SPACE >> 30
        ))),
    }
}

/// Whether the engine can be built with the code profile alone; for `chiton doctor`.
pub fn check_engine() -> Result<(), SandboxError> {
    engine::engine().map(drop)
}
