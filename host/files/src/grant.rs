//! What is granted: a directory, how it may be used, and how much it may hold.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};

/// How a directory may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Names, metadata and contents may be read.
    Read,
    /// Reading, and creating, changing and removing.
    Write,
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
        })
    }
}

/// A directory with the access that is given to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FileGrant {
    /// Canonical absolute path of a directory on the host; the guest sees it under the same path.
    pub path: PathBuf,
    /// How it may be used.
    pub access: Access,
    /// Most bytes that the directory may hold while a component writes to it; `None` is unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quota>,
}

/// Upper bounds of what a directory may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Quota {
    /// Sum of file sizes in bytes.
    pub bytes: u64,
    /// Number of files, directories and links.
    pub entries: u64,
}

/// A `files` grant that cannot be understood or given.
#[derive(Debug, thiserror::Error)]
pub enum FileGrantError {
    /// There is no colon.
    #[error("a files grant is written files=PATH:ACCESS, such as files=/home/ann/notes:read; 'files={0}' is not")]
    Syntax(String),
    /// The part after the last colon is no access.
    #[error("the access after the last colon is 'read' or 'write', not '{0}'")]
    Access(String),
    /// The path does not exist or is no directory.
    #[error("cannot grant '{path}': {reason}")]
    Path {
        /// The path as it was given.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl FileGrant {
    /// Reads `PATH:ACCESS`, split at the last colon; a relative PATH starts at `base`. The directory
    /// must exist; its canonical path is what is granted.
    pub fn parse(value: &str, base: &Path) -> Result<Self, FileGrantError> {
        let (path, access) = value.rsplit_once(':').ok_or_else(|| FileGrantError::Syntax(value.to_owned()))?;
        let access = match access {
            "read" => Access::Read,
            "write" => Access::Write,
            other => return Err(FileGrantError::Access(other.to_owned())),
        };
        Self::directory(&base.join(path), access)
    }

    /// A grant of an existing directory, under its canonical path.
    pub fn directory(path: &Path, access: Access) -> Result<Self, FileGrantError> {
        let refuse = |reason: String| FileGrantError::Path { path: path.display().to_string(), reason };
        let canonical = path.canonicalize().map_err(|error| refuse(error.to_string()))?;
        if !canonical.is_dir() {
            return Err(refuse("it is not a directory".to_owned()));
        }
        if canonical.to_str().is_none() {
            return Err(refuse("its name is not UTF-8".to_owned()));
        }
        Ok(Self { path: canonical, access, quota: None })
    }
}

impl fmt::Display for FileGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "files={}:{}", self.path.display(), self.access)
    }
}
