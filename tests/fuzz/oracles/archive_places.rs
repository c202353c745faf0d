//! Whatever the members of an archive are called, nothing is made outside the target, and no link leads there.
//! The input is a member a line: `f NAME`, `d NAME`, or `l NAME<tab>WHERE`.

use std::fs;
use std::path::{Component, Path};

use crate::place::{self, Globs};

/// Most members that are tried.
const MOST: usize = 12;

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let home = tempfile::tempdir().expect("there is a temporary directory");
    let around = home.path().canonicalize().expect("it is there");
    let target = around.join("a/b/target");
    fs::create_dir_all(&target).expect("it can be made");
    for line in text.lines().take(MOST) {
        let Some((kind, name)) = line.split_once(' ') else { continue };
        let (name, to) = name.split_once('\t').unwrap_or((name, "."));
        member(kind, Path::new(name), Path::new(to), &target);
        if let Ok(globs) = Globs::new(&[to.to_owned()]) {
            assert!(!globs.matches_member(name) || globs.matches(name), "{to:?} and {name:?}");
        }
        stays(&target, &target);
        alone(&around, "a");
        alone(&around.join("a"), "b");
        alone(&around.join("a/b"), "target");
    }
}

/// Puts a member in its place as tar does.
fn member(kind: &str, name: &Path, to: &Path, target: &Path) {
    let Ok(path) = place::inside(name) else { return };
    assert!(path.components().all(|part| matches!(part, Component::Normal(_))), "{name:?} goes to {path:?}");
    if path.as_os_str().is_empty() {
        return;
    }
    match kind {
        "d" => drop(place::prepare(target, &path.join("x"))),
        "f" => {
            if let Ok(whole) = place::prepare(target, &path) {
                let _ = place::write(&whole, &mut &b"content"[..], None);
            }
        }
        "l" if place::link_stays_inside(&path, to) => {
            if let Ok(whole) = place::prepare(target, &path) {
                let _ = std::os::unix::fs::symlink(to, whole);
            }
        }
        _ => {}
    }
}

/// Every link below `directory` that leads somewhere leads into the target.
fn stays(directory: &Path, target: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let kind = entry.file_type().expect("it has a kind");
        if kind.is_dir() {
            stays(&path, target);
        } else if let Ok(leads) = path.canonicalize() {
            assert!(leads.starts_with(target), "{path:?} leads to {leads:?}");
        }
    }
}

fn alone(directory: &Path, name: &str) {
    let names: Vec<_> =
        fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(names, [name], "in {directory:?}");
}
