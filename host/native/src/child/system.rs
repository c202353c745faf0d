//! System calls that no safe crate offers. All callers run in the child, which has one thread.

use rustix::io::Errno;
use rustix::process::Pid;
use rustix::thread::UnshareFlags;
use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};

type Result<T> = std::result::Result<T, Errno>;

/// `fork`: the new process, or `None` in it.
pub(super) fn fork() -> Result<Option<Pid>> {
    // SAFETY: the process has one thread (checked in `native_child`), so no lock is held by a thread that the copy lacks.
    match unsafe { libc::fork() } {
        -1 => Err(last_error()),
        pid => Ok(Pid::from_raw(pid)),
    }
}

/// Leaves namespaces for new ones.
pub(super) fn unshare(flags: UnshareFlags) -> Result<()> {
    // SAFETY: `FILES`, the only flag that can break safe code, is never passed.
    unsafe { rustix::thread::unshare_unsafe(flags - UnshareFlags::FILES) }
}

/// Closes all descriptors from `first` on, or marks them to be closed by `execve`.
pub(super) fn close_from(first: u32, on_execute: bool) -> Result<()> {
    let flags = if on_execute { libc::CLOSE_RANGE_CLOEXEC } else { 0 };
    // SAFETY: takes numbers only. Callers pass numbers above every descriptor that a value still owns.
    check(unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, flags) })
}

/// Adds attributes to a mount and all below it; with `users`, maps its owners through that user namespace.
pub(super) fn set_mount(
    mount: impl AsFd,
    attributes: u64,
    users: Option<BorrowedFd<'_>>,
    recursive: bool,
) -> Result<()> {
    let attributes = libc::mount_attr {
        attr_set: attributes | users.map_or(0, |_| libc::MOUNT_ATTR_IDMAP),
        attr_clr: 0,
        propagation: 0,
        userns_fd: users.map_or(0, |users| users.as_raw_fd() as u64),
    };
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is a valid string, the structure is passed with its size, and both outlive the call.
    check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_fd().as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    })
}

/// Gives every signal its default action and lets all through; runtimes ignore some, and that is inherited.
pub(super) fn reset_signals() {
    for signal in 1..=libc::SIGRTMAX() {
        // SAFETY: `SIG_DFL` runs no code of ours. Numbers without a settable action are refused by the kernel.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    let mut none = std::mem::MaybeUninit::uninit();
    // SAFETY: `sigemptyset` initialises the set before it is read; the old set is not asked for.
    unsafe {
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
    }
}

/// Executes the file behind a descriptor. Returns only if that fails.
pub(super) fn execute(program: &OwnedFd, argv: &[CString], environment: &[CString]) -> Errno {
    let pointers = |strings: &[CString]| -> Vec<*const libc::c_char> {
        strings.iter().map(|string| string.as_ptr()).chain([std::ptr::null()]).collect()
    };
    let (argv, environment) = (pointers(argv), pointers(environment));
    // SAFETY: both arrays end in a null pointer, and they and their strings outlive the call.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            program.as_raw_fd(),
            c"".as_ptr(),
            argv.as_ptr(),
            environment.as_ptr(),
            libc::AT_EMPTY_PATH,
        );
    }
    last_error()
}

fn check(result: libc::c_long) -> Result<()> {
    if result < 0 { Err(last_error()) } else { Ok(()) }
}

fn last_error() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}
