//! Pathname expansion.

use crate::options::Options;
use crate::pattern::{Pattern, is_pattern};
use std::path::{Path, PathBuf};

/// Most paths that one pattern may give, and directories that it may look into.
const MOST: usize = 200_000;

/// A path that is being put together; `None` before its first part.
type Base = Option<String>;

/// The existing paths that match, sorted; relative patterns start at `directory`.
pub(crate) fn expand(pattern: &[(char, bool)], directory: &str, options: &Options) -> Vec<String> {
    let extended = options.is_on("extglob");
    let mut parts = pattern.split(|(next, _)| *next == '/').peekable();
    let mut found: Vec<Base> = vec![None];
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        let recursive = options.is_on("globstar") && part == [('*', false), ('*', false)];
        let mut next = Vec::new();
        for base in &found {
            if recursive {
                descend(base, directory, options, last, &mut next);
            } else if is_pattern(part, extended) {
                let matcher = Matcher::new(part, options);
                for (name, is_directory) in entries(&place(directory, base)) {
                    if matcher.matches(&name) && (last || is_directory) {
                        next.push(join(base, &name));
                    }
                }
            } else {
                let name: String = part.iter().map(|(next, _)| *next).collect();
                let path = join(base, &name);
                // An empty part is a slash. What leads to a mount cannot be looked at itself.
                if name.is_empty() || !last || place(directory, &path).symlink_metadata().is_ok() {
                    next.push(path);
                }
            }
            if next.len() > MOST {
                break;
            }
        }
        found = next;
    }
    let mut paths: Vec<String> = found.into_iter().flatten().filter(|path| !path.is_empty()).collect();
    paths.sort();
    paths
}

fn join(base: &Base, name: &str) -> Base {
    Some(base.as_ref().map_or_else(|| name.to_owned(), |base| format!("{base}/{name}")))
}

/// Matches one name of a directory.
struct Matcher {
    pattern: Pattern,
    hidden: bool,
}

impl Matcher {
    fn new(part: &[(char, bool)], options: &Options) -> Self {
        let hidden = part.first().is_some_and(|(first, _)| *first == '.') || options.is_on("dotglob");
        Self { pattern: Pattern::new(part, options.is_on("extglob")), hidden }
    }

    fn matches(&self, name: &str) -> bool {
        (self.hidden || !name.starts_with('.')) && self.pattern.matches(name)
    }
}

/// The directory that `base` stands for.
fn place(directory: &str, base: &Base) -> PathBuf {
    match base.as_deref() {
        None => Path::new(directory).to_owned(),
        Some("") => Path::new("/").to_owned(),
        Some(base) => Path::new(directory).join(base),
    }
}

fn entries(directory: &Path) -> Vec<(String, bool)> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut names = Vec::new();
    for entry in entries.flatten().take(MOST) {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let is_directory = match entry.file_type() {
            Ok(kind) if kind.is_symlink() => entry.path().is_dir(),
            Ok(kind) => kind.is_dir(),
            Err(_) => false,
        };
        names.push((name, is_directory));
    }
    names
}

/// `**`: this directory and all below it, or at the end of a pattern everything in them.
fn descend(base: &Base, directory: &str, options: &Options, last: bool, found: &mut Vec<Base>) {
    match base {
        // What it matches first is nothing: the directory itself, with its slash.
        Some(base) if last => found.push(Some(format!("{base}/"))),
        None if last => {}
        _ => found.push(base.clone()),
    }
    let mut waiting = vec![base.clone()];
    while let Some(base) = waiting.pop() {
        for (name, is_directory) in entries(&place(directory, &base)) {
            if name.starts_with('.') && !options.is_on("dotglob") {
                continue;
            }
            let path = join(&base, &name);
            // Links are not followed: they may lead in a circle.
            if is_directory && !place(directory, &path).is_symlink() {
                waiting.push(path.clone());
            }
            if last || is_directory {
                found.push(path);
            }
            if found.len() > MOST {
                return;
            }
        }
    }
}
