//! Runs one program: starts the child, hands it the policy, moves the bytes, and ends everything at the limits.

use crate::policy::{Answer, DESCRIPTORS, Limits, Policy, PolicyDirectory};
use crate::{Directory, NativeError, Pinned, Wall, Walls, arguments, rules};
use rustix::fs::{MemfdFlags, Mode, OFlags, memfd_create, open};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use std::ffi::OsString;
use std::io::{IoSlice, Seek as _, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream as Socket;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

/// The environment of every program, besides `HOME` (its working directory) and what its rules add.
const ENVIRONMENT: [(&str, &str); 4] =
    [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("LANG", "C.UTF-8"), ("TMPDIR", "/tmp"), ("TERM", "dumb")];
/// Bytes moved at once.
const CHUNK: usize = 64 << 10;
/// How long the child may take to end all processes before it is killed, which ends them as well.
const GRACE: Duration = Duration::from_millis(200);
/// How long a probe of the walls may take.
const PROBE: Duration = Duration::from_secs(5);
/// Most bytes of the child's answers.
const MAX_ANSWER: u64 = 64 << 10;

/// How native programs run on this host.
#[derive(Clone, Debug)]
pub struct Options {
    /// A program that ends in [`crate::native_child`], usually the host itself.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Walls that may be missing; the owner's word. All others are required.
    pub may_be_missing: Vec<Wall>,
    /// Places that no program may see although they lie below a granted directory: the bot's own. Canonical paths.
    pub hidden: Vec<PathBuf>,
}

impl Options {
    /// Every wall required that no other wall covers, nothing hidden.
    #[must_use]
    pub fn new(program: PathBuf, arguments: Vec<OsString>) -> Self {
        Self { program, arguments, may_be_missing: Wall::COVERED_BY_OTHERS.to_vec(), hidden: Vec::new() }
    }
}

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The approved program.
    pub program: &'a Pinned,
    /// The whole command; its first word is the name as granted.
    pub argv: &'a [String],
    /// The working directory, in one of `directories`.
    pub cwd: &'a Path,
    /// What the program may see.
    pub directories: &'a [Directory],
    /// Limits of the run.
    pub limits: Limits,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code; 128 + the signal if a signal ended it.
    pub code: u8,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Whether it was ended because it wrote more than [`Limits::output`]. A notice is on its standard error.
    pub cut: bool,
}

/// Runs native programs.
#[derive(Clone, Debug)]
pub struct Native {
    options: Options,
}

impl Native {
    /// With these options.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { options }
    }

    /// What walls this machine gives, by building them all in a child around `directory`, such as the workspace.
    ///
    /// # Errors
    /// The child does not run.
    pub async fn walls(&self, directory: &Directory) -> Result<Walls, NativeError> {
        let policy = Policy {
            argv: Vec::new(),
            environment: Vec::new(),
            cwd: PathBuf::from("/"),
            directories: vec![directory.into()],
            hidden: Vec::new(),
            limits: Limits::default().into(),
            may_be_missing: Wall::ALL.to_vec(),
            probe: true,
        };
        let null = null_device().map_err(failed)?;
        let mut started = self.start(&policy, [&null, &null, &null, &null])?;
        let answer = tokio::time::timeout(PROBE, started.answer()).await;
        started.end().await;
        match answer.map_err(|_| NativeError::TimedOut(PROBE))?? {
            Answer::Walls(walls) => Ok(walls),
            other => Err(ended(other).err().unwrap_or_else(|| failed("the child did not report its walls"))),
        }
    }

    /// Runs a program to its end. Its bytes go through as they are: whoever shows them neutralises them.
    /// When the returned future is dropped, every process of the run is ended.
    ///
    /// # Errors
    /// See [`NativeError`]. After `TimedOut` and `Cancelled` no process of the run is left.
    pub async fn run<I, O, E>(
        &self,
        request: Request<'_>,
        stdin: Option<I>,
        stdout: O,
        stderr: E,
        cancel: &CancellationToken,
    ) -> Result<Exit, NativeError>
    where
        I: AsyncRead + Unpin,
        O: AsyncWrite + Unpin,
        E: AsyncWrite + Unpin,
    {
        let Request { program, argv, cwd, directories, limits } = request;
        let deadline = tokio::time::Instant::now() + limits.time;
        if !directories.iter().any(|directory| cwd.starts_with(directory.path())) {
            let reason = format!("the working directory {} is not granted", cwd.display());
            return Err(NativeError::files(cwd, "read", reason));
        }
        arguments::check(&program.grant, argv, cwd, directories, stdin.is_some())?;
        let executable = open_program(program, directories).await?;
        let policy = self.policy(&request);

        let (input, feed) = match stdin {
            Some(reader) => pipe::pipe().and_then(|(to, from)| Ok((from.into_blocking_fd()?, Some((reader, to))))),
            None => null_device().map(|null| (null, None)),
        }
        .map_err(failed)?;
        let (out_end, out) = pipe::pipe().map_err(failed)?;
        let (error_end, errors) = pipe::pipe().map_err(failed)?;
        let ends = [input, out_end.into_blocking_fd().map_err(failed)?, error_end.into_blocking_fd().map_err(failed)?];
        let mut started = self.start(&policy, [&executable, &ends[0], &ends[1], &ends[2]])?;
        drop((executable, ends));

        let budget = Budget { left: AtomicU64::new(limits.output), spent: CancellationToken::new() };
        let mut stderr = stderr;
        let ending = {
            let program = async {
                let (answer, (), ()) =
                    tokio::join!(started.answer(), budget.copy(out, stdout), budget.copy(errors, &mut stderr));
                answer
            };
            let feeding = async {
                if let Some((reader, to)) = feed {
                    copy_in(reader, to).await;
                }
                std::future::pending::<()>().await;
            };
            tokio::select! {
                biased;
                () = cancel.cancelled() => Err(NativeError::Cancelled),
                () = tokio::time::sleep_until(deadline) => Err(NativeError::TimedOut(limits.time)),
                () = budget.spent.cancelled() => Ok(None),
                answer = program => answer.and_then(ended).map(Some),
                () = feeding => Err(failed("the input never ends")),
            }
        };
        started.end().await;
        match ending? {
            Some(exit) => Ok(exit),
            None => {
                let notice = format!("\nchiton: the program was ended: its output is over {} bytes\n", limits.output);
                // A reader that has gone away needs no notice.
                let _ = stderr.write_all(notice.as_bytes()).await;
                Ok(Exit { code: 128 + libc::SIGKILL as u8, signal: Some(libc::SIGKILL), cut: true })
            }
        }
    }

    fn policy(&self, request: &Request<'_>) -> Policy {
        let rules = rules::of(request.program.grant.name());
        let mut environment: Vec<(String, String)> =
            ENVIRONMENT.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        environment.push(("HOME".to_owned(), request.cwd.to_string_lossy().into_owned()));
        if let Some(rules) = rules {
            environment.extend(rules.environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
            environment.push(("GIT_CONFIG_COUNT".to_owned(), rules.settings.len().to_string()));
            for (index, (key, value)) in rules.settings.iter().enumerate() {
                environment.push((format!("GIT_CONFIG_KEY_{index}"), (*key).to_owned()));
                environment.push((format!("GIT_CONFIG_VALUE_{index}"), (*value).to_owned()));
            }
        }
        Policy {
            argv: rules.map_or_else(|| request.argv.to_vec(), |rules| rules.completed(request.argv)),
            environment,
            cwd: request.cwd.to_owned(),
            directories: request.directories.iter().map(PolicyDirectory::from).collect(),
            hidden: self.options.hidden.clone(),
            limits: request.limits.into(),
            may_be_missing: self.options.may_be_missing.clone(),
            probe: false,
        }
    }

    /// Starts the child. Its standard input is the socket on which it gets the policy and every descriptor, so nothing
    /// of the host can be inherited by accident.
    fn start(&self, policy: &Policy, descriptors: [&OwnedFd; DESCRIPTORS - 1]) -> Result<Started, NativeError> {
        let (ours, theirs) = Socket::pair().map_err(failed)?;
        let written = memfd_create("policy", MemfdFlags::CLOEXEC).map_err(failed)?;
        let mut file = std::fs::File::from(written);
        let text = serde_json::to_vec(policy).map_err(failed)?;
        file.write_all(&text).and_then(|()| file.rewind()).map_err(failed)?;

        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let [program, input, output, errors] = descriptors.map(OwnedFd::as_fd);
        let all = [file.as_fd(), program, input, output, errors];
        if !ancillary.push(SendAncillaryMessage::ScmRights(&all)) {
            return Err(failed("too many descriptors"));
        }
        sendmsg(&ours, &[IoSlice::new(b"P")], &mut ancillary, SendFlags::NOSIGNAL).map_err(failed)?;
        ours.set_nonblocking(true).map_err(failed)?;

        let child = Command::new(&self.options.program)
            .args(&self.options.arguments)
            .env_clear()
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(format!("{}: {error}", self.options.program.display())))?;
        Ok(Started { child, socket: UnixStream::from_std(ours).map_err(failed)? })
    }
}

/// Hashes the program away from the async threads: a large one takes longer than others should wait.
async fn open_program(program: &Pinned, directories: &[Directory]) -> Result<OwnedFd, NativeError> {
    let writable: Vec<PathBuf> =
        directories.iter().filter(|granted| granted.writable()).map(|granted| granted.path().to_owned()).collect();
    let program = program.clone();
    tokio::task::spawn_blocking(move || program.open(&writable)).await.map_err(failed)?
}

/// A child that builds the walls or waits for its program.
struct Started {
    child: Child,
    socket: UnixStream,
}

impl Started {
    /// Its answer, once every process of the run has ended.
    async fn answer(&mut self) -> Result<Answer, NativeError> {
        let mut text = String::new();
        (&mut self.socket).take(MAX_ANSWER).read_to_string(&mut text).await.map_err(failed)?;
        let line = text.lines().next().ok_or_else(|| failed("its child ended early"))?;
        serde_json::from_str(line).map_err(failed)
    }

    /// Ends every process of the run and waits until they are gone.
    async fn end(mut self) {
        // The child ends its program when the socket closes; killed itself, the kernel does it.
        drop(self.socket);
        if tokio::time::timeout(GRACE, self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }
}

/// The bytes that a program may still write.
struct Budget {
    left: AtomicU64,
    spent: CancellationToken,
}

impl Budget {
    /// Copies until the program closes its end, the reader goes away, or the budget is spent.
    async fn copy(&self, mut from: pipe::Receiver, mut to: impl AsyncWrite + Unpin) {
        let mut chunk = vec![0; CHUNK];
        while let Ok(read @ 1..) = from.read(&mut chunk).await {
            let left = self.left.load(Ordering::Relaxed);
            let taken = left.min(read as u64);
            self.left.store(left - taken, Ordering::Relaxed);
            // A reader that has gone away closes the pipe, which ends a program that goes on writing.
            if to.write_all(&chunk[..taken as usize]).await.is_err() {
                return;
            }
            if taken < read as u64 {
                let _ = to.flush().await;
                self.spent.cancel();
                return std::future::pending().await;
            }
        }
        let _ = to.flush().await;
    }
}

/// Feeds the program's standard input, and closes it at the end.
async fn copy_in(mut reader: impl AsyncRead + Unpin, mut to: pipe::Sender) {
    let mut chunk = vec![0; CHUNK];
    while let Ok(read @ 1..) = reader.read(&mut chunk).await {
        if to.write_all(&chunk[..read]).await.is_err() {
            return;
        }
    }
}

fn ended(answer: Answer) -> Result<Exit, NativeError> {
    match answer {
        Answer::Ended(code) => Ok(Exit { code: code as u8, signal: None, cut: false }),
        Answer::Signalled(signal) => Ok(Exit { code: 128 + signal as u8, signal: Some(signal), cut: false }),
        Answer::Missing(wall, reason) => Err(NativeError::WallMissing { wall, reason }),
        Answer::Moved(path) => {
            let reason = format!("{} is not the directory that was granted any more", path.display());
            Err(NativeError::files(&path, "read", reason))
        }
        Answer::Failed(reason) => Err(NativeError::Failed(reason)),
        Answer::Walls(_) => Err(failed("the child answered another question")),
    }
}

fn null_device() -> std::io::Result<OwnedFd> {
    Ok(open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?)
}

fn failed(error: impl ToString) -> NativeError {
    NativeError::Failed(error.to_string())
}
