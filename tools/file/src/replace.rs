//! Replaces a file as a whole: its old content or its new one is there, never a part.

use chiton_sdk::prelude::*;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{ErrorKind, Result, Write};
use std::path::{Path, PathBuf};

/// Writes `content` to a new file beside `place` and moves it there. A link stays a link: what it
/// leads to is replaced.
pub(crate) fn replace(place: Place, content: &[u8]) -> std::result::Result<(), Failure> {
    let place = place.behind_links()?;
    write(place.as_ref(), content).map_err(|error| place.failure(error))
}

fn write(target: &Path, content: &[u8]) -> Result<()> {
    if target.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    let (mut file, beside) = create_beside(target)?;
    let written = file.write_all(content).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&beside, target));
    if written.is_err() {
        let _ = fs::remove_file(&beside); // what failed is told, not this
    }
    written
}

/// A new file in the directory of `target`, under a name that nobody uses.
fn create_beside(target: &Path) -> Result<(File, PathBuf)> {
    loop {
        let mark = RandomState::new().hash_one(target);
        let beside = target.with_file_name(format!(".{mark:016x}.part"));
        match OpenOptions::new().write(true).create_new(true).open(&beside) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            created => return created.map(|file| (file, beside)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_file_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.txt");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let error = write(directory.path(), b"x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::IsADirectory);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
