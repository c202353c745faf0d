//! Where an opened object lies, and what may be done there.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// The bot's own places: they and everything in them are closed to every guest, whatever is granted.
/// A directory inside one may still be granted by its own name, such as the workspace in the home.
#[derive(Clone, Debug, Default)]
pub struct Protected {
    places: Vec<PathBuf>,
}

impl Protected {
    /// Protects these absolute paths, existing or not.
    pub fn new(places: &[PathBuf]) -> Self {
        Self { places: places.iter().map(|place| canonical(place)).collect() }
    }

    /// Whether `path` is itself a protected place.
    pub(crate) fn is(&self, path: &Path) -> bool {
        self.places.iter().any(|place| within(path, place) && within(place, path))
    }

    /// The protected places inside `path`.
    pub(crate) fn inside(&self, path: &Path) -> Vec<PathBuf> {
        self.places.iter().filter(|place| within(place, path)).cloned().collect()
    }
}

/// The path with links resolved as far as it exists.
fn canonical(path: &Path) -> PathBuf {
    match (path.canonicalize(), path.parent(), path.file_name()) {
        (Ok(found), ..) => found,
        (Err(_), Some(parent), Some(name)) => canonical(parent).join(name),
        _ => path.to_owned(),
    }
}

/// The absolute path at which the kernel has this handle now. Fails for a path of over 4,095 bytes.
pub(crate) fn whereabouts(file: &File) -> std::io::Result<PathBuf> {
    std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// Whether `path` is `place` or lies in it, on a volume that may fold case.
pub(crate) fn within(path: &Path, place: &Path) -> bool {
    let mut components = path.components();
    place.components().all(|expected| {
        components.next().is_some_and(|found| {
            found == expected
                || folded(&found.as_os_str().to_string_lossy()) == folded(&expected.as_os_str().to_string_lossy())
        })
    })
}

/// Whether any component of `path` names a git directory: what lies in one decides what git runs.
pub(crate) fn in_git_directory(path: &Path) -> bool {
    path.components().any(|component| is_git_name(&component.as_os_str().to_string_lossy()))
}

/// Whether some file system takes `name` for `.git`. The forms are those that git itself refuses.
fn is_git_name(name: &str) -> bool {
    let stem = name.split(':').next().unwrap_or(name);
    let stem = folded(stem);
    matches!(stem.trim_end_matches(['.', ' ']), ".git" | "git~1")
}

/// A name as the loosest of the file systems compares it: case folded, ignorable characters dropped.
fn folded(name: &str) -> String {
    name.chars().filter(|c| !is_ignorable(*c)).flat_map(char::to_lowercase).collect()
}

/// Characters that HFS+ leaves out when it compares names.
fn is_ignorable(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fs_11_case_variants_of_protected_names_are_recognised() {
        for name in [".git", ".GIT", ".Git", ".giT.", ".git ", "GIT~1", ".g\u{200c}it", ".git::$INDEX_ALLOCATION"] {
            assert!(is_git_name(name), "{name:?}");
        }
        let home = Path::new("/home/ann/.chiton");
        for path in ["/home/ann/.chiton", "/home/ann/.CHITON/config.json", "/HOME/ann/.Chiton/x/y"] {
            assert!(within(Path::new(path), home), "{path}");
        }
    }

    #[test]
    fn names_that_only_resemble_protected_ones_stay_open() {
        for name in [".github", ".gitignore", "git", "x.git", ".gitmodules", "git~2", "..git"] {
            assert!(!is_git_name(name), "{name:?}");
        }
        let home = Path::new("/home/ann/.chiton");
        for path in ["/home/ann", "/home/ann/.chiton-notes/x", "/home/ann/chiton", "/"] {
            assert!(!within(Path::new(path), home), "{path}");
        }
    }

    #[test]
    fn a_place_that_does_not_exist_yet_is_protected_under_its_real_parent() {
        let root = tempfile::tempdir().expect("temporary directory");
        let real = root.path().canonicalize().expect("canonical");
        std::os::unix::fs::symlink(&real, real.join("link")).expect("link");
        let protected = Protected::new(&[real.join("link/later/socket")]);
        assert!(protected.is(&real.join("later/socket")));
        assert_eq!(protected.inside(&real), [real.join("later/socket")]);
    }
}
