//! The host functions of `wasi:filesystem`: what opens, makes or changes something is decided here,
//! what happens on an open descriptor is left to the stock implementation.

use crate::Access::{Read, Write};
use crate::GuardedView;
use crate::convert::{hash, how, stat, times};
use crate::mount::{How, Intent, Mount, NEW_DIRECTORY, Opened, identity};
use crate::place::whereabouts;
use crate::rule::{Act, Refused, Reporter, Rule, Start};
use crate::stream::{Charged, Exhausted};
use crate::walk::link_stays_inside;
use rustix::fs::{AtFlags, Dir as Listing, Stat};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::path::{Component, Path, PathBuf};
use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::{Descriptor, Dir, File as OpenFile};
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, DirectoryEntryStream, ErrorCode,
    Filesize, HostDescriptor, HostDirectoryEntryStream, MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::pipe::ClosedOutputStream;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};
use wasmtime_wasi::{FsPerms, OpenMode};

/// Directories of more entries are not listed: the list is held in memory.
const MAX_ENTRIES: usize = 100_000;
/// Directories of more entries are listed on another thread.
const FEW_ENTRIES: usize = 1_000;

type Fd = Resource<Descriptor>;

/// Where programs look for parts of a system that is not there.
const SYSTEM: [&str; 8] = ["/dev", "/etc/localtime", "/etc/zoneinfo", "/lib", "/proc", "/run", "/sys", "/usr"];

impl GuardedView<'_> {
    fn start(&self, fd: &Fd) -> FsResult<Start> {
        let start = self.files.held.get(&fd.rep()).cloned();
        start.ok_or_else(|| FsError::trap(wasmtime::Error::msg("no such descriptor")))
    }

    /// Does `body` in the directory `fd`, and reports it if a rule forbids it.
    fn at<T>(
        &mut self,
        act: Act,
        fd: &Fd,
        path: &str,
        body: impl FnOnce(&Mount, &File) -> Result<T, Refused>,
    ) -> FsResult<T> {
        let start = self.start(fd)?;
        let done = match start.mount.is_elsewhere {
            true => Err(self.refused_elsewhere(path)),
            false => body(&start.mount, start.directory()?),
        };
        done.map_err(|refused| self.answer(act, start, path, refused))
    }

    /// What no grant names is denied, unless it cannot be meant: the way to a mount, what every system has, or what lies
    /// in a directory that this machine's root does not have.
    fn refused_elsewhere(&self, path: &str) -> Refused {
        let place: PathBuf = [Path::new("/"), Path::new(path)].iter().collect();
        let place: PathBuf = place.components().filter(|part| *part != Component::CurDir).collect();
        let leads_on = self.files.mounts.iter().any(|mount| !mount.is_elsewhere && mount.path.starts_with(&place));
        let is_here = place.iter().nth(1).is_some_and(|first| Path::new("/").join(first).exists());
        match leads_on || !is_here || SYSTEM.iter().any(|system| place.starts_with(system)) {
            true => Errno::NOENT.into(),
            false => Rule::Outside.into(),
        }
    }

    fn answer(&self, act: Act, start: Start, path: &str, refused: Refused) -> FsError {
        match refused {
            Refused::System(errno) => io::Error::from(errno).into(),
            Refused::Rule(rule) => self.reporter(act, start, path).refuse(rule).into(),
        }
    }

    fn reporter(&self, act: Act, start: Start, path: &str) -> Reporter {
        let report = self.files.report.clone();
        Reporter { report, start, act, path: path.to_owned() }
    }

    /// Refuses changes through a descriptor of a read-only mount.
    fn changeable(&self, operation: &'static str, fd: &Fd) -> FsResult<Start> {
        let start = self.start(fd)?;
        if start.mount.writable {
            return Ok(start);
        }
        Err(self.answer((operation, Write), start, "", Rule::ReadOnly.into()))
    }

    /// The same, and charges what it grows by if it is to end at `end`.
    fn growing(&self, operation: &'static str, fd: &Fd, end: u64) -> FsResult<Start> {
        let start = self.changeable(operation, fd)?;
        match start.token.as_ref().map_or(Ok(()), |token| token.reach(end)) {
            Ok(()) => Ok(start),
            Err(rule) => Err(self.answer((operation, Write), start, "", rule.into())),
        }
    }

    /// Hands a descriptor to the guest and remembers what it stands for.
    fn hold(&mut self, descriptor: Descriptor, start: Start) -> FsResult<Fd> {
        let fd = self.inner.table.push(descriptor)?;
        self.files.held.insert(fd.rep(), start);
        Ok(fd)
    }

    fn look_at(&mut self, fd: &Fd, flags: PathFlags, path: &str) -> FsResult<Stat> {
        let follow = flags.contains(PathFlags::SYMLINK_FOLLOW);
        self.at(("stat", Read), fd, path, |mount, base| mount.look(base, path, follow))
    }

    /// Wraps a stock stream so that it charges what it writes.
    fn charge(
        &mut self,
        stream: Resource<DynOutputStream>,
        start: Start,
        at: Option<u64>,
    ) -> FsResult<Resource<DynOutputStream>> {
        // Without a token the file was opened for reading, and the kernel refuses what is written.
        if let Some(token) = start.token.clone() {
            let reporter = self.reporter(("write", Write), start, "");
            let slot: &mut DynOutputStream = self.inner.table.get_mut(&stream)?;
            let inner = std::mem::replace(slot, Box::new(ClosedOutputStream));
            *slot = Box::new(Charged { inner, at, token, reporter });
        }
        Ok(stream)
    }
}

impl preopens::Host for GuardedView<'_> {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Fd, String)>> {
        let mut directories = Vec::with_capacity(self.files.mounts.len());
        for mount in self.files.mounts.clone() {
            let path = mount.path.display().to_string();
            let root = Descriptor::Dir(mount.root.clone());
            let base = mount.root.dir.clone();
            let start = Start { mount, base, token: None, is_directory: true };
            directories.push((self.hold(root, start)?, path));
        }
        Ok(directories)
    }
}

impl types::Host for GuardedView<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn filesystem_error_code(&mut self, error: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        if let Some(Exhausted(code)) = self.inner.table.get(&error)?.downcast_ref() {
            return Ok(Some(*code));
        }
        self.inner.filesystem_error_code(error)
    }
}

impl HostDescriptor for GuardedView<'_> {
    async fn open_at(
        &mut self,
        fd: Fd,
        path_flags: PathFlags,
        path: String,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Fd> {
        let how = how(path_flags, open, flags)?;
        let act = ("open", if how.write { Write } else { Read });
        let opened = self.at(act, &fd, &path, |mount, base| mount.open(base, &path, how))?;
        let mount = self.start(&fd)?.mount;
        let perms = mount.root.perms;
        let mut mode = OpenMode::empty();
        mode.set(OpenMode::READ, how.read);
        mode.set(OpenMode::WRITE, how.write);
        let (descriptor, start) = match opened {
            Opened::Directory(file) => {
                let dir = Dir::new(file, perms, mode, true);
                let base = dir.dir.clone();
                (Descriptor::Dir(dir), Start { mount, base, token: None, is_directory: true })
            }
            Opened::File(file, token) => {
                let file = OpenFile::new(file, perms, mode, true);
                let base = file.file.clone();
                (Descriptor::File(file), Start { mount, base, token, is_directory: false })
            }
        };
        self.hold(descriptor, start)
    }

    async fn stat_at(&mut self, fd: Fd, flags: PathFlags, path: String) -> FsResult<DescriptorStat> {
        Ok(stat(&self.look_at(&fd, flags, &path)?))
    }

    async fn metadata_hash_at(&mut self, fd: Fd, flags: PathFlags, path: String) -> FsResult<MetadataHashValue> {
        Ok(hash(&self.look_at(&fd, flags, &path)?))
    }

    async fn metadata_hash(&mut self, fd: Fd) -> FsResult<MetadataHashValue> {
        Ok(hash(&rustix::fs::fstat(&self.start(&fd)?.base).map_err(io::Error::from)?))
    }

    async fn readlink_at(&mut self, fd: Fd, path: String) -> FsResult<String> {
        let text = self.at(("readlink", Read), &fd, &path, |mount, base| {
            let entry = mount.entry(Intent::Read, base, &path)?;
            Ok(rustix::fs::readlinkat(&entry.directory, entry.name, Vec::new())?)
        })?;
        text.into_string().map_err(|_| ErrorCode::IllegalByteSequence.into())
    }

    async fn create_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.at(("mkdir", Write), &fd, &path, |mount, base| {
            let entry = mount.entry(Intent::Change, base, &path)?;
            mount.charged(&entry, || Ok(rustix::fs::mkdirat(&entry.directory, &entry.name, NEW_DIRECTORY)?))
        })
    }

    async fn remove_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.at(("rmdir", Write), &fd, &path, |mount, base| {
            let entry = mount.entry(Intent::Move, base, &path)?;
            mount.leaving(&entry)?;
            rustix::fs::unlinkat(&entry.directory, entry.name, AtFlags::REMOVEDIR)?;
            mount.meter.shrink(0, 1);
            Ok(())
        })
    }

    async fn unlink_file_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.at(("unlink", Write), &fd, &path, |mount, base| {
            let entry = mount.entry(Intent::Move, base, &path)?;
            if entry.must_be_directory {
                return Err(Errno::NOTDIR.into());
            }
            let was = mount.leaving(&entry)?;
            rustix::fs::unlinkat(&entry.directory, entry.name, AtFlags::empty())?;
            mount.meter.removed(was);
            Ok(())
        })
    }

    async fn rename_at(&mut self, fd: Fd, old_path: String, new_fd: Fd, new_path: String) -> FsResult<()> {
        let act = ("rename", Write);
        let new_mount = self.start(&new_fd)?.mount;
        let new = self.at(act, &new_fd, &new_path, |mount, base| mount.entry(Intent::Move, base, &new_path))?;
        self.at(act, &fd, &old_path, |mount, base| {
            let old = mount.entry(Intent::Move, base, &old_path)?;
            if !std::ptr::eq(mount, &*new_mount) {
                return Err(Rule::AcrossMounts.into());
            }
            let (moved, replaced) = (old.look(), new.look());
            if old.is_slashed_link(&moved) || new.is_slashed_link(&replaced) {
                return Err(Rule::BadPath.into());
            }
            let itself = moved.as_ref().map(identity) == replaced.as_ref().map(identity);
            if !itself {
                mount.leaving(&new)?;
            }
            mount.tell(|journal| journal.settle(&[old.place()?, new.place()?]));
            if let (Some(moved), Some(replaced)) = (&moved, &replaced)
                && moved.is_file()
                && replaced.is_file()
            {
                old.take_mode(replaced)?;
            }
            let (from, to) = (old.strict_name(), new.strict_name());
            rustix::fs::renameat(&old.directory, from, &new.directory, to)?;
            let moved = moved.filter(|_| !itself);
            mount.tell(|journal| moved.map_or(Ok(()), |it| journal.moved(old.place()?, new.place()?, &it)));
            mount.meter.removed(replaced.filter(|_| !itself));
            Ok(())
        })
    }

    async fn symlink_at(&mut self, fd: Fd, text: String, path: String) -> FsResult<()> {
        self.at(("symlink", Write), &fd, &path, |mount, base| {
            let entry = mount.entry(Intent::Change, base, &path)?;
            if !link_stays_inside(&text, mount.depth(&whereabouts(&entry.directory)?)) {
                return Err(Rule::LinkTarget.into());
            }
            if entry.must_be_directory {
                return Err(Errno::NOENT.into());
            }
            mount.charged(&entry, || Ok(rustix::fs::symlinkat(text, &entry.directory, &entry.name)?))
        })
    }

    /// Refused always: a second name outlives the grant, and files of several names are not written to.
    async fn link_at(&mut self, fd: Fd, _: PathFlags, old: String, _: Fd, _: String) -> FsResult<()> {
        self.at(("link", Write), &fd, &old, |_, _| Err(Rule::HardLink.into()))
    }

    async fn set_times_at(
        &mut self,
        fd: Fd,
        flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        let times = times(accessed, modified)?;
        let follow = flags.contains(PathFlags::SYMLINK_FOLLOW);
        self.at(("set-times", Write), &fd, &path, |mount, base| {
            let how = How { read: true, follow, ..How::default() };
            let (Opened::Directory(file) | Opened::File(file, _)) = mount.open(base, &path, how)?;
            mount.allow_opened(Intent::Change, &file)?;
            Ok(file.set_times(times)?)
        })
    }

    async fn set_times(&mut self, fd: Fd, accessed: NewTimestamp, modified: NewTimestamp) -> FsResult<()> {
        let times = times(accessed, modified)?;
        let start = self.changeable("set-times", &fd)?;
        let set = || {
            start.mount.allow_opened(Intent::Change, &start.base)?;
            Ok(start.base.set_times(times)?)
        };
        set().map_err(|refused| self.answer(("set-times", Write), start, "", refused))
    }

    async fn set_size(&mut self, fd: Fd, size: Filesize) -> FsResult<()> {
        let start = self.growing("set-size", &fd, size)?;
        let done = self.inner.set_size(fd, size).await;
        start.settle();
        done
    }

    async fn write(&mut self, fd: Fd, bytes: Vec<u8>, offset: Filesize) -> FsResult<Filesize> {
        let wanted = bytes.len() as u64;
        let start = self.growing("write", &fd, offset.saturating_add(wanted))?;
        let written = self.inner.write(fd, bytes, offset).await;
        if !matches!(written, Ok(written) if written == wanted) {
            start.settle();
        }
        written
    }

    fn write_via_stream(&mut self, fd: Fd, offset: Filesize) -> FsResult<Resource<DynOutputStream>> {
        let start = self.changeable("write", &fd)?;
        let stream = self.inner.write_via_stream(fd, offset)?;
        self.charge(stream, start, Some(offset))
    }

    fn append_via_stream(&mut self, fd: Fd) -> FsResult<Resource<DynOutputStream>> {
        let start = self.changeable("append", &fd)?;
        let stream = self.inner.append_via_stream(fd)?;
        self.charge(stream, start, None)
    }

    async fn read_directory(&mut self, fd: Fd) -> FsResult<Resource<DirectoryEntryStream>> {
        let start = self.start(&fd)?;
        let listing = Listing::read_from(start.directory()?).map_err(io::Error::from)?;
        let entries = listing.take(MAX_ENTRIES + 1).count();
        if entries > MAX_ENTRIES {
            return Err(self.answer(("list", Read), start, "", Rule::TooManyEntries.into()));
        }
        if entries <= FEW_ENTRIES {
            return self.inner.read_directory(fd).await;
        }
        let elsewhere = Dir::new(start.base.try_clone()?, FsPerms::ReadOnly, OpenMode::READ, false);
        let elsewhere = self.inner.table.push(Descriptor::Dir(elsewhere))?;
        let entries = self.inner.read_directory(Resource::new_borrow(elsewhere.rep())).await;
        self.inner.table.delete(elsewhere)?;
        entries
    }

    // A disk may take long to answer, so the guest's thread does not wait for it.
    async fn sync(&mut self, fd: Fd) -> FsResult<()> {
        let file = self.start(&fd)?.base;
        let done = tokio::task::spawn_blocking(move || file.sync_all()).await;
        Ok(done.map_err(FsError::trap)??)
    }

    async fn sync_data(&mut self, fd: Fd) -> FsResult<()> {
        self.sync(fd).await
    }

    fn drop(&mut self, fd: Fd) -> wasmtime::Result<()> {
        self.files.held.remove(&fd.rep());
        HostDescriptor::drop(&mut self.inner, fd)
    }

    async fn advise(&mut self, fd: Fd, from: Filesize, length: Filesize, advice: Advice) -> FsResult<()> {
        self.inner.advise(fd, from, length, advice).await
    }

    async fn get_flags(&mut self, fd: Fd) -> FsResult<DescriptorFlags> {
        self.inner.get_flags(fd).await
    }

    async fn get_type(&mut self, fd: Fd) -> FsResult<DescriptorType> {
        self.inner.get_type(fd).await
    }

    async fn stat(&mut self, fd: Fd) -> FsResult<DescriptorStat> {
        self.inner.stat(fd).await
    }

    async fn read(&mut self, fd: Fd, length: Filesize, from: Filesize) -> FsResult<(Vec<u8>, bool)> {
        self.inner.read(fd, length, from).await
    }

    fn read_via_stream(&mut self, fd: Fd, from: Filesize) -> FsResult<Resource<DynInputStream>> {
        self.inner.read_via_stream(fd, from)
    }

    async fn is_same_object(&mut self, a: Fd, b: Fd) -> wasmtime::Result<bool> {
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
