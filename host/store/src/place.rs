//! Files and folders that belong to one user: made private from the first byte, never reached through a stranger's link.

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::fs::{File, Metadata};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Why a file or folder must not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// It belongs to somebody else.
    #[error("{} belongs to user {owner}, not to you: move it away, or change its owner with chown", path.display())]
    NotYours {
        /// The file or folder.
        path: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// A symbolic link stands in its place.
    #[error("{} is a symbolic link, which is not followed here: remove it", path.display())]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// Something else stands in its place, such as a FIFO or a device.
    #[error("{} is not a {wanted}: move it away", path.display())]
    WrongKind {
        /// What stands there.
        path: PathBuf,
        /// What was expected.
        wanted: &'static str,
    },
    /// Other users can replace what is in a folder above it.
    #[error("other users can change {}, which holds {}: run `chmod go-w {}` or choose another home by CHITON_HOME", folder.display(), path.display(), folder.display())]
    OpenFolder {
        /// The folder that others can write to.
        folder: PathBuf,
        /// What it holds.
        path: PathBuf,
    },
    /// The system refused.
    #[error("cannot use {} ({reason}): check that it exists and that you may read and write it", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
}

impl PlaceError {
    fn io(path: &Path, reason: impl ToString) -> Self {
        Self::Io { path: path.to_path_buf(), reason: reason.to_string() }
    }

    fn from_errno(path: &Path, wanted: &'static str, errno: Errno) -> Self {
        let path = path.to_path_buf();
        match errno {
            Errno::LOOP => Self::Link { path },
            Errno::NOTDIR | Errno::ISDIR | Errno::NXIO => Self::WrongKind { path, wanted },
            _ => Self::Io { path, reason: errno.to_string() },
        }
    }
}

/// The user this process acts as.
pub(crate) fn me() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Opens `path` for reading and writing, or makes it, as a regular file of this user with mode 0600.
/// A loose mode is repaired and said in `warnings`; links, FIFOs and other users' files are refused.
pub fn private_file(path: &Path, warnings: &mut Vec<String>) -> Result<File, PlaceError> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    open_file(path, flags, me(), warnings)
}

/// Repairs the mode of `path` as [`private_file`] does, but does not make it; none when there is nothing.
pub fn existing_private_file(path: &Path, warnings: &mut Vec<String>) -> Result<Option<File>, PlaceError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        _ => open_file(path, flags, me(), warnings).map(Some),
    }
}

fn open_file(path: &Path, flags: OFlags, me: u32, warnings: &mut Vec<String>) -> Result<File, PlaceError> {
    let mode = Mode::RUSR | Mode::WUSR;
    let wanted = "regular file";
    let file = rustix::fs::open(path, flags, mode).map_err(|errno| PlaceError::from_errno(path, wanted, errno))?;
    let file = File::from(file);
    let metadata = file.metadata().map_err(|error| PlaceError::io(path, error))?;
    if !metadata.is_file() {
        return Err(PlaceError::WrongKind { path: path.to_path_buf(), wanted });
    }
    own_and_tighten(path, &file, &metadata, 0o600, me, warnings)?;
    Ok(file)
}

/// Makes `path` a folder of this user with mode 0700, or checks the one that is there.
/// A loose mode is repaired and said in `warnings`; links and other users' folders are refused.
pub fn private_folder(path: &Path, warnings: &mut Vec<String>) -> Result<(), PlaceError> {
    let wanted = "folder";
    match rustix::fs::mkdir(path, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(PlaceError::from_errno(path, wanted, errno)),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(folder) => File::from(folder),
        // with O_DIRECTORY a link is reported as "not a directory"
        Err(_) if path.is_symlink() => {
            return Err(PlaceError::Link { path: path.to_path_buf() });
        }
        Err(errno) => return Err(PlaceError::from_errno(path, wanted, errno)),
    };
    let metadata = folder.metadata().map_err(|error| PlaceError::io(path, error))?;
    own_and_tighten(path, &folder, &metadata, 0o700, me(), warnings)
}

fn own_and_tighten(
    path: &Path,
    opened: &File,
    metadata: &Metadata,
    mode: u32,
    me: u32,
    warnings: &mut Vec<String>,
) -> Result<(), PlaceError> {
    if metadata.uid() != me {
        return Err(PlaceError::NotYours { path: path.to_path_buf(), owner: metadata.uid() });
    }
    let found = metadata.mode() & 0o7777;
    if found & 0o077 != 0 {
        let tight = std::fs::Permissions::from_mode(mode);
        opened.set_permissions(tight).map_err(|error| PlaceError::io(path, error))?;
        warnings.push(format!(
            "{} was open to other users (mode {found:04o}) and is now closed to them (mode {mode:04o})",
            path.display()
        ));
    }
    Ok(())
}

/// Resolves the folder that holds `path` and refuses it when somebody else could exchange `path` for another file:
/// a folder above it belongs to a stranger, or others may write to it and it is not sticky as `/tmp` is.
/// Returns the resolved form of `path`, whose last part is not resolved.
pub fn trusted_path(path: &Path) -> Result<PathBuf, PlaceError> {
    let absolute = std::path::absolute(path).map_err(|error| PlaceError::io(path, error))?;
    let (Some(folder), Some(name)) = (absolute.parent(), absolute.file_name()) else {
        return Err(PlaceError::WrongKind { path: absolute, wanted: "file or folder in a folder" });
    };
    for link in folder.ancestors() {
        let metadata = link.symlink_metadata().map_err(|error| PlaceError::io(link, error))?;
        if metadata.is_symlink() {
            trusted_owner(link, &metadata)?;
        }
    }
    let folder = folder.canonicalize().map_err(|error| PlaceError::io(folder, error))?;
    let resolved = folder.join(name);
    for above in folder.ancestors() {
        let metadata = above.symlink_metadata().map_err(|error| PlaceError::io(above, error))?;
        trusted_owner(above, &metadata)?;
        if others_can_exchange(metadata.mode(), metadata.uid(), metadata.gid()) {
            return Err(PlaceError::OpenFolder { folder: above.to_path_buf(), path: resolved });
        }
    }
    Ok(resolved)
}

/// Whether users other than the owner can put another file in place of one in a folder.
fn others_can_exchange(mode: u32, owner: u32, group: u32) -> bool {
    let (sticky, all, members) = (mode & 0o1000 != 0, mode & 0o002 != 0, mode & 0o020 != 0);
    // a group with its user's number is that user's own, as most systems make them
    !sticky && (all || members && group != owner)
}

fn trusted_owner(path: &Path, metadata: &Metadata) -> Result<(), PlaceError> {
    match metadata.uid() {
        0 => Ok(()),
        owner if owner == me() => Ok(()),
        owner => Err(PlaceError::NotYours { path: path.to_path_buf(), owner }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loc_02_a_file_of_another_user_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chiton.db");
        File::create(&path).unwrap();
        let stranger = me() + 1;
        let refused = open_file(&path, OFlags::RDONLY, stranger, &mut Vec::new());
        assert_eq!(refused.unwrap_err(), PlaceError::NotYours { path: path.clone(), owner: me() });
        assert!(open_file(&path, OFlags::RDONLY, me(), &mut Vec::new()).is_ok());
    }

    #[test]
    fn loc_07_a_folder_is_open_when_more_than_its_owner_can_change_it() {
        for (mode, group, open) in [
            (0o755, 100, false),
            (0o700, 100, false),
            (0o777, 1000, true),
            (0o775, 100, true),
            (0o775, 1000, false),
            (0o1777, 100, false),
        ] {
            assert_eq!(others_can_exchange(mode, 1000, group), open, "mode {mode:o}, group {group}");
        }
    }
}
