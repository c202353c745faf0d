//! Between the types of WASI and those of the system.

use crate::mount::How;
use rustix::fs::{FileType, Stat};
use std::fs::FileTimes;
use std::time::{Duration, SystemTime};
use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, DescriptorStat, DescriptorType, ErrorCode, MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};

/// What the flags of `open-at` ask for; combinations without meaning are refused as the stock does.
pub(crate) fn how(path: PathFlags, open: OpenFlags, flags: DescriptorFlags) -> Result<How, ErrorCode> {
    let synchronous = DescriptorFlags::FILE_INTEGRITY_SYNC
        | DescriptorFlags::DATA_INTEGRITY_SYNC
        | DescriptorFlags::REQUESTED_WRITE_SYNC;
    if flags.intersects(synchronous) {
        return Err(ErrorCode::Unsupported);
    }
    if open.contains(OpenFlags::DIRECTORY) && open != OpenFlags::DIRECTORY {
        return Err(ErrorCode::Invalid);
    }
    let write = flags.contains(DescriptorFlags::WRITE) || open.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE);
    Ok(How {
        read: flags.contains(DescriptorFlags::READ) || !flags.contains(DescriptorFlags::WRITE),
        write,
        follow: path.contains(PathFlags::SYMLINK_FOLLOW),
        create: open.contains(OpenFlags::CREATE),
        exclusive: open.contains(OpenFlags::EXCLUSIVE),
        truncate: open.contains(OpenFlags::TRUNCATE),
        directory: open.contains(OpenFlags::DIRECTORY),
    })
}

/// What the guest sees of an object.
pub(crate) fn stat(found: &Stat) -> DescriptorStat {
    let time = |seconds: i64, nanoseconds: u64| {
        Some(Datetime { seconds: seconds.try_into().ok()?, nanoseconds: nanoseconds.try_into().ok()? })
    };
    DescriptorStat {
        type_: match FileType::from_raw_mode(found.st_mode) {
            FileType::RegularFile => DescriptorType::RegularFile,
            FileType::Directory => DescriptorType::Directory,
            FileType::Symlink => DescriptorType::SymbolicLink,
            _ => DescriptorType::Unknown,
        },
        #[allow(clippy::useless_conversion, reason = "on some machines it has 32 bits")]
        link_count: found.st_nlink.into(),
        size: u64::try_from(found.st_size).unwrap_or_default(),
        data_access_timestamp: time(found.st_atime, found.st_atime_nsec),
        data_modification_timestamp: time(found.st_mtime, found.st_mtime_nsec),
        status_change_timestamp: time(found.st_ctime, found.st_ctime_nsec),
    }
}

/// Which object it is, for the guest to compare.
pub(crate) fn hash(found: &Stat) -> MetadataHashValue {
    MetadataHashValue { lower: found.st_ino, upper: found.st_dev }
}

/// Timestamps to set; one that the system cannot hold is an error.
pub(crate) fn times(accessed: NewTimestamp, modified: NewTimestamp) -> Result<FileTimes, ErrorCode> {
    let time = |stamp| match stamp {
        NewTimestamp::NoChange => Ok(None),
        NewTimestamp::Now => Ok(Some(SystemTime::now())),
        NewTimestamp::Timestamp(Datetime { seconds, nanoseconds }) => Duration::from_secs(seconds)
            .checked_add(Duration::from_nanos(nanoseconds.into()))
            .and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since))
            .map(Some)
            .ok_or(ErrorCode::Overflow),
    };
    let times = FileTimes::new();
    let times = time(accessed)?.map_or(times, |accessed| times.set_accessed(accessed));
    Ok(time(modified)?.map_or(times, |modified| times.set_modified(modified)))
}
