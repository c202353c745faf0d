//! Tools of skills: a fresh call of each language (bars: 0.1 ms for Rust and C, 5 ms for a JavaScript and 15 ms for a
//! Python script), from a script's new text to its answer, and a component from its bytes to its first answer (bars:
//! 1 s for 150 KB; 50 ms from the cache). Python takes part once target/python.wasm is there (`tools/programs/python/build.sh`).
#![allow(clippy::unwrap_used, reason = "a bench ends at its first error")]

use chiton_sandbox::{Access, CallRequest, ComponentBytes, Digest, FileGrant, Grants, Sandbox, Script, SessionRights};
use chiton_tests::shell;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const ROUNDS: usize = 300;
/// Each a different text, so that nothing is known of it.
const SAVES: usize = 20;
const SMALL: &str = r#"import { tool } from "chiton";
tool({ name: "NAME", description: "Adds.", parameters: { a: { type: "integer" } } }, ({ a }) => a + 1);
"#;
const READING: &str = r#"import { readFileSync } from "fs";
import { tool } from "chiton";
tool({ name: "NAME", description: "Reads.", parameters: { a: { type: "integer" } }, effects: ["reads-files"] },
    ({ a }) => readFileSync("note.txt", "utf8").length + a);
"#;
const PYTHON: &str = r#"from chiton import tool

@tool(effects=[])
def NAME(a: int) -> int:
    """Adds.

    a: a number
    """
    return a + 1
"#;

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let room = folder.path().canonicalize().unwrap();
    std::fs::write(room.join("note.txt"), "a note\n".repeat(600)).unwrap();
    std::fs::write(room.join("empty.txt"), "").unwrap();
    let sandbox = shell::sandbox(room.join("cache"));
    components(&sandbox, &room).await;
    let javascript = engine(shell::built("programs/js"));
    for (what, name, text) in [
        ("js, small", "small.js", SMALL),
        ("js, reads a file", "reading.js", READING),
        ("ts, small", "typed.ts", SMALL),
    ] {
        script(&sandbox, &javascript, &room, what, name, text).await;
    }
    if let Some(bytes) = shell::python() {
        script(&sandbox, &engine(bytes), &room, "python, small", "small.py", PYTHON).await;
    }
}

/// A component of C and one of Rust: loaded, loaded again by another host from the same cache, and called.
async fn components(sandbox: &Sandbox, room: &Path) {
    let c = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/0.1.0/c/my-skill.wasm");
    let greet = shell::built("tour/greet");
    let mut all = vec![
        ("c", std::fs::read(c).unwrap(), "my_skill_words", json!({ "path": "note.txt" })),
        ("rust", greet, "greet", json!({ "name": "Ann" })),
    ];
    match std::fs::read(shell::tools("../target/languages/python-component.wasm")) {
        // A list of no cities is answered without a request.
        Ok(python) => all.push(("python", python, "my_skill", json!({ "file": "empty.txt" }))),
        Err(_) => println!("a component of Python is not measured: `make languages` builds one"),
    }
    for (what, bytes, tool, given) in all {
        let (size, digest) = (bytes.len() >> 10, Digest::of(&bytes));
        let dropped = Instant::now();
        publish(sandbox, what, sandbox.load(bytes.clone()).await.unwrap(), room);
        call(sandbox, tool, &given).await;
        let first = dropped.elapsed();
        let other = shell::sandbox(room.join("cache"));
        let dropped = Instant::now();
        publish(&other, what, other.load(bytes).await.unwrap(), room);
        call(&other, tool, &given).await;
        let again = dropped.elapsed();
        // As a host starts with what was approved: by its digest, so that the bytes are not read.
        let third = shell::sandbox(room.join("cache"));
        let started = Instant::now();
        let unread = || unreachable!("what is in the cache is not read");
        publish(&third, what, third.load_known(digest, Arc::new(unread)).await.unwrap(), room);
        call(&third, tool, &given).await;
        println!(
            "{what}, {size} KiB: dropped in and answered after {first:.1?}, from the cache {again:.1?}, by its digest {:.1?}",
            started.elapsed()
        );
        calls(sandbox, what, tool, &given).await;
    }
}

async fn script(sandbox: &Sandbox, engine: &(Digest, ComponentBytes), room: &Path, what: &str, name: &str, text: &str) {
    let tool = name.split('.').next().unwrap();
    let load = async |number: usize| {
        let comment = if name.ends_with(".py") { "#" } else { "//" };
        let text = format!("{}{comment} {number}\n", text.replace("NAME", tool));
        let script = Script { name: name.to_owned(), text };
        publish(sandbox, tool, sandbox.load_script(engine.0, engine.1.clone(), script).await.unwrap(), room);
        call(sandbox, tool, &json!({ "a": 1 })).await;
    };
    let begun = Instant::now();
    load(0).await;
    println!("{what}: the engine's first use {:.1?}", begun.elapsed());
    let mut times = Vec::new();
    for number in 1..=SAVES {
        let begun = Instant::now();
        load(number).await;
        times.push(begun.elapsed());
    }
    print(&format!("{what}: new text -> answer"), times);
    calls(sandbox, what, tool, &json!({ "a": 1 })).await;
}

async fn calls(sandbox: &Sandbox, what: &str, tool: &str, given: &Value) {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        call(sandbox, tool, given).await;
        times.push(begun.elapsed());
    }
    print(&format!("{what}: fresh call"), times);
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let share = |share: usize| times[(times.len() - 1) * share / 100];
    println!("{what:32} p50 {:>10.2?}  p95 {:>10.2?}", share(50), share(95));
}

fn engine(bytes: Vec<u8>) -> (Digest, ComponentBytes) {
    (Digest::of(&bytes), Arc::new(move || Ok(bytes.clone())))
}

fn publish(sandbox: &Sandbox, name: &str, component: Arc<chiton_sandbox::Component>, room: &Path) {
    let files = vec![FileGrant::directory(room, Access::Read).unwrap()];
    sandbox.publish(name, component, Grants { files, ..Grants::default() }).unwrap();
}

async fn call(sandbox: &Sandbox, tool: &str, given: &Value) {
    let request = CallRequest {
        tool: tool.to_owned(),
        arguments: given.clone(),
        session: SessionRights::of("bench"),
        limits: None,
        cancel: Default::default(),
        progress: None,
    };
    sandbox.call(request).await.result.unwrap();
}
