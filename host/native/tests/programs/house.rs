//! A place to run programs in: a workspace, a secret outside it, and approved programs.

use chiton_native::{
    Directory, Exit, Limits, Native, NativeError, Options, Pinned, ProgramGrant, Request, Search, Wall,
};
use std::io::Cursor;
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

/// The child of this crate.
pub fn child() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_chiton-native-child"))
}

/// A program with the habits of an attacker; see its source.
pub fn hostile() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_chiton-native-hostile"))
}

/// What a run gave.
#[derive(Debug)]
pub struct Outcome {
    pub result: Result<Exit, NativeError>,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Outcome {
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    pub fn code(&self) -> u8 {
        match &self.result {
            Ok(exit) => exit.code,
            Err(error) => panic!("{error}"),
        }
    }

    /// The grant that a refusal names.
    pub fn denied(&self) -> &str {
        match &self.result {
            Err(NativeError::Denied { grant, .. }) => grant,
            other => panic!("{other:?}, standard error: {}", self.err()),
        }
    }
}

pub struct House {
    pub root: tempfile::TempDir,
    pub native: Native,
    pub writable: bool,
    pub limits: Limits,
    pub input: Option<Vec<u8>>,
}

impl House {
    pub fn new() -> Self {
        Self::with(Options::new(child(), Vec::new()))
    }

    pub fn with(options: Options) -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("workspace")).unwrap();
        std::fs::write(root.path().join("secret"), "the canary").unwrap();
        Self { root, native: Native::new(options), writable: true, limits: Limits::default(), input: None }
    }

    /// On a kernel without one system call.
    pub fn lacking(call: &str, may_be_missing: &[Wall]) -> Self {
        let arguments = vec!["without".into(), call.into(), child().into()];
        let mut options = Options::new(hostile(), arguments);
        options.may_be_missing.extend(may_be_missing);
        Self::with(options)
    }

    pub fn workspace(&self) -> PathBuf {
        self.root.path().canonicalize().unwrap().join("workspace")
    }

    pub fn directory(&self) -> Directory {
        Directory::open(&self.workspace(), self.writable).unwrap()
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.workspace().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Approves a program of the system.
    pub fn approve(grant: &str) -> Pinned {
        Pinned::resolve(ProgramGrant::parse(grant).unwrap(), &Search::default(), &[]).unwrap()
    }

    /// Approves the attacker.
    pub fn approve_hostile() -> Pinned {
        let hostile = hostile();
        let search = Search::of(vec![hostile.parent().unwrap().to_owned()]);
        Pinned::resolve(ProgramGrant::parse("chiton-native-hostile").unwrap(), &search, &[]).unwrap()
    }

    pub async fn run(&self, pinned: &Pinned, argv: &[&str]) -> Outcome {
        self.run_in(pinned, argv, &[self.directory()], &self.workspace(), &CancellationToken::new()).await
    }

    /// Runs the command under a grant of its own first words.
    pub async fn allowed(&self, grant: &str, argv: &[&str]) -> Outcome {
        self.run(&Self::approve(grant), argv).await
    }

    /// Runs the attacker in one of its habits.
    pub async fn hostile(&self, arguments: &[&str]) -> Outcome {
        let argv: Vec<&str> = ["chiton-native-hostile"].iter().chain(arguments).copied().collect();
        self.run(&Self::approve_hostile(), &argv).await
    }

    pub async fn run_in(
        &self,
        pinned: &Pinned,
        argv: &[&str],
        directories: &[Directory],
        cwd: &Path,
        cancel: &CancellationToken,
    ) -> Outcome {
        let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
        let request = Request { program: pinned, argv: &argv, cwd, directories, limits: self.limits };
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let stdin = self.input.clone().map(Cursor::new);
        let result = self.native.run(request, stdin, &mut stdout, &mut stderr, cancel).await;
        Outcome { result, stdout, stderr }
    }
}
