//! Runs one program in the sandbox, for whoever writes one:
//! `run NAME[,NAME]=FILE.wasm [NAME=FILE.wasm ...] -- ARGUMENTS`, in the present directory, which it may
//! change. Standard input is passed on when it is not a terminal.

use chiton_sandbox::{
    Access, CallRequest, Compiler, Digest, FileGrant, Grants, Limits, Part, Sandbox, SandboxOptions, SessionRights,
};
use serde_json::{Value, json};
use std::error::Error;
use std::io::{IsTerminal as _, Read as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let split = arguments.iter().position(|word| word == "--").ok_or("run NAME=FILE.wasm -- ARGUMENTS")?;
    let (programs, argv) = (&arguments[..split], &arguments[split + 1..]);
    let directory = std::env::current_dir()?;
    let ceiling =
        Limits { time: Duration::from_secs(600), memory: 1 << 30, table_elements: 100_000, ..Limits::default() };
    let sandbox = Sandbox::new(SandboxOptions {
        cache_dir: std::env::temp_dir().join("chiton-run-cache"),
        compiler: Compiler::InProcess,
        audit: Arc::new(|record: chiton_sandbox::AuditRecord| {
            if !record.rule.is_empty() {
                eprintln!("audit: {} {} {}", record.operation, record.target, record.rule);
            }
        }),
        ceiling: ceiling.clone(),
        total_memory: 1 << 30,
        protected: Vec::new(),
        closed_to_skills: Vec::new(),
    })?;
    for program in programs {
        let (names, file) = program.split_once('=').ok_or("NAME=FILE.wasm")?;
        let bytes = std::fs::read(file)?;
        let names: Vec<String> = names.split(',').map(str::to_owned).collect();
        sandbox.publish_program(&names, Digest::of(&bytes), Arc::new(move || Ok(bytes.clone())));
        let begun = Instant::now();
        sandbox.warm_program(&names[0]).await?;
        eprintln!("ready after {:?}: {}", begun.elapsed(), names[0]);
    }
    let probe = sandbox.load(chiton_hostile::probe()).await?;
    let files = vec![FileGrant::directory(&directory, Access::Write)?];
    sandbox.publish("probe", probe, Grants { files, limits: Some(ceiling), ..Grants::default() })?;
    let mut stdin = String::new();
    if !std::io::stdin().is_terminal() {
        std::io::stdin().read_to_string(&mut stdin)?;
    }
    let begun = Instant::now();
    let op = json!({ "op": "spawn", "argv": argv, "directory": directory.display().to_string(), "stdin": stdin });
    let outcome = sandbox
        .call(CallRequest {
            tool: "probe_everything".to_owned(),
            arguments: json!({ "ops": [op] }),
            session: SessionRights::of("command:run"),
            limits: None,
            cancel: Default::default(),
            progress: None,
        })
        .await;
    let parts = outcome.result?;
    let Some(Part::Json(answer)) = parts.first() else { return Err("no answer".into()) };
    let answer: Value = serde_json::from_str(answer)?;
    let ended = &answer[0]["ok"];
    print!("{}", ended["stdout"].as_str().unwrap_or_default());
    eprint!("{}", ended["stderr"].as_str().unwrap_or_default());
    eprintln!("ended after {:?}: {}", begun.elapsed(), if ended.is_null() { &answer } else { &ended["code"] });
    Ok(ExitCode::from(u8::try_from(ended["code"].as_u64().unwrap_or(255))?))
}
