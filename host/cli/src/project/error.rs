//! Why a project is not made or not built.

use std::path::{Path, PathBuf};

/// Why a project is not made or not built, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// The name does not fit.
    #[error("'{0}' is no name for a skill; take 1 to 48 of a-z, 0-9 and '-', with a letter first and no '-' last")]
    Name(String),
    /// There is no template for the first; the second are those that there is one for.
    #[error("there is no template for the language '{0}'; take one of {1}")]
    Language(String, String),
    /// The language has no component of its own.
    #[error(
        "a component of TypeScript is made as one of JavaScript: take --lang javascript --component, and name a .ts file in the `command` of skill.toml"
    )]
    NoComponent,
    /// Something is in the way.
    #[error("'{}' exists already; choose another name or move it away", .0.display())]
    Exists(PathBuf),
    /// What was tried with a file or folder, and what the system says.
    #[error("cannot {0} '{path}': {2}; check its permissions and the room on the disk", path = .1.display())]
    Files(&'static str, PathBuf, std::io::Error),
    /// There is no `skill.toml`.
    #[error("'{}' has no skill.toml; run this in the folder of a skill, or make one with 'chiton skill new'", .0.display())]
    NoManifest(PathBuf),
    /// The `skill.toml` cannot be read.
    #[error(transparent)]
    Manifest(#[from] chiton_skills::ManifestError),
    /// The skill is a script, or its author builds it in another way.
    #[error("there is nothing to build: skill.toml has no [build]; a script runs as it is")]
    Nothing,
    /// `[build]` makes something that has no place.
    #[error("skill.toml has a [build] but not where its result goes; add a line such as: component = \"weather.wasm\"")]
    NoPlace,
    /// `[build]` names an empty command.
    #[error("the [build] of skill.toml names no command; write one such as: command = [\"cargo\", \"build\"]")]
    NoCommand,
    /// A program of the toolchain does not start: what the system says, and how to get it.
    #[error("cannot start '{0}': {1}; {2}")]
    Start(String, std::io::Error, &'static str),
    /// The compiler lacks the standard library for components.
    #[error("Rust cannot build for {0} here; run 'rustup target add {0}' and try again")]
    Target(String),
    /// The command line says that it failed.
    #[error("the build failed ({1}): {0}; see what it wrote above")]
    Failed(String, std::process::ExitStatus),
    /// The command made nothing.
    #[error("the build went well but made no '{}'; correct `output` in the [build] of skill.toml", .0.display())]
    NoOutput(PathBuf),
}

impl ProjectError {
    /// Says what was tried with which path when the system refused it.
    pub(super) fn files(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |reason| Self::Files(action, path.to_path_buf(), reason)
    }
}
