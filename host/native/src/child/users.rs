//! Who the program is. Started by an ordinary user, it keeps that user in a user namespace where it has no power.
//! Started by root, it becomes a user that owns nothing; the granted directories are mounted so that their owner's files
//! are this user's.

use super::{Built, Stop, files, system};
use crate::Wall;
use crate::policy::Policy;
use rustix::fs::{Mode, OFlags, open, openat};
use rustix::io::Errno;
use rustix::process::{
    DumpableBehavior, Gid, Pid, Signal, Uid, WaitOptions, getegid, geteuid, getpid, getppid, kill_process,
    set_dumpable_behavior, set_parent_process_death_signal, waitpid,
};
use rustix::thread::{UnshareFlags, set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// User and group of programs that root starts: one below "nobody", whom unmapped owners look like.
const UNPRIVILEGED: u32 = 65_533;

/// How the program gets rid of the host's rights.
pub(super) enum Users {
    /// It has left them in [`Users::leave`], or could not.
    Left,
    /// Root's way: a user namespace for each granted directory, which maps its owner to [`UNPRIVILEGED`].
    Mapped(Vec<OwnedFd>),
}

impl Users {
    /// In the keeper, before the other namespaces: an ordinary user gets the right to make those by this.
    pub(super) fn leave(policy: &Policy, built: &mut Built) -> Result<Self, Stop> {
        if geteuid().is_root() {
            let maps: std::io::Result<Vec<OwnedFd>> =
                policy.directories.iter().map(|directory| map_owner(&directory.path)).collect();
            return match maps {
                Ok(maps) => Ok(Self::Mapped(maps)),
                Err(error) => built.wall(Wall::User, Err(error)).map(|_| Self::Left),
            };
        }
        let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
        let process = own_process().map_err(Stop::at("own process"))?;
        let left = system::unshare(UnshareFlags::NEWUSER).and_then(|()| map_only(&process, uid, gid));
        built.wall(Wall::User, left).map(|_| Self::Left)
    }

    /// In the init: builds the file tree and, started by root, becomes the unprivileged user.
    pub(super) fn enter(&self, policy: &Policy, directories: Vec<OwnedFd>, built: &mut Built) -> Result<(), Stop> {
        let maps = match self {
            Self::Mapped(maps) => maps.as_slice(),
            Self::Left => &[],
        };
        // Before the file tree takes `/proc` away.
        let process = own_process().map_err(Stop::at("own process"))?;
        let mut unmapped = Some("it needs a mount namespace".to_owned());
        if built.stands(Wall::Files) {
            let (trees, error) = files::granted_trees(policy, &directories, maps);
            unmapped = error.map(|error| error.to_string());
            built.wall(Wall::Files, trees.and_then(|trees| files::build(policy, trees)))?;
        }
        if !matches!(self, Self::Mapped(_)) {
            return Ok(());
        }
        if !built.wall(Wall::User, unmapped.map_or(Ok(()), Err))? {
            return Ok(());
        }
        let (uid, gid) = (Uid::from_raw(UNPRIVILEGED), Gid::from_raw(UNPRIVILEGED));
        set_thread_groups(&[])
            .and_then(|()| set_thread_res_gid(gid, gid, gid))
            .and_then(|()| set_thread_res_uid(uid, uid, uid))
            .map_err(Stop::at("unprivileged user"))?;
        // Not needed as a wall, but the count of processes is by user namespace: other runs' processes do not count.
        if system::unshare(UnshareFlags::NEWUSER).is_err() {
            return Ok(());
        }
        // Changing the user has made the process unreadable to itself.
        set_dumpable_behavior(DumpableBehavior::Dumpable)
            .and_then(|()| map_only(&process, UNPRIVILEGED, UNPRIVILEGED))
            .and_then(|()| set_dumpable_behavior(DumpableBehavior::NotDumpable))
            .map_err(Stop::at("user namespace"))
    }
}

/// This process in `/proc`, kept for when that is out of sight.
fn own_process() -> Result<OwnedFd, Errno> {
    open("/proc/self", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// Makes this user and group the only ones of the user namespace that the process has just made.
fn map_only(process: &OwnedFd, uid: u32, gid: u32) -> Result<(), Errno> {
    let write = |name: &str, text: String| {
        let file = openat(process, name, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
        rustix::io::write(&file, text.as_bytes()).map(drop)
    };
    write("setgroups", "deny".to_owned())?;
    write("uid_map", format!("{uid} {uid} 1"))?;
    write("gid_map", format!("{gid} {gid} 1"))
}

/// User and group of the program.
pub(super) fn identity() -> (u32, u32) {
    if geteuid().is_root() { (UNPRIVILEGED, UNPRIVILEGED) } else { (geteuid().as_raw(), getegid().as_raw()) }
}

/// A user namespace in which the owner of `directory` is the unprivileged user. A process has to live in it for as long
/// as it takes to open it.
fn map_owner(directory: &Path) -> std::io::Result<OwnedFd> {
    let owner = directory.metadata()?;
    let (ready, signal) = std::io::pipe()?;
    let keeper = getpid();
    let Some(holder) = system::fork()? else { hold(keeper, signal) };
    drop(signal);
    let map = || {
        let mut byte = [0];
        if rustix::io::read(&ready, &mut byte)? == 0 {
            return Err(std::io::Error::other("user namespaces are not to be had"));
        }
        let process = format!("/proc/{}", holder.as_raw_nonzero());
        std::fs::write(format!("{process}/uid_map"), format!("{} {UNPRIVILEGED} 1", owner.uid()))?;
        std::fs::write(format!("{process}/gid_map"), format!("{} {UNPRIVILEGED} 1", owner.gid()))?;
        Ok(open(format!("{process}/ns/user"), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
    };
    let namespace = map();
    end(holder)?;
    namespace
}

/// Lives in a new user namespace until it is killed, or until the keeper dies.
fn hold(keeper: Pid, signal: std::io::PipeWriter) -> ! {
    let bound = set_parent_process_death_signal(Some(Signal::KILL)).is_ok() && getppid() == Some(keeper);
    // One byte tells that the namespace stands; the end of the pipe alone that it does not.
    if !bound {
        std::process::exit(1);
    }
    if system::unshare(UnshareFlags::NEWUSER).is_ok() {
        let _ = rustix::io::write(&signal, b"1");
    }
    drop(signal);
    loop {
        std::thread::park();
    }
}

fn end(process: Pid) -> std::io::Result<()> {
    kill_process(process, Signal::KILL)?;
    waitpid(Some(process), WaitOptions::empty())?;
    Ok(())
}
