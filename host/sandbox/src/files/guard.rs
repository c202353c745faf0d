//! The host functions of `wasi:filesystem`: what opens, makes or changes something is decided here,
//! what happens on an open descriptor is left to the stock implementation.

use super::mount::{How, Intent, Mount, NEW_DIRECTORY, Opened, identity, refuse_shared};
use super::place::whereabouts;
use super::quota::Token;
use super::stream::{Charged, Exhausted};
use super::walk::{Refused, Rule, link_stays_inside};
use super::{Denial, GuardedView, Held, Report};
use crate::Access;
use rustix::fs::{AtFlags, Dir as Listing};
use rustix::io::Errno;
use std::fs::{File, FileTimes, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::{Descriptor, Dir, File as OpenFile};
use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry,
    DirectoryEntryStream, ErrorCode, Filesize, HostDescriptor, HostDirectoryEntryStream,
    MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::pipe::ClosedOutputStream;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};
use wasmtime_wasi::{FsPerms, OpenMode};

/// Directories of more entries are not listed: the list is held in memory.
const MAX_ENTRIES: usize = 100_000;
/// Directories of more entries are listed on another thread.
const FEW_ENTRIES: usize = 1_000;

/// Operations that ask for no more than reading.
const READING: [&str; 4] = ["open", "stat", "readlink", "list"];

/// Tells of denials of one operation.
pub(super) struct Reporter {
    report: Report,
    start: Start,
    operation: &'static str,
    path: String,
}

impl Reporter {
    /// Reports that `rule` forbade the operation, and gives what the guest is told.
    pub(super) fn refuse(&self, rule: Rule) -> ErrorCode {
        let target = self.start.mount.target(&self.start.base, &self.path);
        (self.report)(Denial {
            operation: self.operation,
            grant: self.grant(rule, &target),
            target: target.display().to_string(),
        });
        match rule {
            Rule::Quota => ErrorCode::Quota,
            Rule::VolumeReserve => ErrorCode::InsufficientSpace,
            Rule::BadPath => ErrorCode::Invalid,
            Rule::TooManyEntries => ErrorCode::Overflow,
            _ => ErrorCode::NotPermitted,
        }
    }

    fn grant(&self, rule: Rule, target: &Path) -> String {
        let mount = &self.start.mount;
        let name = match rule {
            // Which grant is missing can be told if the path says where it leads; a link does not.
            Rule::Outside | Rule::ReadOnly if !mount.contains(target) => {
                let access = if READING.contains(&self.operation) {
                    Access::Read
                } else {
                    Access::Write
                };
                return format!(
                    "files={}:{access}",
                    target.parent().unwrap_or(target).display()
                );
            }
            Rule::ReadOnly => return format!("files={}:write", mount.path.display()),
            Rule::Outside => "link-leaves-grant",
            Rule::Protected => "protected",
            Rule::GitDirectory => "git-directory",
            Rule::HardLink => "hard-link",
            Rule::AcrossMounts => "across-mounts",
            Rule::LinkTarget => "link-target",
            Rule::NotRegular => "not-a-regular-file",
            Rule::BadPath => "bad-path",
            Rule::TooManyEntries => "too-many-entries",
            Rule::Quota => "quota",
            Rule::VolumeReserve => "volume-reserve",
        };
        name.to_owned()
    }
}

/// What a guest's descriptor stands for: where an operation starts.
#[derive(Clone)]
struct Start {
    mount: Arc<Mount>,
    base: Arc<File>,
    token: Option<Arc<Token>>,
    is_directory: bool,
}

impl Start {
    fn open_directory(&self) -> Result<&File, ErrorCode> {
        if self.is_directory {
            Ok(&self.base)
        } else {
            Err(ErrorCode::NotDirectory)
        }
    }
}

impl GuardedView<'_> {
    fn start(&mut self, fd: &Resource<Descriptor>) -> FsResult<Start> {
        let descriptor = self.inner.table.get(fd)?;
        let held = self.files.held.get(&fd.rep());
        let held = held.ok_or_else(|| {
            FsError::trap(wasmtime::Error::msg("a descriptor that was never opened"))
        })?;
        let (base, is_directory) = match descriptor {
            Descriptor::File(file) => (file.file.clone(), false),
            Descriptor::Dir(directory) => (directory.dir.clone(), true),
        };
        Ok(Start {
            mount: held.mount.clone(),
            base,
            token: held.token.clone(),
            is_directory,
        })
    }

    /// Does `body` in the directory `fd`, and reports it if a rule forbids it.
    fn at<T>(
        &mut self,
        operation: &'static str,
        fd: &Resource<Descriptor>,
        path: &str,
        body: impl FnOnce(&Mount, &File) -> Result<T, Refused>,
    ) -> FsResult<T> {
        let start = self.start(fd)?;
        let base = start.open_directory()?;
        body(&start.mount, base).map_err(|refused| self.answer(operation, &start, path, refused))
    }

    fn answer(
        &self,
        operation: &'static str,
        start: &Start,
        path: &str,
        refused: Refused,
    ) -> FsError {
        match refused {
            Refused::System(errno) => io::Error::from(errno).into(),
            Refused::Rule(rule) => self.reporter(operation, start, path).refuse(rule).into(),
        }
    }

    fn reporter(&self, operation: &'static str, start: &Start, path: &str) -> Reporter {
        let report = self.files.report.clone();
        Reporter {
            report,
            start: start.clone(),
            operation,
            path: path.to_owned(),
        }
    }

    /// Refuses changes through a descriptor of a read-only mount.
    fn changeable(
        &mut self,
        operation: &'static str,
        fd: &Resource<Descriptor>,
    ) -> FsResult<Start> {
        let start = self.start(fd)?;
        if start.mount.writable {
            return Ok(start);
        }
        Err(self.answer(operation, &start, "", Rule::ReadOnly.into()))
    }

    /// Hands a descriptor to the guest and remembers whose it is.
    fn hold(
        &mut self,
        descriptor: Descriptor,
        mount: Arc<Mount>,
        token: Option<Arc<Token>>,
    ) -> FsResult<Resource<Descriptor>> {
        let fd = self.inner.table.push(descriptor)?;
        self.files.held.insert(fd.rep(), Held { mount, token });
        Ok(fd)
    }

    /// Wraps a stock stream so that it charges what it writes.
    fn charge_stream(
        &mut self,
        start: Start,
        at: Option<u64>,
        stream: &Resource<DynOutputStream>,
    ) -> FsResult<()> {
        let reporter = self.reporter("write", &start, "");
        // Without a token the file was opened for reading, and the kernel refuses what is written.
        let Some(token) = start.token else {
            return Ok(());
        };
        let slot: &mut DynOutputStream = self.inner.table.get_mut(stream)?;
        let inner = std::mem::replace(slot, Box::new(ClosedOutputStream));
        *slot = Box::new(Charged {
            inner,
            at,
            token,
            reporter,
        });
        Ok(())
    }
}

impl preopens::Host for GuardedView<'_> {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        let mut directories = Vec::with_capacity(self.files.mounts.len());
        for mount in self.files.mounts.clone() {
            let path = mount.path.display().to_string();
            let root = Descriptor::Dir(mount.root.clone());
            directories.push((self.hold(root, mount, None)?, path));
        }
        Ok(directories)
    }
}

impl types::Host for GuardedView<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn filesystem_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        if let Some(Exhausted(code)) = self.inner.table.get(&error)?.downcast_ref() {
            return Ok(Some(*code));
        }
        self.inner.filesystem_error_code(error)
    }
}

impl HostDescriptor for GuardedView<'_> {
    async fn open_at(
        &mut self,
        fd: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Resource<Descriptor>> {
        let how = how(path_flags, open, flags)?;
        let operation = if how.write {
            "open-for-writing"
        } else {
            "open"
        };
        let opened = self.at(operation, &fd, &path, |mount, base| {
            mount.open(base, &path, how)
        })?;
        let mount = self.start(&fd)?.mount;
        let perms = mount.root.perms;
        let mut mode = OpenMode::empty();
        mode.set(OpenMode::READ, how.read);
        mode.set(OpenMode::WRITE, how.write);
        let (descriptor, token) = match opened {
            Opened::Directory(file) => (Descriptor::Dir(Dir::new(file, perms, mode, true)), None),
            Opened::File(file, token) => (
                Descriptor::File(OpenFile::new(file, perms, mode, true)),
                token,
            ),
        };
        self.hold(descriptor, mount, token)
    }

    async fn stat_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<DescriptorStat> {
        let follow = flags.contains(PathFlags::SYMLINK_FOLLOW);
        let found = self.at("stat", &fd, &path, |mount, base| {
            Ok(mount.look(base, &path, follow)?.metadata()?)
        })?;
        Ok(stat(&found))
    }

    async fn metadata_hash_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        let follow = flags.contains(PathFlags::SYMLINK_FOLLOW);
        let found = self.at("stat", &fd, &path, |mount, base| {
            Ok(mount.look(base, &path, follow)?.metadata()?)
        })?;
        Ok(hash(&found))
    }

    async fn metadata_hash(&mut self, fd: Resource<Descriptor>) -> FsResult<MetadataHashValue> {
        Ok(hash(&self.start(&fd)?.base.metadata()?))
    }

    async fn readlink_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<String> {
        let text = self.at("readlink", &fd, &path, |mount, base| {
            let entry = mount.entry(Intent::Read, base, &path)?;
            Ok(rustix::fs::readlinkat(
                &entry.directory,
                entry.name.as_str(),
                Vec::new(),
            )?)
        })?;
        text.into_string()
            .map_err(|_| ErrorCode::IllegalByteSequence.into())
    }

    async fn create_directory_at(
        &mut self,
        fd: Resource<Descriptor>,
        path: String,
    ) -> FsResult<()> {
        self.at("mkdir", &fd, &path, |mount, base| {
            let entry = mount.entry(Intent::Change, base, &path)?;
            mount.charged(|| {
                Ok(rustix::fs::mkdirat(
                    &entry.directory,
                    entry.name.as_str(),
                    NEW_DIRECTORY,
                )?)
            })
        })
    }

    async fn remove_directory_at(
        &mut self,
        fd: Resource<Descriptor>,
        path: String,
    ) -> FsResult<()> {
        self.at("rmdir", &fd, &path, |mount, base| {
            let entry = mount.entry(Intent::Move, base, &path)?;
            entry.remove(AtFlags::REMOVEDIR)?;
            mount.meter.shrink(0, 1);
            Ok(())
        })
    }

    async fn unlink_file_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<()> {
        self.at("unlink", &fd, &path, |mount, base| {
            let entry = mount.entry(Intent::Move, base, &path)?;
            if entry.must_be_directory {
                return Err(Errno::NOTDIR.into());
            }
            let was = entry.look();
            entry.remove(AtFlags::empty())?;
            if let Some(was) = was {
                mount.meter.removed(&was);
            }
            Ok(())
        })
    }

    async fn rename_at(
        &mut self,
        fd: Resource<Descriptor>,
        old_path: String,
        new_fd: Resource<Descriptor>,
        new_path: String,
    ) -> FsResult<()> {
        let target = self.start(&new_fd)?;
        let new_entry = self.at("rename", &new_fd, &new_path, |mount, base| {
            mount.entry(Intent::Move, base, &new_path)
        })?;
        self.at("rename", &fd, &old_path, |mount, base| {
            let old_entry = mount.entry(Intent::Move, base, &old_path)?;
            if !std::ptr::eq(mount, &*target.mount) {
                return Err(Rule::AcrossMounts.into());
            }
            let (moved, replaced) = (old_entry.look(), new_entry.look());
            rustix::fs::renameat(
                &old_entry.directory,
                old_entry.strict_name(),
                &new_entry.directory,
                new_entry.strict_name(),
            )?;
            if let Some(replaced) = replaced
                .filter(|replaced| moved.is_none_or(|moved| identity(&moved) != identity(replaced)))
            {
                mount.meter.removed(&replaced);
            }
            Ok(())
        })
    }

    async fn symlink_at(
        &mut self,
        fd: Resource<Descriptor>,
        text: String,
        path: String,
    ) -> FsResult<()> {
        self.at("symlink", &fd, &path, |mount, base| {
            let entry = mount.entry(Intent::Change, base, &path)?;
            if !link_stays_inside(&text, mount.depth(&whereabouts(&entry.directory)?)) {
                return Err(Rule::LinkTarget.into());
            }
            if entry.must_be_directory {
                return Err(Errno::NOENT.into());
            }
            mount.charged(|| {
                Ok(rustix::fs::symlinkat(
                    text.as_str(),
                    &entry.directory,
                    entry.name.as_str(),
                )?)
            })
        })
    }

    /// Refused always: a second name outlives the grant, and files with several names are not written to.
    async fn link_at(
        &mut self,
        fd: Resource<Descriptor>,
        _: PathFlags,
        old_path: String,
        _: Resource<Descriptor>,
        _: String,
    ) -> FsResult<()> {
        self.at("link", &fd, &old_path, |_, _| Err(Rule::HardLink.into()))
    }

    async fn set_times_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        let times = times(accessed, modified)?;
        let how = How {
            read: true,
            follow: flags.contains(PathFlags::SYMLINK_FOLLOW),
            ..How::default()
        };
        self.at("set-times", &fd, &path, |mount, base| {
            if !mount.writable {
                return Err(Rule::ReadOnly.into());
            }
            let (Opened::Directory(file) | Opened::File(file, _)) = mount.open(base, &path, how)?;
            mount.allow(Intent::Change, &whereabouts(&file)?)?;
            refuse_shared(&file.metadata()?, true)?;
            Ok(file.set_times(times)?)
        })
    }

    async fn set_times(
        &mut self,
        fd: Resource<Descriptor>,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        let times = times(accessed, modified)?;
        let start = self.changeable("set-times", &fd)?;
        let set = || {
            start
                .mount
                .allow(Intent::Change, &whereabouts(&start.base)?)?;
            refuse_shared(&start.base.metadata()?, true)?;
            Ok(start.base.set_times(times)?)
        };
        set().map_err(|refused| self.answer("set-times", &start, "", refused))
    }

    async fn set_size(&mut self, fd: Resource<Descriptor>, size: Filesize) -> FsResult<()> {
        let start = self.changeable("set-size", &fd)?;
        if let Some(token) = &start.token {
            token
                .reach(size)
                .map_err(|rule| self.answer("set-size", &start, "", rule.into()))?;
        }
        let done = self.inner.set_size(fd, size).await;
        if let Some(token) = &start.token {
            token.settle(&start.base);
        }
        done
    }

    async fn write(
        &mut self,
        fd: Resource<Descriptor>,
        bytes: Vec<u8>,
        offset: Filesize,
    ) -> FsResult<Filesize> {
        let start = self.changeable("write", &fd)?;
        let wanted = bytes.len() as u64;
        if let Some(token) = &start.token {
            let charged = token.reach(offset.saturating_add(wanted));
            charged.map_err(|rule| self.answer("write", &start, "", rule.into()))?;
        }
        let written = self.inner.write(fd, bytes, offset).await;
        if let (Some(token), false) = (&start.token, matches!(written, Ok(n) if n == wanted)) {
            token.settle(&start.base);
        }
        written
    }

    fn write_via_stream(
        &mut self,
        fd: Resource<Descriptor>,
        offset: Filesize,
    ) -> FsResult<Resource<DynOutputStream>> {
        let start = self.changeable("write", &fd)?;
        let stream = self.inner.write_via_stream(fd, offset)?;
        self.charge_stream(start, Some(offset), &stream)?;
        Ok(stream)
    }

    fn append_via_stream(
        &mut self,
        fd: Resource<Descriptor>,
    ) -> FsResult<Resource<DynOutputStream>> {
        let start = self.changeable("append", &fd)?;
        let stream = self.inner.append_via_stream(fd)?;
        self.charge_stream(start, None, &stream)?;
        Ok(stream)
    }

    async fn read_directory(
        &mut self,
        fd: Resource<Descriptor>,
    ) -> FsResult<Resource<DirectoryEntryStream>> {
        let start = self.start(&fd)?;
        let entries = Listing::read_from(start.open_directory()?)
            .map_err(io::Error::from)?
            .take(MAX_ENTRIES + 1)
            .count();
        if entries > MAX_ENTRIES {
            return Err(self.answer("list", &start, "", Rule::TooManyEntries.into()));
        }
        if entries <= FEW_ENTRIES {
            return self.inner.read_directory(fd).await;
        }
        let elsewhere = Dir::new(
            start.base.try_clone()?,
            FsPerms::ReadOnly,
            OpenMode::READ,
            false,
        );
        let elsewhere = self.inner.table.push(Descriptor::Dir(elsewhere))?;
        let entries = self
            .inner
            .read_directory(Resource::new_borrow(elsewhere.rep()))
            .await;
        self.inner.table.delete(elsewhere)?;
        entries
    }

    // A disk may take long to answer, so nothing waits for it on the guest's thread.
    async fn sync(&mut self, fd: Resource<Descriptor>) -> FsResult<()> {
        let file = self.start(&fd)?.base;
        Ok(tokio::task::spawn_blocking(move || file.sync_all())
            .await
            .map_err(FsError::trap)??)
    }

    async fn sync_data(&mut self, fd: Resource<Descriptor>) -> FsResult<()> {
        let file = self.start(&fd)?.base;
        Ok(tokio::task::spawn_blocking(move || file.sync_data())
            .await
            .map_err(FsError::trap)??)
    }

    fn drop(&mut self, fd: Resource<Descriptor>) -> wasmtime::Result<()> {
        self.files.held.remove(&fd.rep());
        HostDescriptor::drop(&mut self.inner, fd)
    }

    async fn advise(
        &mut self,
        fd: Resource<Descriptor>,
        offset: Filesize,
        length: Filesize,
        advice: Advice,
    ) -> FsResult<()> {
        self.inner.advise(fd, offset, length, advice).await
    }

    async fn get_flags(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorFlags> {
        self.inner.get_flags(fd).await
    }

    async fn get_type(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorType> {
        self.inner.get_type(fd).await
    }

    async fn stat(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorStat> {
        self.inner.stat(fd).await
    }

    async fn read(
        &mut self,
        fd: Resource<Descriptor>,
        length: Filesize,
        offset: Filesize,
    ) -> FsResult<(Vec<u8>, bool)> {
        self.inner.read(fd, length, offset).await
    }

    fn read_via_stream(
        &mut self,
        fd: Resource<Descriptor>,
        offset: Filesize,
    ) -> FsResult<Resource<DynInputStream>> {
        self.inner.read_via_stream(fd, offset)
    }

    async fn is_same_object(
        &mut self,
        a: Resource<Descriptor>,
        b: Resource<Descriptor>,
    ) -> wasmtime::Result<bool> {
        self.inner.is_same_object(a, b).await
    }
}

impl HostDirectoryEntryStream for GuardedView<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        self.inner.read_directory_entry(stream).await
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        HostDirectoryEntryStream::drop(&mut self.inner, stream)
    }
}

/// What the flags of `open-at` ask for; combinations without meaning are refused as the stock does.
fn how(path: PathFlags, open: OpenFlags, flags: DescriptorFlags) -> Result<How, ErrorCode> {
    let synchronous = DescriptorFlags::FILE_INTEGRITY_SYNC
        | DescriptorFlags::DATA_INTEGRITY_SYNC
        | DescriptorFlags::REQUESTED_WRITE_SYNC;
    if flags.intersects(synchronous) {
        return Err(ErrorCode::Unsupported);
    }
    if open.contains(OpenFlags::DIRECTORY) && open != OpenFlags::DIRECTORY {
        return Err(ErrorCode::Invalid);
    }
    let write = flags.contains(DescriptorFlags::WRITE)
        || open.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE);
    Ok(How {
        read: flags.contains(DescriptorFlags::READ) || !flags.contains(DescriptorFlags::WRITE),
        write,
        follow: path.contains(PathFlags::SYMLINK_FOLLOW),
        create: open.contains(OpenFlags::CREATE),
        exclusive: open.contains(OpenFlags::EXCLUSIVE),
        truncate: open.contains(OpenFlags::TRUNCATE),
        directory: open.contains(OpenFlags::DIRECTORY),
    })
}

fn stat(found: &Metadata) -> DescriptorStat {
    let kind = found.file_type();
    let time = |seconds: i64, nanoseconds: i64| {
        Some(Datetime {
            seconds: seconds.try_into().ok()?,
            nanoseconds: nanoseconds.try_into().ok()?,
        })
    };
    DescriptorStat {
        type_: if kind.is_file() {
            DescriptorType::RegularFile
        } else if kind.is_dir() {
            DescriptorType::Directory
        } else if kind.is_symlink() {
            DescriptorType::SymbolicLink
        } else {
            DescriptorType::Unknown
        },
        link_count: found.nlink(),
        size: found.size(),
        data_access_timestamp: time(found.atime(), found.atime_nsec()),
        data_modification_timestamp: time(found.mtime(), found.mtime_nsec()),
        status_change_timestamp: time(found.ctime(), found.ctime_nsec()),
    }
}

fn hash(found: &Metadata) -> MetadataHashValue {
    MetadataHashValue {
        lower: found.ino(),
        upper: found.dev(),
    }
}

fn times(accessed: NewTimestamp, modified: NewTimestamp) -> Result<FileTimes, ErrorCode> {
    let time = |stamp| match stamp {
        NewTimestamp::NoChange => Ok(None),
        NewTimestamp::Now => Ok(Some(SystemTime::now())),
        NewTimestamp::Timestamp(Datetime {
            seconds,
            nanoseconds,
        }) => Duration::from_secs(seconds)
            .checked_add(Duration::from_nanos(nanoseconds.into()))
            .and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since))
            .map(Some)
            .ok_or(ErrorCode::Overflow),
    };
    let mut times = FileTimes::new();
    if let Some(accessed) = time(accessed)? {
        times = times.set_accessed(accessed);
    }
    if let Some(modified) = time(modified)? {
        times = times.set_modified(modified);
    }
    Ok(times)
}
