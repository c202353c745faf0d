//! The file tree that the program sees: an empty one, into which the system's read-only files, a few devices, a private
//! `/tmp` and the granted directories are mounted. There is no `/proc`.

use super::{Stop, system};
use crate::policy::{Policy, PolicyDirectory};
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, fstat, mkdirat, open, openat, openat2, statat, symlinkat,
};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags,
    fsconfig_create, fsconfig_set_string, fsmount, fsopen, mount_change, move_mount, open_tree, unmount,
};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// What every program may read. Links are repeated as links, missing ones left out.
pub(super) const SYSTEM: [&str; 10] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/etc/localtime",
];
/// The devices that every program may use.
pub(super) const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];
/// The private directory for temporary files.
pub(super) const TEMPORARY: &str = "/tmp";
/// Room for names and small files in the tree itself.
const TREE_SIZE: &str = "1m";
/// Where the new tree stands until it becomes the root.
const STAGE: &str = "/tmp";

/// No set-uid, no devices.
const PLAIN: u64 = libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV;
/// Nothing below can be executed, nor mapped as code.
const DATA: u64 = PLAIN | libc::MOUNT_ATTR_NOEXEC;

/// Opens the granted directories, if they are still those that were granted. They are opened again here since a
/// descriptor of the host belongs to the host's mounts.
pub(super) fn open_granted(policy: &Policy) -> Result<Vec<OwnedFd>, Stop> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let open_one = |directory: &PolicyDirectory| {
        openat2(CWD, &directory.path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS)
            .ok()
            .filter(|opened| {
                fstat(opened).is_ok_and(|stat| (stat.st_dev, stat.st_ino) == (directory.device, directory.inode))
            })
            .ok_or_else(|| Stop::Moved(directory.path.clone()))
    };
    policy.directories.iter().map(open_one).collect()
}

/// A detached mount of each granted directory, with its owners mapped through `maps` if there are any. Also tells why
/// owners could not be mapped; those mounts have them as they are.
pub(super) fn granted_trees(
    policy: &Policy,
    directories: &[OwnedFd],
    maps: &[OwnedFd],
) -> (Result<Vec<OwnedFd>, Errno>, Option<Errno>) {
    let mut unmapped = None;
    let trees = policy.directories.iter().zip(directories).enumerate().map(|(index, (granted, directory))| {
        let tree = clone(directory)?;
        let read_only = if granted.writable { 0 } else { libc::MOUNT_ATTR_RDONLY };
        if let Some(map) = maps.get(index)
            && let Err(error) = system::set_mount(&tree, 0, Some(map.as_fd()), false)
        {
            unmapped = Some(error);
        }
        system::set_mount(&tree, DATA | read_only, None, true)?;
        Ok(tree)
    });
    (trees.collect(), unmapped)
}

/// Builds the tree and makes it the root.
pub(super) fn build(policy: &Policy, granted: Vec<OwnedFd>) -> Result<(), Errno> {
    // The program walks through the directories that are made here, whatever the host keeps from others.
    let before = rustix::process::umask(Mode::empty());
    let built = build_open(policy, granted);
    rustix::process::umask(before);
    built
}

fn build_open(policy: &Policy, granted: Vec<OwnedFd>) -> Result<(), Errno> {
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    let system: Vec<(&str, Entry)> = SYSTEM.iter().filter_map(|path| Some((*path, Entry::of(path).ok()??))).collect();
    let devices: Vec<OwnedFd> = DEVICES.iter().map(device).collect::<Result<_, _>>()?;
    let empty = clone(&open(DEVICES[0], OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?)?;
    let temporary = memory(&policy.limits.temporary.to_string(), "1777", DATA)?;

    let tree = memory(TREE_SIZE, "755", DATA)?;
    move_mount(&tree, "", CWD, STAGE, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
    let root = tree.as_fd();
    for (path, entry) in system {
        match entry {
            Entry::Link(target) => {
                let (parent, name) = parent_of(root, path)?;
                symlinkat(target, parent, name)?;
            }
            Entry::Mount(mount) => attach(root, path, &mount)?,
        }
    }
    for (path, mount) in DEVICES.iter().zip(&devices) {
        attach(root, path, mount)?;
    }
    attach(root, TEMPORARY, &temporary)?;
    write_accounts(root)?;

    // Outer places first, so that an inner one with other rights stands inside them: what is granted inside a hidden
    // place is there, and what is hidden inside a granted one is not.
    let granted_paths = policy.directories.iter().map(|directory| directory.path.as_path());
    let covered = |hidden: &&PathBuf| granted_paths.clone().any(|path| hidden.starts_with(path));
    let hidden = policy.hidden.iter().filter(covered).map(|path| (path.as_path(), None));
    let mut order: Vec<(&Path, Option<OwnedFd>)> =
        granted_paths.clone().zip(granted.into_iter().map(Some)).chain(hidden).collect();
    order.sort_by_key(|(path, mount)| (path.components().count(), mount.is_none()));
    for (path, mount) in &order {
        match mount {
            Some(mount) => attach(root, path, mount)?,
            None => hide(root, path, &empty, granted_paths.clone())?,
        }
    }

    rustix::process::fchdir(&tree)?;
    // The old root lands on top of the new one and is taken away from there.
    rustix::process::pivot_root(".", ".")?;
    unmount(".", UnmountFlags::DETACH)?;
    rustix::process::chdir("/")?;
    system::set_mount(&tree, libc::MOUNT_ATTR_RDONLY, None, false)
}

/// A part of the system as the program sees it.
enum Entry {
    Link(String),
    Mount(OwnedFd),
}

impl Entry {
    /// `None` if the path is neither file, directory nor link.
    fn of(path: &str) -> Result<Option<Self>, Errno> {
        let stat = statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(CWD, path, Vec::new())?;
                Ok(target.into_string().ok().map(Self::Link))
            }
            FileType::Directory | FileType::RegularFile => {
                let mount = clone(&open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?)?;
                system::set_mount(&mount, PLAIN | libc::MOUNT_ATTR_RDONLY, None, true)?;
                Ok(Some(Self::Mount(mount)))
            }
            _ => Ok(None),
        }
    }
}

fn device(path: &&str) -> Result<OwnedFd, Errno> {
    let mount = clone(&open(*path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?)?;
    system::set_mount(&mount, libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NOEXEC, None, false)?;
    Ok(mount)
}

/// A detached copy of what is mounted at and below a directory.
fn clone(directory: &OwnedFd) -> Result<OwnedFd, Errno> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_EMPTY_PATH
        | OpenTreeFlags::AT_RECURSIVE;
    open_tree(directory, "", flags)
}

/// A detached file system in memory.
fn memory(size: &str, mode: &str, attributes: u64) -> Result<OwnedFd, Errno> {
    let context = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(&context, "size", size)?;
    fsconfig_set_string(&context, "mode", mode)?;
    fsconfig_create(&context)?;
    let mount = fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())?;
    system::set_mount(&mount, attributes, None, false)?;
    Ok(mount)
}

/// Mounts `mount` at an absolute path of the new tree, whose directories are made where they are missing.
fn attach(root: BorrowedFd<'_>, path: impl AsRef<Path>, mount: &OwnedFd) -> Result<(), Errno> {
    let (parent, name) = parent_of(root, path.as_ref())?;
    let directory = FileType::from_raw_mode(fstat(mount)?.st_mode) == FileType::Directory;
    let target = open_inside(parent.as_fd(), &name).or_else(|_| {
        if directory {
            mkdirat(&parent, &name, Mode::from_raw_mode(0o755))?;
        } else {
            drop(openat(
                &parent,
                &name,
                OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC,
                Mode::from_raw_mode(0o644),
            )?);
        }
        open_inside(parent.as_fd(), &name)
    })?;
    cover(&target, mount)
}

/// Covers what lies at a path, if it exists, by nothing: an empty file, or a directory that holds no more than the way
/// to what is granted inside it.
fn hide<'a>(
    root: BorrowedFd<'_>,
    path: &Path,
    empty: &OwnedFd,
    granted: impl Iterator<Item = &'a Path>,
) -> Result<(), Errno> {
    let relative = path.strip_prefix("/").unwrap_or(path);
    let target = match open_inside(root, relative) {
        Err(Errno::NOENT) => return Ok(()),
        target => target?,
    };
    if FileType::from_raw_mode(fstat(&target)?.st_mode) == FileType::Directory {
        let nothing = memory(TREE_SIZE, "755", DATA)?;
        for inner in
            granted.filter_map(|granted| granted.strip_prefix(path).ok()).filter(|inner| *inner != Path::new(""))
        {
            let (parent, name) = parent_of(nothing.as_fd(), Path::new("/").join(inner))?;
            match mkdirat(&parent, &name, Mode::from_raw_mode(0o755)) {
                Err(Errno::EXIST) => {}
                made => made?,
            }
        }
        system::set_mount(&nothing, libc::MOUNT_ATTR_RDONLY, None, false)?;
        return cover(&target, &nothing);
    }
    cover(&target, &clone(empty)?)
}

fn cover(target: &OwnedFd, mount: &OwnedFd) -> Result<(), Errno> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(mount, "", target, "", flags)
}

/// The directory above an absolute path of the new tree, made if missing, and the last name of the path.
fn parent_of(root: BorrowedFd<'_>, path: impl AsRef<Path>) -> Result<(OwnedFd, String), Errno> {
    let path = path.as_ref();
    let name = path.file_name().and_then(|name| name.to_str()).ok_or(Errno::INVAL)?.to_owned();
    let mut directory = open_inside(root, ".")?;
    for component in path.parent().ok_or(Errno::INVAL)?.components().skip(1) {
        directory = open_inside(directory.as_fd(), component.as_os_str().as_ref() as &Path).or_else(|_| {
            mkdirat(&directory, component.as_os_str(), Mode::from_raw_mode(0o755))?;
            open_inside(directory.as_fd(), component.as_os_str().as_ref() as &Path)
        })?;
    }
    Ok((directory, name))
}

/// Opens without following a link: a granted directory may hold any.
fn open_inside(directory: BorrowedFd<'_>, path: impl rustix::path::Arg) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    openat2(directory, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS | ResolveFlags::BENEATH)
}

/// The user's and the group's names, which many programs look up.
fn write_accounts(root: BorrowedFd<'_>) -> Result<(), Errno> {
    let (user, group) = super::users::identity();
    let files = [
        ("passwd", format!("chiton:x:{user}:{group}:Chiton:/:/usr/sbin/nologin\n")),
        ("group", format!("chiton:x:{group}:\n")),
    ];
    let (etc, _) = parent_of(root, "/etc/passwd")?;
    for (name, text) in files {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
        let file = openat(&etc, name, flags, Mode::from_raw_mode(0o644))?;
        rustix::io::write(&file, text.as_bytes())?;
    }
    Ok(())
}
