//! The guarding layer over `wasi:filesystem`: decides every operation on the opened object, never on
//! the text of a path.
//!
//! A guest's path is walked by the kernel (`openat2` with `RESOLVE_BENEATH`), then the handle that
//! came out is asked what it is and where it is. Only regular files and directories are handed out,
//! so no operation can wait on a pipe or a device, and guests may do file work on the calling thread.

mod convert;
#[cfg(test)]
mod corpus;
mod grant;
mod guard;
mod journal;
mod mount;
mod place;
mod quota;
mod rule;
mod stream;
mod walk;

pub use grant::{Access, FileGrant, FileGrantError, Quota};
pub use journal::{Act, Line, Stamp, read_journal};
pub use place::Protected;
pub use quota::Quotas;

use mount::Mount;
use quota::Meter;
use rule::Start;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::OwnedMutexGuard;
use wasmtime::component::{HasData, Linker};
use wasmtime_wasi::filesystem::WasiFilesystemCtxView;
use wasmtime_wasi::p2::bindings::filesystem::{preopens, types};

/// An operation that was refused by a rule of ours (not one that failed by itself).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// What was tried, such as `open` or `rename`.
    pub operation: &'static str,
    /// Absolute host path, canonical as far as it could be known without leaving the mount.
    pub target: String,
    /// The missing grant as `files=DIR:ACCESS`, or the name of the rule, such as `hard-link`.
    pub grant: String,
}

/// Takes denials as they happen, each exactly once. Must not block.
pub type Report = Arc<dyn Fn(Denial) + Send + Sync>;

/// Why the granted directories could not be opened for a call.
#[derive(Debug, thiserror::Error)]
pub enum MountError {
    /// The directory is gone, was replaced by a link, or may not be read.
    #[error("the granted directory '{}' cannot be opened ({reason}); restore it or remove the grant", path.display())]
    Open {
        /// The granted path.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// The kernel cannot confine paths.
    #[error("files cannot be granted because this kernel has no openat2; use Linux 5.6 or newer")]
    Kernel,
    /// The directory is one of the bot's own.
    #[error("'{}' is one of the bot's own places and is never given to a tool; grant a directory inside or beside it", path.display())]
    Protected {
        /// The granted path.
        path: PathBuf,
    },
    /// What a directory with a quota holds could not be counted.
    #[error("the contents of '{}' cannot be counted for its quota ({reason}); make it readable or remove the quota", path.display())]
    Count {
        /// The granted path.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
}

/// The files of one call: its mounts, what is open, and who hears of denials. Lives in the store.
pub struct FileContext {
    mounts: Vec<Arc<Mount>>,
    /// What the open descriptors stand for, by their index in the resource table.
    held: HashMap<u32, Start>,
    report: Report,
    /// While it is held, no other call writes to the same directories with a quota.
    _turns: Arc<Vec<OwnedMutexGuard<()>>>,
}

impl FileContext {
    /// Opens the granted directories, waiting for other calls that write to the same quota. With no
    /// grants there is nothing to open and nothing can fail. What the call changes is noted in `journal`, but for
    /// directories with a quota: what is there, nobody needs to keep.
    pub async fn open(
        grants: &[FileGrant],
        journal: Option<&Path>,
        protected: &Protected,
        quotas: &Quotas,
        report: Report,
    ) -> Result<Self, MountError> {
        let mut opened = Vec::with_capacity(grants.len());
        let mut limited = BTreeMap::new();
        for grant in grants {
            let (root, id) = mount::open_root(grant, protected)?;
            if let (Access::Write, Some(limit)) = (grant.access, grant.quota) {
                limited.entry(id).or_insert(limit);
            }
            opened.push((grant, root, id));
        }
        // Turns are taken in one order by everybody, so that no two calls wait for each other.
        let mut turns = Vec::with_capacity(limited.len());
        for id in limited.keys() {
            turns.push(quotas.turn(*id).await);
        }
        let mut meters: HashMap<_, Arc<Meter>> = HashMap::new();
        let mut mounts = Vec::with_capacity(opened.len());
        for (grant, root, id) in opened {
            let meter = match meters.get(&id) {
                Some(meter) => meter.clone(),
                None => Meter::start(root.dir.clone(), limited.get(&id).copied())
                    .await
                    .map_err(|reason| MountError::Count { path: grant.path.clone(), reason })?,
            };
            meters.insert(id, meter.clone());
            mounts.push(Arc::new(Mount::new(grant, root, meter, protected, journal)?));
        }
        Ok(Self { mounts, held: HashMap::new(), report, _turns: Arc::new(turns) })
    }

    /// The same mounts for another store of the same call.
    pub fn share(&self) -> Self {
        let Self { mounts, report, _turns: turns, .. } = self;
        Self { mounts: mounts.clone(), held: HashMap::new(), report: report.clone(), _turns: turns.clone() }
    }

    /// With a mount for what no grant names, so that every path outside is heard of: for guests whose library of C would
    /// refuse such paths by itself, as if they were not there.
    #[must_use]
    pub fn hearing_of_all(mut self) -> Self {
        if self.mounts.iter().all(|mount| mount.path != Path::new("/")) {
            self.mounts.extend(Mount::elsewhere().map(Arc::new));
        }
        self
    }
}

/// A store's files as the host functions see them.
pub struct GuardedView<'a> {
    /// The stock implementation, asked for what happens on descriptors that are already open.
    pub inner: WasiFilesystemCtxView<'a>,
    /// The rules of this call.
    pub files: &'a mut FileContext,
}

struct Guarded;

impl HasData for Guarded {
    type Data<'a> = GuardedView<'a>;
}

/// Puts this layer into a linker that allows shadowing and already holds the stock WASI. Both
/// `wasi:filesystem/types` and `preopens` are replaced: mounts come from [`FileContext::open`] and
/// not from the WASI context.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: fn(&mut T) -> GuardedView<'_>,
) -> wasmtime::Result<()> {
    types::add_to_linker::<T, Guarded>(linker, get)?;
    preopens::add_to_linker::<T, Guarded>(linker, get)
}
