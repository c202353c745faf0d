//! The scratch directory of a session: what tools put aside, and results that were too long for the model.

use chiton_sandbox::{Access, Digest, FileGrant, Quota};
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What a session may keep in its scratch directory.
const QUOTA: Quota = Quota { bytes: 64 << 20, entries: Quota::ENTRIES };
/// How long a file stays that nobody changes.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
/// The folder of long results inside a scratch directory.
const RESULTS: &str = "results";

/// The scratch directory of `session` below `root`, made if it is missing.
///
/// # Errors
/// When it cannot be made.
pub fn scratch(root: &Path, session: &str) -> io::Result<FileGrant> {
    let path = root.join(folder(session));
    directory(&path)?;
    Ok(FileGrant { path, access: Access::Write, quota: Some(QUOTA) })
}

/// A folder name that no other session has: something to read, and a digest of the whole.
pub(crate) fn folder(session: &str) -> String {
    let readable: String = session.chars().filter(char::is_ascii_alphanumeric).take(24).collect();
    let digest = Digest::of(session.as_bytes()).to_string();
    format!("{readable}-{}", &digest[digest.len() - 32..])
}

fn directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Keeps a whole result and gives the file.
pub(crate) fn keep_result(scratch: &FileGrant, call: &str, text: &str) -> io::Result<PathBuf> {
    let folder = scratch.path.join(RESULTS);
    directory(&folder)?;
    let name: String = call.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_' || *c == '-').take(48).collect();
    let path = folder.join(format!("{name}.txt"));
    // A tool may have put something else there meanwhile; it is never followed.
    let _ = std::fs::remove_file(&path);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    Ok(path)
}

/// Removes the files that were put aside for a session: its scratch directory and what can be undone.
pub fn forget(scratch: Option<&Path>, undo: Option<&Path>, session: &str) {
    for root in scratch.into_iter().chain(undo) {
        if let Err(error) = std::fs::remove_dir_all(root.join(folder(session)))
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(session, "its files are not removed: {error}");
        }
    }
}

/// Removes what nobody changed for a week from all scratch directories.
pub(crate) fn sweep(root: &Path) {
    let Some(oldest) = SystemTime::now().checked_sub(KEPT) else { return };
    for session in entries(root) {
        sweep_below(&session, oldest);
        let _ = std::fs::remove_dir(&session);
    }
}

fn sweep_below(directory: &Path, oldest: SystemTime) {
    for entry in entries(directory) {
        let Ok(metadata) = entry.symlink_metadata() else { continue };
        if metadata.is_dir() {
            sweep_below(&entry, oldest);
            let _ = std::fs::remove_dir(&entry);
        } else if metadata.modified().is_ok_and(|modified| modified < oldest) {
            let _ = std::fs::remove_file(&entry);
        }
    }
}

pub(crate) fn entries(directory: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agt_04_two_sessions_have_two_directories() {
        let root = tempfile::tempdir().unwrap();
        let one = scratch(root.path(), "telegram:1").unwrap();
        let other = scratch(root.path(), "telegram/1").unwrap();
        assert_ne!(one.path, other.path);
        assert!(one.path.is_dir() && one.path.parent() == Some(root.path()));
    }

    #[test]
    fn a_result_is_kept_under_the_name_of_its_call_and_never_through_a_link() {
        let root = tempfile::tempdir().unwrap();
        let scratch = scratch(root.path(), "a:b").unwrap();
        let outside = root.path().join("outside");
        std::fs::write(&outside, "mine").unwrap();
        directory(&scratch.path.join(RESULTS)).unwrap();
        std::os::unix::fs::symlink(&outside, scratch.path.join("results/call1.txt")).unwrap();
        let path = keep_result(&scratch, "../call1", "long").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "long");
        assert_eq!(std::fs::read_to_string(&outside).unwrap(), "mine");
        assert!(path.starts_with(&scratch.path));
    }

    #[test]
    fn what_is_new_stays_when_the_old_is_swept() {
        let root = tempfile::tempdir().unwrap();
        let scratch = scratch(root.path(), "a:b").unwrap();
        let (old, new) = (scratch.path.join("old"), scratch.path.join("new"));
        std::fs::write(&old, "").unwrap();
        std::fs::write(&new, "").unwrap();
        let long_ago = SystemTime::now() - KEPT - Duration::from_secs(60);
        std::fs::File::options().write(true).open(&old).unwrap().set_modified(long_ago).unwrap();
        sweep(root.path());
        assert!(!old.exists() && new.exists());
    }
}
