//! The folder that holds everything of one bot, and the lock that lets one host use it at a time.

use crate::place::{self, PlaceError};
use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Why a home cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum HomeError {
    /// A file or folder in it is not safe to use.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// There is neither CHITON_HOME nor a home folder of the user.
    #[error("no home folder is known for your user: set CHITON_HOME to the folder that chiton shall use")]
    Unknown,
    /// Another host uses it.
    #[error("the home {} is in use by another chiton{}: use that one or stop it first", home.display(), pid.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    Held {
        /// The home.
        home: PathBuf,
        /// The process that holds it, when it says so.
        pid: Option<u32>,
    },
    /// The lock could not be taken for another reason.
    #[error("the lock {} could not be taken ({reason}): check that the disk is writable and supports locks", path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
}

const FOLDERS: [&str; 6] = ["cache", "skills", "programs", "workspace", "scratch", "received"];
/// Files that hold secrets or words of the owner, whoever writes them.
const FILES: [&str; 3] = ["config.json", "chat-history", "host.lock"];

/// The folder that holds everything of one bot, with modes 0700 and 0600.
#[derive(Clone, Debug)]
pub struct Home {
    root: PathBuf,
    warnings: Vec<String>,
}

impl Home {
    /// Where the home is: `CHITON_HOME`, else `.chiton` in the user's home folder.
    pub fn locate() -> Result<PathBuf, HomeError> {
        Self::choose(std::env::var_os("CHITON_HOME"), std::env::home_dir())
    }

    fn choose(wish: Option<OsString>, user: Option<PathBuf>) -> Result<PathBuf, HomeError> {
        match wish {
            Some(wish) if !wish.is_empty() => Ok(PathBuf::from(wish)),
            _ => match user {
                Some(user) if user.is_absolute() => Ok(user.join(".chiton")),
                _ => Err(HomeError::Unknown),
            },
        }
    }

    /// Opens the home at `root`, makes what is missing of it, and repairs loose modes.
    /// Refuses one that another user owns or could exchange.
    pub fn open(root: &Path) -> Result<Self, HomeError> {
        let root = match root.canonicalize() {
            // the owner may keep the home elsewhere through a link of their own
            Ok(target) if root.is_symlink() => {
                place::trusted_path(&root.join("config.json"))?;
                place::trusted_path(&target)?
            }
            _ => place::trusted_path(root)?,
        };
        let mut warnings = Vec::new();
        place::private_folder(&root, &mut warnings)?;
        for folder in FOLDERS {
            place::private_folder(&root.join(folder), &mut warnings)?;
        }
        for file in FILES {
            place::existing_private_file(&root.join(file), &mut warnings)?;
        }
        Ok(Self { root, warnings })
    }

    /// The folder itself, absolute and without links.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What was repaired while opening it, one sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The configuration, which may be missing.
    pub fn config(&self) -> PathBuf {
        self.root.join("config.json")
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.root.join("chiton.db")
    }

    /// The folder of compiled code and other things that can be made again.
    pub fn cache(&self) -> PathBuf {
        self.root.join("cache")
    }

    /// The folder of what can be undone.
    pub fn undo(&self) -> PathBuf {
        self.root.join("undo")
    }

    /// The folder of skills.
    pub fn skills(&self) -> PathBuf {
        self.root.join("skills")
    }

    /// The folder of programs for the shell.
    pub fn programs(&self) -> PathBuf {
        self.root.join("programs")
    }

    /// The folder of the sessions' scratch directories.
    pub fn scratch(&self) -> PathBuf {
        self.root.join("scratch")
    }

    /// The folder of files that came with messages to the terminal.
    pub fn received(&self) -> PathBuf {
        self.root.join("received")
    }

    /// The folder the bot works in, unless configured otherwise.
    pub fn workspace(&self) -> PathBuf {
        self.root.join("workspace")
    }

    /// The lock of the host.
    pub fn lock_file(&self) -> PathBuf {
        self.root.join("host.lock")
    }

    /// The socket of the host.
    pub fn socket(&self) -> PathBuf {
        self.root.join("control.sock")
    }

    /// What was typed in `chiton chat`, for its line editing.
    pub fn chat_history(&self) -> PathBuf {
        self.root.join("chat-history")
    }

    /// Takes the home for this process until the lock is dropped or the process ends.
    pub fn lock(&self) -> Result<HostLock, HomeError> {
        HostLock::take(self)
    }
}

/// The right to be the one host of a home; the system takes it back when the process ends, however it ends.
#[derive(Debug)]
pub struct HostLock {
    _file: File,
}

impl HostLock {
    fn take(home: &Home) -> Result<Self, HomeError> {
        let path = home.lock_file();
        let mut file = place::private_file(&path, &mut Vec::new())?;
        let failed = |error: std::io::Error| HomeError::Lock { path: path.clone(), reason: error.to_string() };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let pid = file.take(32).read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
                return Err(HomeError::Held { home: home.root.clone(), pid });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chiton_home_comes_before_the_users_home() {
        let user = Some(PathBuf::from("/home/ann"));
        assert_eq!(Home::choose(Some("/srv/bot".into()), user.clone()).unwrap(), Path::new("/srv/bot"));
        assert_eq!(Home::choose(Some("".into()), user.clone()).unwrap(), Path::new("/home/ann/.chiton"));
        assert_eq!(Home::choose(None, user).unwrap(), Path::new("/home/ann/.chiton"));
        assert!(matches!(Home::choose(None, None), Err(HomeError::Unknown)));
    }
}
