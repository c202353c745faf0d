//! Paths of a call: relative ones start at the working directory, absolute ones work inside any granted
//! directory, and every other is refused with the grant that would allow it.
//!
//! The host enforces grants at every opened object. What happens here only makes refusals understandable.

use crate::call::{self, Mount};
use crate::{Failure, failure};
use std::fmt;
use std::io::{Error, ErrorKind};
use std::path::{Component, Path, PathBuf};

/// What a tool wants to do with a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Look at names, metadata and contents.
    Read,
    /// Create, change or remove.
    Write,
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
        })
    }
}

/// A path inside a granted directory. Use it wherever a `Path` goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    given: String,
    absolute: PathBuf,
    wanted: Wanted,
}

/// What a place is wanted for: it decides which grant is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wanted {
    access: Access,
    directory: bool,
}

impl AsRef<Path> for Place {
    fn as_ref(&self) -> &Path {
        &self.absolute
    }
}

/// The path as the caller gave it.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.given)
    }
}

impl Place {
    /// What an error of the standard library means here, in one sentence that names the path.
    pub fn failure(&self, error: Error) -> Failure {
        match error.kind() {
            ErrorKind::NotFound => Failure::NotFound(format!("'{self}' does not exist")),
            ErrorKind::IsADirectory => Failure::Failed(format!("'{self}' is a directory, not a file")),
            ErrorKind::NotADirectory => Failure::Failed(format!("'{self}' is not a directory")),
            ErrorKind::QuotaExceeded | ErrorKind::StorageFull => {
                Failure::Failed(format!("there is no room left to write '{self}'"))
            }
            _ if failure::refused(&error) => self.refused(&call::mounts()),
            _ => Failure::Failed(format!("'{self}': {error}")),
        }
    }

    /// The place itself, where this one is a link: what to replace as a whole. It may not exist yet.
    pub fn behind_links(self) -> Result<Self, Failure> {
        if !self.is_link() {
            return Ok(self);
        }
        let place = self.follow(&call::mounts())?;
        // A link that the host does not let us read is not to be replaced by a file either.
        if place.is_link() { Err(place.protected()) } else { Ok(place) }
    }

    fn is_link(&self) -> bool {
        std::fs::symlink_metadata(self).is_ok_and(|metadata| metadata.is_symlink())
    }

    fn protected(&self) -> Failure {
        Failure::Failed(format!("'{self}': {}", failure::REFUSED))
    }

    /// Why the host refuses a path inside a mount: a link leads outside, or no grant would help.
    fn refused(&self, mounts: &[Mount]) -> Failure {
        match self.clone().follow(mounts) {
            Err(missing) => missing,
            Ok(_) => self.protected(),
        }
    }

    /// Follows links as long as they stay where the access is granted.
    fn follow(mut self, mounts: &[Mount]) -> Result<Self, Failure> {
        const MOST_LINKS: usize = 16;
        for _ in 0..MOST_LINKS {
            let Some(behind) = behind_link(&self.absolute) else { return Ok(self) };
            self.wanted.check(mounts, &behind)?;
            self.absolute = behind;
        }
        Err(Failure::Failed(format!("'{self}' is a link of a chain that does not end")))
    }
}

/// Where the file `path` is, if this call may use it for `access`.
pub fn file(path: &str, access: Access) -> Result<Place, Failure> {
    Wanted { access, directory: false }.place(&call::mounts(), path)
}

/// Where the directory `path` is, if this call may use it for `access`.
pub fn directory(path: &str, access: Access) -> Result<Place, Failure> {
    Wanted { access, directory: true }.place(&call::mounts(), path)
}

impl Wanted {
    fn place(self, mounts: &[Mount], path: &str) -> Result<Place, Failure> {
        if path.is_empty() {
            let sentence = "the path is empty; '.' is the working directory";
            return Err(Failure::InvalidArguments(sentence.to_owned()));
        }
        let absolute = match mounts.first() {
            Some(working_directory) => normal(&Path::new(&working_directory.path).join(path)),
            None if path.starts_with('/') => normal(Path::new(path)),
            None => return Err(Self { directory: true, ..self }.missing(Path::new("."))),
        };
        self.check(mounts, &absolute)?;
        Ok(Place { given: path.to_owned(), absolute, wanted: self })
    }

    /// Whether the innermost mount around `absolute` allows the access.
    fn check(self, mounts: &[Mount], absolute: &Path) -> Result<(), Failure> {
        let around = mounts.iter().filter(|mount| absolute.starts_with(&mount.path));
        match around.max_by_key(|mount| mount.path.len()) {
            Some(mount) if self.access == Access::Read || mount.writable => Ok(()),
            Some(mount) if absolute == Path::new(&mount.path) => {
                Err(Self { directory: true, ..self }.missing(absolute))
            }
            _ => Err(self.missing(absolute)),
        }
    }

    /// The grant that would allow it: of the directory, or of the one that the file is in.
    fn missing(self, path: &Path) -> Failure {
        let parent = path.parent().filter(|_| !self.directory);
        Failure::Denied(format!("files={}:{}", parent.unwrap_or(path).display(), self.access))
    }
}

/// Where `path` leads, if it or a directory on its way is a link; the first link counts.
fn behind_link(path: &Path) -> Option<PathBuf> {
    let ancestors: Vec<&Path> = path.ancestors().collect();
    ancestors.into_iter().rev().find_map(|link| {
        let target = std::fs::read_link(link).ok()?;
        let rest = path.strip_prefix(link).ok()?;
        Some(normal(&link.parent()?.join(target).join(rest)))
    })
}

/// `path` without `.` and `..`, by its text alone.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::with_capacity(path.as_os_str().len());
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(path: &str, writable: bool) -> Mount {
        Mount { path: path.to_owned(), writable }
    }

    fn grant(failure: Failure) -> String {
        match failure {
            Failure::Denied(grant) => grant,
            other => panic!("{other:?}"),
        }
    }

    fn file_in(mounts: &[Mount], path: &str, access: Access) -> Result<PathBuf, String> {
        let wanted = Wanted { access, directory: false };
        wanted.place(mounts, path).map(|place| place.absolute).map_err(grant)
    }

    #[test]
    fn relative_paths_start_at_the_first_mount() {
        let mounts = [mount("/w", true), mount("/n", false)];
        assert_eq!(file_in(&mounts, "a/./b.txt", Access::Read), Ok("/w/a/b.txt".into()));
        assert_eq!(file_in(&mounts, "a/../b.txt", Access::Write), Ok("/w/b.txt".into()));
        assert_eq!(file_in(&mounts, ".", Access::Read), Ok("/w".into()));
    }

    #[test]
    fn absolute_paths_work_inside_any_mount() {
        let mounts = [mount("/w", true), mount("/n", false)];
        assert_eq!(file_in(&mounts, "/n/a.txt", Access::Read), Ok("/n/a.txt".into()));
        assert_eq!(file_in(&mounts, "../n/a.txt", Access::Read), Ok("/n/a.txt".into()));
    }

    #[test]
    fn a_path_outside_names_the_grant_of_its_directory() {
        let mounts = [mount("/w", true)];
        assert_eq!(file_in(&mounts, "/etc/passwd", Access::Read), Err("files=/etc:read".into()));
        assert_eq!(file_in(&mounts, "../x/y", Access::Write), Err("files=/x:write".into()));
        assert_eq!(file_in(&mounts, "/wide/y", Access::Read), Err("files=/wide:read".into()));
        let list = Wanted { access: Access::Read, directory: true };
        assert_eq!(grant(list.place(&mounts, "/etc").unwrap_err()), "files=/etc:read");
    }

    #[test]
    fn a_read_only_mount_names_the_grant_for_writing() {
        let mounts = [mount("/w", true), mount("/w/ro", false)];
        assert_eq!(file_in(&mounts, "ro/a/b", Access::Write), Err("files=/w/ro/a:write".into()));
        assert_eq!(file_in(&mounts, "ro/a/b", Access::Read), Ok("/w/ro/a/b".into()));
    }

    #[test]
    fn without_mounts_the_directory_of_the_path_is_to_be_granted() {
        assert_eq!(file_in(&[], "a.txt", Access::Read), Err("files=.:read".into()));
        assert_eq!(file_in(&[], "/n/a.txt", Access::Read), Err("files=/n:read".into()));
    }
    #[test]
    fn a_link_that_leads_outside_names_the_grant_of_where_it_leads() {
        let directory = tempfile::tempdir().unwrap();
        let inside = directory.path().canonicalize().unwrap();
        std::os::unix::fs::symlink("/etc", inside.join("link")).unwrap();
        let mounts = [mount(inside.to_str().unwrap(), false)];
        let wanted = Wanted { access: Access::Read, directory: false };
        let place = wanted.place(&mounts, "link/passwd").unwrap();
        assert_eq!(grant(place.refused(&mounts)), "files=/etc:read");
    }

    #[test]
    fn links_inside_are_followed_and_a_circle_ends() {
        let directory = tempfile::tempdir().unwrap();
        let inside = directory.path().canonicalize().unwrap();
        let mounts = [mount(inside.to_str().unwrap(), true)];
        let wanted = Wanted { access: Access::Write, directory: false };
        for (target, link) in [("file", "one"), ("one", "two"), ("circle", "circle")] {
            std::os::unix::fs::symlink(target, inside.join(link)).unwrap();
        }
        let behind = |path| wanted.place(&mounts, path).unwrap().follow(&mounts);
        assert_eq!(behind("two").unwrap().absolute, inside.join("file"));
        assert!(matches!(behind("circle"), Err(Failure::Failed(_))));
    }

    #[test]
    fn a_refusal_that_no_grant_lifts_says_so() {
        let directory = tempfile::tempdir().unwrap();
        let mounts = [mount(directory.path().to_str().unwrap(), true)];
        let wanted = Wanted { access: Access::Write, directory: false };
        let place = wanted.place(&mounts, "protected").unwrap();
        assert!(matches!(place.refused(&mounts), Failure::Failed(_)));
    }
}
