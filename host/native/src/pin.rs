//! From a grant to one file: found in the system's directories, checked, and pinned by path, file and hash.

use crate::arguments::{check_sizes, shown};
use crate::{GrantError, NativeError, ProgramGrant, rules};
use rustix::fs::{FileType, Mode, OFlags, Stat, fstat, open};
use rustix::process::geteuid;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Where programs are searched. `PATH` is never read.
const SYSTEM_DIRECTORIES: [&str; 3] = ["/usr/bin", "/bin", "/usr/local/bin"];
/// Largest program file, in bytes.
const MAX_PROGRAM: u64 = 512 << 20;
/// Bytes hashed at once.
const CHUNK: usize = 256 << 10;
/// The first bytes of a compiled program. A script would need its interpreter.
const ELF: [u8; 4] = *b"\x7fELF";

/// Where the name of a program is searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    directories: Vec<PathBuf>,
}

impl Default for Search {
    /// The system's directories.
    fn default() -> Self {
        Self { directories: SYSTEM_DIRECTORIES.map(PathBuf::from).to_vec() }
    }
}

impl Search {
    /// These directories, in this order.
    #[must_use]
    pub fn of(directories: Vec<PathBuf>) -> Self {
        Self { directories }
    }
}

/// A grant bound to one file. Stored with the approval; every run checks it afresh.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pinned {
    /// What the owner allowed.
    pub grant: ProgramGrant,
    /// Absolute path without links.
    pub path: PathBuf,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Device number of the file.
    pub device: u64,
    /// Inode number of the file.
    pub inode: u64,
}

impl Pinned {
    /// Finds and checks the program of a grant. `writable` are the directories that any tool may write.
    ///
    /// # Errors
    /// There is no such program; it is a script, set-uid, an interpreter under another name, or changeable by others.
    pub fn resolve(grant: ProgramGrant, search: &Search, writable: &[PathBuf]) -> Result<Self, GrantError> {
        let found = search.directories.iter().filter_map(|directory| directory.join(grant.name()).canonicalize().ok());
        let path = found.into_iter().find(|path| path.is_file()).ok_or_else(|| GrantError::NotFound {
            name: grant.name().to_owned(),
            searched: search.directories.clone(),
        })?;
        let refuse = |reason: String| GrantError::Unsafe { path: path.clone(), reason };
        let behind = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(reason) = rules::never(behind) {
            return Err(GrantError::Wrapper { name: behind.to_owned(), reason });
        }
        let (file, stat) = open_checked(&path, writable).map_err(refuse)?;
        let sha256 = hash(file).map_err(|error| refuse(error.to_string()))?.1;
        Ok(Self { grant, path, sha256, device: stat.st_dev, inode: stat.st_ino })
    }

    /// Opens the program for running, if it is still the file that was approved.
    /// `writable` are the directories that this run may write.
    pub(crate) fn open(&self, writable: &[PathBuf]) -> Result<OwnedFd, NativeError> {
        let denied = |reason: String| NativeError::Denied {
            grant: format!("programs={}", self.grant),
            reason: format!("{} is not run: {reason}", self.path.display()),
        };
        let (file, stat) = open_checked(&self.path, writable).map_err(denied)?;
        let changed = || denied("it has changed since it was approved; approve it again".to_owned());
        if (stat.st_dev, stat.st_ino) != (self.device, self.inode) {
            return Err(changed());
        }
        let (file, sha256) = hash(file).map_err(|error| denied(error.to_string()))?;
        if sha256 == self.sha256 { Ok(file) } else { Err(changed()) }
    }
}

/// The approved program that covers a command.
///
/// # Errors
/// `Denied` with the grant that would cover it; `Refused` for a command that no grant can cover.
pub fn select<'a>(pinned: &'a [Pinned], argv: &[String]) -> Result<&'a Pinned, NativeError> {
    check_sizes(argv)?;
    pinned.iter().filter(|pinned| pinned.grant.covers(argv)).max_by_key(|pinned| pinned.grant.words().len()).ok_or_else(
        || {
            let reason = format!("no grant covers the program of the machine `{}`", shown(argv));
            NativeError::Denied { grant: ProgramGrant::suggestion(argv), reason }
        },
    )
}

/// Opens a program whose file and directories only root and the host's own user can change.
fn open_checked(path: &Path, writable: &[PathBuf]) -> Result<(File, Stat), String> {
    if writable.iter().any(|directory| path.starts_with(directory)) {
        return Err("a tool may write where it lies".to_owned());
    }
    for directory in path.ancestors().skip(1) {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let stat = open(directory, flags, Mode::empty())
            .and_then(fstat)
            .map_err(|error| format!("{}: {error}", directory.display()))?;
        check_owner(&stat).map_err(|reason| format!("its directory {} {reason}", directory.display()))?;
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = open(path, flags, Mode::empty()).map_err(|error| error.to_string())?;
    let stat = fstat(&file).map_err(|error| error.to_string())?;
    let mode = Mode::from_raw_mode(stat.st_mode);
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || !mode.contains(Mode::XUSR) {
        return Err("it is no executable file".to_owned());
    }
    if mode.intersects(Mode::SUID | Mode::SGID) {
        return Err("it runs with the rights of another user or group".to_owned());
    }
    check_owner(&stat).map_err(|reason| format!("it {reason}"))?;
    Ok((File::from(file), stat))
}

/// Root or the host's own user owns it, and nobody else may write it. In a sticky directory others can add files but not
/// replace ours.
fn check_owner(stat: &Stat) -> Result<(), &'static str> {
    let mode = Mode::from_raw_mode(stat.st_mode);
    let sticky = FileType::from_raw_mode(stat.st_mode) == FileType::Directory && mode.contains(Mode::SVTX);
    if stat.st_uid != 0 && stat.st_uid != geteuid().as_raw() {
        return Err("belongs to another user");
    }
    if mode.intersects(Mode::WGRP | Mode::WOTH) && !sticky {
        return Err("can be written by other users");
    }
    Ok(())
}

/// Hashes a compiled program and gives it back to be executed.
fn hash(mut file: File) -> std::io::Result<(OwnedFd, String)> {
    let refuse = |reason: &str| Err(std::io::Error::other(reason.to_owned()));
    let mut head = [0; ELF.len()];
    if file.read_exact(&mut head).is_err() || head != ELF {
        return refuse("it is no compiled program (a script would need its interpreter)");
    }
    file.rewind()?;
    let mut digest = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    let mut total = 0;
    loop {
        match file.read(&mut chunk)? {
            0 => break,
            read => {
                digest.update(&chunk[..read]);
                total += read as u64;
            }
        }
        if total > MAX_PROGRAM {
            return refuse("it is too large");
        }
    }
    let hexadecimal = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((file.into(), hexadecimal))
}
