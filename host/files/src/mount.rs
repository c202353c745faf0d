//! One granted directory during one call, and how objects in it are opened.

use crate::MountError;
use crate::journal::Journal;
use crate::place::{Protected, in_git_directory, whereabouts, within};
use crate::quota::{Meter, Token, lock};
use crate::rule::{Refused, Rule};
use crate::walk::{Entry, beneath};
use crate::{Access, FileGrant, Quota};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Stat, openat2};
use rustix::io::Errno;
use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use wasmtime_wasi::filesystem::Dir;
use wasmtime_wasi::{FsPerms, OpenMode};

/// Device and inode number: which object it is, whatever its name.
pub(crate) type Id = (u64, u64);

/// Files are made without execute or set-id bits, whoever asks.
const NEW_FILE: Mode = Mode::from_raw_mode(0o644);
/// The mode of new directories.
pub(crate) const NEW_DIRECTORY: Mode = Mode::from_raw_mode(0o755);
/// How often creating starts again when the name appears and vanishes meanwhile.
const CREATE_RETRIES: usize = 8;

/// What is to be done with a place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intent {
    /// Look at it.
    Read,
    /// Change it or make it.
    Change,
    /// Give it another name, or take its name away.
    Move,
}

/// How a file is to be opened.
#[derive(Clone, Copy, Default)]
pub(crate) struct How {
    pub(crate) read: bool,
    pub(crate) write: bool,
    pub(crate) follow: bool,
    pub(crate) create: bool,
    pub(crate) exclusive: bool,
    pub(crate) truncate: bool,
    pub(crate) directory: bool,
}

impl How {
    fn flags(self) -> OFlags {
        let mut flags = match (self.read, self.write) {
            (_, false) => OFlags::RDONLY,
            (false, true) => OFlags::WRONLY,
            (true, true) => OFlags::RDWR,
        };
        flags.set(OFlags::NOFOLLOW, !self.follow);
        flags.set(OFlags::DIRECTORY, self.directory);
        flags
    }
}

/// An object that passed the rules.
pub(crate) enum Opened {
    Directory(File),
    /// With its account if it may be written to.
    File(File, Option<Arc<Token>>),
}

/// A granted directory, bound to its inode from the start of the call.
pub(crate) struct Mount {
    /// The name under which the guest knows it.
    pub(crate) path: PathBuf,
    pub(crate) root: Dir,
    pub(crate) writable: bool,
    pub(crate) meter: Arc<Meter>,
    /// Where the root was when the call started.
    host: PathBuf,
    /// Whether it stands for all that no grant names.
    pub(crate) is_elsewhere: bool,
    /// Places inside that are closed all the same.
    closed: Vec<PathBuf>,
    /// Where changes are noted before they are made.
    journal: Option<Mutex<Journal>>,
}

const ROOT: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Opens a granted directory, unless it is the bot's own or a link has taken its place.
pub(crate) fn open_root(grant: &FileGrant, protected: &Protected) -> Result<(Dir, Id), MountError> {
    if protected.is(&grant.path) {
        return Err(MountError::Protected { path: grant.path.clone() });
    }
    let root: File = match openat2(CWD, &grant.path, ROOT, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
        Ok(root) => root.into(),
        Err(Errno::NOSYS) => return Err(MountError::Kernel),
        Err(errno) => return Err(unopened(grant, errno.into())),
    };
    let id = identity(&root.metadata().map_err(|reason| unopened(grant, reason))?);
    let (perms, mode) = match grant.access {
        Access::Read => (FsPerms::ReadOnly, OpenMode::READ),
        Access::Write => (FsPerms::ReadWrite, OpenMode::READ | OpenMode::WRITE),
    };
    Ok((Dir::new(root, perms, mode, true), id))
}

fn unopened(grant: &FileGrant, reason: std::io::Error) -> MountError {
    MountError::Open { path: grant.path.clone(), reason }
}

/// An empty directory that has no name any more, so that nothing can come to be in it.
static NOWHERE: LazyLock<Option<File>> = LazyLock::new(|| {
    let place = std::env::temp_dir().join(format!(".chiton-nowhere-{}", std::process::id()));
    // Of a process that ended between these lines.
    std::fs::remove_dir(&place).ok();
    std::fs::create_dir(&place).ok()?;
    let nowhere = openat2(CWD, &place, ROOT, Mode::empty(), ResolveFlags::NO_SYMLINKS);
    std::fs::remove_dir(&place).ok()?;
    nowhere.ok().map(File::from)
});

/// Which object this is.
pub(crate) fn identity(metadata: &Metadata) -> Id {
    (metadata.dev(), metadata.ino())
}

impl Mount {
    pub(crate) fn new(
        grant: &FileGrant,
        root: Dir,
        meter: Arc<Meter>,
        protected: &Protected,
        journal: Option<&Path>,
    ) -> Result<Self, MountError> {
        let host = whereabouts(&root.dir).map_err(|reason| unopened(grant, reason))?;
        let inode = root.dir.metadata().map_err(|reason| unopened(grant, reason))?.ino();
        let journal = journal.filter(|_| grant.quota.is_none());
        Ok(Self {
            path: grant.path.clone(),
            writable: grant.access == Access::Write,
            is_elsewhere: false,
            closed: protected.inside(&host),
            journal: journal.map(|directory| Mutex::new(Journal::new(directory, (host.clone(), inode)))),
            root,
            meter,
            host,
        })
    }

    /// What stands for everything that no grant names, under the name `/`: libraries of C ask there for such paths, which
    /// they would refuse by themselves otherwise. It is empty, and what is tried in it is a denial.
    pub(crate) fn elsewhere() -> Option<Self> {
        let root = Dir::new(NOWHERE.as_ref()?.try_clone().ok()?, FsPerms::ReadOnly, OpenMode::READ, true);
        Some(Self {
            path: PathBuf::from("/"),
            writable: false,
            is_elsewhere: true,
            closed: Vec::new(),
            journal: None,
            meter: Meter::counted(root.dir.clone(), None, Quota { bytes: 0, entries: 0 }),
            root,
            host: PathBuf::from("/"),
        })
    }

    /// Whether the mount's rules allow this at an absolute host path.
    pub(crate) fn allow(&self, intent: Intent, at: &Path) -> Result<(), Rule> {
        if self.closed.iter().any(|closed| within(at, closed)) {
            return Err(Rule::Protected);
        }
        if intent == Intent::Read {
            return Ok(());
        }
        if !self.writable {
            return Err(Rule::ReadOnly);
        }
        if in_git_directory(at.strip_prefix(&self.host).unwrap_or(at)) {
            return Err(Rule::GitDirectory);
        }
        if intent == Intent::Move && self.closed.iter().any(|closed| within(closed, at)) {
            return Err(Rule::Protected);
        }
        Ok(())
    }

    /// The same for an opened object, which is noted if it is about to change. Reads ask where it is only if something
    /// is closed here.
    pub(crate) fn allow_opened(&self, intent: Intent, file: &File) -> Result<(), Refused> {
        if intent != Intent::Read || !self.closed.is_empty() {
            let at = whereabouts(file)?;
            self.allow(intent, &at)?;
            refuse_shared(&file.metadata()?, intent != Intent::Read)?;
            self.tell(|journal| if intent == Intent::Read { Ok(()) } else { journal.note(at, Some(file)) });
        }
        Ok(())
    }

    /// Tells the journal. One that cannot be written does not hold up the work.
    pub(crate) fn tell(&self, tell: impl FnOnce(&mut Journal) -> std::io::Result<()>) {
        if let Some(journal) = &self.journal {
            tell(&mut lock(journal)).ok();
        }
    }

    /// Notes what a name stands for, which is about to be taken away, and gives it.
    pub(crate) fn leaving(&self, entry: &Entry) -> Result<Option<Metadata>, Refused> {
        let object = entry.object();
        self.tell(|journal| if object.is_some() { journal.note(entry.place()?, object.as_ref()) } else { Ok(()) });
        Ok(object.and_then(|object| object.metadata().ok()))
    }

    /// A name that may be looked at or changed, in its opened directory.
    pub(crate) fn entry(&self, intent: Intent, base: &File, path: &str) -> Result<Entry, Refused> {
        if intent != Intent::Read && !self.writable {
            return Err(Rule::ReadOnly.into());
        }
        let entry = Entry::at(base, path)?;
        if intent != Intent::Read || !self.closed.is_empty() {
            self.allow(intent, &entry.place()?)?;
        }
        Ok(entry)
    }

    /// What an object is. A name in `base` itself needs no handle, unless it is a link that leads on: programs ask
    /// about every entry that they list.
    pub(crate) fn look(&self, base: &File, path: &str, follow: bool) -> Result<Stat, Refused> {
        if self.closed.is_empty() && !path.contains(['/', '\0']) && !matches!(path, "" | "." | "..") {
            let found = rustix::fs::statat(base, path, AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT)?;
            if !follow || FileType::from_raw_mode(found.st_mode) != FileType::Symlink {
                return Ok(found);
            }
        }
        let mut flags = OFlags::PATH;
        flags.set(OFlags::NOFOLLOW, !follow);
        let file = beneath(base, path, flags, Mode::empty())?;
        if !self.closed.is_empty() {
            let at = whereabouts(&file)?;
            // That a closed place is there shows in the list of its directory, which asks for it.
            if !self.closed.contains(&at) {
                self.allow(Intent::Read, &at)?;
            }
        }
        Ok(rustix::fs::fstat(&file)?)
    }

    /// Opens or creates. Nothing is created, cut or written before the rules have been asked.
    pub(crate) fn open(&self, base: &File, path: &str, how: How) -> Result<Opened, Refused> {
        if how.write && !self.writable {
            return Err(Rule::ReadOnly.into());
        }
        let file = self.find_or_create(base, path, how)?;
        let found = file.metadata()?;
        if found.is_dir() {
            self.allow_opened(Intent::Read, &file)?;
            return Ok(Opened::Directory(file));
        }
        if !found.is_file() {
            return Err(Rule::NotRegular.into());
        }
        self.allow_opened(if how.write { Intent::Change } else { Intent::Read }, &file)?;
        refuse_shared(&found, how.write)?;
        let token = how.write.then(|| self.meter.token(&found));
        if how.truncate {
            file.set_len(0)?;
            if let Some(token) = &token {
                token.settle(&file);
            }
        }
        Ok(Opened::File(file, token))
    }

    fn find_or_create(&self, base: &File, path: &str, how: How) -> Result<File, Refused> {
        for _ in 0..CREATE_RETRIES {
            if how.create {
                match self.create(base, path, how) {
                    Err(Refused::System(Errno::EXIST)) if !how.exclusive => {}
                    created => return created,
                }
            }
            match beneath(base, path, how.flags(), Mode::empty()) {
                Err(Refused::System(Errno::NOENT)) if how.create => {}
                found => return found,
            }
        }
        // A link to a name that does not exist: it is there, and yet cannot be opened or created.
        Err(Errno::NOENT.into())
    }

    fn create(&self, base: &File, path: &str, how: How) -> Result<File, Refused> {
        let entry = self.entry(Intent::Change, base, path)?;
        if entry.look().is_some() {
            return Err(Errno::EXIST.into());
        }
        if entry.must_be_directory {
            return Err(Errno::ISDIR.into());
        }
        self.charged(&entry, || {
            beneath(
                &entry.directory,
                &entry.name,
                how.flags() | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW,
                NEW_FILE,
            )
        })
    }

    /// Makes one entry that is charged to the quota and noted, or given back if it could not be made.
    pub(crate) fn charged<T>(&self, entry: &Entry, make: impl FnOnce() -> Result<T, Refused>) -> Result<T, Refused> {
        self.meter.grow(0, 1)?;
        let made = make().inspect_err(|_| self.meter.shrink(0, 1));
        made.inspect(|_| self.tell(|journal| journal.note(entry.place()?, None)))
    }

    /// How many directories below the root a path lies.
    pub(crate) fn depth(&self, at: &Path) -> usize {
        at.strip_prefix(&self.host).map_or(0, |below| below.components().count())
    }

    /// An absolute path for the record: what the guest named, seen from the directory it started in.
    pub(crate) fn target(&self, base: &File, path: &str) -> PathBuf {
        let named = whereabouts(base).ok().filter(|_| !self.is_elsewhere);
        let mut target = named.unwrap_or_else(|| self.host.clone());
        for component in Path::new(path).components() {
            match component {
                std::path::Component::ParentDir => drop(target.pop()),
                std::path::Component::CurDir => {}
                other => target.push(other),
            }
        }
        target
    }

    /// Whether a path lies in this mount, going by its text.
    pub(crate) fn contains(&self, target: &Path) -> bool {
        target.starts_with(&self.host) && !self.is_elsewhere
    }
}

/// A file with several names may be somebody else's under another name.
fn refuse_shared(found: &Metadata, write: bool) -> Result<(), Rule> {
    let foreign = found.uid() != rustix::process::geteuid().as_raw();
    if found.is_file() && found.nlink() > 1 && (write || foreign) {
        return Err(Rule::HardLink);
    }
    Ok(())
}
