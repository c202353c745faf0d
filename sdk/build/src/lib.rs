//! Builds a guest component from Rust source, from a build script or a test.
//!
//! ```no_run
//! let wasm = chiton_build::build(&chiton_build::Guest::at("tools/file"))?;
//! chiton_build::rerun_if_changed(&wasm); // in a build script
//! # Ok::<(), chiton_build::BuildError>(())
//! ```

mod artifact;
mod compiler;

pub use artifact::rerun_if_changed;

use compiler::Compiler;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// The target of every guest.
pub const TARGET: &str = "wasm32-wasip2";

/// What to build.
#[derive(Clone, Debug)]
pub struct Guest {
    /// Directory of the guest's `Cargo.toml`: a package with a `cdylib`, whose workspace has a profile `guest`.
    pub manifest_dir: PathBuf,
    /// Features to turn on. The output has one name for all features: read it before the next build.
    pub features: Vec<String>,
    /// Where cargo builds. All guests may share one directory, but never that of the host.
    pub target_dir: PathBuf,
}

impl Guest {
    /// The package in `manifest_dir` without features, built in this workspace's `target/guest`.
    pub fn at(manifest_dir: impl Into<PathBuf>) -> Self {
        Self { manifest_dir: manifest_dir.into(), features: Vec::new(), target_dir: workspace().join("target/guest") }
    }
}

/// The directory of the workspace that this crate was built in.
fn workspace() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// No compiler on this machine has the standard library for [`TARGET`].
    #[error("no Rust compiler here can build for {TARGET}; run `make target` in the Chiton checkout once")]
    NoTarget,
    /// A tool of the toolchain did not start.
    #[error("cannot start '{}': {reason}; install Rust from https://rustup.rs", program.display())]
    Start {
        /// The tool.
        program: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// The guest's source does not compile.
    #[error("the guest in '{}' does not compile; cargo says:\n{output}", manifest_dir.display())]
    Compile {
        /// Directory of the guest.
        manifest_dir: PathBuf,
        /// What cargo wrote.
        output: String,
    },
    /// Cargo built, but no component came out.
    #[error(
        "the guest in '{}' gave no component; set crate-type = [\"cdylib\"] in the [lib] section of its Cargo.toml",
        .0.display()
    )]
    NoComponent(PathBuf),
}

/// Builds `guest` and gives the path of its component. Quick when nothing has changed. Always alone: built beside others
/// its dependencies would have their features as well, and everything would be built anew each time.
pub fn build(guest: &Guest) -> Result<PathBuf, BuildError> {
    let messages = cargo_build(guest)?;
    artifact::component(&messages, &guest.manifest_dir)
        .ok_or_else(|| BuildError::NoComponent(guest.manifest_dir.clone()))
}

/// Runs cargo and gives its messages.
fn cargo_build(guest: &Guest) -> Result<Vec<u8>, BuildError> {
    let compiler = Compiler::find()?;
    let mut cargo = compiler.cargo();
    cargo
        .args(["build", "--profile", "guest", "--target", TARGET])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(&guest.manifest_dir)
        .env("CARGO_TARGET_DIR", &guest.target_dir)
        .stdin(Stdio::null());
    if !guest.features.is_empty() {
        cargo.arg("--features").arg(guest.features.join(","));
    }
    let output = cargo.output().map_err(|reason| compiler.not_started(reason))?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(BuildError::Compile {
            manifest_dir: guest.manifest_dir.clone(),
            output: String::from_utf8_lossy(&output.stderr).into_owned(),
        }),
    }
}
