//! A world of directories around a guest, and what the guest may do in it.

use chiton_sandbox::{
    Access, AuditRecord, CallError, CallRequest, Compiler, FileGrant, Grants, Limits, Part, Quota, Sandbox,
    SandboxOptions, SessionRights, Verdict,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// What no guest may ever read.
pub const CANARY: &str = "canary: outside of every grant";

struct Machine {
    runtime: Runtime,
    sandbox: Sandbox,
    records: Arc<Mutex<Vec<AuditRecord>>>,
    _cache: TempDir,
    home: TempDir,
}

/// One sandbox for all tests, so that the guest is compiled once.
fn machine() -> &'static Machine {
    static MACHINE: OnceLock<Machine> = OnceLock::new();
    MACHINE.get_or_init(|| {
        let runtime = Runtime::new().unwrap();
        let records = Arc::new(Mutex::new(Vec::new()));
        let (cache, home) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let sandbox = Sandbox::new(SandboxOptions {
            cache_dir: cache.path().join("code"),
            compiler: Compiler::InProcess,
            audit: Arc::new({
                let records = records.clone();
                move |record| records.lock().unwrap().push(record)
            }),
            ceiling: Limits { time: Duration::from_secs(60), ..Limits::default() },
            total_memory: 1 << 30,
            protected: vec![home.path().join("home"), home.path().join("home/cache")],
            closed_to_skills: Vec::new(),
        })
        .unwrap();
        std::fs::create_dir_all(home.path().join("home/workspace")).unwrap();
        std::fs::create_dir_all(home.path().join("home/cache")).unwrap();
        std::fs::write(home.path().join("home/config.json"), CANARY).unwrap();
        publish(&runtime, &sandbox, Grants::default());
        Machine { runtime, sandbox, records, _cache: cache, home }
    })
}

fn publish(runtime: &Runtime, sandbox: &Sandbox, grants: Grants) {
    let probe = runtime.block_on(sandbox.load(chiton_hostile::probe())).unwrap();
    sandbox.publish("probe", probe, grants).unwrap();
}

/// The parent of the bot's home, which is protected.
pub fn around_home() -> &'static Path {
    machine().home.path()
}

/// One test's directories: `ws` to be granted, `ws-evil` and `outside` never.
pub struct World {
    root: TempDir,
    session: String,
    outside: BTreeMap<PathBuf, (Option<Vec<u8>>, i64, i64)>,
}

/// A grant for a test: `dir` below the test's root, or absolute.
pub fn grant(world: &World, dir: &str, access: Access) -> FileGrant {
    FileGrant::directory(&world.path(dir), access).unwrap()
}

impl World {
    pub fn new() -> Self {
        static SERIAL: AtomicU32 = AtomicU32::new(0);
        let root = TempDir::new().unwrap();
        for dir in ["ws/sub/deep", "ws-evil", "outside/dir", "other"] {
            std::fs::create_dir_all(root.path().join(dir)).unwrap();
        }
        for file in ["outside/secret", "outside/dir/secret", "ws-evil/secret", "other/secret"] {
            std::fs::write(root.path().join(file), CANARY).unwrap();
        }
        std::fs::write(root.path().join("ws/note"), "inside").unwrap();
        std::fs::write(root.path().join("ws/sub/note"), "inside sub").unwrap();
        let session = format!("test:{}", SERIAL.fetch_add(1, Ordering::Relaxed));
        let mut world = Self { root, session, outside: BTreeMap::new() };
        world.outside = world.look_outside();
        world
    }

    /// An absolute path in this world.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().canonicalize().unwrap().join(name)
    }

    pub fn write(&self) -> Vec<FileGrant> {
        vec![grant(self, "ws", Access::Write)]
    }

    pub fn read(&self) -> Vec<FileGrant> {
        vec![grant(self, "ws", Access::Read)]
    }

    pub fn limited(&self, bytes: u64, entries: u64) -> Vec<FileGrant> {
        vec![FileGrant { quota: Some(Quota { bytes, entries }), ..grant(self, "ws", Access::Write) }]
    }

    /// Runs operations in one call of the tool that declares reading and writing.
    pub fn call(&self, grants: Vec<FileGrant>, ops: Value) -> Vec<Result<Value, String>> {
        self.try_call("probe_write", grants, ops).unwrap()
    }

    pub fn try_call(
        &self,
        tool: &str,
        grants: Vec<FileGrant>,
        ops: Value,
    ) -> Result<Vec<Result<Value, String>>, CallError> {
        self.call_within(Duration::from_secs(60), tool, grants, ops)
    }

    /// The same with a deadline.
    pub fn call_within(
        &self,
        time: Duration,
        tool: &str,
        grants: Vec<FileGrant>,
        ops: Value,
    ) -> Result<Vec<Result<Value, String>>, CallError> {
        let request = CallRequest {
            tool: tool.to_owned(),
            arguments: json!({ "ops": ops }),
            session: SessionRights {
                files: Some(grants),
                tool_was_named: true,
                journal: Some(self.root.path().join("journal")),
                ..SessionRights::of(&self.session)
            },
            limits: Some(Limits { time, ..Limits::default() }),
            cancel: Default::default(),
            progress: None,
        };
        let machine = machine();
        let outcome = machine.runtime.block_on(machine.sandbox.call(request));
        match outcome.result?.as_slice() {
            [Part::Json(answer)] => Ok(results(answer)),
            other => panic!("the probe answered {other:?}"),
        }
    }

    /// Takes the denials of this world's calls so far.
    pub fn denials(&self) -> Vec<AuditRecord> {
        let mut records = machine().records.lock().unwrap();
        let ours = |record: &mut AuditRecord| record.session == self.session && record.operation != "call";
        records.extract_if(.., ours).inspect(|record| assert_eq!(record.verdict, Verdict::Denied)).collect()
    }

    /// The operation fails, one denial with a target and a rule is recorded, nothing outside is
    /// touched or shown, and a healthy call works right after. Gives the code and the record.
    pub fn denied(&self, grants: &[FileGrant], op: Value) -> (String, AuditRecord) {
        self.denials();
        let code = self.refused(grants, &op);
        let denials = self.denials();
        let [record] = denials.as_slice() else {
            panic!("{op} left {} denials: {denials:#?}", denials.len());
        };
        assert!(record.target.starts_with('/') && !record.rule.is_empty(), "{record:?}");
        (code, record.clone())
    }

    /// The operation fails like one on a name that does not exist, which is no denial.
    pub fn missing(&self, grants: &[FileGrant], op: Value) -> String {
        self.denials();
        let code = self.refused(grants, &op);
        assert_eq!(self.denials(), [], "{op}");
        code
    }

    fn refused(&self, grants: &[FileGrant], op: &Value) -> String {
        let result = self.call(grants.to_vec(), json!([op])).remove(0);
        let Err(code) = result else { panic!("{op} was done: {result:?}") };
        assert_eq!(self.look_outside(), self.outside, "{op} touched what is outside");
        self.alive();
        code
    }

    /// The operation succeeds without a denial.
    pub fn allowed(&self, grants: &[FileGrant], op: Value) -> Value {
        self.denials();
        let result = self.call(grants.to_vec(), json!([op])).remove(0);
        assert_eq!(self.denials(), [], "{op}");
        result.unwrap_or_else(|code| panic!("{op} failed: {code}"))
    }

    /// A healthy call answers.
    pub fn alive(&self) {
        let found = self.call(self.read(), json!([{"op": "lstat", "path": "."}])).remove(0);
        assert_eq!(found.map(|found| found["type"].clone()), Ok(json!("DescriptorType::Directory")));
    }

    /// Nothing outside of the grants was read, written, made or removed.
    pub fn outside_is_untouched(&self) {
        assert_eq!(self.look_outside(), self.outside);
    }

    fn look_outside(&self) -> BTreeMap<PathBuf, (Option<Vec<u8>>, i64, i64)> {
        let mut found = BTreeMap::new();
        let mut waiting: Vec<_> = ["outside", "ws-evil", "other"].map(|name| self.path(name)).into();
        while let Some(path) = waiting.pop() {
            let metadata = std::fs::symlink_metadata(&path).unwrap();
            let content = metadata.is_file().then(|| std::fs::read(&path).unwrap());
            if metadata.is_dir() {
                waiting.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
            found.insert(path, (content, metadata.mtime(), metadata.mtime_nsec()));
        }
        found
    }
}

fn results(answer: &str) -> Vec<Result<Value, String>> {
    assert!(!answer.contains(CANARY), "the canary got out: {answer}");
    let answer: Vec<Value> = serde_json::from_str(answer).unwrap();
    let result = |value: &Value| match value.get("err") {
        Some(code) => Err(code.as_str().unwrap().to_owned()),
        None => Ok(value["ok"].clone()),
    };
    answer.iter().map(result).collect()
}

/// A sandbox of its own whose grants can be changed while a call runs.
pub fn with_own_sandbox(grants: Grants, test: impl FnOnce(&Runtime, &Sandbox)) {
    let cache = TempDir::new().unwrap();
    let runtime = Runtime::new().unwrap();
    let sandbox = Sandbox::new(SandboxOptions {
        cache_dir: cache.path().join("code"),
        compiler: Compiler::InProcess,
        audit: Arc::new(|_| {}),
        ceiling: Limits::default(),
        total_memory: 1 << 30,
        protected: Vec::new(),
        closed_to_skills: Vec::new(),
    })
    .unwrap();
    publish(&runtime, &sandbox, grants);
    test(&runtime, &sandbox);
}
