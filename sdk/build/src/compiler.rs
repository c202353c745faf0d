//! Which compiler builds guests, and in which environment.

use crate::{BuildError, TARGET};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

/// `debian` takes the toolchain that `sdk/wasm-target.sh` made from Debian's packages even if the
/// current one could build guests.
pub(crate) const FROM: &str = "WASM_TARGET_FROM";

/// Cargo's own settings that reach the guest's build; everything else of the outer cargo would disturb it.
const KEPT: [&str; 7] =
    ["CARGO_HOME", "CARGO_NET_", "CARGO_HTTP_", "CARGO_REGISTR", "CARGO_SOURCE_", "CARGO_TERM_", "CARGO_BUILD_JOBS"];

/// What an outer cargo sets for build scripts and wrappers, beside `CARGO*` and `RUST*FLAGS`.
const DROPPED: [&str; 12] = [
    "RUSTC",
    "RUSTDOC",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_LINKER",
    "TARGET",
    "HOST",
    "PROFILE",
    "OPT_LEVEL",
    "DEBUG",
    "OUT_DIR",
    "NUM_JOBS",
];

/// A cargo and a rustc that have the standard library of the guests' target.
pub(crate) struct Compiler {
    cargo: PathBuf,
    rustc: PathBuf,
}

impl Compiler {
    /// The current toolchain if it has the target, else the one made by `sdk/wasm-target.sh`.
    pub(crate) fn find() -> Result<Self, BuildError> {
        let tool = |variable, name| std::env::var_os(variable).map_or_else(|| PathBuf::from(name), PathBuf::from);
        let current = Self { cargo: tool("CARGO", "cargo"), rustc: tool("RUSTC", "rustc") };
        let debian_only = std::env::var_os(FROM).is_some_and(|from| from == "debian");
        if !debian_only && has_target(&current.rustc) {
            return Ok(current);
        }
        let made = made_prefix().ok_or(BuildError::NoTarget)?;
        let made = Self { cargo: made.join("bin/cargo"), rustc: made.join("bin/rustc") };
        if has_target(&made.rustc) { Ok(made) } else { Err(BuildError::NoTarget) }
    }

    /// A cargo command in an environment that knows nothing of an outer cargo.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(&self.cargo);
        for (name, _) in std::env::vars_os() {
            if disturbs(&name) {
                command.env_remove(name);
            }
        }
        command.env("RUSTC", &self.rustc);
        command
    }

    pub(crate) fn not_started(&self, reason: std::io::Error) -> BuildError {
        BuildError::Start { program: self.cargo.clone(), reason }
    }
}

fn disturbs(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    let of_cargo = name.starts_with("CARGO") && !KEPT.iter().any(|kept| name.starts_with(kept));
    let flags = name.starts_with("RUST") && name.ends_with("FLAGS");
    of_cargo || flags || DROPPED.contains(&name)
}

fn has_target(rustc: &Path) -> bool {
    let asked = Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output();
    let Some(printed) = asked.ok().filter(|output| output.status.success()) else {
        return false;
    };
    let Ok(directory) = String::from_utf8(printed.stdout) else {
        return false;
    };
    std::fs::read_dir(directory.trim_end()).is_ok_and(|files| files.flatten().any(|file| is_std(&file.file_name())))
}

fn is_std(file: &OsStr) -> bool {
    file.to_str().is_some_and(|name| name.starts_with("libstd-") && name.ends_with(".rlib"))
}

/// Where `sdk/wasm-target.sh` puts what it makes.
fn made_prefix() -> Option<PathBuf> {
    let set = |variable| std::env::var_os(variable).filter(|value: &OsString| !value.is_empty()).map(PathBuf::from);
    let data = set("XDG_DATA_HOME").or_else(|| Some(set("HOME")?.join(".local/share")))?;
    Some(data.join("chiton/wasm-toolchain"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_the_outer_cargo_are_dropped_and_settings_of_the_person_kept() {
        for name in ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "CARGO_TARGET_DIR", "RUSTC_WORKSPACE_WRAPPER", "OUT_DIR"] {
            assert!(disturbs(OsStr::new(name)), "{name}");
        }
        for name in ["CARGO_HOME", "CARGO_NET_OFFLINE", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "PATH", "HTTPS_PROXY"] {
            assert!(!disturbs(OsStr::new(name)), "{name}");
        }
    }
}
