//! Replaces a file as a whole: its old content or its new one is there, never a part.

use chiton_sdk::prelude::*;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{ErrorKind, Result, Write};
use std::path::{Path, PathBuf};

/// Links that are followed before giving up.
const MOST_LINKS: usize = 16;

/// Writes `content` to a new file beside `place` and moves it there. A link stays a link: what it
/// points to is replaced.
pub(crate) fn replace(place: &Place, content: &[u8]) -> std::result::Result<(), Failure> {
    write(place.as_ref(), content).map_err(|error| place.failure(error))
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    let target = behind_links(path)?;
    if target.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    let (mut file, beside) = create_beside(&target)?;
    let written = file.write_all(content).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&beside, &target));
    if written.is_err() {
        let _ = fs::remove_file(&beside); // what failed is told, not this
    }
    written
}

/// The file itself, where `path` may be a link to it.
fn behind_links(path: &Path) -> Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_symlink() => {
                let target = fs::read_link(&path)?;
                path = path.parent().unwrap_or(Path::new("/")).join(target);
            }
            _ => return Ok(path),
        }
    }
    Err(ErrorKind::InvalidInput.into())
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
    fn a_link_stays_and_its_target_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        fs::write(&file, "one").unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        write(&link, b"two").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"two");
    }

    #[test]
    fn a_directory_is_not_replaced_and_links_in_a_circle_end() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(write(directory.path(), b"x").unwrap_err().kind(), ErrorKind::IsADirectory);
        let link = directory.path().join("circle");
        std::os::unix::fs::symlink("circle", &link).unwrap();
        assert!(write(&link, b"x").is_err());
    }
}
