//! `chiton migrate nanobot`, with a home that NanoBot itself made.
#![cfg(test)]

mod support;

use chiton_store::Store;
use serde_json::Value;
use std::path::{Path, PathBuf};
use support::{Home, Ran};

/// A copy of the home of NanoBot, for a test to change.
struct NanoBot(tempfile::TempDir);

impl NanoBot {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/nanobot-home"), folder.path());
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn migrate(&self, home: &Home, more: &[&str]) -> Ran {
        run(home, &[&["migrate", "nanobot", "--from", self.path().to_str().unwrap()], more].concat())
    }
}

/// Runs the program where the variable is set that the configuration refers to.
fn run(home: &Home, arguments: &[&str]) -> Ran {
    home.chiton(arguments).env("OPENROUTER_API_KEY", "from-the-environment").output().unwrap().into()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// Every file below a folder with its content.
fn tree(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type().unwrap().is_dir() {
            true => files.extend(tree(&entry.path())),
            false => files.push((entry.path(), std::fs::read(entry.path()).unwrap_or_default())),
        }
    }
    files.sort();
    files
}

/// The messages of a session.
fn messages(home: &Home, session: &str) -> Vec<Value> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = Store::open_read_only(home.root().join("chiton.db")).unwrap();
    let messages = runtime.block_on(store.export(session)).unwrap();
    messages.iter().map(|message| serde_json::from_str(&message.body).unwrap()).collect()
}

/// What the report says of a thing.
fn fate(report: &Value, what: &str) -> String {
    let items = report["items"].as_array().unwrap();
    let item = items.iter().find(|item| item["what"] == what).unwrap_or_else(|| panic!("no {what} in {report:#}"));
    item["fate"].as_str().unwrap().to_owned()
}

fn text(home: &Home, name: &str) -> String {
    std::fs::read_to_string(home.root().join(name)).unwrap()
}

#[test]
fn everything_of_a_nanobot_home_is_where_it_is_expected() {
    let (nanobot, home) = (NanoBot::new(), Home::empty());
    let before = tree(nanobot.path());
    let report = nanobot.migrate(&home, &["--json"]).good().json();
    assert_eq!(tree(nanobot.path()), before, "the source is only read");

    let config: Value = serde_json::from_str(&text(&home, "config.json")).unwrap();
    assert_eq!(config["agents"]["defaults"]["model"], "local/tiny");
    assert_eq!(config["agents"]["defaults"]["timezone"], "Europe/Berlin");
    assert_eq!(config["agents"]["defaults"]["idleCompactAfterMinutes"], 15);
    assert_eq!(config["gateway"]["heartbeat"]["intervalS"], 1_800);
    assert_eq!(config["providers"]["local"]["apiBase"], "http://127.0.0.1:9/v1");
    assert_eq!(config["providers"]["openrouter"]["apiKey"], "${OPENROUTER_API_KEY}");
    for left in ["channels.telegram", "agents.defaults.botName", "tools.exec.timeout", "gateway.port"] {
        assert_eq!(fate(&report, left), "left", "{left}");
    }

    assert!(text(&home, "workspace/memory/MEMORY.md").contains("Ada lives in Lisbon."));
    assert_eq!(text(&home, "workspace/memory/history/2026-11-22.md"), "- 08:16 Ada likes green tea.\n");
    assert_eq!(text(&home, "workspace/memory/history/2026-11-23.md"), "- 03:00 Ada moved to Lisbon.\n");
    assert_eq!(fate(&report, "memory/history.jsonl"), "left", "a damaged line is reported");
    assert_eq!(text(&home, "skills/tea/notes/kinds.md"), "Sencha, gunpowder.\n");

    let said = messages(&home, "terminal:default");
    assert_eq!(said.len(), 10, "{said:#?}");
    assert_eq!(said[0]["content"], "Hello there, I am Ada");
    assert_eq!(said[3]["tool_calls"][0]["function"]["name"], "list_dir");
    assert_eq!(said[4]["tool_call_id"], said[3]["tool_calls"][0]["id"]);
    assert_eq!(said[8]["content"], "(NanoBot did not keep this result)");
    assert_eq!(messages(&home, "telegram:42").len(), 2);

    let jobs = run(&home, &["cron", "list", "--json"]).good().json();
    let state =
        |name: &str| jobs.as_array().unwrap().iter().find(|job| job["name"] == name).map(|job| job["state"].clone());
    assert_eq!(state("plants"), Some("active".into()));
    assert_eq!(state("off"), Some("quarantined".into()));
    assert_eq!((state("past"), state("elsewhere")), (None, None));
    let plants = jobs.as_array().unwrap().iter().find(|job| job["name"] == "plants").unwrap();
    assert_eq!(
        (plants["zone"].as_str(), plants["session"].as_str()),
        (Some("Europe/Berlin"), Some("terminal:default"))
    );
}

#[test]
fn the_second_time_changes_nothing() {
    let (nanobot, home) = (NanoBot::new(), Home::empty());
    nanobot.migrate(&home, &[]).good();
    let (files, jobs) = (tree(&home.root().join("workspace")), run(&home, &["cron", "list", "--json"]).good().stdout);
    let report = nanobot.migrate(&home, &["--json"]).good().json();
    let items = report["items"].as_array().unwrap();
    assert!(items.iter().all(|item| matches!(item["fate"].as_str(), Some("kept" | "left"))), "{report:#}");
    assert_eq!(tree(&home.root().join("workspace")), files);
    assert_eq!(run(&home, &["cron", "list", "--json"]).good().stdout, jobs);
}

#[test]
fn a_dry_run_says_the_same_and_writes_nothing() {
    let (nanobot, home) = (NanoBot::new(), Home::empty());
    home.run(&["config", "check"]);
    let before = tree(&home.root());
    let said = nanobot.migrate(&home, &["--dry-run", "--json"]).good().json();
    assert_eq!(tree(&home.root()), before);
    let done = nanobot.migrate(&home, &["--json"]).good().json();
    assert_eq!(said["items"], done["items"]);
}

#[test]
fn what_is_here_already_stays() {
    let (nanobot, home) = (NanoBot::new(), Home::empty());
    home.configure(r#"{"agents": {"defaults": {"model": "mine"}}}"#);
    std::fs::create_dir_all(home.root().join("workspace")).unwrap();
    std::fs::write(home.root().join("workspace/SOUL.md"), "mine").unwrap();
    let report = nanobot.migrate(&home, &["--json"]).good().json();
    assert_eq!((fate(&report, "SOUL.md"), fate(&report, "agents.defaults.model")), ("kept".into(), "kept".into()));
    assert_eq!(text(&home, "workspace/SOUL.md"), "mine");
    assert_eq!(
        serde_json::from_str::<Value>(&text(&home, "config.json")).unwrap()["agents"]["defaults"]["model"],
        "mine"
    );
}

#[test]
fn comments_of_the_configuration_are_not_lost() {
    let (nanobot, home) = (NanoBot::new(), Home::empty());
    home.configure("{ /* mine */ }");
    let report = nanobot.migrate(&home, &["--json"]).good().json();
    assert_eq!(fate(&report, "agents.defaults.model"), "left");
    assert_eq!(text(&home, "config.json"), "{ /* mine */ }");
}

#[test]
fn cred_10_a_secret_is_copied_with_a_warning_and_never_printed() {
    let (nanobot, home) = (NanoBot::new(), Home::empty());
    let ran = nanobot.migrate(&home, &[]).good();
    assert!(!format!("{ran:?}").contains("made-up"), "{ran:?}");
    assert!(ran.stdout.contains("warning  providers.local.apiKey: a secret was copied as plain text"), "{ran:?}");
    assert!(!ran.stdout.contains("warning  providers.openrouter.apiKey"), "a reference stays one");
    assert!(text(&home, "config.json").contains("made-up-plain-key"));
    assert!(!text(&home, "config.json").contains("from-the-environment"));
}

#[test]
fn a_variable_that_is_not_set_is_named() {
    let (nanobot, home) = (NanoBot::new(), Home::empty());
    let ran = home.run(&["migrate", "nanobot", "--from", nanobot.path().to_str().unwrap()]).good();
    assert!(ran.stdout.contains("refers to ${OPENROUTER_API_KEY}, which is not set"), "{ran:?}");
}

#[test]
fn fs_03_links_in_the_source_lead_nowhere() {
    let (nanobot, home) = (NanoBot::new(), Home::empty());
    let outside = home.work().join("outside");
    std::fs::create_dir(&outside).unwrap();
    for name in ["secret.md", "SKILL.md", "x.jsonl"] {
        std::fs::write(outside.join(name), "canary").unwrap();
    }
    let workspace = nanobot.path().join("workspace");
    std::fs::remove_file(workspace.join("USER.md")).unwrap();
    std::os::unix::fs::symlink(outside.join("secret.md"), workspace.join("USER.md")).unwrap();
    std::os::unix::fs::symlink(outside.join("secret.md"), workspace.join("skills/tea/secret.md")).unwrap();
    std::os::unix::fs::symlink(&outside, workspace.join("skills/other")).unwrap();
    std::os::unix::fs::symlink(&outside, nanobot.path().join("sessions/other")).unwrap();
    let report = nanobot.migrate(&home, &["--json"]).good().json();
    assert_eq!(fate(&report, "USER.md"), "left");
    let canary = |(_, content): &(PathBuf, Vec<u8>)| content.windows(6).any(|window| window == b"canary");
    assert!(!tree(&home.root()).iter().any(canary), "{report:#}");
}

#[test]
fn fs_03_a_link_in_the_workspace_is_not_written_through() {
    let (nanobot, home) = (NanoBot::new(), Home::empty());
    let outside = home.work().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::create_dir_all(home.root().join("workspace")).unwrap();
    std::os::unix::fs::symlink(&outside, home.root().join("workspace/memory")).unwrap();
    nanobot.migrate(&home, &[]).bad(7, "workspace/memory is no folder; move it away and try again");
    assert!(tree(&outside).is_empty());
}

#[test]
fn changes_of_jobs_that_nanobot_has_not_taken_yet_count() {
    let (nanobot, home) = (NanoBot::new(), Home::empty());
    let file = nanobot.path().join("workspace/cron/jobs.json");
    let jobs: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let mut added = jobs["jobs"][0].clone();
    (added["id"], added["name"], added["payload"]["message"]) = ("new".into(), "new".into(), "Something new".into());
    let lines = [
        serde_json::json!({"action": "add", "params": added}),
        serde_json::json!({"action": "del", "params": {"job_id": jobs["jobs"][0]["id"]}}),
    ];
    std::fs::write(file.with_file_name("action.jsonl"), lines.map(|line| format!("{line}\n")).concat()).unwrap();
    nanobot.migrate(&home, &[]).good();
    let listed = run(&home, &["cron", "list"]).good().stdout;
    assert!(listed.contains("new") && !listed.contains("plants"), "{listed}");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    Home::empty().run(&["migrate", "nanobot", "--from", "/nowhere"]).bad(10, "there is no folder /nowhere");
    let (nanobot, home) = (tempfile::tempdir().unwrap(), Home::empty());
    let empty = home.run(&["migrate", "nanobot", "--from", nanobot.path().to_str().unwrap()]).good();
    assert_eq!(empty.stdout, "");
}

#[test]
fn a_workspace_elsewhere_is_found_and_a_missing_one_is_reported() {
    let (nanobot, home) = (NanoBot::new(), Home::empty());
    let elsewhere = home.work().join("bot");
    std::fs::rename(nanobot.path().join("workspace"), &elsewhere).unwrap();
    let report = nanobot.migrate(&home, &["--dry-run", "--json"]).good().json();
    assert!(!report.to_string().contains("SOUL.md"), "{report:#}");
    let file = nanobot.path().join("config.json");
    let config = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, config.replace("~/.nanobot/workspace", "/nowhere")).unwrap();
    assert_eq!(fate(&nanobot.migrate(&home, &["--dry-run", "--json"]).good().json(), "workspace"), "left");
    std::fs::write(&file, config.replace("~/.nanobot/workspace", elsewhere.to_str().unwrap())).unwrap();
    assert_eq!(fate(&nanobot.migrate(&home, &["--json"]).good().json(), "SOUL.md"), "brought");
}
