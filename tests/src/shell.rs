//! A sandbox with the programs of the shell, for tests and benches. Whatever goes wrong ends them.
#![allow(clippy::unwrap_used, reason = "only tests and benches use it")]

use chiton_build::Guest;
use chiton_sandbox::{Compiler, Digest, Limits, Sandbox, SandboxOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The limits of a shell command with all its programs.
pub fn limits() -> Limits {
    Limits { time: Duration::from_secs(600), memory: 512 << 20, table_elements: 100_000, ..Limits::default() }
}

/// A sandbox that compiles in this process and keeps the code in `cache`.
pub fn sandbox(cache: PathBuf) -> Sandbox {
    Sandbox::new(SandboxOptions {
        cache_dir: cache,
        compiler: Compiler::InProcess,
        audit: Arc::new(|_| {}),
        ceiling: limits(),
        total_memory: 1 << 30,
        protected: Vec::new(),
        closed_to_skills: Vec::new(),
    })
    .unwrap()
}

/// A folder of this checkout's `tools/`.
pub fn tools(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools").join(folder)
}

/// Builds the component in a folder of `tools/` and gives its bytes.
pub fn built(folder: &str) -> Vec<u8> {
    std::fs::read(chiton_build::build(&Guest::at(tools(folder))).unwrap()).unwrap()
}

/// The Python engine, if it was built: `make test` does, with `tools/programs/python/build.sh target/python.wasm`.
pub fn python() -> Option<Vec<u8>> {
    let engine = std::fs::read(tools("../target/python.wasm")).ok();
    if engine.is_none() {
        println!("target/python.wasm is not there: Python is left out");
    }
    engine
}

/// Builds a program of `tools/programs/` and makes it known under all its names, compiled.
pub async fn publish(sandbox: &Sandbox, program: &str) {
    let folder = format!("programs/{program}");
    let described: toml::Table = std::fs::read_to_string(tools(&folder).join("program.toml")).unwrap().parse().unwrap();
    let names = described["names"].as_array().unwrap();
    let names: Vec<String> = names.iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    publish_as(sandbox, &names, built(&folder)).await;
}

/// Makes a program known under `names`, compiled.
pub async fn publish_as(sandbox: &Sandbox, names: &[String], bytes: Vec<u8>) {
    sandbox.publish_program(names, Digest::of(&bytes), Arc::new(move || Ok(bytes.clone())));
    sandbox.warm_program(&names[0]).await.unwrap();
}
