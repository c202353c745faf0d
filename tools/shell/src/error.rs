//! What goes wrong in a script before or while it runs.

/// A script that is no script: the text says where and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SyntaxError(String);

impl SyntaxError {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// Why the next command is not run: control flow, or an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Flow {
    /// The shell ends.
    Exit(u8),
    /// The function or sourced script ends.
    Return(u8),
    /// So many loops end.
    Break(usize),
    /// The next round of the so-many-th loop begins.
    Continue(usize),
    /// The rest of the line is dropped, as after a division by zero.
    Discard(u8),
    /// The host ends the shell, with its reason.
    Stopped(String),
}

/// An exit code, or why there is none.
pub(crate) type Run<T = u8> = Result<T, Flow>;

/// Exit code of a syntax error and of a misused builtin.
pub(crate) const MISUSE: u8 = 2;
/// Exit code of what exists but cannot be run.
pub(crate) const CANNOT_RUN: u8 = 126;
/// Exit code of what does not exist.
pub(crate) const NOT_FOUND: u8 = 127;
/// Exit code of a writer whose reader is gone, as a shell shows SIGPIPE.
pub(crate) const BROKEN_PIPE: u8 = 141;
