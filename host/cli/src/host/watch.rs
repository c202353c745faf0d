//! Watches the files that approved components came from.

use super::Host;
use crate::exit::Failure;
use crate::rows;
use crate::tools::read_component;
use chiton_sandbox::{Digest, Watch};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

impl Host {
    /// Tells the owner when the file of an approved component changes: what was approved goes on
    /// running until the new bytes are approved.
    pub async fn watch(&self) -> Result<(), Failure> {
        let mut watch = match Watch::new() {
            Ok(watch) => watch,
            Err(error) => {
                self.notice(error.to_string());
                return Ok(());
            }
        };
        let mut watched = BTreeSet::new();
        let mut told: HashMap<PathBuf, Digest> = HashMap::new();
        loop {
            for row in rows::approved(self.store()).await? {
                let path = row.path.map(PathBuf::from);
                if let Some(folder) = path.as_deref().and_then(Path::parent)
                    && watched.insert(folder.to_owned())
                {
                    // A folder that is gone has nothing to tell.
                    watch.add(folder).ok();
                }
            }
            let changed = tokio::select! {
                changed = watch.changed() => changed,
                () = self.inner.approved.notified() => continue,
            };
            self.compare(&changed, &mut told).await?;
        }
    }

    async fn compare(&self, changed: &BTreeSet<PathBuf>, told: &mut HashMap<PathBuf, Digest>) -> Result<(), Failure> {
        for row in rows::approved(self.store()).await? {
            let Some(path) = row.path.map(PathBuf::from) else { continue };
            let meant = changed.contains(&path) || changed.contains(Path::new(""));
            let Some(bytes) = meant.then(|| read_component(&path).ok()).flatten() else { continue };
            let digest = Digest::of(&bytes);
            if digest.to_string() == row.component_digest {
                told.remove(&path);
            } else if told.insert(path.clone(), digest) != Some(digest) {
                self.notice(format!(
                    "{} has changed; the approved version of '{}' keeps running until you run: chiton tool approve {} --name {}",
                    path.display(), row.name, path.display(), row.name
                ));
            }
        }
        Ok(())
    }
}
