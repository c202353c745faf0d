//! The rules of this layer, and what the guest and the owner are told when one forbids something.

use crate::Access;
use crate::mount::Mount;
use crate::quota::Token;
use crate::{Denial, Report};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;

/// Why an operation was not done.
#[derive(Debug)]
pub(crate) enum Refused {
    /// A rule of ours forbids it; it is reported.
    Rule(Rule),
    /// It failed by itself, such as a name that does not exist.
    System(Errno),
}

/// The rules of this layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The path, or a link on it, leads out of the mount.
    Outside,
    /// The mount is read-only.
    ReadOnly,
    /// One of the bot's own places.
    Protected,
    /// In or at a `.git`, which decides what git runs.
    GitDirectory,
    /// The file has further names, which may lie outside every grant; or a further name was asked for.
    HardLink,
    /// The two ends lie in different mounts.
    AcrossMounts,
    /// The link would point out of its mount.
    LinkTarget,
    /// Neither a regular file nor a directory.
    NotRegular,
    /// Not a possible path: a NUL, a name that is too long, or a last name that is no entry.
    BadPath,
    /// A directory of more entries than are listed.
    TooManyEntries,
    /// The directory's quota is used up.
    Quota,
    /// The volume is nearly full.
    VolumeReserve,
}

impl From<Rule> for Refused {
    fn from(rule: Rule) -> Self {
        Self::Rule(rule)
    }
}

impl From<Errno> for Refused {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NAMETOOLONG | Errno::ILSEQ => Self::Rule(Rule::BadPath),
            // What opening a socket, or a device without a driver, says.
            Errno::NXIO | Errno::NODEV => Self::Rule(Rule::NotRegular),
            other => Self::System(other),
        }
    }
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Errno::from_io_error(&error).unwrap_or(Errno::IO).into()
    }
}

impl Rule {
    fn code(self) -> ErrorCode {
        match self {
            Self::Quota => ErrorCode::Quota,
            Self::VolumeReserve => ErrorCode::InsufficientSpace,
            Self::BadPath => ErrorCode::Invalid,
            Self::TooManyEntries => ErrorCode::Overflow,
            _ => ErrorCode::NotPermitted,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Outside => "link-leaves-grant",
            Self::ReadOnly => "read-only",
            Self::Protected => "protected",
            Self::GitDirectory => "git-directory",
            Self::HardLink => "hard-link",
            Self::AcrossMounts => "across-mounts",
            Self::LinkTarget => "link-target",
            Self::NotRegular => "not-a-regular-file",
            Self::BadPath => "bad-path",
            Self::TooManyEntries => "too-many-entries",
            Self::Quota => "quota",
            Self::VolumeReserve => "volume-reserve",
        }
    }
}

/// What is tried, and the access that it needs.
pub(crate) type Act = (&'static str, Access);

/// What a guest's descriptor stands for: where an operation starts.
#[derive(Clone)]
pub(crate) struct Start {
    pub(crate) mount: Arc<Mount>,
    pub(crate) base: Arc<File>,
    /// The account of a file that was opened for writing.
    pub(crate) token: Option<Arc<Token>>,
    pub(crate) is_directory: bool,
}

impl Start {
    /// The directory that names are looked up in.
    pub(crate) fn directory(&self) -> Result<&File, ErrorCode> {
        if self.is_directory { Ok(&self.base) } else { Err(ErrorCode::NotDirectory) }
    }

    /// Sets the file's account to what it holds.
    pub(crate) fn settle(&self) {
        if let Some(token) = &self.token {
            token.settle(&self.base);
        }
    }
}

/// Tells of denials of one operation.
pub(crate) struct Reporter {
    pub(crate) report: Report,
    pub(crate) start: Start,
    pub(crate) act: Act,
    pub(crate) path: String,
}

impl Reporter {
    /// Reports that `rule` forbade the operation, and gives what the guest is told.
    pub(crate) fn refuse(&self, rule: Rule) -> ErrorCode {
        let (operation, access) = self.act;
        let mount = &self.start.mount;
        let target = mount.target(&self.start.base, &self.path);
        let missing = |directory: &Path| format!("files={}:{access}", directory.display());
        let grant = match rule {
            // Which grant is missing can be told if the path says where it leads; a link does not.
            // Above a mount nothing is meant: `..` stands in every list.
            Rule::Outside if mount.path.starts_with(&target) => rule.name().to_owned(),
            Rule::Outside | Rule::ReadOnly if !mount.contains(&target) => missing(target.parent().unwrap_or(&target)),
            Rule::ReadOnly => missing(&mount.path),
            rule => rule.name().to_owned(),
        };
        (self.report)(Denial { operation, target: target.display().to_string(), grant });
        rule.code()
    }
}
