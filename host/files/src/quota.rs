//! How much a call may write: per granted directory, and what every volume keeps free.
//!
//! The count is taken afresh from the directory when a call starts, so it survives restarts, and is
//! exact while the call runs because calls that write to the same quota take turns.

use crate::Quota;
use crate::mount::{Id, identity};
use crate::rule::{Refused, Rule};
use crate::walk::beneath;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, statat};
use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::OwnedMutexGuard;

/// The least that stays free on a volume: this much, or a fiftieth of a small volume.
const RESERVE: u64 = 64 << 20;
/// How much may be written before the volume's free space is looked at again.
const LOOK_EVERY: u64 = 1 << 20;
/// What a new entry is taken to cost the volume.
const ENTRY_COST: u64 = 4096;

/// Lets the calls that write to one directory with a quota take turns. Shared by all calls.
#[derive(Default)]
pub struct Quotas {
    writers: Mutex<HashMap<Id, Weak<tokio::sync::Mutex<()>>>>,
}

impl Quotas {
    /// Waits until no other call writes to this directory.
    pub(crate) async fn turn(&self, id: Id) -> OwnedMutexGuard<()> {
        let writer = {
            let mut writers = lock(&self.writers);
            writers.retain(|_, writer| writer.strong_count() > 0);
            let writer = writers.get(&id).and_then(Weak::upgrade).unwrap_or_default();
            writers.insert(id, Arc::downgrade(&writer));
            writer
        };
        writer.lock_owned().await
    }
}

/// What one directory holds during one call, and how much more it may hold.
pub(crate) struct Meter {
    limit: Option<Quota>,
    directory: Arc<File>,
    ledger: Mutex<Ledger>,
}

struct Ledger {
    used: Quota,
    /// Written since the volume's free space was last looked at.
    unseen: u64,
    /// The files that are open for writing, so that two descriptors of one file share its account.
    open: HashMap<Id, Weak<Token>>,
}

impl Meter {
    /// Counts what the directory holds, if there is a limit to hold it against.
    pub(crate) async fn start(directory: Arc<File>, limit: Option<Quota>) -> io::Result<Arc<Self>> {
        let Some(limit) = limit else { return Ok(Self::counted(directory, None, Quota { bytes: 0, entries: 0 })) };
        let there = directory.clone();
        let used = tokio::task::spawn_blocking(move || count(&there)).await??;
        Ok(Self::counted(directory, Some(limit), used))
    }

    /// The account of a directory that holds so much already.
    pub(crate) fn counted(directory: Arc<File>, limit: Option<Quota>, used: Quota) -> Arc<Self> {
        let ledger = Mutex::new(Ledger { used, unseen: LOOK_EVERY, open: HashMap::new() });
        Arc::new(Self { limit, directory, ledger })
    }

    /// Charges bytes and entries before they come to be.
    pub(crate) fn grow(&self, bytes: u64, entries: u64) -> Result<(), Rule> {
        let mut ledger = lock(&self.ledger);
        let used = Quota {
            bytes: ledger.used.bytes.saturating_add(bytes),
            entries: ledger.used.entries.saturating_add(entries),
        };
        let over =
            |limit: Quota| (bytes > 0 && used.bytes > limit.bytes) || (entries > 0 && used.entries > limit.entries);
        if self.limit.is_some_and(over) {
            return Err(Rule::Quota);
        }
        ledger.unseen = ledger.unseen.saturating_add(bytes).saturating_add(entries * ENTRY_COST);
        if ledger.unseen >= LOOK_EVERY {
            if !self.volume_has_room(bytes) {
                return Err(Rule::VolumeReserve);
            }
            ledger.unseen = 0;
        }
        ledger.used = used;
        Ok(())
    }

    /// Gives back what was charged.
    pub(crate) fn shrink(&self, bytes: u64, entries: u64) {
        let mut ledger = lock(&self.ledger);
        ledger.used.bytes = ledger.used.bytes.saturating_sub(bytes);
        ledger.used.entries = ledger.used.entries.saturating_sub(entries);
    }

    /// Gives back what a removed entry held; the bytes of a file that is still open only when it closes.
    pub(crate) fn removed(&self, was: Option<Metadata>) {
        let Some(was) = was else { return };
        self.shrink(0, 1);
        if !was.is_file() || was.nlink() > 1 {
            return;
        }
        let open = lock(&self.ledger).open.get(&identity(&was)).and_then(Weak::upgrade);
        match open {
            Some(token) => lock(&token.account).unlinked = true,
            None => self.shrink(was.size(), 0),
        }
    }

    /// The account of a file that was just opened for writing.
    pub(crate) fn token(self: &Arc<Self>, file: &Metadata) -> Arc<Token> {
        let id = identity(file);
        let mut ledger = lock(&self.ledger);
        if let Some(token) = ledger.open.get(&id).and_then(Weak::upgrade) {
            return token;
        }
        let account = Mutex::new(Account { size: file.size(), unlinked: false });
        let token = Arc::new(Token { meter: self.clone(), id, account });
        ledger.open.insert(id, Arc::downgrade(&token));
        token
    }

    fn volume_has_room(&self, wanted: u64) -> bool {
        let Ok(volume) = rustix::fs::fstatvfs(&self.directory) else { return false };
        let reserve = RESERVE.min(volume.f_blocks.saturating_mul(volume.f_frsize) / 50);
        let free = volume.f_bavail.saturating_mul(volume.f_frsize);
        // A volume that counts no inodes reports none at all.
        let inodes_left = volume.f_files == 0 || volume.f_favail > 0;
        inodes_left && free >= reserve.saturating_add(wanted)
    }
}

/// The account of one file, shared by all descriptors and streams that may write to it.
pub(crate) struct Token {
    meter: Arc<Meter>,
    id: Id,
    account: Mutex<Account>,
}

struct Account {
    /// Bytes that are charged for the file.
    size: u64,
    unlinked: bool,
}

impl Token {
    /// Charges what a write that ends at `end` adds to the file. Holes count as if they were full.
    pub(crate) fn reach(&self, end: u64) -> Result<(), Rule> {
        let mut account = lock(&self.account);
        if end > account.size {
            self.meter.grow(end - account.size, 0)?;
            account.size = end;
        }
        Ok(())
    }

    /// Charges `length` bytes at the end of the file.
    pub(crate) fn append(&self, length: u64) -> Result<(), Rule> {
        let size = lock(&self.account).size;
        self.reach(size.saturating_add(length))
    }

    /// Sets the account to what the file holds, after it was cut or a write failed half-way.
    pub(crate) fn settle(&self, file: &File) {
        let Ok(size) = file.metadata().map(|found| found.len()) else { return };
        let mut account = lock(&self.account);
        if size < account.size {
            self.meter.shrink(account.size - size, 0);
            account.size = size;
        }
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        let mut ledger = lock(&self.meter.ledger);
        if ledger.open.get(&self.id).is_some_and(|token| token.strong_count() == 0) {
            ledger.open.remove(&self.id);
        }
        let account = lock(&self.account);
        if account.unlinked {
            ledger.used.bytes = ledger.used.bytes.saturating_sub(account.size);
        }
    }
}

/// What a directory holds, all levels together. One handle is open at a time, however deep it is.
fn count(root: &File) -> io::Result<Quota> {
    let mut used = Quota { bytes: 0, entries: 0 };
    let mut waiting = vec![".".to_owned()];
    while let Some(path) = waiting.pop() {
        let directory = beneath(root, &path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW, Mode::empty());
        let directory = match directory {
            Ok(directory) => directory,
            Err(Refused::System(errno)) => return Err(errno.into()),
            Err(Refused::Rule(rule)) => return Err(io::Error::other(format!("{path}: {rule:?}"))),
        };
        for entry in Dir::read_from(&directory)? {
            let entry = entry?;
            if matches!(entry.file_name().to_bytes(), b"." | b"..") {
                continue;
            }
            used.entries += 1;
            // A file that vanishes meanwhile is not held.
            let Ok(found) = statat(&directory, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW) else { continue };
            match FileType::from_raw_mode(found.st_mode) {
                FileType::RegularFile => used.bytes += u64::try_from(found.st_size).unwrap_or(0),
                FileType::Directory => match entry.file_name().to_str() {
                    Ok(name) => waiting.push(format!("{path}/{name}")),
                    Err(_) => {
                        return Err(io::Error::other(format!("a name in '{path}' is not UTF-8")));
                    }
                },
                _ => {}
            }
        }
    }
    Ok(used)
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
