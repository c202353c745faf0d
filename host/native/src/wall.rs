//! The walls around a program, each with what it is for.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One wall between a program and the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wall {
    /// No power over the machine: an own user namespace; as root, another user id.
    User,
    /// A file tree of its own: the granted directories and the system's read-only files.
    Files,
    /// Processes of its own, which all end with it.
    Processes,
    /// No network interface.
    Network,
    /// No shared memory or message queues of others.
    Ipc,
    /// Landlock's rules on files: which may be read, written and executed.
    Landlock,
    /// Landlock's rules on TCP (ABI 4).
    LandlockNetwork,
    /// Landlock's rules on signals and abstract sockets (ABI 6).
    LandlockScopes,
    /// System calls that no plain program needs are refused.
    Seccomp,
}

impl Wall {
    /// All walls, in the order in which they are built.
    pub const ALL: [Self; 9] = [
        Self::User,
        Self::Files,
        Self::Processes,
        Self::Network,
        Self::Ipc,
        Self::Landlock,
        Self::LandlockNetwork,
        Self::LandlockScopes,
        Self::Seccomp,
    ];

    /// Walls that others cover: a host that lacks only these runs programs unless the owner says otherwise.
    /// Network namespace and seccomp cover the first, process and network namespaces the second.
    pub const COVERED_BY_OTHERS: [Self; 2] = [Self::LandlockNetwork, Self::LandlockScopes];

    /// Its name and what a program could do without it.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::User => ("user namespace", "the program would act with the host's own user rights"),
            Self::Files => ("mount namespace", "the program would see names and sizes of files outside its grants"),
            Self::Processes => ("process namespace", "processes it leaves behind could survive it"),
            Self::Network => ("network namespace", "only seccomp would keep it from the network"),
            Self::Ipc => ("IPC namespace", "it could reach shared memory and queues of other programs"),
            Self::Landlock => {
                ("Landlock", "only the mount namespace would keep it to its files, and it could start others")
            }
            Self::LandlockNetwork => ("Landlock for TCP", "the network namespace and seccomp cover it"),
            Self::LandlockScopes => ("Landlock for signals", "the process and network namespaces cover it"),
            Self::Seccomp => ("seccomp", "it could use system calls where kernels had holes"),
        }
    }

    /// What a program could do if this wall were missing, in words.
    #[must_use]
    pub const fn without(self) -> &'static str {
        self.words().1
    }
}

impl fmt::Display for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words().0)
    }
}

/// Whether one wall can be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WallState {
    /// The wall.
    pub wall: Wall,
    /// Why it is missing, in words; `None` if it stands.
    pub missing: Option<String>,
}

/// What this machine gives, for `chiton doctor`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walls {
    /// Every wall once, in the order of [`Wall::ALL`].
    pub states: Vec<WallState>,
    /// The newest Landlock ABI that is in force; 0 if none.
    pub landlock_abi: i32,
}

impl Walls {
    /// The walls that cannot be had.
    pub fn missing(&self) -> impl Iterator<Item = &WallState> {
        self.states.iter().filter(|state| state.missing.is_some())
    }
}
