//! A hostile skill from each class of attack is installed, approved with the least that it needs, run, and gets nothing
//! but that. Each test has a twin of the attack that is allowed, so that it can fail.
//!
//! Classes that no script can try are tested where a component can, or a test of the program has them:
//!
//! | class | here | elsewhere (files of a crate's `tests`, tests by the beginning of their names) |
//! |---|---|---|
//! | F1, F7, N1, P1 | | `skills.rs`: `f1_f7_n1_p1_a_hostile_skill_that_was_given_nothing_gets_nothing`, `cmp_22_` |
//! | F2 | `files` | sandbox `files/escapes.rs`: `fs_01_` to `fs_03_`; `files/names.rs`: `fs_12_`, `fs_13_` (names that are no UTF-8) |
//! | F3 | `files` | sandbox `files/escapes.rs`: `fs_04_`, `fs_05_` (links that a guest makes) |
//! | F4 | | sandbox `files/escapes.rs`: `fs_06_swapping_files_and_links_under_an_open_never_leaks` |
//! | F5 | `files` | sandbox `files/changes.rs`: `fs_10_` (set-size, utimes, link) |
//! | F6 | `files` | sandbox `files/escapes.rs`: `fs_07_`; `files/places.rs`: `fs_15_` |
//! | F8 | `files` | agent `turns/memory.rs`: `agt_09_` (what a turn writes there after it read strangers' words) |
//! | F9 | `files` | sandbox `attacks/approvals.rs`: `fs_18_` |
//! | F10 | `output` | |
//! | F11 | `files` | sandbox `files/limits.rs`: `fs_17_` |
//! | N2 | `network` | egress `network/spellings.rs`, `network/grammar.rs`: `net_10_` to `net_15_` (punycode, wildcards, https) |
//! | N3, N4 | | egress `network/spellings.rs`, `network/addresses.rs`, `network/resolution.rs`: `net_01_` to `net_05_` |
//! | N5 | | egress `network/resolution.rs`: `net_06_`, `net_07_` (a resolver of the test's own) |
//! | N6 | `network` | egress `network/redirects.rs`: `net_08_`, `net_09_`; `credentials/binding.rs`: `cred_06_` |
//! | N7 | `network` | egress `network/requests.rs`: `net_16_` to `net_19_`; `credentials/placement.rs`: `cred_05_` |
//! | N8 | `network` (another port of this machine) | there is no gateway yet |
//! | N9 | `capabilities` | sandbox `attacks/wasi.rs`: `wasi_03_`; egress `network/requests.rs`: `net_20_` |
//! | N10 | `network` | egress `network/amounts.rs`: `net_26_`, `net_28_` |
//! | P2 | `install` | sandbox `attacks/components.rs`: `cmp_01_02_` |
//! | P3, P6 | | native `programs`: `exe_01_` to `exe_10_` (a script has no way to a native program) |
//! | P4, P5 | `network` | `shell.rs`: `cred_01_`, `cred_12_`; egress `credentials/redaction.rs` |
//! | P7 | `install` | `skills.rs`: `agt_11_`, `cmp_14_`, `a_broken_or_half_changed_`; native `programs/pins.rs`: `exe_14_` |
//! | I1 | | `skills.rs`: `cmp_21_`; skills `skills/needs.rs`: `cmp_21_` |
//! | I2 | | `skills.rs`: `cmp_17_`; skills `skills/folder.rs`: `cmp_16_`, `cmp_10_` |
//! | I3 | | `skills.rs`: `cmp_12_`, `cmp_13_and_cmp_18_`; registry `registry/published.rs`: `i3_` |
//! | I4 | | `tools.rs`: `cmp_05_`; registry `registry/artifacts.rs`: `cmp_19_` |
//! | I5 | `install` | |
//! | I6 | `install` (near names) | `skills.rs`, `tools.rs`: `cmp_07_`; agent `skills.rs`: `i6_` |
//! | I7 | `install` | sandbox `attacks/components.rs`: `hidden_characters_` |
//! | I8 | `install` | `skills.rs`: `an_earlier_version_comes_back_`, `a_revoked_version_`; sandbox `attacks/swap.rs`: `revoked_bytes_` |
//! | R1, R7 | `output` | sandbox `attacks/resources.rs`: `res_01_` to `res_03_`, `res_10_` |
//! | R2, R3 | `output` | sandbox `attacks/memory.rs`: `res_04_` to `res_09_` (handles, tables, memory of the host) |
//! | R4 | `network` | egress `network/amounts.rs`: `net_26_`; sandbox `attacks/resources.rs`: `res_03_` |
//! | R5, R6 | | agent `turns/conversation.rs`: `agt_18_`, `res_16_`; `turns/calls.rs`: `a_repeated_call_` |
//! | C1 | `capabilities` | agent `turns/reach.rs`: `agt_07_`, `agt_13_` (a grant for this chat reaches no other) |
//! | C2 | `capabilities` | agent `turns/recall.rs`: `agt_05_` |
//! | C3 | | agent `turns/reach.rs`: `what_strangers_may_have_written_is_marked`; `turns/conversation.rs`: `agt_14_` |
//! | C4, C5 | `capabilities` | sandbox `attacks/skills.rs`: `a_call_for_a_skill_`; `attacks/resources.rs`: `res_17_memory_of_` |
//! | C6 | `output` | agent `turns/calls.rs`: `wasi_07_`; sandbox `attacks/wasi.rs`: `wasi_07_` |
#![cfg(test)]

#[path = "hostile/capabilities.rs"]
mod capabilities;
#[path = "hostile/files.rs"]
mod files;
#[path = "hostile/install.rs"]
mod install;
#[path = "hostile/network.rs"]
mod network;
#[path = "hostile/output.rs"]
mod output;
mod support;

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use support::{Home, Ran};

/// What no skill may get.
const CANARY: &str = "canary-b61e";

/// Writes the hostile skill with a tool of its own name into a folder; `more` ends its manifest.
fn folder(home: &Home, name: &str, more: &str) -> PathBuf {
    let manifest = format!(
        "name = \"{name}\"\nversion = \"0.1.0\"\ndescription = \"Does things.\"\nengine = \"js\"\nscript = \"skill.js\"\n{more}"
    );
    let script = include_str!("hostile/skill.js").replace("name: \"TOOL\"", &format!("name: \"{name}\""));
    written(home, name, &[("skill.toml", &manifest), ("skill.js", &script)])
}

/// Writes a skill of these files into a folder.
fn written(home: &Home, name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = home.work().join("skills-of-strangers").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    for (file, text) in files {
        std::fs::write(folder.join(file), text).unwrap();
    }
    folder
}

/// Adds what lies in a folder, without the owner's word.
fn add(home: &Home, folder: &Path) -> Ran {
    home.run(&["skill", "add", folder.to_str().unwrap()])
}

/// Adds what lies in a folder, with the owner's word.
fn approve(home: &Home, folder: &Path) {
    home.run(&["skill", "add", folder.to_str().unwrap(), "--approve"]).good();
}

/// Installs and approves the hostile skill.
fn install(home: &Home, name: &str, more: &str) {
    approve(home, &folder(home, name, more));
}

/// A manifest's grant of a folder.
fn files(path: impl std::fmt::Display, access: &str) -> String {
    format!("[grants]\nfiles = [{{ path = \"{path}\", access = \"{access}\" }}]\n")
}

/// Has the skill do its work. Gives what it got, and `null` where it was refused.
fn got(home: &Home, name: &str, work: Value) -> Vec<Value> {
    let called = home.call(name, json!({ "work": work }), &[]).good();
    assert!(!called.stdout.contains(CANARY) && !called.stderr.contains(CANARY), "{called:#?}");
    let said: Value = serde_json::from_str(&called.stdout).unwrap();
    said["said"].as_array().unwrap().iter().map(|work| work["got"].clone()).collect()
}

/// Has the skill do its work, of which nothing may succeed.
fn gets_nothing(home: &Home, name: &str, work: Value) {
    let got = got(home, name, work.clone());
    let succeeded: Vec<_> = work.as_array().unwrap().iter().zip(&got).filter(|(_, got)| !got.is_null()).collect();
    assert!(succeeded.is_empty(), "{succeeded:#?}");
}

/// What the skill was refused, each as `operation rule`, as the owner is shown it.
fn refused(home: &Home, name: &str) -> Vec<String> {
    let shown = home.run(&["skill", "show", name, "--json"]).good();
    assert!(!shown.stdout.contains(CANARY), "{shown:#?}");
    let done = shown.json()["last30Days"].as_array().unwrap().clone();
    let denied = done.iter().filter(|line| line["verdict"] == "denied");
    denied.map(|line| format!("{} {}", line["operation"], line["target"]).replace('"', "")).collect()
}

/// That the skill was refused something of these words.
fn was_refused(home: &Home, name: &str, words: &str) {
    let refused = refused(home, name);
    assert!(refused.iter().any(|line| line.contains(words)), "'{words}' is not in {refused:#?}");
}
