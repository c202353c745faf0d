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
            ErrorKind::IsADirectory => {
                Failure::Failed(format!("'{self}' is a directory, not a file"))
            }
            ErrorKind::NotADirectory => Failure::Failed(format!("'{self}' is not a directory")),
            ErrorKind::QuotaExceeded | ErrorKind::StorageFull => {
                Failure::Failed(format!("there is no room left to write '{self}'"))
            }
            _ if failure::refused(&error) => Failure::Denied(format!(
                "'{self}' is protected, has several links, or is a link that leads outside the granted directories"
            )),
            _ => Failure::Failed(format!("'{self}': {error}")),
        }
    }
}

/// Where the file `path` is, if this call may use it for `access`.
pub fn file(path: &str, access: Access) -> Result<Place, Failure> {
    resolve(&call::mounts(), path, access, Path::parent)
}

/// Where the directory `path` is, if this call may use it for `access`.
pub fn directory(path: &str, access: Access) -> Result<Place, Failure> {
    resolve(&call::mounts(), path, access, |path| Some(path))
}

/// `to_grant` is the directory of a path whose grant would allow the access.
fn resolve(
    mounts: &[Mount],
    path: &str,
    access: Access,
    to_grant: fn(&Path) -> Option<&Path>,
) -> Result<Place, Failure> {
    if path.is_empty() {
        return Err(Failure::InvalidArguments(
            "the path is empty; '.' is the working directory".to_owned(),
        ));
    }
    let Some(working_directory) = mounts.first() else {
        let directory = if path.starts_with('/') {
            to_grant(Path::new(path))
        } else {
            None
        };
        return Err(missing(directory.unwrap_or(Path::new(".")), access));
    };
    let absolute = normal(&Path::new(&working_directory.path).join(path));
    let mount = mounts
        .iter()
        .filter(|mount| absolute.starts_with(&mount.path))
        .max_by_key(|mount| mount.path.len());
    match mount {
        Some(mount) if access == Access::Read || mount.writable => Ok(Place {
            given: path.to_owned(),
            absolute,
        }),
        Some(mount) if absolute == Path::new(&mount.path) => Err(missing(&absolute, access)),
        _ => Err(missing(to_grant(&absolute).unwrap_or(&absolute), access)),
    }
}

fn missing(directory: &Path, access: Access) -> Failure {
    Failure::Denied(format!("files={}:{access}", directory.display()))
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
        Mount {
            path: path.to_owned(),
            writable,
        }
    }

    fn file_in(mounts: &[Mount], path: &str, access: Access) -> Result<PathBuf, String> {
        match resolve(mounts, path, access, Path::parent) {
            Ok(place) => Ok(place.absolute),
            Err(Failure::Denied(grant)) => Err(grant),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn relative_paths_start_at_the_first_mount() {
        let mounts = [mount("/w", true), mount("/n", false)];
        assert_eq!(
            file_in(&mounts, "a/./b.txt", Access::Read),
            Ok("/w/a/b.txt".into())
        );
        assert_eq!(
            file_in(&mounts, "a/../b.txt", Access::Write),
            Ok("/w/b.txt".into())
        );
        assert_eq!(file_in(&mounts, ".", Access::Read), Ok("/w".into()));
    }

    #[test]
    fn absolute_paths_work_inside_any_mount() {
        let mounts = [mount("/w", true), mount("/n", false)];
        assert_eq!(
            file_in(&mounts, "/n/a.txt", Access::Read),
            Ok("/n/a.txt".into())
        );
        assert_eq!(
            file_in(&mounts, "../n/a.txt", Access::Read),
            Ok("/n/a.txt".into())
        );
    }

    #[test]
    fn a_path_outside_names_the_grant_of_its_directory() {
        let mounts = [mount("/w", true)];
        assert_eq!(
            file_in(&mounts, "/etc/passwd", Access::Read),
            Err("files=/etc:read".into())
        );
        assert_eq!(
            file_in(&mounts, "../x/y", Access::Write),
            Err("files=/x:write".into())
        );
        assert_eq!(
            file_in(&mounts, "/wide/y", Access::Read),
            Err("files=/wide:read".into())
        );
        let listed = resolve(&mounts, "/etc", Access::Read, |path| Some(path));
        assert!(matches!(listed, Err(Failure::Denied(grant)) if grant == "files=/etc:read"));
    }

    #[test]
    fn a_read_only_mount_names_the_grant_for_writing() {
        let mounts = [mount("/w", true), mount("/w/ro", false)];
        assert_eq!(
            file_in(&mounts, "ro/a/b", Access::Write),
            Err("files=/w/ro/a:write".into())
        );
        assert_eq!(
            file_in(&mounts, "ro/a/b", Access::Read),
            Ok("/w/ro/a/b".into())
        );
    }

    #[test]
    fn without_mounts_the_directory_of_the_path_is_to_be_granted() {
        assert_eq!(
            file_in(&[], "a.txt", Access::Read),
            Err("files=.:read".into())
        );
        assert_eq!(
            file_in(&[], "/n/a.txt", Access::Read),
            Err("files=/n:read".into())
        );
    }
}
