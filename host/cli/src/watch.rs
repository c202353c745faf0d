//! Watching folders for new bytes of components.

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Quiet time after the last change before a file counts as written.
const QUIET: Duration = Duration::from_millis(300);
/// Changes that may follow each other before they are reported all the same.
const LONGEST_WAIT: usize = 1_000;

/// A folder that cannot be watched.
#[derive(Debug, thiserror::Error)]
#[error("{path} cannot be watched for changes: {reason}")]
pub struct WatchError {
    path: PathBuf,
    reason: String,
}

/// Reports what changed in some folders. Stops when dropped.
pub struct Watch {
    quiet: Duration,
    watcher: RecommendedWatcher,
    changes: Arc<Changes>,
}

#[derive(Default)]
struct Changes {
    paths: Mutex<BTreeSet<PathBuf>>,
    more: Notify,
}

impl Changes {
    fn add(&self, event: notify::Event, roots: impl FnOnce() -> Vec<PathBuf>) {
        let lost_events = event.need_rescan();
        if !lost_events && event.kind.is_access() {
            return;
        }
        let mut paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        paths.extend(if lost_events { roots() } else { event.paths });
        self.more.notify_one();
    }

    fn is_empty(&self) -> bool {
        self.paths.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn take(&self) -> BTreeSet<PathBuf> {
        std::mem::take(&mut *self.paths.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Watch {
    /// Watches nothing yet.
    pub fn new() -> Result<Self, WatchError> {
        let changes = Arc::new(Changes::default());
        let seen = changes.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if let Ok(event) = event {
                // An overflow names no path; the empty one asks the reader to look at everything.
                seen.add(event, || vec![PathBuf::new()]);
            }
        });
        let watcher = watcher
            .map_err(|error| WatchError { path: PathBuf::from("the file system"), reason: error.to_string() })?;
        Ok(Self { quiet: QUIET, watcher, changes })
    }

    /// The same, which reports after a shorter quiet time.
    pub fn after(self, quiet: Duration) -> Self {
        Self { quiet, ..self }
    }

    /// Adds a folder, without the folders in it.
    pub fn add(&mut self, folder: &Path) -> Result<(), WatchError> {
        self.watcher
            .watch(folder, RecursiveMode::NonRecursive)
            .map_err(|error| WatchError { path: folder.to_owned(), reason: error.to_string() })
    }

    /// Waits until something changed and then was quiet for a moment. An empty path among the
    /// results means that events were lost: look at everything again.
    pub async fn changed(&self) -> BTreeSet<PathBuf> {
        loop {
            // What a caller who did not stay until the end heard of is still there.
            if self.changes.is_empty() {
                self.changes.more.notified().await;
            }
            for _ in 0..LONGEST_WAIT {
                if tokio::time::timeout(self.quiet, self.changes.more.notified()).await.is_err() {
                    break;
                }
            }
            let paths = self.changes.take();
            if !paths.is_empty() {
                return paths;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_written_in_many_steps_is_reported_once_when_it_is_quiet() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let mut watch = Watch::new().unwrap();
        watch.add(&folder).unwrap();
        let file = folder.join("tool.wasm");
        for step in 0..20 {
            std::fs::write(&file, vec![0; step]).unwrap();
        }
        let changed = watch.changed().await;
        assert!(changed.contains(&file), "{changed:?}");
        let again = tokio::time::timeout(Duration::from_millis(600), watch.changed()).await;
        assert!(again.is_err(), "{again:?}");
    }

    #[tokio::test]
    async fn what_changed_while_the_caller_went_away_is_reported_to_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let mut watch = Watch::new().unwrap();
        watch.add(folder.path()).unwrap();
        std::fs::write(folder.path().join("tool.c"), "x").unwrap();
        // Away during the quiet time, when the change was heard of.
        assert!(tokio::time::timeout(QUIET / 2, watch.changed()).await.is_err());
        let told = tokio::time::timeout(QUIET * 3, watch.changed()).await;
        assert!(told.is_ok_and(|changed| !changed.is_empty()));
    }

    #[test]
    fn a_folder_that_does_not_exist_cannot_be_watched() {
        let error = Watch::new().unwrap().add(Path::new("/nonexistent/folder")).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/folder"));
    }
}
