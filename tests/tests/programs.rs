//! The programs of the shell in the real sandbox: their own cases, and the shell corpus compared with `bash`.
#![cfg(test)]

use chiton_sandbox::{Access, CallRequest, FileGrant, Grants, Part, Sandbox, SessionRights};
use chiton_tests::shell;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The programs that are part of Chiton.
const PROGRAMS: [&str; 11] = ["archive", "awk", "coreutils", "curl", "diff", "find", "jq", "js", "search", "sed", "sh"];
/// Cases of the corpus that differ from bash, each for a reason in `tools/shell/README.md`.
const DIFFERENT: [&str; 1] = ["readable and executable"];

/// What a program did.
#[derive(Debug, PartialEq)]
struct Ended {
    code: i64,
    stdout: String,
    stderr: String,
}

/// Only one world compiles; the next finds the code in the cache.
static COMPILING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

struct World {
    sandbox: Sandbox,
    folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let _alone = COMPILING.lock().await;
        let folder = tempfile::tempdir().unwrap();
        let sandbox = shell::sandbox(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("programs"));
        for program in PROGRAMS {
            shell::publish(&sandbox, program).await;
        }
        let probe = sandbox.load(chiton_hostile::probe()).await.unwrap();
        let files = vec![FileGrant::directory(folder.path(), Access::Write).unwrap()];
        sandbox.publish("probe", probe, Grants { files, limits: Some(shell::limits()), ..Grants::default() }).unwrap();
        Self { sandbox, folder }
    }

    /// A new empty directory for one case.
    fn directory(&self, name: &str) -> PathBuf {
        let path = self.folder.path().canonicalize().unwrap().join(name);
        std::fs::create_dir(&path).unwrap();
        path
    }

    async fn run(&self, argv: &[String], stdin: &str, environment: Value, directory: &Path) -> Result<Ended, String> {
        let op = json!({
            "op": "spawn", "argv": argv, "stdin": stdin, "environment": environment, "directory": directory,
        });
        let request = CallRequest {
            tool: "probe_everything".to_owned(),
            arguments: json!({ "ops": [op] }),
            session: SessionRights::of("test:programs"),
            limits: None,
            cancel: Default::default(),
            progress: None,
        };
        let parts = self.sandbox.call(request).await.result.map_err(|error| error.to_string())?;
        let Some(Part::Json(answer)) = parts.first() else { return Err("no answer".to_owned()) };
        let answer: Value = serde_json::from_str(answer).unwrap();
        let ended = answer[0].get("ok").ok_or_else(|| answer.to_string())?;
        let text = |key: &str| ended[key].as_str().unwrap_or_default().to_owned();
        Ok(Ended { code: ended["code"].as_i64().unwrap_or(-1), stdout: text("stdout"), stderr: text("stderr") })
    }
}

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    argv: Vec<String>,
    #[serde(default)]
    stdin: String,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    files: BTreeMap<String, String>,
    stdout: String,
    #[serde(default)]
    stderr: String,
    #[serde(default)]
    code: i64,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_program_does_what_its_cases_say() {
    let world = World::new().await;
    let (mut count, mut wrong) = (0, Vec::new());
    for program in PROGRAMS {
        let Ok(text) = std::fs::read_to_string(shell::tools("programs").join(program).join("cases.toml")) else {
            continue;
        };
        let cases: Cases = toml::from_str(&text).unwrap();
        for (index, case) in cases.case.into_iter().enumerate() {
            count += 1;
            let directory = world.directory(&format!("{program}-{index}"));
            for (name, content) in &case.files {
                let file = directory.join(name);
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(file, content).unwrap();
            }
            let ended = world.run(&case.argv, &case.stdin, json!(case.env), &directory).await;
            let good = ended.as_ref().is_ok_and(|ended| {
                ended.code == case.code && ended.stdout == case.stdout && ended.stderr.contains(case.stderr.trim_end())
            });
            if !good {
                wrong.push(format!(
                    "{program}: {}\n  wanted {} {:?}\n  got {ended:?}",
                    case.name, case.code, case.stdout
                ));
            }
        }
    }
    assert!(count >= 250, "only {count} cases were found");
    assert!(wrong.is_empty(), "{} of {count} cases:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shell_corpus_does_in_the_sandbox_what_it_does_under_bash() {
    let world = World::new().await;
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("shell");
    let (mut count, mut wrong) = (0, Vec::new());
    for group in std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()) {
        if group.extension().is_none_or(|extension| extension != "sh") {
            continue;
        }
        let stem = group.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&group).unwrap();
        for (index, case) in text.split("\n#### ").skip(1).enumerate() {
            let (name, script) = case.split_once('\n').unwrap();
            if DIFFERENT.contains(&name) {
                continue;
            }
            count += 1;
            let expected = bash(script);
            let directory = world.directory(&format!("{stem}-{index}"));
            let scratch = world.directory(&format!("{stem}-{index}-scratch"));
            let argv = ["sh", "-c", script, "sh"].map(str::to_owned);
            let environment = json!({
                "HOME": "/home/somebody", "LANG": "C.UTF-8", "TMPDIR": scratch, "PATH": "/usr/bin:/bin",
            });
            let ended = world.run(&argv, "", environment, &directory).await;
            let got = ended.map(|ended| (ended.code, ended.stdout.replace(directory.to_str().unwrap(), "WORK")));
            if got.as_ref() != Ok(&expected) {
                wrong.push(format!("{stem}: {name}\n  bash {expected:?}\n  here {got:?}"));
            }
        }
    }
    assert!(count >= 300, "only {count} cases were found");
    assert!(wrong.is_empty(), "{} of {count} cases:\n{}", wrong.len(), wrong.join("\n"));
}

/// What bash does with a script in an empty directory.
fn bash(script: &str) -> (i64, String) {
    let directory = tempfile::tempdir().unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let here = directory.path().canonicalize().unwrap();
    let ended = Command::new("bash")
        .args(["-c", script, "sh"])
        .current_dir(&here)
        .env_clear()
        .env("HOME", "/home/somebody")
        .env("LANG", "C.UTF-8")
        .env("PATH", "/usr/bin:/bin")
        .env("TMPDIR", scratch.path())
        .stdin(Stdio::null())
        .output()
        .expect("bash is needed for this test");
    let stdout = String::from_utf8_lossy(&ended.stdout).replace(here.to_str().unwrap(), "WORK");
    (ended.status.code().map_or(-1, i64::from), stdout)
}
