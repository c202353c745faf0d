//! What the tests of the program share: a home of its own for each, and runs of the real binary.

#![allow(dead_code, reason = "each test file uses a part of it")]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;

/// A home, a directory to work in, and runs of `chiton` in them.
pub struct Home {
    folder: TempDir,
}

/// What a run gave.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// The run, which must have succeeded.
    pub fn good(self) -> Self {
        assert_eq!(self.code, 0, "{self:#?}");
        self
    }

    /// The run, which must have failed with `code` and one sentence that contains `words`.
    pub fn bad(self, code: i32, words: &str) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        let said: Vec<_> = self.stderr.lines().filter(|line| line.starts_with("chiton: ")).collect();
        assert_eq!(said.len(), 1, "{self:#?}");
        assert!(said[0].contains(words), "{self:#?}");
        self
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Home {
    /// A home in which the built-in tools are compiled already.
    pub fn new() -> Self {
        static COMPILED: OnceLock<TempDir> = OnceLock::new();
        let compiled = COMPILED.get_or_init(|| {
            let home = Self::empty();
            home.run(&["tool", "list"]).good();
            home.folder
        });
        let home = Self::empty();
        copy(&compiled.path().join("home/cache"), &home.root().join("cache"));
        home
    }

    /// A home in which the engine of JavaScript is compiled as well.
    pub fn with_engine() -> Self {
        static COMPILED: OnceLock<TempDir> = OnceLock::new();
        let compiled = COMPILED.get_or_init(|| {
            let home = Self::new();
            let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/javascript/template");
            home.run(&["skill", "check", template.to_str().unwrap()]).good();
            home.folder
        });
        let home = Self::empty();
        copy(&compiled.path().join("home/cache"), &home.root().join("cache"));
        home
    }

    /// A home with nothing in it.
    pub fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "work"] {
            let path = folder.path().join(name);
            std::fs::create_dir(&path).unwrap();
            std::os::unix::fs::chown(&path, None, None).unwrap();
            private(&path);
        }
        Self { folder }
    }

    /// The home.
    pub fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("home")
    }

    /// Where the commands run.
    pub fn work(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("work")
    }

    pub fn configure(&self, text: &str) {
        std::fs::write(self.root().join("config.json"), text).unwrap();
        private(&self.root().join("config.json"));
    }

    /// Puts a skill into the home.
    pub fn skill(&self, name: &str, description: &str) {
        let folder = self.root().join("skills").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("SKILL.md"), format!("---\ndescription: {description}\n---\nDo it.\n")).unwrap();
    }

    /// Configures a model at `base`.
    pub fn use_model(&self, base: &str) {
        let config = serde_json::json!({
            "agents": {"defaults": {"model": "fake", "provider": "mine"}},
            "providers": {"mine": {"apiBase": base, "apiKey": "sk-canary-7f3a"}},
        });
        self.configure(&config.to_string());
    }

    /// The command, ready to run: nothing of the environment but the path.
    pub fn chiton(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("chiton"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("CHITON_HOME", self.root())
            .env("HOME", self.folder.path())
            .current_dir(self.work())
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.chiton(arguments).output().unwrap().into()
    }

    /// Calls a tool.
    pub fn call(&self, tool: &str, arguments: Value, grants: &[&str]) -> Ran {
        let arguments = arguments.to_string();
        let mut line = vec!["tool", "call", tool, &arguments];
        for grant in grants {
            line.extend(["--grant", grant]);
        }
        self.run(&line)
    }

    /// Writes a file in the working directory and gives its path.
    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.work().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = if path.is_dir() { 0o700 } else { 0o600 };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    private(to);
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), &target).unwrap()),
        }
    }
}

/// The mode of a file or folder.
pub fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    path.symlink_metadata().unwrap().permissions().mode() & 0o777
}
