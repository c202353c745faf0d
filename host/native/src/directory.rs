//! Directories that a program may use, held open so that a moved or replaced one is noticed.

use crate::NativeError;
use rustix::fs::{Mode, OFlags, fstat, open};
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

/// Places no grant may open to a native program: they are doors to the whole machine.
const NEVER: [&str; 3] = ["/proc", "/sys", "/dev"];
/// Places that programs and their libraries come from; never writable.
const SYSTEM: [&str; 9] = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/boot"];

/// A directory that a program may use. While the value lives, another directory under the same path is not it.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    writable: bool,
    device: u64,
    inode: u64,
    // Keeps the inode number from being given to another directory.
    _held: OwnedFd,
}

impl Directory {
    /// Opens a granted directory, links in its path followed.
    ///
    /// # Errors
    /// `Refused` for places that no program may have; `Failed` if it is no directory.
    pub fn open(path: &Path, writable: bool) -> Result<Self, NativeError> {
        let failed = |error: std::io::Error| NativeError::Failed(format!("{}: {error}", path.display()));
        let canonical = path.canonicalize().map_err(failed)?;
        if canonical.to_str().is_none() {
            return Err(NativeError::Failed(format!("{} is not UTF-8", canonical.display())));
        }
        let touches = |places: &[&str]| {
            places.iter().any(|place| canonical.starts_with(place) || Path::new(place).starts_with(&canonical))
        };
        let access = if writable { "write" } else { "read" };
        if touches(&NEVER) || writable && touches(&SYSTEM) {
            let reason = format!("no native program may {access} {}, whatever is granted", canonical.display());
            return Err(NativeError::Refused(reason));
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let held = open(&canonical, flags, Mode::empty()).map_err(|error| failed(error.into()))?;
        let stat = fstat(&held).map_err(|error| failed(error.into()))?;
        Ok(Self { path: canonical, writable, device: stat.st_dev, inode: stat.st_ino, _held: held })
    }

    /// Its canonical path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether files below it may be changed.
    #[must_use]
    pub fn writable(&self) -> bool {
        self.writable
    }

    /// Device and inode number.
    pub(crate) fn identity(&self) -> (u64, u64) {
        (self.device, self.inode)
    }
}

/// Whether a path lies where no grant leads.
pub(crate) fn never(path: &Path) -> bool {
    NEVER.iter().any(|place| path.starts_with(place))
}

/// `path` as seen from `cwd`, with `.` and `..` taken out by text alone. Links are not looked at: the walls do that.
pub(crate) fn normal(cwd: &Path, path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in cwd.join(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}
