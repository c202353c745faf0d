//! Why a job is not taken.

use chiton_store::{JobId, StoreError};

/// A time that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimingError {
    /// It is over.
    #[error("'{at}' is in the past: it is {now} now; give a later time")]
    Past {
        /// As it was given.
        at: String,
        /// The present time in the zone that was asked for.
        now: String,
    },
    /// It cannot be read.
    #[error("'{0}' is no time: write it as 2026-11-30T09:00 or, with an offset, as 2026-11-30T09:00:00+01:00")]
    NotATime(String),
    /// The interval is too short.
    #[error("{seconds} seconds is too often: the shortest interval is {least} seconds")]
    TooOften {
        /// As it was given.
        seconds: u64,
        /// The shortest interval.
        least: u64,
    },
    /// The interval is too long.
    #[error("{seconds} seconds is too long: the longest interval is {most} seconds (ten years)")]
    TooSeldom {
        /// As it was given.
        seconds: u64,
        /// The longest interval.
        most: u64,
    },
    /// It is no cron expression.
    #[error(
        "'{expression}' is no cron expression ({reason}): write five fields for minute, hour, day, month and weekday, such as '0 9 * * 1-5'"
    )]
    NotCron {
        /// As it was given.
        expression: String,
        /// What is wrong.
        reason: String,
    },
    /// No day fits the expression.
    #[error("'{0}' is never due: no date fits it; check its day and month")]
    Never(String),
    /// No such zone.
    #[error("there is no time zone '{name}'{}", nearest.as_ref().map(|zone| format!("; did you mean '{zone}'?")).unwrap_or_else(|| ": use an IANA name such as Europe/Berlin".into()))]
    UnknownZone {
        /// As it was given.
        name: String,
        /// The zone that is spelt most like it.
        nearest: Option<String>,
    },
}

/// Why the scheduler did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ScheduleError {
    /// The time cannot be.
    #[error(transparent)]
    Timing(#[from] TimingError),
    /// There is nothing to tell the agent.
    #[error("the message is empty: say what shall be done when the job is due")]
    Empty,
    /// A text is too long.
    #[error(
        "the {what} of the job has {bytes} bytes and may have {most}: shorten it, or put the details into a file and name it"
    )]
    TooLong {
        /// Which text.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// The longest one.
        most: usize,
    },
    /// There is no such job.
    #[error("there is no job {}: list the jobs to see their ids", .0.0)]
    NoJob(JobId),
    /// It does not wait for an approval.
    #[error("job {} needs no approval: it is neither quarantined nor disabled", .0.0)]
    NotStopped(JobId),
    /// It could not be kept or read, or there are too many.
    #[error(transparent)]
    Store(#[from] StoreError),
}
