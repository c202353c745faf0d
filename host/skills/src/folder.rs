//! Skills in folders: read without following a link, and written as a whole or not at all.

use crate::package::{Gathering, MOST_BYTES, Package, PackageError, Rule, hint};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, RenameFlags, Stat};
use std::fs;
use std::io::Write as _;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC).union(OFlags::RDONLY).union(OFlags::NOFOLLOW);
const FILE: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

impl Package {
    /// The skill in a folder, which itself is no link.
    ///
    /// # Errors
    /// When something cannot be read, breaks a rule, or is no skill.
    pub fn read(folder: &Path) -> Result<Self, PackageError> {
        let shown = folder.display().to_string();
        // A slash at the end would follow a link.
        let plain: PathBuf = folder.components().collect();
        let is_link = fs::symlink_metadata(&plain).map_err(|error| PackageError::io(&shown, error))?.is_symlink();
        if is_link {
            return Err(Rule::Link.at(&shown));
        }
        let handle =
            rustix::fs::open(&plain, FOLDER, Mode::empty()).map_err(|error| PackageError::io(&shown, error))?;
        // `.` has a name, too.
        Self::read_at(handle, &plain.canonicalize().unwrap_or(plain))
    }

    /// The skill in an open folder, which people know as `shown`.
    ///
    /// # Errors
    /// When something cannot be read, breaks a rule, or is no skill.
    pub fn read_at(folder: OwnedFd, shown: &Path) -> Result<Self, PackageError> {
        let mut gathering = Gathering::new(MOST_BYTES, Rule::Large);
        gather(&folder, "", &mut gathering)?;
        gathering.into_package(&hint(shown))
    }

    /// Writes the skill as a new folder, for its owner alone. It has its name only when it is whole and on the disk.
    ///
    /// # Errors
    /// When there already is something, or the disk fails; then nothing new is there.
    pub fn store(&self, into: &Path) -> Result<(), PackageError> {
        let failed = |error: std::io::Error| PackageError::io(&into.display().to_string(), error);
        let name = into.file_name().ok_or_else(|| Rule::Outside.at(&into.display().to_string()))?;
        let parent = into.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let new = parent.join(format!(".{}.new", name.to_string_lossy()));
        // Left over from a crash.
        if fs::symlink_metadata(&new).is_ok() {
            fs::remove_dir_all(&new).map_err(failed)?;
        }
        let result = self.write(&new).and_then(|()| {
            let here = rustix::fs::CWD;
            rustix::fs::renameat_with(here, &new, here, into, RenameFlags::NOREPLACE)?;
            fs::File::open(parent)?.sync_all()
        });
        result.map_err(|error| {
            let _ = fs::remove_dir_all(&new);
            match error.kind() {
                std::io::ErrorKind::AlreadyExists => Rule::Exists.at(&into.display().to_string()),
                _ => failed(error),
            }
        })
    }

    fn write(&self, root: &Path) -> std::io::Result<()> {
        let folder = |path: &Path| fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        folder(root)?;
        let mut folders = std::collections::BTreeSet::from([root.to_owned()]);
        for (place, file) in self.files() {
            let path = root.join(place);
            let above: Vec<_> = path.ancestors().skip(1).take_while(|above| above.starts_with(root)).collect();
            folder(above.first().unwrap_or(&root))?;
            folders.extend(above.into_iter().map(Path::to_owned));
            let mode = if file.executable { 0o700 } else { 0o600 };
            let mut written = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&path)?;
            written.write_all(&file.bytes)?;
            written.sync_all()?;
        }
        folders.iter().try_for_each(|folder| fs::File::open(folder)?.sync_all())
    }
}

fn gather(folder: &OwnedFd, within: &str, gathering: &mut Gathering) -> Result<(), PackageError> {
    let failed = |place: &str, error: rustix::io::Errno| PackageError::io(place, error);
    for entry in Dir::read_from(folder).map_err(|error| failed(within, error))? {
        let entry = entry.map_err(|error| failed(within, error))?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let Ok(text) = name.to_str() else { return Err(Rule::Encoding.at(&name.to_string_lossy())) };
        let place = if within.is_empty() { text.to_owned() } else { format!("{within}/{text}") };
        if !gathering.enter(&place)? {
            continue;
        }
        // Asked before it is opened: opening a device can already do something.
        let stat =
            rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(|error| failed(&place, error))?;
        let kind = kind(&stat, &place)?;
        let flags = if kind == FileType::Directory { FOLDER } else { FILE };
        let handle = rustix::fs::openat(folder, name, flags, Mode::empty()).map_err(|error| failed(&place, error))?;
        let stat = rustix::fs::fstat(handle.as_fd()).map_err(|error| failed(&place, error))?;
        if self::kind(&stat, &place)? == FileType::Directory {
            gather(&handle, &place, gathering)?;
        } else {
            let executable = Mode::from_raw_mode(stat.st_mode).contains(Mode::XUSR);
            gathering.add(&place, executable, fs::File::from(handle))?;
        }
    }
    Ok(())
}

/// Whether it is a file or a folder, and ours.
fn kind(stat: &Stat, place: &str) -> Result<FileType, PackageError> {
    let kind = FileType::from_raw_mode(stat.st_mode);
    let set_id = Mode::from_raw_mode(stat.st_mode).intersects(Mode::SUID | Mode::SGID);
    match kind {
        FileType::Symlink => Err(Rule::Link.at(place)),
        FileType::RegularFile if set_id => Err(Rule::SetId.at(place)),
        FileType::RegularFile | FileType::Directory => {
            let ours = [0, rustix::process::geteuid().as_raw()].contains(&stat.st_uid);
            if ours { Ok(kind) } else { Err(Rule::Owner.at(place)) }
        }
        _ => Err(Rule::Kind.at(place)),
    }
}
