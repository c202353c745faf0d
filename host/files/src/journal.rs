//! What calls change in the granted directories, written down so that it can be taken back.
//!
//! Before a name changes, what stands there goes into a private directory; when the call has ended, what it left
//! there is added. Who reads the log backwards can undo it, and sees what somebody else has changed since.

use rustix::fs::readlinkat;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// The file with the lines, beside the copies of what was there before.
const LOG: &str = "log";
/// Most that is kept of one turn, in bytes.
const MOST: u64 = 64 << 20;
/// What a change is taken to cost beside its bytes, so that there are at most 1,000.
const CHANGE: u64 = MOST / 1_000;

/// One line of a journal.
#[derive(Debug, Serialize, Deserialize)]
pub struct Line {
    /// The granted directory and its inode.
    pub root: (PathBuf, u64),
    /// The name that changes, as an absolute path.
    pub at: PathBuf,
    /// What stands there at this moment.
    pub stamp: Option<Stamp>,
    /// What happens to it.
    pub act: Act,
}

/// What is known of an object: a change of it shows here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Kind and permissions.
    pub mode: u32,
    /// How many bytes it has, and when they were written, in seconds and nanoseconds. Which object it is does not
    /// count: what an undo brings back is another one.
    pub content: (u64, i64, i64),
}

/// What a line tells.
#[derive(Debug, Serialize, Deserialize)]
pub enum Act {
    /// It changes. The bytes of a file are in this file of the journal; of a link, this is the text.
    Changes(String),
    /// It changes and cannot be undone, for this reason.
    Missed(String),
    /// It has got this name.
    Moved(PathBuf),
    /// A call has ended and left it so.
    Left,
}

impl Stamp {
    /// What stands at a path, a link not followed.
    pub fn at(path: &Path) -> Option<Self> {
        path.symlink_metadata().ok().as_ref().map(Self::of)
    }

    fn of(found: &Metadata) -> Self {
        // The size and the times of a directory tell of the names in it, which have lines of their own.
        let content = if found.is_dir() { (0, 0, 0) } else { (found.len(), found.mtime(), found.mtime_nsec()) };
        Self { mode: found.mode(), content }
    }
}

/// All lines of a journal, oldest first. One that a crash has cut short is left out.
///
/// # Errors
/// When there is none, or it cannot be read.
pub fn read_journal(directory: &Path) -> io::Result<Vec<Line>> {
    let log = std::fs::read(directory.join(LOG))?;
    Ok(log.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
}

/// What one call changes in one granted directory. On disk there is nothing of it before the first change.
pub(crate) struct Journal {
    directory: PathBuf,
    root: (PathBuf, u64),
    log: Option<File>,
    /// Bytes that are used up, of what may be kept.
    spent: u64,
    /// Names that this call has changed, and whether it is told what stood there before.
    touched: HashMap<PathBuf, bool>,
}

impl Journal {
    pub(crate) fn new(directory: &Path, root: (PathBuf, u64)) -> Self {
        Self { directory: directory.to_owned(), root, log: None, spent: 0, touched: HashMap::new() }
    }

    /// Notes a name before it changes: `object` stands there, or there was nothing.
    pub(crate) fn note(&mut self, at: PathBuf, object: Option<&File>) -> io::Result<()> {
        self.open()?;
        if self.spent > MOST || self.touched.insert(at.clone(), true) == Some(true) {
            return Ok(());
        }
        let found = object.map(File::metadata).transpose()?;
        let kept = object.zip(found.as_ref()).map_or(Ok(String::new()), |(object, found)| self.keep(object, found));
        let act = match kept {
            Ok(kept) if self.spent + CHANGE <= MOST => Act::Changes(kept),
            Ok(_) => Act::Missed("the turn changed more than can be kept".to_owned()),
            Err(error) => Act::Missed(error.to_string()),
        };
        self.add(at, found.as_ref().map(Stamp::of), act)
    }

    /// Notes that what was at `from` has got the name `to`, and what it was; both were settled before.
    pub(crate) fn moved(&mut self, from: PathBuf, to: PathBuf, found: &Metadata) -> io::Result<()> {
        self.open()?;
        if self.spent > MOST {
            return Ok(());
        }
        self.touched.extend([(from.clone(), false), (to.clone(), false)]);
        self.add(from, Some(Stamp::of(found)), Act::Moved(to))
    }

    /// Keeps what an object is before it changes.
    fn keep(&mut self, object: &File, found: &Metadata) -> io::Result<String> {
        if !found.is_file() {
            let text = if found.is_symlink() { readlinkat(object, "", Vec::new())? } else { Default::default() };
            return text.into_string().map_err(|_| io::ErrorKind::InvalidData.into());
        }
        if self.spent + found.len() > MOST {
            return Err(io::Error::other("what it was before is too large to be kept"));
        }
        self.spent += found.len();
        // The handle may be one for writing, or one that only names the file.
        let from = File::open(format!("/proc/self/fd/{}", object.as_raw_fd()))?;
        let name = UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos().to_string();
        let mut copy = OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.directory.join(&name))?;
        io::copy(&mut from.take(found.len()), &mut copy)?;
        Ok(name)
    }

    /// Notes how names at and below these were left.
    pub(crate) fn settle(&mut self, places: &[PathBuf]) -> io::Result<()> {
        let meant = |name: &Path| places.iter().any(|place| name.starts_with(place));
        let settled: Vec<_> = self.touched.extract_if(|name, _| meant(name)).collect();
        settled.into_iter().try_for_each(|(at, _)| self.add(at.clone(), Stamp::at(&at), Act::Left))
    }

    fn open(&mut self) -> io::Result<()> {
        if self.log.is_none() {
            DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
            let told = read_journal(&self.directory).unwrap_or_default();
            self.spent = told.iter().filter(|line| !matches!(line.act, Act::Left)).count() as u64 * CHANGE;
            for kept in self.directory.read_dir()? {
                self.spent += kept?.metadata()?.len();
            }
            self.log = Some(OpenOptions::new().append(true).create(true).mode(0o600).open(self.directory.join(LOG))?);
        }
        Ok(())
    }

    fn add(&mut self, at: PathBuf, stamp: Option<Stamp>, act: Act) -> io::Result<()> {
        self.spent += if matches!(act, Act::Left) { 0 } else { CHANGE };
        let line = serde_json::to_string(&Line { root: self.root.clone(), at, stamp, act })?;
        // Its end comes first: after a crash, the line before may lack it.
        self.log.as_mut().map_or(Ok(()), |log| log.write_all(format!("\n{line}").as_bytes()))
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.settle(&["/".into()]).ok();
    }
}
