//! The two sides of every comparison: a sandbox as the host makes it, and wasmtime with the same engine
//! profile and nothing around it.

use chiton_sandbox::{
    AuditRecord, CallRequest, Compiler, FileGrant, Grants, Limits, Part, Sandbox, SandboxOptions, SessionRights,
};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// The component of this workspace's package in `directory`.
pub fn guest(directory: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let wasm = chiton_build::build(&chiton_build::Guest::at(root.join(directory))).unwrap();
    std::fs::read(wasm).unwrap()
}

pub fn sandbox(cache: &Path) -> Sandbox {
    Sandbox::new(SandboxOptions {
        cache_dir: cache.to_owned(),
        compiler: Compiler::InProcess,
        audit: Arc::new(|record: AuditRecord| drop(std::hint::black_box(record))),
        ceiling: Limits::default(),
        total_memory: 4 << 30,
        protected: Vec::new(),
        closed_to_skills: Vec::new(),
    })
    .unwrap()
}

pub async fn publish(sandbox: &Sandbox, slot: &str, bytes: Vec<u8>, files: Vec<FileGrant>) {
    let component = sandbox.load(bytes).await.unwrap();
    sandbox.publish(slot, component, Grants { files, ..Grants::default() }).unwrap();
}

pub fn request(tool: &str, arguments: Value) -> CallRequest {
    CallRequest {
        tool: tool.to_owned(),
        arguments,
        session: SessionRights::of("bench"),
        limits: None,
        cancel: CancellationToken::new(),
        progress: None,
    }
}

pub async fn call(sandbox: &Sandbox, tool: &str, arguments: &Value) -> Vec<Part> {
    sandbox.call(request(tool, arguments.clone())).await.result.unwrap()
}

/// The value below which this share of the sorted values lies.
pub fn percentile<T: Copy>(sorted: &[T], share: f64) -> T {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}
