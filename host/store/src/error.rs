//! Why the store could not do what it was asked.

use crate::place::PlaceError;
use crate::records::{JobId, OutboxId, TurnId};
use rusqlite::ErrorCode;
use std::path::{Path, PathBuf};

/// Why the store could not do what it was asked; each message says what to do.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The file or its folder is not safe to use.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// There is no database to read.
    #[error("there is no database at {}: start chiton once to create it", path.display())]
    Missing {
        /// The database.
        path: PathBuf,
    },
    /// The content cannot be read as a database.
    #[error("the database {} is damaged ({reason}): restore it from a backup, or move it aside to start with an empty one", path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What SQLite found.
        reason: String,
    },
    /// A sound SQLite file of another program.
    #[error("{} is a database of another program: move it aside or choose another home by CHITON_HOME", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The database was written by a later release.
    #[error("the database {} was made by a newer chiton (format {found}, this one knows up to {known}): install that release, or restore a backup made before the update", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format this release knows.
        known: u32,
    },
    /// The database was written by an earlier release and is opened for reading only.
    #[error("the database {} was made by an older chiton (format {found}, this one uses {known}): start chiton once to bring it up to date", path.display())]
    Older {
        /// The database.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The format of this release.
        known: u32,
    },
    /// Another process keeps the database locked.
    #[error("the database {} is locked by another process: stop that process and try again", path.display())]
    Locked {
        /// The database.
        path: PathBuf,
    },
    /// There is no room left; nothing of the write was kept.
    #[error("the disk that holds {} is full, so nothing was saved: free some space and try again", path.display())]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// The database or its folder refuses writes.
    #[error("the database {} cannot be written ({reason}): give your user write access to it and its folder", path.display())]
    NotWritable {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
    /// The program was linked with a SQLite that can corrupt a database.
    #[error("chiton was built with SQLite {found}, which can damage a database: build it with SQLite 3.51.3 or later")]
    OldSqlite {
        /// The version that is linked.
        found: String,
    },
    /// A write was asked of a store opened for reading.
    #[error("this database was opened for reading only: run the command through the running chiton or without one")]
    ReadOnly,
    /// The writer has ended.
    #[error("the database was closed: start chiton again")]
    Closed,
    /// The turn has ended or never was, so no step can be added.
    #[error("turn {} is not running, so nothing can be added to it: start a new turn", .0.0)]
    TurnOver(TurnId),
    /// There is no such message waiting.
    #[error("message {} is not waiting to be delivered: list the waiting messages again", .0.0)]
    NotWaiting(OutboxId),
    /// There is no such job, or it must not run.
    #[error("there is no job {} that may run: list the jobs, and approve it if it is quarantined", .0.0)]
    NoJob(JobId),
    /// The job runs already.
    #[error("job {} is running: wait until its run has ended", .0.0)]
    JobRuns(JobId),
    /// As many as are allowed are there.
    #[error("there are {most} {what}, which is the most: wait until one has ended, or remove one")]
    TooMany {
        /// What there are too many of, in the plural.
        what: &'static str,
        /// How many are allowed.
        most: u32,
    },
    /// A session cannot be made of these messages.
    #[error("line {line} is not a message ({reason}): each must be a JSON object with a role")]
    NoMessage {
        /// Which message, counted from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// Not a session's key.
    #[error("'{0}' does not name a session: write CHANNEL:CHAT, such as terminal:default")]
    NoKey(String),
    /// There is no such session.
    #[error("there is no session {0}: `chiton session list` shows them")]
    NoSession(String),
    /// The session that should be made is there.
    #[error("the session {0} has messages already: choose another key, or delete that session first")]
    Taken(String),
    /// The files of a message are too large.
    #[error("the files would have {bytes} bytes together and at most {most} may wait: send fewer or smaller files")]
    TooMuchAttached {
        /// Bytes of all files.
        bytes: i64,
        /// Most bytes.
        most: i64,
    },
    /// A file could not be opened, read or written.
    #[error("the database {} could not be used ({reason}): check the disk and the permissions of its folder", path.display())]
    Io {
        /// The database.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// SQLite refused a statement; this is a mistake in chiton.
    #[error("the database refused an operation ({0}): report this as a mistake in chiton")]
    Internal(String),
}

impl StoreError {
    /// Says what a failure of SQLite means for the database at `path`.
    pub(crate) fn from_sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        let path = path.to_path_buf();
        let reason = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged { path, reason },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
                Self::Locked { path }
            }
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::NotWritable { path, reason },
            Some(ErrorCode::CannotOpen | ErrorCode::SystemIoFailure) => Self::Io { path, reason },
            _ => Self::Internal(reason),
        }
    }
}
