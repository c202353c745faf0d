//! The directories above a mount. They are outside the sandbox, so libc says that they do not exist; but resolving a
//! path to its real name (`realpath`, `pwd`, `mv` into a directory) asks about every directory on the way. Here they
//! are directories of which nothing else is known. The linker calls these functions in place of libc's, because
//! `build.rs` says `--wrap`.

use std::ffi::{CStr, c_char, c_int};
use std::path::{Component, Path, PathBuf};

use chiton_program::call_context;

unsafe extern "C" {
    fn __real_lstat(path: *const c_char, stat: *mut libc::stat) -> c_int;
    fn __real_stat(path: *const c_char, stat: *mut libc::stat) -> c_int;
    fn __real_readlink(path: *const c_char, buffer: *mut c_char, size: usize) -> isize;
}

// SAFETY: the name is the linker's for a wrapped symbol, and the signature is that of `lstat`.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_lstat(path: *const c_char, stat: *mut libc::stat) -> c_int {
    // SAFETY: the caller's arguments, passed on; afterwards `path` and `stat` are as valid as they were.
    unsafe { or_directory(__real_lstat(path, stat), path, stat) }
}

// SAFETY: as above, for `stat`.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_stat(path: *const c_char, stat: *mut libc::stat) -> c_int {
    // SAFETY: as above.
    unsafe { or_directory(__real_stat(path, stat), path, stat) }
}

// SAFETY: as above, for `readlink`.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_readlink(path: *const c_char, buffer: *mut c_char, size: usize) -> isize {
    // SAFETY: the caller's arguments, passed on.
    let length = unsafe { __real_readlink(path, buffer, size) };
    // SAFETY: `path` is the caller's string, still valid.
    if length < 0 && is_above_mount(unsafe { CStr::from_ptr(path) }) {
        errno::set_errno(errno::Errno(libc::EINVAL));
    }
    length
}

/// What libc said, or that a directory above a mount is a directory.
///
/// # Safety
/// `path` must be a C string and `stat` must point to a `stat` that may be written.
unsafe fn or_directory(result: c_int, path: *const c_char, stat: *mut libc::stat) -> c_int {
    // SAFETY: by this function's own condition.
    if result == 0 || !is_above_mount(unsafe { CStr::from_ptr(path) }) {
        return result;
    }
    // SAFETY: all fields of `stat` are integers, for which zero is a value; `stat` may be written.
    unsafe {
        *stat = std::mem::zeroed();
        (*stat).st_mode = libc::S_IFDIR;
    }
    0
}

fn is_above_mount(path: &CStr) -> bool {
    let Ok(path) = path.to_str() else { return false };
    let Some(path) = plain(Path::new(path)) else { return false };
    call_context::mounts().iter().any(|mount| Path::new(&mount.path).starts_with(&path))
}

/// An absolute path without `.` and `..`.
fn plain(path: &Path) -> Option<PathBuf> {
    let path = std::env::current_dir().ok()?.join(path);
    let mut plain = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::Normal(name) => plain.push(name),
            _ => {}
        }
    }
    Some(plain)
}
