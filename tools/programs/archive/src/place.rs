//! Where members of an archive may be put: below the target directory and nowhere else, whatever their names say.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The path of a member below the target: leading slashes are taken away, `..` is refused.
pub(crate) fn inside(name: &Path) -> Result<PathBuf, String> {
    let mut path = PathBuf::new();
    for part in name.components() {
        match part {
            Component::Normal(part) => path.push(part),
            Component::CurDir | Component::RootDir => {}
            Component::ParentDir | Component::Prefix(_) => {
                return Err(format!("{}: Member name contains '..'", name.display()));
            }
        }
    }
    Ok(path)
}

/// Whether a link at `path` (below the target) to `to` stays below the target. It may lead up only at its start: what is
/// above the name behind a link is not what the text says.
pub(crate) fn link_stays_inside(path: &Path, to: &Path) -> bool {
    let mut above = path.components().count().saturating_sub(1);
    for part in to.components() {
        match part {
            Component::Normal(_) => above = 0,
            Component::CurDir => {}
            Component::ParentDir if above > 0 => above -= 1,
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return false,
        }
    }
    true
}

/// Makes the directories above `path`, none of which may be a link that an earlier member left there.
pub(crate) fn prepare(target: &Path, path: &Path) -> Result<PathBuf, String> {
    let mut place = target.to_owned();
    for part in path.parent().into_iter().flat_map(Path::components) {
        place.push(part);
        match fs::symlink_metadata(&place) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(format!("{}: {} is no directory", path.display(), place.display())),
            Err(_) => fs::create_dir(&place).map_err(|error| crate::about(place.display(), &error))?,
        }
    }
    let whole = target.join(path);
    // A link in the file's own place is replaced, not followed.
    if fs::symlink_metadata(&whole).is_ok_and(|found| !found.is_dir()) {
        fs::remove_file(&whole).map_err(|error| crate::about(path.display(), &error))?;
    }
    Ok(whole)
}

/// Writes a file and sets its time, if it can be set.
pub(crate) fn write(whole: &Path, content: &mut dyn Read, modified: Option<u64>) -> io::Result<()> {
    let mut file = File::create(whole)?;
    io::copy(content, &mut file)?;
    if let Some(seconds) = modified {
        // A time that cannot be set is no reason to lose the file.
        let _ = file.set_modified(UNIX_EPOCH + Duration::from_secs(seconds));
    }
    Ok(())
}

/// Makes a symbolic link.
pub(crate) fn link(to: &Path, whole: &Path) -> io::Result<()> {
    #[cfg(target_os = "wasi")]
    {
        use std::ffi::CString;
        let text = |path: &Path| CString::new(path.as_os_str().as_encoded_bytes()).map_err(io::Error::other);
        let (to, whole) = (text(to)?, text(whole)?);
        // SAFETY: both pointers are to strings that end with NUL and live until the call returns.
        match unsafe { libc::symlink(to.as_ptr(), whole.as_ptr()) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
    #[cfg(not(target_os = "wasi"))]
    {
        let _ = (to, whole);
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// A file or directory that goes into an archive, with the name it gets there.
pub(crate) struct Entry {
    pub(crate) path: PathBuf,
    pub(crate) name: String,
    pub(crate) metadata: fs::Metadata,
}

/// What lies at `path` and below, sorted, parents first; `deeper` tells whether directories are entered.
pub(crate) fn collect(
    base: &Path,
    name: &str,
    deeper: bool,
    skip: &dyn Fn(&str) -> bool,
    into: &mut Vec<Entry>,
) -> Result<(), String> {
    if skip(name) {
        return Ok(());
    }
    let path = base.join(name);
    let metadata = fs::symlink_metadata(&path).map_err(|error| crate::about(name, &error))?;
    let is_directory = metadata.is_dir();
    into.push(Entry { path: path.clone(), name: name.to_owned(), metadata });
    if !is_directory || !deeper {
        return Ok(());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(&path).map_err(|error| crate::about(name, &error))? {
        let entry = entry.map_err(|error| crate::about(name, &error))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    for below in names {
        collect(base, &format!("{}/{below}", name.trim_end_matches('/')), deeper, skip, into)?;
    }
    Ok(())
}

/// Globs on names of members: of the whole name, of its end, or of a directory above.
pub(crate) struct Globs {
    globs: GlobSet,
}

impl Globs {
    pub(crate) fn new(patterns: &[String]) -> Result<Self, String> {
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            let glob = GlobBuilder::new(pattern.trim_end_matches('/')).build();
            set.add(glob.map_err(|error| error.to_string())?);
        }
        Ok(Self { globs: set.build().map_err(|error| error.to_string())? })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.globs.is_empty()
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        let name = name.trim_end_matches('/').trim_start_matches("./");
        self.matches_whole(name)
            || name
                .match_indices('/')
                .any(|(at, _)| self.globs.is_match(&name[at + 1..]) || self.globs.is_match(&name[..at]))
            || name.split('/').any(|part| self.globs.is_match(part))
    }

    /// Only the whole name or a directory above it.
    pub(crate) fn matches_member(&self, name: &str) -> bool {
        let name = name.trim_end_matches('/').trim_start_matches("./");
        self.matches_whole(name) || name.match_indices('/').any(|(at, _)| self.globs.is_match(&name[..at]))
    }

    fn matches_whole(&self, name: &str) -> bool {
        self.globs.is_match(name) || self.globs.is_match(format!("./{name}"))
    }
}

/// Seconds since 1970 of a file's last change.
pub(crate) fn modified(metadata: &fs::Metadata) -> u64 {
    let time = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Year, month, day, hour, minute, second in UTC; the calendar is Howard Hinnant's `civil_from_days`.
pub(crate) fn calendar(seconds: u64) -> (u64, u64, u64, u64, u64, u64) {
    let (days, rest) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day, rest / 3_600, rest % 3_600 / 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cmp_17_names_stay_below_the_target() {
        assert_eq!(inside(Path::new("/etc/passwd")).unwrap(), Path::new("etc/passwd"));
        assert_eq!(inside(Path::new("./a//b")).unwrap(), Path::new("a/b"));
        assert!(inside(Path::new("a/../../b")).is_err());
    }

    #[test]
    fn cmp_17_links_stay_below_the_target() {
        assert!(link_stays_inside(Path::new("a/b"), Path::new("../c")));
        assert!(!link_stays_inside(Path::new("a/b"), Path::new("../../c")));
        assert!(!link_stays_inside(Path::new("a"), Path::new("/etc/passwd")));
        // `a/up` may be a link to the target itself.
        assert!(!link_stays_inside(Path::new("b"), Path::new("a/up/..")));
    }

    #[test]
    fn the_calendar_knows_leap_years() {
        assert_eq!(calendar(951_782_400), (2000, 2, 29, 0, 0, 0));
        assert_eq!(calendar(1_767_225_599), (2025, 12, 31, 23, 59, 59));
    }
}
