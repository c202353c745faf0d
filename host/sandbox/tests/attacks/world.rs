//! A sandbox with a recorded audit trail and a healthy tool that must answer after every attack.

use chiton_sandbox::{
    AuditRecord, CallError, CallOutcome, CallRequest, Compiler, Component, FileGrant, Grants, Limits, LoadError, Part,
    Sandbox, SandboxOptions, SessionRights, Verdict,
};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// What a call may take beyond its limit.
pub const GRACE: Duration = Duration::from_millis(250);

pub struct World {
    pub sandbox: Sandbox,
    pub directory: tempfile::TempDir,
    records: Arc<Mutex<Vec<AuditRecord>>>,
}

impl World {
    /// A sandbox with the default limits and a cache that all tests share.
    pub fn new() -> Self {
        Self::with(Limits::default())
    }

    /// The same, but calls end after so many milliseconds.
    pub fn ending_after(milliseconds: u64) -> Self {
        let time = Duration::from_millis(milliseconds);
        Self::with(Limits { time, ..Limits::default() })
    }

    pub fn with(ceiling: Limits) -> Self {
        let cache_dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("code");
        Self::custom(|options| {
            options.cache_dir = cache_dir;
            options.ceiling = ceiling;
        })
    }

    pub fn custom(change: impl FnOnce(&mut SandboxOptions)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let records = Arc::new(Mutex::new(Vec::new()));
        let sink = records.clone();
        let mut options = SandboxOptions {
            cache_dir: directory.path().join("code"),
            compiler: compiling_child(),
            audit: Arc::new(move |record: AuditRecord| sink.lock().unwrap().push(record)),
            ceiling: Limits::default(),
            total_memory: 4 << 30,
            protected: Vec::new(),
            closed_to_skills: Vec::new(),
        };
        change(&mut options);
        Self { sandbox: Sandbox::new(options).unwrap(), directory, records }
    }

    /// Loads and publishes, as an approved foreign component.
    pub async fn publish(&self, slot: &str, bytes: Vec<u8>) -> Result<Arc<Component>, LoadError> {
        let component = self.sandbox.load(bytes).await?;
        self.sandbox.publish(slot, component.clone(), Grants::default())?;
        Ok(component)
    }

    /// A world with the probe and these grants.
    pub async fn probing(self, files: Vec<FileGrant>) -> Self {
        let component = self.sandbox.load(chiton_hostile::probe()).await.unwrap();
        self.sandbox.publish("probe", component, Grants { files, ..Grants::default() }).unwrap();
        self
    }

    pub fn request(tool: &str, arguments: Value) -> CallRequest {
        CallRequest {
            tool: tool.to_owned(),
            arguments,
            session: SessionRights::of("test:hostile"),
            limits: None,
            cancel: CancellationToken::new(),
            progress: None,
        }
    }

    pub async fn call(&self, tool: &str, arguments: Value) -> CallOutcome {
        self.sandbox.call(Self::request(tool, arguments)).await
    }

    /// Calls a tool of the text components and says how long it took in all.
    pub async fn timed(&self, tool: &str) -> (CallOutcome, Duration) {
        let started = Instant::now();
        let outcome = self.call(tool, json!({ "some": "argument" })).await;
        (outcome, started.elapsed())
    }

    /// Runs one operation of the probe in the tool `probe_write`.
    pub async fn op(&self, op: Value) -> Result<Result<Value, String>, CallError> {
        self.op_of("probe_write", op).await
    }

    /// Runs one operation in this tool: what it gave or its error code, or how the call ended.
    pub async fn op_of(&self, tool: &str, op: Value) -> Result<Result<Value, String>, CallError> {
        let parts = self.call(tool, json!({ "ops": [op] })).await.result?;
        let [Part::Json(results)] = parts.as_slice() else {
            panic!("the probe answers one JSON part, not {parts:?}");
        };
        let results: Value = serde_json::from_str(results).unwrap();
        Ok(match &results[0]["err"] {
            Value::Null => Ok(results[0]["ok"].clone()),
            error => Err(error.as_str().unwrap_or_default().to_owned()),
        })
    }

    /// The value of an operation that must work.
    pub async fn value(&self, op: Value) -> Value {
        self.op(op.clone()).await.unwrap().unwrap_or_else(|code| panic!("{op}: {code}"))
    }

    /// Asserts S4: another tool answers within 250 ms.
    pub async fn assert_alive(&self) {
        let component = self.sandbox.load(chiton_hostile::tool("healthy")).await.unwrap();
        self.sandbox.publish("healthy", component, Grants::default()).unwrap();
        let (outcome, elapsed) = self.timed("healthy").await;
        assert_eq!(outcome.result.unwrap(), [Part::Text("done".to_owned())]);
        assert!(elapsed < GRACE, "a healthy call took {elapsed:?}");
    }

    /// All records with this verdict so far.
    pub fn records(&self, verdict: Verdict) -> Vec<AuditRecord> {
        let records = self.records.lock().unwrap();
        records.iter().filter(|record| record.verdict == verdict).cloned().collect()
    }

    pub fn forget_records(&self) {
        self.records.lock().unwrap().clear();
    }
}

pub fn compiling_child() -> Compiler {
    Compiler::Child {
        program: PathBuf::from(env!("CARGO_BIN_EXE_chiton-compile-child")),
        arguments: Vec::<OsString>::new(),
    }
}

/// Megabytes of memory that this process holds, file mappings aside.
pub fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() >> 10
}
