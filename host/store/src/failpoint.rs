//! Named points at which a test can kill the process.
//!
//! With feature `failpoints`, `CHITON_FAILPOINT=NAME` makes the process kill itself (SIGKILL) when it first reaches
//! `failpoint!("NAME")`; `CHITON_FAILPOINT=NAME:3` at the third time. Without the feature nothing is compiled.
//!
//! The store's own points stand before and after each COMMIT, named `before-KIND` and `after-KIND`, where KIND is one of
//! [`COMMITS`], [`JOB_COMMITS`], [`TASK_COMMITS`] or [`SESSION_COMMITS`].

/// The commits of a message's way, in the order in which a turn with one call makes them.
pub const COMMITS: [&str; 7] =
    ["accept", "begin-turn", "append", "start-call", "finish-call", "finish-turn", "delivered"];

/// The commits that only the way of a job has.
pub const JOB_COMMITS: [&str; 3] = ["add-job", "fire-jobs", "judge-run"];

/// The commits that only the way of a sub-agent's task has.
pub const TASK_COMMITS: [&str; 2] = ["start-task", "finish-task"];

/// The commits that only some sessions have, in the order in which one could make them all.
pub const SESSION_COMMITS: [&str; 8] =
    ["join-waiting", "spend", "summarise", "reset", "keep-revision", "import-session", "fork", "delete-session"];

/// Marks a point at which a test can kill the process; takes its name as `format!` would.
#[cfg(feature = "failpoints")]
#[macro_export]
macro_rules! failpoint {
    ($($name:tt)+) => {
        $crate::failpoint::reach(::core::format_args!($($name)+))
    };
}

/// Marks a point at which a test can kill the process; this build has none.
#[cfg(not(feature = "failpoints"))]
#[macro_export]
macro_rules! failpoint {
    ($($name:tt)+) => {
        if false {
            let _ = ::core::format_args!($($name)+);
        }
    };
}

/// Kills the process when this point is the chosen one and was reached often enough.
#[cfg(feature = "failpoints")]
pub fn reach(name: std::fmt::Arguments<'_>) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static CHOSEN: OnceLock<Option<(String, AtomicU64)>> = OnceLock::new();
    let chosen = CHOSEN.get_or_init(|| {
        let wish = std::env::var("CHITON_FAILPOINT").ok()?;
        let (name, times) = wish.split_once(':').unwrap_or((&wish, "1"));
        Some((name.to_owned(), AtomicU64::new(times.parse().ok()?)))
    });
    let Some((chosen, left)) = chosen else { return };
    if *chosen == name.to_string() && left.fetch_sub(1, Ordering::SeqCst) == 1 {
        // a refusal is impossible for one's own process; it would only mean that the test goes on
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}
