//! Whether the files of a skill are still what the owner approved.

use crate::Package;
use chiton_sandbox::Digest;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The files in a folder, with the digest that they were approved with. They are read when they were touched, and
/// otherwise only looked at.
#[derive(Debug)]
pub struct Seal {
    folder: PathBuf,
    digest: Digest,
    /// What the folder looked like when it held what was approved.
    seen: Mutex<Option<Vec<Stamp>>>,
}

/// A file or folder: its place, device, inode, length and last change. Who can set the time of a file cannot set that
/// of its last change.
type Stamp = (PathBuf, u64, u64, u64, i64, i64);

impl Seal {
    /// The seal of what was approved in a folder.
    pub fn new(folder: PathBuf, digest: Digest) -> Self {
        Self { folder, digest, seen: Mutex::default() }
    }
}

impl chiton_sandbox::Seal for Seal {
    fn holds(&self) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut now = Vec::new();
        if look(&self.folder, &mut now).is_err() {
            return false;
        }
        if seen.as_ref() != Some(&now) {
            let whole = Package::read(&self.folder).is_ok_and(|package| package.digest() == self.digest);
            *seen = whole.then_some(now);
        }
        seen.is_some()
    }
}

fn look(place: &Path, stamps: &mut Vec<Stamp>) -> std::io::Result<()> {
    let found = fs::symlink_metadata(place)?;
    let changed = (found.ctime(), found.ctime_nsec());
    stamps.push((place.to_owned(), found.dev(), found.ino(), found.len(), changed.0, changed.1));
    if found.is_dir() {
        let mut inner =
            fs::read_dir(place)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
        inner.sort();
        inner.iter().try_for_each(|place| look(place, stamps))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiton_sandbox::Seal as _;

    fn sealed() -> (tempfile::TempDir, Seal) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("scripts")).unwrap();
        fs::write(folder.path().join("SKILL.md"), "---\nname: one\ndescription: One\n---\nbody").unwrap();
        fs::write(folder.path().join("scripts/run.sh"), "echo one").unwrap();
        let digest = Package::read(folder.path()).unwrap().digest();
        let seal = Seal::new(folder.path().to_owned(), digest);
        assert!(seal.holds() && seal.holds());
        (folder, seal)
    }

    #[test]
    fn it_holds_while_the_files_say_the_same() {
        let (folder, seal) = sealed();
        fs::write(folder.path().join("scripts/run.sh"), "echo one").unwrap();
        assert!(seal.holds());
    }

    #[test]
    fn it_breaks_when_a_file_says_something_else_and_holds_again_when_that_is_mended() {
        let (folder, seal) = sealed();
        let script = folder.path().join("scripts/run.sh");
        let old = fs::metadata(&script).unwrap().modified().unwrap();
        fs::write(&script, "echo two").unwrap();
        fs::File::options().write(true).open(&script).unwrap().set_modified(old).unwrap();
        assert!(!seal.holds() && !seal.holds());
        fs::write(&script, "echo one").unwrap();
        assert!(seal.holds());
    }

    #[test]
    fn it_breaks_when_a_file_is_added_or_all_are_gone() {
        let (folder, seal) = sealed();
        fs::write(folder.path().join("scripts/more.sh"), "echo more").unwrap();
        assert!(!seal.holds());
        fs::remove_dir_all(folder.path()).unwrap();
        assert!(!seal.holds());
    }
}
