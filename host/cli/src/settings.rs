//! Where this host lives and what its owner configured.

use crate::config::{Config, Document};
use crate::exit::{Exit, Failure};
use chiton_store::{Home, HomeError, StoreError};
use std::path::{Path, PathBuf};

/// The home and the configuration in it.
pub struct Settings {
    /// The home.
    pub home: Home,
    /// The configuration as it is written.
    pub document: Document,
    /// The configuration as it is meant.
    pub config: Config,
    /// The directory that the bot works in.
    pub workspace: PathBuf,
}

impl Settings {
    /// Opens the home, makes it if there is none, and reads its configuration. Says on standard
    /// error what had to be repaired.
    pub fn load() -> Result<Self, Failure> {
        let home = open_home()?;
        let document = Document::read(&home.config())?;
        let config = document.config()?;
        let workspace = match &config.agents.defaults.workspace {
            Some(path) => home.root().join(expand_home(path)),
            None => home.workspace(),
        };
        Ok(Self { home, document, config, workspace })
    }

    /// Makes the workspace if it is missing and warns when other users could exchange it.
    pub fn prepare_workspace(&self) -> Result<(), Failure> {
        chiton_agent::init_workspace(&self.workspace).map_err(Failure::because(Exit::State))?;
        if let Err(error) = chiton_store::place::trusted_path(&self.workspace) {
            eprintln!("warning: the workspace is not safe from others: {error}");
        }
        Ok(())
    }
}

/// Opens the home and says what had to be repaired.
pub fn open_home() -> Result<Home, Failure> {
    let home = Home::open(&Home::locate()?)?;
    for warning in home.warnings() {
        eprintln!("warning: {warning}");
    }
    Ok(home)
}

/// A path with a leading `~` replaced by the user's home directory.
pub fn expand_home(path: &str) -> PathBuf {
    let rest = match path {
        "~" => "",
        _ => match path.strip_prefix("~/") {
            Some(rest) => rest,
            None => return PathBuf::from(path),
        },
    };
    std::env::home_dir().map_or_else(|| PathBuf::from(path), |home| home.join(rest))
}

/// The directory that relative paths on the command line start at.
pub fn current_directory() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| {
        Failure::new(Exit::Failure, format!("the current directory cannot be used: {error}; change to one that exists"))
    })
}

/// A path from the command line that must name an existing directory.
pub fn existing_directory(path: &Path) -> Result<PathBuf, Failure> {
    let grant = chiton_sandbox::FileGrant::directory(path, chiton_sandbox::Access::Write)?;
    Ok(grant.path)
}

impl From<HomeError> for Failure {
    fn from(error: HomeError) -> Self {
        let exit = match error {
            HomeError::Held { .. } => Exit::Held,
            _ => Exit::State,
        };
        Self::new(exit, error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(Exit::State, error)
    }
}

impl From<crate::config::ConfigError> for Failure {
    fn from(error: crate::config::ConfigError) -> Self {
        Self::new(Exit::Configuration, error)
    }
}

impl From<chiton_sandbox::FileGrantError> for Failure {
    fn from(error: chiton_sandbox::FileGrantError) -> Self {
        chiton_sandbox::GrantError::from(error).into()
    }
}

impl From<chiton_sandbox::GrantError> for Failure {
    fn from(error: chiton_sandbox::GrantError) -> Self {
        let exit = match error {
            chiton_sandbox::GrantError::Files(chiton_sandbox::FileGrantError::Path { .. }) => Exit::NotFound,
            _ => Exit::Usage,
        };
        Self::new(exit, error)
    }
}

impl From<chiton_sandbox::LoadError> for Failure {
    fn from(error: chiton_sandbox::LoadError) -> Self {
        Self::new(Exit::Refused, error)
    }
}

impl From<chiton_sandbox::SandboxError> for Failure {
    fn from(error: chiton_sandbox::SandboxError) -> Self {
        Self::new(Exit::State, error)
    }
}

impl From<chiton_providers::ProviderError> for Failure {
    fn from(error: chiton_providers::ProviderError) -> Self {
        Self::new(Exit::Provider, error)
    }
}

impl From<chiton_skills::PackageError> for Failure {
    fn from(error: chiton_skills::PackageError) -> Self {
        let exit = match error {
            chiton_skills::PackageError::Io { .. } => Exit::State,
            _ => Exit::Refused,
        };
        Self::new(exit, error)
    }
}

impl From<chiton_registry::Error> for Failure {
    fn from(error: chiton_registry::Error) -> Self {
        Self::new(Exit::Refused, error)
    }
}

impl From<crate::project::ProjectError> for Failure {
    fn from(error: crate::project::ProjectError) -> Self {
        Self::new(Exit::Usage, error)
    }
}

impl From<chiton_skills::signature::SignatureError> for Failure {
    fn from(error: chiton_skills::signature::SignatureError) -> Self {
        Self::new(Exit::Refused, error)
    }
}

impl From<chiton_skills::lock::LockError> for Failure {
    fn from(error: chiton_skills::lock::LockError) -> Self {
        Self::new(Exit::Usage, error)
    }
}
