//! Skills that the model wrote: checked, tried with their examples, and put before the owner, who alone decides.

use super::desk::Desk;
use super::{Host, waiting};
use crate::dialog;
use crate::examples;
use crate::exit::Failure;
use async_trait::async_trait;
use chiton_sandbox::FileGrant;
use chiton_sandbox::ports::{Caller, PortError, Proposals};
use chiton_skills::Package;
use chiton_store::SkillState;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

/// Most proposals that wait at once: more would only tire the owner.
const MOST: usize = 5;
/// How the source of a proposed skill begins.
const SOURCE: &str = "a proposal in ";

#[async_trait]
impl Proposals for Desk {
    async fn propose(&self, caller: &Caller, files: &[FileGrant], folder: &str) -> Result<String, PortError> {
        let host = self.host().map_err(PortError::Failed)?;
        let (path, opened) = open(files, Path::new(folder))?;
        let package = Package::read_at(opened, &path).map_err(|error| PortError::Invalid(error.to_string()))?;
        host.propose(&package, caller).await.map_err(|failure| PortError::Invalid(failure.message))
    }
}

/// Opens a folder in one of the directories that the call may read, without following a link anywhere.
fn open(files: &[FileGrant], folder: &Path) -> Result<(PathBuf, OwnedFd), PortError> {
    let first = files.first().map(|grant| grant.path.join(folder));
    let path = first.filter(|path| path.components().all(|part| !matches!(part, Component::ParentDir)));
    let root =
        files.iter().map(|grant| &grant.path).find(|root| path.as_ref().is_some_and(|path| path.starts_with(root)));
    let inner = root.and_then(|root| path.as_deref()?.strip_prefix(root).ok());
    let (Some(path), Some(root), Some(inner)) = (&path, root, inner) else {
        let grant = format!("files={}:read", folder.display());
        return Err(PortError::Denied { grant, target: folder.display().to_string() });
    };
    let directory = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(CWD, root, directory | OFlags::PATH, Mode::empty()).and_then(|root| {
        let inner = if inner.as_os_str().is_empty() { Path::new(".") } else { inner };
        let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        rustix::fs::openat2(root, inner, directory, Mode::empty(), beneath)
    });
    match opened {
        Ok(opened) => Ok((path.clone(), opened)),
        Err(error) => Err(PortError::NotFound(format!("the folder {} cannot be opened: {error}", path.display()))),
    }
}

impl Host {
    async fn propose(&self, package: &Package, caller: &Caller) -> Result<String, Failure> {
        let rows = self.store().skills().await?;
        let proposals = rows.iter().filter(|row| row.state == SkillState::Waiting && row.source.starts_with(SOURCE));
        if proposals.filter(|row| row.name != package.name()).count() >= MOST {
            return Ok(format!(
                "Not taken: {MOST} proposals wait for the owner already; let them decide on those first."
            ));
        }
        let taken = rows.iter().find(|row| {
            row.name == package.name()
                && matches!(row.state, SkillState::Active | SkillState::Waiting)
                && !row.source.starts_with(SOURCE)
        });
        if taken.is_some() {
            return Ok(format!("Not taken: '{}' is a skill of the owner's; give yours another name.", package.name()));
        }
        let digest = package.digest().to_string();
        if let Some(row) = rows.iter().find(|row| row.digest == digest && row.name == package.name()) {
            return Ok(format!("Nothing was done: exactly these files are known and {}.", row.state.as_str()));
        }
        let component = self.inspect(package).await?;
        let source = format!("{SOURCE}{}", caller.session.session);
        let row = waiting(package, component.as_deref(), &dialog::asked(package), source.clone());
        let place = self.settings().home.scratch().join(format!("proposal-{}", uuid::Uuid::now_v7()));
        package.store(&place)?;
        let outcomes = examples::run(self.settings(), package, row, &place).await;
        std::fs::remove_dir_all(&place).ok();
        let outcomes = outcomes?;
        let wrong: Vec<String> = outcomes
            .iter()
            .filter_map(|outcome| Some(format!("- {}: {}", outcome.tool, outcome.wrong.as_ref()?)))
            .collect();
        if !wrong.is_empty() {
            return Ok(format!("Not put before the owner, since these examples do not hold:\n{}", wrong.join("\n")));
        }
        if component.is_some() && outcomes.is_empty() {
            return Ok(
                "Not put before the owner: its skill.toml declares no [[examples]] that show that it works.".to_owned()
            );
        }
        let mut dialog = self.take_package(package, source, false).await?;
        if dialog.state == SkillState::Active {
            return Ok(format!("{} runs already, with exactly these files.", dialog.title()));
        }
        if caller.session.tainted {
            dialog.warnings.insert(0, "it was written in a turn that had read what strangers wrote".to_owned());
        }
        self.notice(format!(
            "{0}\nTo let it run: /approve {1}   To refuse it: /deny {1}",
            dialog.text(),
            dialog.number
        ));
        Ok(format!(
            "{} examples hold. It waits for the owner, who sees what it asks for and decides with: /approve {}",
            outcomes.len(),
            dialog.number
        ))
    }
}
