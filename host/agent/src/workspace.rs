//! The bot's own folder: the files that make up its character and its memory.
//!
//! Tools may write there, so the files are opened without following links and without blocking.

use crate::text_file::{self, Stamp, TextFile};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// A file of the bot's own.
struct ContextFile {
    /// Its folder below the workspace; empty for the workspace itself.
    folder: &'static str,
    name: &'static str,
    /// What a new workspace holds.
    template: &'static str,
    /// Whether the template itself tells the model something.
    template_counts: bool,
    /// Whether it is part of the system prompt.
    shown: bool,
    /// Bytes that are read; the rest is left out with a note.
    most: usize,
}

const HEARTBEAT: &str = "HEARTBEAT.md";

const FILES: [ContextFile; 5] = [
    ContextFile {
        folder: "",
        name: "SOUL.md",
        template: include_str!("templates/SOUL.md"),
        template_counts: true,
        shown: true,
        most: 8_000,
    },
    ContextFile {
        folder: "",
        name: "AGENTS.md",
        template: include_str!("templates/AGENTS.md"),
        template_counts: false,
        shown: true,
        most: 16_000,
    },
    ContextFile {
        folder: "",
        name: "USER.md",
        template: include_str!("templates/USER.md"),
        template_counts: false,
        shown: true,
        most: 8_000,
    },
    ContextFile {
        folder: "memory",
        name: "MEMORY.md",
        template: include_str!("templates/MEMORY.md"),
        template_counts: false,
        shown: true,
        most: 16_000,
    },
    ContextFile {
        folder: "",
        name: HEARTBEAT,
        template: include_str!("templates/HEARTBEAT.md"),
        template_counts: false,
        shown: false,
        most: 8_000,
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

/// What makes the bot what it is: its own files, its memory and the skills of the workspace. No skill touches them.
pub fn own_places(workspace: &Path) -> Vec<PathBuf> {
    let own = |file: &ContextFile| if file.folder.is_empty() { file.name } else { file.folder };
    FILES.iter().map(own).chain(["skills"]).map(|place| workspace.join(place)).collect()
}

/// Where below the workspace a file of the prompt is: one of its own by name, or a skill by its path.
pub(crate) fn place_of(workspace: &Path, name: &str) -> PathBuf {
    let own = FILES.iter().find(|file| file.name == name);
    let skill = || Path::new(name).strip_prefix(workspace).unwrap_or(Path::new(name)).to_owned();
    own.map_or_else(skill, |file| Path::new(file.folder).join(file.name))
}

fn create(path: &Path, text: &str) -> io::Result<()> {
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match made {
        Ok(mut file) => file.write_all(text.as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// The text of the workspace's files for the system prompt.
pub(crate) struct ContextFiles {
    directory: PathBuf,
    stamps: [Option<Stamp>; FILES.len()],
    texts: [String; FILES.len()],
}

impl ContextFiles {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory, stamps: [None; FILES.len()], texts: Default::default() }
    }

    /// The files that are not what they were at the last look, by name and present text.
    pub(crate) fn changes(&mut self) -> Vec<(&'static str, String)> {
        let mut changed = Vec::new();
        for (file, stamp) in FILES.iter().zip(&mut self.stamps) {
            let found = TextFile::open(&self.directory, &Path::new(file.folder).join(file.name)).ok();
            let now = found.as_ref().map(|found| found.stamp);
            if now != *stamp {
                *stamp = now;
                match found.map(TextFile::read).transpose() {
                    Ok(text) => changed.push((file.name, text.unwrap_or_default())),
                    // What was read of it before stays.
                    Err(error) => tracing::warn!("{} is not read: {error}", file.name),
                }
            }
        }
        changed
    }

    /// Puts a text into the prompt; true when it was another one.
    pub(crate) fn set(&mut self, name: &str, text: &str) -> bool {
        let Some(place) = FILES.iter().position(|file| file.name == name) else { return false };
        let shown = text_file::shown(text, name, FILES[place].most);
        let changed = self.texts[place] != shown;
        self.texts[place] = shown;
        changed
    }

    /// Takes all files for changed at the next look.
    pub(crate) fn look_again(&mut self) {
        self.stamps = [None; FILES.len()];
    }

    /// The files of the prompt that say something, by name and text.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.speaking().filter(|(file, _)| file.shown).map(|(file, text)| (file.name, text))
    }

    /// What the bot shall look at by itself, if anything.
    pub(crate) fn heartbeat(&self) -> Option<&str> {
        self.speaking().find(|(file, _)| file.name == HEARTBEAT).map(|(_, text)| text)
    }

    fn speaking(&self) -> impl Iterator<Item = (&'static ContextFile, &str)> {
        let texts = self.texts.iter().map(String::as_str);
        let speaks =
            |file: &ContextFile, text: &str| !text.is_empty() && (file.template_counts || text != file.template.trim());
        FILES.iter().zip(texts).filter(move |(file, text)| speaks(file, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};
    use std::time::{Duration, SystemTime};

    fn workspace() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        init_workspace(directory.path()).unwrap();
        directory
    }

    /// Looks at the files and takes what changed; true when something did.
    fn refresh(files: &mut ContextFiles) -> bool {
        let changes = files.changes();
        let changed = !changes.is_empty();
        for (name, text) in changes {
            files.set(name, &text);
        }
        changed
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
        assert!(refresh(&mut files));
        assert_eq!(texts(&files).into_iter().map(|(name, _)| name).collect::<Vec<_>>(), ["SOUL.md"]);
    }

    #[test]
    fn a_changed_file_is_read_again_and_an_unchanged_one_is_not() {
        let directory = workspace();
        let path = directory.path().join("memory/MEMORY.md");
        let mut files = ContextFiles::new(directory.path().to_owned());
        refresh(&mut files);
        assert!(!refresh(&mut files));
        fs::write(&path, "likes tea").unwrap();
        assert!(refresh(&mut files));
        assert!(texts(&files).contains(&("MEMORY.md".into(), "likes tea".into())));
        fs::write(&path, "likes TEA").unwrap();
        File::open(&path).unwrap().set_modified(SystemTime::now() + Duration::from_secs(5)).unwrap();
        assert!(refresh(&mut files));
        fs::remove_file(&path).unwrap();
        assert!(refresh(&mut files));
        assert!(!refresh(&mut files));
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
        rustix::fs::mkfifoat(rustix::fs::CWD, &agents, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join("MEMORY.md"), "hunter2").unwrap();
        fs::remove_dir_all(directory.path().join("memory")).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), directory.path().join("memory")).unwrap();
        let mut files = ContextFiles::new(directory.path().to_owned());
        refresh(&mut files);
        assert_eq!(texts(&files).len(), 1);
    }

    #[test]
    fn a_long_file_is_cut_with_a_note_and_a_huge_one_is_not_read() {
        let directory = workspace();
        fs::write(directory.path().join("USER.md"), "é".repeat(1 << 20)).unwrap();
        fs::write(directory.path().join("AGENTS.md"), "é".repeat(100_000)).unwrap();
        let mut files = ContextFiles::new(directory.path().to_owned());
        refresh(&mut files);
        let (_, text) = texts(&files).into_iter().find(|(name, _)| name == "AGENTS.md").unwrap();
        assert!(text.len() < 17_000 && text.contains("left out"));
        assert!(!texts(&files).iter().any(|(name, _)| name == "USER.md"));
    }
}
