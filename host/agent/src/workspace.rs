//! The bot's own folder: the files that make up its character and its memory.
//!
//! Tools may write there, so the files are opened without following links and without blocking.

use crate::inert::inert;
use rustix::fs::{FileType, Mode, OFlags, Stat};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// A file that is part of the system prompt.
struct ContextFile {
    /// Its folder below the workspace; empty for the workspace itself.
    folder: &'static str,
    name: &'static str,
    /// What a new workspace holds.
    template: &'static str,
    /// Whether the template itself tells the model something.
    template_counts: bool,
    /// Bytes that are read; the rest is left out with a note.
    most: usize,
}

const FILES: [ContextFile; 4] = [
    ContextFile {
        folder: "",
        name: "SOUL.md",
        template: include_str!("templates/SOUL.md"),
        template_counts: true,
        most: 8_000,
    },
    ContextFile {
        folder: "",
        name: "AGENTS.md",
        template: include_str!("templates/AGENTS.md"),
        template_counts: false,
        most: 16_000,
    },
    ContextFile {
        folder: "",
        name: "USER.md",
        template: include_str!("templates/USER.md"),
        template_counts: false,
        most: 8_000,
    },
    ContextFile {
        folder: "memory",
        name: "MEMORY.md",
        template: include_str!("templates/MEMORY.md"),
        template_counts: false,
        most: 16_000,
    },
];

/// A workspace that cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make '{path}' in the workspace: {source}; check the owner and the mode of the folder")]
pub struct WorkspaceError {
    path: PathBuf,
    source: io::Error,
}

/// Makes the workspace with its files; what is there already is left alone.
///
/// # Errors
/// When a folder or file cannot be made.
pub fn init_workspace(directory: &Path) -> Result<(), WorkspaceError> {
    for file in &FILES {
        let folder = directory.join(file.folder);
        let path = folder.join(file.name);
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .and_then(|()| create(&path, file.template))
            .map_err(|source| WorkspaceError { path, source })?;
    }
    Ok(())
}

fn create(path: &Path, text: &str) -> io::Result<()> {
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match made {
        Ok(mut file) => file.write_all(text.as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// The text of the workspace's files for the system prompt, read again when a file changed.
pub(crate) struct ContextFiles {
    directory: PathBuf,
    stamps: [Option<Stamp>; FILES.len()],
    texts: [String; FILES.len()],
}

/// What tells one state of a file from another.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: i64,
    changed: (i64, i64),
}

impl ContextFiles {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory, stamps: [None; FILES.len()], texts: Default::default() }
    }

    /// Looks at the files; true when the texts are not what they were.
    pub(crate) fn refresh(&mut self) -> bool {
        let mut changed = false;
        for (index, file) in FILES.iter().enumerate() {
            let found = open(&self.directory, file).ok();
            let stamp = found.as_ref().map(|(_, stamp)| *stamp);
            if stamp == self.stamps[index] {
                continue;
            }
            self.stamps[index] = stamp;
            self.texts[index] = found.and_then(|(handle, _)| read(handle, file).ok()).unwrap_or_default();
            changed = true;
        }
        changed
    }

    /// The files that say something, by name and text.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let texts = self.texts.iter().map(String::as_str);
        let speaks =
            |file: &ContextFile, text: &str| !text.is_empty() && (file.template_counts || text != file.template.trim());
        FILES.iter().zip(texts).filter(move |(file, text)| speaks(file, text)).map(|(file, text)| (file.name, text))
    }
}

fn open(directory: &Path, file: &ContextFile) -> io::Result<(OwnedFd, Stamp)> {
    let folder = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
    let mut within = rustix::fs::open(directory, folder, Mode::empty())?;
    if !file.folder.is_empty() {
        within = rustix::fs::openat(within.as_fd(), file.folder, folder | OFlags::NOFOLLOW, Mode::empty())?;
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let handle = rustix::fs::openat(within.as_fd(), file.name, flags, Mode::empty())?;
    let stat = rustix::fs::fstat(handle.as_fd())?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok((handle, stamp(&stat)))
}

#[allow(clippy::unnecessary_cast)] // The fields of `Stat` have other widths on other systems.
fn stamp(stat: &Stat) -> Stamp {
    Stamp {
        inode: stat.st_ino as u64,
        size: stat.st_size as i64,
        changed: (stat.st_mtime as i64, stat.st_mtime_nsec as i64),
    }
}

fn read(handle: OwnedFd, file: &ContextFile) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::from(handle).take(file.most as u64 + 1).read_to_end(&mut bytes)?;
    let more = bytes.len() > file.most;
    bytes.truncate(file.most);
    let text = String::from_utf8_lossy(&bytes);
    let mut text = inert(text.trim()).into_owned();
    if more {
        text.push_str(&format!(
            "\n[The rest of {} is left out: only its first {} bytes are read.]",
            file.name, file.most
        ));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::time::{Duration, SystemTime};

    fn workspace() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        init_workspace(directory.path()).unwrap();
        directory
    }

    fn texts(files: &ContextFiles) -> Vec<(String, String)> {
        files.texts().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
    }

    #[test]
    fn a_new_workspace_has_its_files_and_keeps_what_the_owner_wrote() {
        let directory = workspace();
        fs::write(directory.path().join("USER.md"), "Ann").unwrap();
        init_workspace(directory.path()).unwrap();
        assert_eq!(fs::read_to_string(directory.path().join("USER.md")).unwrap(), "Ann");
        assert!(directory.path().join("memory/MEMORY.md").exists());
    }

    #[test]
    fn untouched_templates_cost_no_tokens() {
        let directory = workspace();
        let mut files = ContextFiles::new(directory.path().to_owned());
        assert!(files.refresh());
        assert_eq!(texts(&files).into_iter().map(|(name, _)| name).collect::<Vec<_>>(), ["SOUL.md"]);
    }

    #[test]
    fn a_changed_file_is_read_again_and_an_unchanged_one_is_not() {
        let directory = workspace();
        let path = directory.path().join("memory/MEMORY.md");
        let mut files = ContextFiles::new(directory.path().to_owned());
        files.refresh();
        assert!(!files.refresh());
        fs::write(&path, "likes tea").unwrap();
        assert!(files.refresh());
        assert!(texts(&files).contains(&("MEMORY.md".into(), "likes tea".into())));
        fs::write(&path, "likes TEA").unwrap();
        File::open(&path).unwrap().set_modified(SystemTime::now() + Duration::from_secs(5)).unwrap();
        assert!(files.refresh());
        fs::remove_file(&path).unwrap();
        assert!(files.refresh());
        assert!(!files.refresh());
    }

    #[test]
    fn a_link_or_a_pipe_planted_in_the_workspace_is_not_read() {
        let directory = workspace();
        let secret = directory.path().join("secret");
        fs::write(&secret, "hunter2").unwrap();
        let user = directory.path().join("USER.md");
        fs::remove_file(&user).unwrap();
        std::os::unix::fs::symlink(&secret, &user).unwrap();
        let agents = directory.path().join("AGENTS.md");
        fs::remove_file(&agents).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, &agents, Mode::RUSR | Mode::WUSR).unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join("MEMORY.md"), "hunter2").unwrap();
        fs::remove_dir_all(directory.path().join("memory")).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), directory.path().join("memory")).unwrap();
        let mut files = ContextFiles::new(directory.path().to_owned());
        files.refresh();
        assert_eq!(texts(&files).len(), 1);
    }

    #[test]
    fn a_huge_file_is_cut_with_a_note() {
        let directory = workspace();
        fs::write(directory.path().join("AGENTS.md"), "é".repeat(1 << 20)).unwrap();
        let mut files = ContextFiles::new(directory.path().to_owned());
        files.refresh();
        let (_, text) = texts(&files).into_iter().find(|(name, _)| name == "AGENTS.md").unwrap();
        assert!(text.len() < 17_000 && text.contains("left out"));
    }
}
