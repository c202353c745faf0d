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

impl Access {
    /// Reads `read`, `write`, or `write,SIZE` with the most bytes that are left there, such as `write,64MiB`.
    pub fn parse(text: &str) -> Result<(Self, Option<Quota>), FileGrantError> {
        match text.split_once(',') {
            None if text == "read" => Ok((Self::Read, None)),
            None if text == "write" => Ok((Self::Write, None)),
            Some(("write", size)) if Quota::parse(size).is_some() => Ok((Self::Write, Quota::parse(size))),
            _ => Err(FileGrantError::Access(text.to_owned())),
        }
    }
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

/// Units of a quota, each with its bytes.
const UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

impl Quota {
    /// Entries of a quota that is written in bytes alone.
    pub const ENTRIES: u64 = 10_000;

    /// Reads a size such as `64MiB`.
    pub fn parse(size: &str) -> Option<Self> {
        let (number, unit) = UNITS.iter().find_map(|(name, unit)| Some((size.strip_suffix(name)?, unit)))?;
        let bytes = number.parse::<u64>().ok()?.checked_mul(*unit)?;
        Some(Self { bytes, entries: Self::ENTRIES })
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, unit) = UNITS.into_iter().find(|(_, unit)| self.bytes.is_multiple_of(*unit)).unwrap_or(("B", 1));
        write!(f, "{}{name}", self.bytes / unit)
    }
}

/// A `files` grant that cannot be understood or given.
#[derive(Debug, thiserror::Error)]
pub enum FileGrantError {
    /// There is no colon.
    #[error("a files grant is written files=PATH:ACCESS, such as files=/home/ann/notes:read; 'files={0}' is not")]
    Syntax(String),
    /// The part after the last colon is no access.
    #[error("the access after the last colon is 'read' or 'write' (with a quota 'write,64MiB'), not '{0}'")]
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
        let (access, quota) = Access::parse(access)?;
        Ok(Self { quota, ..Self::directory(&base.join(path), access)? })
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
        write!(f, "files={}:{}", self.path.display(), self.access)?;
        self.quota.map_or(Ok(()), |quota| write!(f, ",{quota}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_may_be_bounded() {
        let parsed = |text: &str| Access::parse(text).map_err(|error| error.to_string());
        let quota = |bytes| Some(Quota { bytes, entries: Quota::ENTRIES });
        assert_eq!(parsed("read"), Ok((Access::Read, None)));
        assert_eq!(parsed("write"), Ok((Access::Write, None)));
        assert_eq!(parsed("write,64MiB"), Ok((Access::Write, quota(64 << 20))));
        assert_eq!(parsed("write,1500B"), Ok((Access::Write, quota(1500))));
        for wrong in [
            "",
            "own",
            "write,",
            "write,64",
            "write,MiB",
            "write,-1B",
            "read,1KiB",
            "write,99999999999GiB",
            "write,1KiB,2KiB",
        ] {
            assert!(parsed(wrong).is_err_and(|error| error.contains("write,64MiB")), "{wrong}");
        }
    }

    #[test]
    fn a_grant_is_written_as_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        for access in ["read", "write", "write,64MiB", "write,1500B", "write,3KiB"] {
            let text = format!("{}:{access}", folder.path().canonicalize().unwrap().display());
            assert_eq!(FileGrant::parse(&text, Path::new("/")).unwrap().to_string(), format!("files={text}"));
        }
    }
}
