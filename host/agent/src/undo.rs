//! Taking back what a turn changed in files: its journal is read backwards, and what somebody else has changed since
//! is left alone.

use crate::agent::Room;
use crate::{Agent, scratch};
use chiton_sandbox::files::{Act, Line, Stamp, read_journal};
use chiton_store::{StoreError, TaskState};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, ResolveFlags, Timespec, Timestamps};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// How many turns of a session can be undone.
const TURNS: usize = 10;
/// Stands after the number of a turn that was undone.
const UNDONE: &str = ".undone";

const CHANGED: &str = "it was changed since, by somebody else";
const CUT_OFF: &str = "Chiton was stopped while it was changed";
const PERHAPS_ALL: &str = "it may be all that is left of something that could not be kept";
const IN_THE_WAY: &str = "what was moved away from here, or to here, cannot be moved back";

/// What an undo did, by absolute path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undone {
    /// What is again as it was before the turn.
    pub restored: Vec<String>,
    /// What the turn had made.
    pub removed: Vec<String>,
    /// What was left alone, and why.
    pub kept: Vec<(String, String)>,
}

/// Why nothing was undone.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// Something changes files now.
    #[error("a request is at work in this chat; wait for its end, or stop it, and undo then")]
    Running,
    /// No turn is left.
    #[error("there is nothing to undo: the last {TURNS} requests that changed files were undone, or none did")]
    Nothing,
    /// The journal could not be read.
    #[error("what the last request changed cannot be read ({0}); nothing was undone")]
    Journal(#[from] io::Error),
    /// The store could not be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The folder with the journals of a session, below the folder of all of them.
pub fn journals(root: &Path, session: &str) -> PathBuf {
    root.join(scratch::folder(session))
}

/// The journals of a session, newest first.
fn turns(journals: &Path) -> Vec<(i64, PathBuf)> {
    let number = |path: &Path| path.file_stem()?.to_str()?.parse().ok();
    let paths = scratch::entries(journals).into_iter();
    let mut turns: Vec<_> = paths.filter_map(|path| Some((number(&path)?, path))).collect();
    turns.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    turns
}

/// The journal of a turn that begins. The oldest ones go.
pub(crate) fn journal(root: &Path, session: &str, turn: i64) -> PathBuf {
    let journals = journals(root, session);
    for (_, old) in turns(&journals).iter().filter(|(number, _)| *number != turn).skip(TURNS - 1) {
        std::fs::remove_dir_all(old).ok();
    }
    journals.join(turn.to_string())
}

impl Agent {
    /// Takes back what the newest turn of a session changed in files that changed any and was not undone yet. Its
    /// sub-agents belong to it; what programs of the machine changed does not.
    ///
    /// # Errors
    /// See [`UndoError`]; then nothing was changed.
    pub async fn undo(&self, session: &str) -> Result<Undone, UndoError> {
        match self.room.bus.is_running(session) {
            true => Err(UndoError::Running),
            false => self.room.undo(session).await,
        }
    }
}

impl Undone {
    /// What people are told.
    pub(crate) fn told(&self) -> String {
        let list = |what: &str, paths: &[String]| match paths.is_empty() {
            true => String::new(),
            false => format!("{what}:\n{}", paths.iter().map(|path| format!("- {path}\n")).collect::<String>()),
        };
        let kept: Vec<_> = self.kept.iter().map(|(path, reason)| format!("{path} ({reason})")).collect();
        let told = list("Restored", &self.restored) + &list("Removed", &self.removed) + &list("Left as it is", &kept);
        if told.is_empty() { "Everything was as before already.".to_owned() } else { told }
    }
}

impl Room {
    /// The same from within a turn of the session, which itself changes nothing.
    pub(crate) async fn undo(&self, session: &str) -> Result<Undone, UndoError> {
        let tasks = self.store.tasks(session).await?;
        if tasks.iter().any(|task| task.state == TaskState::Running) {
            return Err(UndoError::Running);
        }
        let journals = self.settings.undo.as_ref().map(|root| journals(root, session)).unwrap_or_default();
        let undo = move || {
            let journal = turns(&journals).into_iter().find(|(_, path)| path.extension().is_none());
            let (number, journal) = journal.ok_or(UndoError::Nothing)?;
            let undone = undo(&journal)?;
            std::fs::rename(&journal, journals.join(format!("{number}{UNDONE}")))?;
            Ok(undone)
        };
        tokio::task::spawn_blocking(undo).await.map_err(io::Error::from)?
    }
}

/// An undo on its way backwards.
struct Undoing<'a> {
    journal: &'a Path,
    /// Nothing that the turn changed is missing in the journal.
    whole: bool,
    /// What stood at names at the moment that is reached, where it is known.
    stood: HashMap<PathBuf, Option<Stamp>>,
    /// Names at which there is what a call has left there.
    settled: HashSet<PathBuf>,
    /// Names that there were after the turn.
    there: HashSet<PathBuf>,
    /// Names that are as they were, and whether there was something.
    done: BTreeMap<PathBuf, bool>,
    kept: BTreeMap<PathBuf, String>,
}

/// Undoes what a journal tells.
fn undo(journal: &Path) -> io::Result<Undone> {
    let lines = read_journal(journal)?;
    let whole = !lines.iter().any(|line| matches!(line.act, Act::Missed(_)));
    let (stood, settled, there, done, kept) = Default::default();
    let mut undoing = Undoing { journal, whole, stood, settled, there, done, kept };
    lines.into_iter().rev().for_each(|line| undoing.back(line));
    let Undoing { there, done, kept, .. } = undoing;
    let name = |path: &PathBuf| path.display().to_string();
    let done = done.iter().filter(|(path, _)| !kept.contains_key(*path));
    let (restored, removed): (Vec<_>, Vec<_>) = done.partition(|(_, was)| **was);
    Ok(Undone {
        restored: restored.into_iter().map(|(path, _)| name(path)).collect(),
        removed: removed.into_iter().filter(|(path, _)| there.contains(*path)).map(|(path, _)| name(path)).collect(),
        kept: kept.iter().map(|(path, reason)| (name(path), reason.clone())).collect(),
    })
}

impl Undoing<'_> {
    /// Goes back over one line.
    fn back(&mut self, line: Line) {
        let at = line.at.clone();
        let now = self.stood.get(&at).cloned().unwrap_or_else(|| Stamp::at(&at));
        match &line.act {
            Act::Left if !self.settled.insert(at.clone()) => {}
            Act::Left if now != line.stamp => self.keep(at, CHANGED),
            Act::Left => drop(line.stamp.is_some() && !self.done.contains_key(&at) && self.there.insert(at)),
            Act::Missed(reason) if now != line.stamp => self.keep(at, reason),
            Act::Moved(to) => self.move_back(&line, to),
            _ if self.kept.contains_key(&at) => {}
            _ => {
                let is_file =
                    now.as_ref().is_some_and(|now| FileType::from_raw_mode(now.mode) == FileType::RegularFile);
                if now != line.stamp && !self.settled.contains(&at) {
                    self.keep(at.clone(), CUT_OFF);
                } else if is_file && line.stamp.is_none() && !self.whole {
                    // Moving a file to another folder that is granted makes one there and removes this one.
                    self.keep(at.clone(), PERHAPS_ALL);
                } else if now != line.stamp {
                    match self.put_back(&line) {
                        Ok(()) => drop(self.done.insert(at.clone(), line.stamp.is_some())),
                        Err(error) => self.keep(at.clone(), &error.to_string()),
                    }
                }
                self.settled.remove(&at);
                self.stood.insert(at, line.stamp);
            }
        }
    }

    fn keep(&mut self, at: PathBuf, reason: &str) {
        self.kept.entry(at).or_insert_with(|| reason.to_owned());
    }

    fn move_back(&mut self, line: &Line, to: &Path) {
        let from = &line.at;
        let moved = || {
            let ((old, old_name), (new, new_name)) = (place(line, from)?, place(line, to)?);
            rustix::fs::renameat_with(new, new_name, &old, &old_name, RenameFlags::NOREPLACE)?;
            // A file that replaces another one takes its permissions.
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            if let (Some(stamp), Ok(file)) = (&line.stamp, rustix::fs::openat(old, old_name, flags, Mode::empty())) {
                rustix::fs::fchmod(file, permissions(stamp))?;
            }
            Ok::<_, io::Error>(())
        };
        if self.kept.contains_key(from) || self.kept.contains_key(to) || moved().is_err() {
            self.keep(from.clone(), IN_THE_WAY);
            return self.keep(to.to_owned(), IN_THE_WAY);
        }
        self.done.insert(from.clone(), true);
        self.done.insert(to.to_owned(), false);
        let below = |name: &Path| name.starts_with(from) || name.starts_with(to);
        let stood: Vec<_> = self.stood.extract_if(|name, _| below(name)).collect();
        let back = |name: PathBuf| name.strip_prefix(to).map(|rest| from.join(rest)).ok();
        self.stood.extend(stood.into_iter().filter_map(|(name, stamp)| Some((back(name)?, stamp))));
        self.stood.insert(from.clone(), line.stamp.clone());
        self.settled.retain(|name| !below(name));
        self.settled.insert(to.to_owned());
    }

    /// Makes of a name what it was. A file is written beside it first, so that no part of one is ever there.
    fn put_back(&self, line: &Line) -> io::Result<()> {
        let (folder, name) = place(line, &line.at)?;
        let (folder, name) = (&folder, name.as_str());
        let now = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).ok();
        let now = now.map(|now| FileType::from_raw_mode(now.st_mode));
        let was = line.stamp.as_ref().map(|stamp| FileType::from_raw_mode(stamp.mode));
        if let Some(now) = now.filter(|now| Some(*now) != was || was == Some(FileType::Symlink)) {
            let how = if now == FileType::Directory { AtFlags::REMOVEDIR } else { AtFlags::empty() };
            rustix::fs::unlinkat(folder, name, how)?;
        }
        let (Some(stamp), Act::Changes(kept)) = (&line.stamp, &line.act) else { return Ok(()) };
        let (mode, (_, tv_sec, tv_nsec)) = (permissions(stamp), stamp.content);
        let written = Timespec { tv_sec, tv_nsec };
        let times = Timestamps { last_access: written, last_modification: written };
        match was {
            Some(FileType::Directory) if now != was => rustix::fs::mkdirat(folder, name, mode)?,
            Some(FileType::Symlink) => {
                rustix::fs::symlinkat(kept, folder, name)?;
                rustix::fs::utimensat(folder, name, &times, AtFlags::SYMLINK_NOFOLLOW)?;
            }
            Some(FileType::RegularFile) => {
                let (mut copy, beside) = (File::open(self.journal.join(kept))?, format!(".{kept}.undo"));
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let mut file: File = rustix::fs::openat(folder, &beside, flags, Mode::RUSR | Mode::WUSR)?.into();
                let mut write = || -> io::Result<()> {
                    io::copy(&mut copy, &mut file)?;
                    rustix::fs::fchmod(&file, mode)?;
                    rustix::fs::futimens(&file, &times)?;
                    Ok(rustix::fs::renameat(folder, &beside, folder, name)?)
                };
                write().inspect_err(|_: &io::Error| {
                    rustix::fs::unlinkat(folder, &beside, AtFlags::empty()).unwrap_or_default()
                })?;
            }
            _ => {}
        }
        Ok(())
    }
}

fn permissions(stamp: &Stamp) -> Mode {
    Mode::from_raw_mode(stamp.mode & 0o777)
}

/// The opened folder of a name of the line's root, with no link on the way to it, and the last part of the name.
fn place(line: &Line, at: &Path) -> io::Result<(File, String)> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root: File = rustix::fs::openat2(CWD, &line.root.0, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS)?.into();
    let below = at.strip_prefix(&line.root.0).ok().filter(|_| root.metadata().is_ok_and(|it| it.ino() == line.root.1));
    let (Some(folder), Some(name)) = (below.and_then(Path::parent), at.file_name().and_then(|name| name.to_str()))
    else {
        return Err(io::Error::other("the folder that was granted is not there any more"));
    };
    let way = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let folder = rustix::fs::openat2(&root, Path::new(".").join(folder), flags, Mode::empty(), way)?;
    Ok((folder.into(), name.to_owned()))
}
