//! Watches the files that approved components came from, and the skills.

use super::Host;
use crate::exit::Failure;
use crate::request::Decision;
use crate::rows;
use crate::tools::read_component;
use crate::watch::Watch;
use chiton_sandbox::Digest;
use chiton_skills::{Package, PackageError};
use chiton_store::SkillState;
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
        self.tidy_skills().await?;
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
            self.look_for_skills(&mut watch, &mut watched).await?;
            let changed = tokio::select! {
                changed = watch.changed() => changed,
                () = self.inner.approved.notified() => continue,
            };
            self.compare(&changed, &mut told).await?;
        }
    }

    /// Makes known which skills there are now, and watches their folders: a skill may be copied in file by file.
    async fn look_for_skills(&self, watch: &mut Watch, watched: &mut BTreeSet<PathBuf>) -> Result<(), Failure> {
        // A folder that went and came back has to be watched anew.
        watched.retain(|folder| folder.exists());
        let root = self.settings().home.skills();
        let entries = std::fs::read_dir(&root).into_iter().flatten().flatten();
        let folders = entries
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
            .map(|entry| entry.path());
        for folder in std::iter::once(root.clone()).chain(folders) {
            if watched.insert(folder.clone()) {
                watch.add(&folder).ok();
            }
        }
        for folder in watched.iter().filter(|folder| folder.parent() == Some(&root)) {
            let taken = match Package::read(folder) {
                Ok(package) => self.found(&package, folder).await,
                // It may be on its way here, file by file.
                Err(PackageError::Nothing(_)) => Ok(()),
                Err(error) => Err(error.into()),
            };
            if let Err(failure) = taken {
                self.notice_once(format!("the skill in {} is not taken: {}", folder.display(), failure.message));
            }
        }
        Ok(())
    }

    /// Takes what the owner put into the folder of skills by hand, once for each content.
    async fn found(&self, package: &Package, folder: &Path) -> Result<(), Failure> {
        let digest = package.digest().to_string();
        if self.versions(package.name()).await?.iter().any(|row| row.digest == digest) {
            return Ok(());
        }
        match self.take_package(package, folder.display().to_string(), false).await {
            Ok(dialog) if dialog.state == SkillState::Active => {}
            // Text that asks for nothing gets nothing; the owner put it here.
            Ok(dialog) if dialog.asked.is_empty() && dialog.tools.is_empty() => {
                self.decide_skill(&dialog.name, &dialog.digest, Decision::Always, None).await?;
            }
            Ok(dialog) => self.notice(format!("{}\nTo let it run: /approve {}", dialog.text(), dialog.number)),
            Err(failure) => return Err(failure),
        }
        Ok(())
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
