//! The walk: which files are seen, in which order.

use std::fs::{self, Metadata};
use std::io::{self, BufWriter, Stdout, Write};
use std::ops::ControlFlow;

use super::expression::{Expression, Follow, Options};

/// A file on the way, as the expression sees it.
pub struct Entry {
    /// The path as it is printed: the root as given, and names below it.
    pub path: String,
    /// Bytes of `path` that are the root it was found under.
    pub root_length: usize,
    /// Directories between the root and the file; 0 is the root.
    pub depth: usize,
    /// Of the file itself, or of what a link leads to where links are followed.
    pub metadata: Metadata,
}

impl Entry {
    /// The last part of the path, without trailing slashes; `/` for the root of all.
    pub fn name(&self) -> &str {
        let trimmed = self.path.trim_end_matches('/');
        if trimmed.is_empty() { "/" } else { trimmed.rsplit('/').next().unwrap_or(trimmed) }
    }
}

/// What the expression can tell the walk.
#[derive(Default)]
pub struct Answer {
    /// Do not go into this directory.
    pub prune: bool,
    /// End the walk.
    pub quit: bool,
}

/// The state of the whole walk.
pub struct Walk<'a> {
    options: &'a Options,
    /// Standard output, buffered.
    pub output: BufWriter<Stdout>,
    /// Whether anything could not be read, removed or run.
    pub failed: bool,
}

impl<'a> Walk<'a> {
    /// A walk that has seen nothing yet.
    pub fn new(options: &'a Options) -> Self {
        Self { options, output: BufWriter::new(io::stdout()), failed: false }
    }

    /// Walks one root.
    pub fn visit_root(&mut self, root: &str, expression: &mut Expression) -> ControlFlow<()> {
        let follow = self.options.follow != Follow::Never;
        self.visit(root.to_owned(), root.len(), 0, follow, expression)
    }

    /// Says what went wrong with a file, and goes on.
    pub fn complain(&mut self, path: &str, problem: &io::Error) {
        self.failed = true;
        self.flush();
        eprintln!("find: \u{2018}{path}\u{2019}: {}", describe(problem));
    }

    /// Writes out what is printed so far; before another program prints.
    pub fn flush(&mut self) {
        if self.output.flush().is_err_and(|problem| problem.kind() == io::ErrorKind::BrokenPipe) {
            chiton_program::end(chiton_program::BROKEN_PIPE);
        }
    }

    /// Prints bytes; a reader that is gone ends the program.
    pub fn print(&mut self, bytes: &[u8]) {
        if self.output.write_all(bytes).is_err_and(|problem| problem.kind() == io::ErrorKind::BrokenPipe) {
            chiton_program::end(chiton_program::BROKEN_PIPE);
        }
    }

    fn visit(
        &mut self,
        path: String,
        root_length: usize,
        depth: usize,
        follow: bool,
        expression: &mut Expression,
    ) -> ControlFlow<()> {
        let metadata = match metadata(&path, follow) {
            Ok(metadata) => metadata,
            Err(problem) => {
                self.complain(&path, &problem);
                return ControlFlow::Continue(());
            }
        };
        let entry = Entry { path, root_length, depth, metadata };
        let enter = entry.metadata.is_dir() && self.options.max_depth.is_none_or(|most| depth < most);
        if self.options.depth_first {
            if enter {
                self.visit_children(&entry, expression)?;
            }
            let answer = self.evaluate(&entry, expression);
            return if answer.quit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        }
        let answer = self.evaluate(&entry, expression);
        if answer.quit {
            return ControlFlow::Break(());
        }
        if enter && !answer.prune { self.visit_children(&entry, expression) } else { ControlFlow::Continue(()) }
    }

    fn evaluate(&mut self, entry: &Entry, expression: &mut Expression) -> Answer {
        let mut answer = Answer::default();
        if entry.depth >= self.options.min_depth {
            expression.evaluate(entry, self, &mut answer);
        }
        answer
    }

    fn visit_children(&mut self, entry: &Entry, expression: &mut Expression) -> ControlFlow<()> {
        let names = match children(&entry.path) {
            Ok(names) => names,
            Err(problem) => {
                self.complain(&entry.path, &problem);
                return ControlFlow::Continue(());
            }
        };
        let follow = self.options.follow == Follow::Always;
        let slash = if entry.path.ends_with('/') { "" } else { "/" };
        for name in names {
            let path = format!("{}{slash}{name}", entry.path);
            if follow && leads_back(&path) {
                self.complain(&path, &io::Error::other("File system loop detected"));
                continue;
            }
            self.visit(path, entry.root_length, entry.depth + 1, follow, expression)?;
        }
        ControlFlow::Continue(())
    }
}

/// Of the file a link leads to; of the link itself where it leads nowhere or links are not followed.
fn metadata(path: &str, follow: bool) -> io::Result<Metadata> {
    if follow { fs::metadata(path).or_else(|_| fs::symlink_metadata(path)) } else { fs::symlink_metadata(path) }
}

/// Sorted, so that the same tree gives the same output on every host.
fn children(directory: &str) -> io::Result<Vec<String>> {
    let mut names = fs::read_dir(directory)?
        .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort_unstable();
    Ok(names)
}

/// Whether a link leads to a directory that contains it.
fn leads_back(path: &str) -> bool {
    if !fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
        return false;
    }
    let (Ok(target), Some(parent)) = (identity(path), std::path::Path::new(path).parent()) else { return false };
    parent.ancestors().any(|above| {
        let above = if above.as_os_str().is_empty() { ".".as_ref() } else { above };
        identity(above).is_ok_and(|id| id == target)
    })
}

/// Device and inode of what a path leads to.
pub fn identity(path: impl AsRef<std::path::Path>) -> io::Result<(u64, u64)> {
    let stat = rustix::fs::stat(path.as_ref())?;
    Ok((stat.st_dev, stat.st_ino))
}

/// The error as C programs say it, without Rust's number.
pub fn describe(problem: &io::Error) -> String {
    let text = problem.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}
