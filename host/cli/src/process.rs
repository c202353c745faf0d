//! What this process is allowed and how it can be looked into, set before anything else.

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, setrlimit};

/// Open files that a host with many components and sessions may need.
const OPEN_FILES: u64 = 16_384;

/// Makes files private from their first byte, keeps memory out of dumps and debuggers, and allows
/// enough open files. What the system refuses is left as it is; `chiton doctor` shows it.
pub fn harden() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).ok();
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Core, none).ok();
    let files = getrlimit(Resource::Nofile);
    let wanted = files.maximum.map_or(OPEN_FILES, |most| most.min(OPEN_FILES));
    if files.current.is_some_and(|now| now < wanted) {
        let raised = Rlimit { current: Some(wanted), maximum: files.maximum };
        setrlimit(Resource::Nofile, raised).ok();
    }
}

/// Runs `work` while this process may open its own `/proc` files, which the system forbids to an
/// ordinary user's process that is closed to debuggers. Other users stay shut out all the time.
pub fn open_to_itself<T>(work: impl FnOnce() -> T) -> T {
    rustix::process::set_dumpable_behavior(DumpableBehavior::Dumpable).ok();
    let done = work();
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).ok();
    done
}

/// Whether this process runs as the superuser.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// What is said to the superuser.
pub const ROOT_WARNING: &str =
    "warning: chiton runs as root, so a mistake in it could change the whole system; run it as an ordinary user";
