//! The way from a guest's path to an opened object.

use crate::place::whereabouts;
use crate::rule::{Refused, Rule};
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;
use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

/// How often a walk starts again because something on this machine was renamed meanwhile.
const RETRIES: usize = 256;

/// Opens `path` below `base`. Links are followed by the kernel as long as they stay below `base`.
pub(crate) fn beneath(base: &File, path: &str, flags: OFlags, mode: Mode) -> Result<File, Refused> {
    if path.contains('\0') {
        return Err(Rule::BadPath.into());
    }
    // A handle that only names an object takes no further flags; a real one must not wait or steal the terminal.
    let always = if flags.contains(OFlags::PATH) {
        OFlags::CLOEXEC
    } else {
        OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY
    };
    for _ in 0..RETRIES {
        match openat2(base, path, flags | always, mode, ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS) {
            Err(Errno::AGAIN) => {}
            Err(Errno::XDEV) => return Err(Rule::Outside.into()),
            opened => return Ok(opened?.into()),
        }
    }
    Err(Errno::BUSY.into())
}

/// A name in an opened directory: what is created, renamed or removed. The directory cannot be
/// exchanged between the check and the deed, and the name is never followed.
pub(crate) struct Entry {
    pub(crate) directory: File,
    pub(crate) name: String,
    /// The path ended in a slash, so that only a directory is meant.
    pub(crate) must_be_directory: bool,
}

impl Entry {
    /// Opens the directory of `path` below `base`.
    pub(crate) fn at(base: &File, path: &str) -> Result<Self, Refused> {
        if path.is_empty() {
            return Err(Errno::NOENT.into());
        }
        let trimmed = path.trim_end_matches('/');
        let (parent, name) = match trimmed.rsplit_once('/') {
            Some(("", name)) => ("/", name),
            Some((parent, name)) => (parent, name),
            None => (if trimmed.is_empty() { "/" } else { "." }, trimmed),
        };
        let directory = beneath(base, parent, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())?;
        if matches!(name, "" | "." | "..") || name.contains('\0') {
            return Err(Rule::BadPath.into());
        }
        Ok(Self { directory, name: name.to_owned(), must_be_directory: trimmed.len() < path.len() })
    }

    /// The name, with the slash that makes the kernel insist on a directory if one was given.
    pub(crate) fn strict_name(&self) -> String {
        format!("{}{}", self.name, if self.must_be_directory { "/" } else { "" })
    }

    /// Whether a link is named as if it were the directory that it leads to.
    pub(crate) fn is_slashed_link(&self, found: &Option<Metadata>) -> bool {
        self.must_be_directory && found.as_ref().is_some_and(Metadata::is_symlink)
    }

    /// Gives the file the permission bits of the one that it is about to replace: WASI has no chmod, and
    /// an edited script must stay a script.
    pub(crate) fn take_mode(&self, replaced: &Metadata) -> Result<(), Refused> {
        let file = beneath(&self.directory, &self.name, OFlags::RDONLY | OFlags::NOFOLLOW, Mode::empty())?;
        Ok(rustix::fs::fchmod(&file, Mode::from_raw_mode(replaced.mode() & 0o777))?)
    }

    /// What the name stands for now, a link not followed; `None` if there is nothing.
    pub(crate) fn look(&self) -> Option<Metadata> {
        self.object()?.metadata().ok()
    }

    /// The same as a handle that only names it.
    pub(crate) fn object(&self) -> Option<File> {
        beneath(&self.directory, &self.name, OFlags::PATH | OFlags::NOFOLLOW, Mode::empty()).ok()
    }

    /// Its absolute path.
    pub(crate) fn place(&self) -> std::io::Result<PathBuf> {
        Ok(whereabouts(&self.directory)?.join(&self.name))
    }
}

/// Whether a link with this text, `depth` directories below its mount, points into the mount. Steps
/// up are counted only at the start, where no other link can be on the way.
pub(crate) fn link_stays_inside(target: &str, depth: usize) -> bool {
    if target.is_empty() || target.starts_with('/') || target.contains('\0') {
        return false;
    }
    let mut names = target.split('/').filter(|name| !matches!(*name, "" | ".")).peekable();
    let mut up = 0;
    while names.next_if_eq(&"..").is_some() {
        up += 1;
    }
    up <= depth && names.all(|name| name != "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fs_05_a_link_out_of_the_mount_is_recognised_by_its_text() {
        for (target, depth) in
            [("/etc/passwd", 3), ("../x", 0), ("../../x", 1), ("a/../../x", 1), ("", 1), ("a\0b", 0), ("./../x", 0)]
        {
            assert!(!link_stays_inside(target, depth), "{target:?} at {depth}");
        }
    }

    #[test]
    fn a_link_that_stays_in_the_mount_is_allowed() {
        for (target, depth) in [("x", 0), ("a/b", 0), ("../x", 1), ("../../a/b", 2), ("./x", 0), (".", 0)] {
            assert!(link_stays_inside(target, depth), "{target:?} at {depth}");
        }
    }
}
