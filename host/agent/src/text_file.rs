//! Reads small text files from folders that tools may write to: no link is followed and nothing blocks.

use crate::inert::inert;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    inode: u64,
    size: i64,
    changed: (i64, i64),
}

/// An open file and its state.
pub(crate) struct TextFile {
    handle: OwnedFd,
    /// Its state when it was opened.
    pub(crate) stamp: Stamp,
}

/// Most bytes of a file that is read at all.
const MOST: u64 = 256 << 10;
const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC).union(OFlags::RDONLY);
const FILE: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

impl TextFile {
    /// Opens `root/below`; every step below the root must be a real folder and the last a regular file.
    pub(crate) fn open(root: &Path, below: &Path) -> io::Result<Self> {
        let (within, name) = place(root, below)?;
        let handle = rustix::fs::openat(within.as_fd(), name, FILE, Mode::empty())?;
        let stat = rustix::fs::fstat(handle.as_fd())?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        Ok(Self { handle, stamp: stamp(&stat) })
    }

    /// Its whole text, as it can be written back.
    ///
    /// # Errors
    /// When it cannot be read, is not UTF-8, or has more than 256 KiB.
    pub(crate) fn read(self) -> io::Result<String> {
        let mut text = String::new();
        match File::from(self.handle).take(MOST + 1).read_to_string(&mut text)? as u64 > MOST {
            true => Err(io::ErrorKind::FileTooLarge.into()),
            false => Ok(text),
        }
    }
}

/// A text as the model is shown it: harmless, and its first `most` bytes with a note when there are more.
pub(crate) fn shown(text: &str, name: &str, most: usize) -> String {
    let text = text.trim();
    let cut = &text[..text.floor_char_boundary(most)];
    let mut shown = inert(cut).into_owned();
    if cut.len() < text.len() {
        shown.push_str(&format!("\n[The rest of {name} is left out: only its first {most} bytes are shown.]"));
    }
    shown
}

/// Removes `root/below`, reached without a link.
pub(crate) fn remove(root: &Path, below: &Path) -> io::Result<()> {
    let (within, name) = place(root, below)?;
    Ok(rustix::fs::unlinkat(within, name, AtFlags::empty())?)
}

/// Replaces `root/below` as a whole. What stands in its place is replaced too, never followed.
pub(crate) fn replace(root: &Path, below: &Path, text: &str) -> io::Result<()> {
    let (within, name) = place(root, below)?;
    let mut new = name.to_owned();
    new.push(".new");
    // Left over from a crash, or put there by a tool.
    let _ = rustix::fs::unlinkat(within.as_fd(), &new, AtFlags::empty());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(within.as_fd(), &new, flags, Mode::RUSR | Mode::WUSR)?;
    let mut file = File::from(file);
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(rustix::fs::renameat(within.as_fd(), &new, within.as_fd(), name)?)
}

/// The folder of `root/below`, reached without a link, and the name in it.
fn place<'a>(root: &Path, below: &'a Path) -> io::Result<(OwnedFd, &'a OsStr)> {
    let mut within = rustix::fs::open(root, FOLDER, Mode::empty())?;
    for folder in below.parent().into_iter().flat_map(Path::components) {
        within = rustix::fs::openat(within.as_fd(), folder.as_os_str(), FOLDER | OFlags::NOFOLLOW, Mode::empty())?;
    }
    Ok((within, below.file_name().ok_or(io::ErrorKind::InvalidInput)?))
}

#[allow(clippy::unnecessary_cast, reason = "the fields of `Stat` have other widths on other systems")]
fn stamp(stat: &Stat) -> Stamp {
    Stamp {
        inode: stat.st_ino as u64,
        size: stat.st_size as i64,
        // Unlike the time of the content, nobody can set this one.
        changed: (stat.st_ctime as i64, stat.st_ctime_nsec as i64),
    }
}

/// The names of the folders in `root`, sorted; links are none.
pub(crate) fn folders(root: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let mut names: Vec<PathBuf> = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.file_name().into())
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_file_is_replaced_and_a_link_in_its_place_is_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let (root, below) = (directory.path().join("workspace"), Path::new("memory/MEMORY.md"));
        let outside = directory.path().join("outside");
        std::fs::write(&outside, "mine").unwrap();
        std::fs::create_dir_all(root.join("memory")).unwrap();
        symlink(&outside, root.join(below)).unwrap();
        symlink(&outside, root.join("memory/MEMORY.md.new")).unwrap();
        replace(&root, below, "text").unwrap();
        assert_eq!(TextFile::open(&root, below).unwrap().read().unwrap(), "text");
        assert_eq!(std::fs::read_to_string(&outside).unwrap(), "mine");
        std::fs::rename(root.join("memory"), directory.path().join("memory")).unwrap();
        symlink(directory.path().join("memory"), root.join("memory")).unwrap();
        assert!(replace(&root, below, "text").is_err() && TextFile::open(&root, below).is_err());
    }
}
