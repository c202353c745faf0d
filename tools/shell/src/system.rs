//! What the language needs from the place it runs in: streams, files as streams, and programs.
//!
//! There are two implementations: the component's, over the contract's `programs` interface, and a native one in the
//! tests, over real processes and pipes.

use std::io;

/// A program to start.
#[derive(Debug, Clone)]
pub struct Launch<'a> {
    /// Name and arguments.
    pub argv: &'a [String],
    /// The environment; the program has no other variables.
    pub environment: &'a [(String, String)],
    /// Absolute path of the working directory.
    pub directory: &'a str,
}

/// Why a program was not started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpawnError {
    /// There is no program of this name.
    #[error("command not found")]
    NotFound,
    /// The host refuses; its words, which name the missing grant where there is one.
    #[error("{0}")]
    Refused(String),
}

/// How a file is opened for writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// Emptied first (`>`).
    Truncate,
    /// Refused if it exists (`>` under `set -C`).
    New,
    /// Written at its end (`>>`).
    Append,
    /// Written over from its start (`<>`).
    Keep,
}

/// The place that a shell runs in. Streams are cheap to clone; the clones share one position.
///
/// Calls that wait must move captured and fed bytes meanwhile, so that no program is stuck on a full pipe whose other
/// end is the shell itself.
pub trait System {
    /// A stream to read from.
    type Input: Clone;
    /// A stream to write to.
    type Output: Clone;
    /// A started program. Dropping it ends the program where the system can.
    type Process;

    /// Starts a program on three streams.
    ///
    /// # Errors
    /// When there is no such program, or the host refuses it.
    fn spawn(
        &self,
        launch: &Launch<'_>,
        stdin: &Self::Input,
        stdout: &Self::Output,
        stderr: &Self::Output,
    ) -> Result<Self::Process, SpawnError>;

    /// Waits for the end of a program and gives its exit code.
    ///
    /// # Errors
    /// When the shell itself is to end.
    fn wait(&self, process: &mut Self::Process) -> io::Result<u8>;

    /// Ends a program.
    fn kill(&self, process: &mut Self::Process);

    /// A bounded pipe.
    ///
    /// # Errors
    /// When there are too many.
    fn pipe(&self) -> io::Result<(Self::Input, Self::Output)>;

    /// A stream that gives these bytes.
    ///
    /// # Errors
    /// When it cannot be made.
    fn text(&self, bytes: Vec<u8>) -> io::Result<Self::Input>;

    /// A stream that collects up to `limit` bytes in memory.
    ///
    /// # Errors
    /// When it cannot be made.
    fn capture(&self, limit: usize) -> io::Result<Self::Output>;

    /// What a [`capture`](Self::capture) holds once all its writers are done.
    ///
    /// # Errors
    /// `FileTooLarge` when there was more than its limit.
    fn captured(&self, capture: Self::Output) -> io::Result<Vec<u8>>;

    /// Writes bytes to a stream as its reader takes them, without waiting for it.
    ///
    /// # Errors
    /// When it cannot be begun; a reader that goes away is no error.
    fn feed(&self, output: Self::Output, bytes: Vec<u8>) -> io::Result<()>;

    /// An empty stream.
    ///
    /// # Errors
    /// When it cannot be made.
    fn null_input(&self) -> io::Result<Self::Input>;

    /// A stream that takes everything and keeps nothing.
    ///
    /// # Errors
    /// When it cannot be made.
    fn null_output(&self) -> io::Result<Self::Output>;

    /// Opens a file for reading; the path is absolute.
    ///
    /// # Errors
    /// Those of the file system.
    fn open_input(&self, path: &str) -> io::Result<Self::Input>;

    /// Opens or creates a file for writing; the path is absolute.
    ///
    /// # Errors
    /// Those of the file system.
    fn open_output(&self, path: &str, mode: OpenMode) -> io::Result<Self::Output>;

    /// Reads at most `most` bytes; none at the end of the stream. Takes no byte more from the stream than it gives.
    ///
    /// # Errors
    /// Those of the stream.
    fn read(&self, input: &Self::Input, most: usize) -> io::Result<Vec<u8>>;

    /// Writes all bytes.
    ///
    /// # Errors
    /// `BrokenPipe` when nobody reads any more, and those of the stream.
    fn write(&self, output: &Self::Output, bytes: &[u8]) -> io::Result<()>;

    /// The names of all programs, sorted.
    fn programs(&self) -> Vec<String>;

    /// Text that stands for a granted secret in a request.
    fn placeholder(&self, name: &str) -> Option<String>;

    /// Why the shell is to end now, if it is.
    fn interrupted(&self) -> Option<String>;
}
