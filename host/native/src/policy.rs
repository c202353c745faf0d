//! What the host tells the child that builds the walls, and what the child answers.

use crate::{Directory, Wall, Walls};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// Limits of one run. Limits of memory and files hold for each process; the count of processes bounds their sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Wall clock, and CPU time of each process.
    pub time: Duration,
    /// Bytes of standard output and standard error together.
    pub output: u64,
    /// Bytes of address space of each process.
    pub memory: u64,
    /// Processes and threads at the same time.
    pub processes: u64,
    /// Bytes of each file that is written.
    pub file: u64,
    /// Bytes in the private `/tmp`.
    pub temporary: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(30),
            output: 1 << 20,
            memory: 1 << 30,
            processes: 32,
            file: 256 << 20,
            temporary: 64 << 20,
        }
    }
}

/// Descriptors that go to the child, in this order: policy, program, standard input, output and error.
pub(crate) const DESCRIPTORS: usize = 5;

/// Everything the child needs to know. The descriptors go beside it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Policy {
    pub(crate) argv: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) cwd: PathBuf,
    pub(crate) directories: Vec<PolicyDirectory>,
    /// Places below the directories that stay out of sight.
    pub(crate) hidden: Vec<PathBuf>,
    /// Per process: CPU seconds, bytes of address space, count of processes, bytes of a file.
    pub(crate) limits: ProcessLimits,
    pub(crate) may_be_missing: Vec<Wall>,
    /// Build the walls and report, but run nothing.
    pub(crate) probe: bool,
}

/// [`Limits`] as the kernel takes them.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct ProcessLimits {
    pub(crate) cpu_seconds: u64,
    pub(crate) memory: u64,
    pub(crate) processes: u64,
    pub(crate) file: u64,
    pub(crate) temporary: u64,
}

impl From<Limits> for ProcessLimits {
    fn from(limits: Limits) -> Self {
        let Limits { time, memory, processes, file, temporary, .. } = limits;
        Self { cpu_seconds: time.as_secs() + 1, memory, processes, file, temporary }
    }
}

/// A granted directory: the path, and which directory was meant by it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PolicyDirectory {
    pub(crate) path: PathBuf,
    pub(crate) writable: bool,
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

impl From<&Directory> for PolicyDirectory {
    fn from(directory: &Directory) -> Self {
        let (device, inode) = directory.identity();
        Self { path: directory.path().to_owned(), writable: directory.writable(), device, inode }
    }
}

/// What the child answers, one JSON line each.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Answer {
    /// The program ended by itself.
    Ended(i32),
    /// A signal ended the program.
    Signalled(i32),
    /// A required wall cannot be had; nothing ran.
    Missing(Wall, String),
    /// A directory is not the one that was granted; nothing ran.
    Moved(PathBuf),
    /// Something else went wrong; nothing ran.
    Failed(String),
    /// What a probe found.
    Walls(Walls),
}
