//! Programs: components that calls start beside themselves, with streams between them.

use crate::world::World;
use chiton_sandbox::files::{Act, Line, read_journal};
use chiton_sandbox::{Access, CallError, Digest, FileGrant, Grants, Limits, Verdict};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A world in which the probe may write to its directory and starts `deeds`, the program of many deeds.
pub async fn world(limits: Limits) -> World {
    let world = World::with(limits.clone());
    let probe = world.sandbox.load(chiton_hostile::probe()).await.unwrap();
    let files = vec![FileGrant::directory(world.directory.path(), Access::Write).unwrap()];
    world.sandbox.publish("probe", probe, Grants { files, limits: Some(limits), ..Grants::default() }).unwrap();
    publish(&world, "deeds", chiton_hostile::program());
    // The first start compiles; no test shall measure that.
    world.sandbox.warm_program("deeds").await.unwrap();
    world
}

fn publish(world: &World, name: &str, bytes: Vec<u8>) {
    let digest = Digest::of(&bytes);
    world.sandbox.publish_program(&[name.to_owned()], digest, Arc::new(move || Ok(bytes.clone())));
}

fn directory(world: &World) -> String {
    world.directory.path().canonicalize().unwrap().display().to_string()
}

async fn run(world: &World, argv: &[&str], stdin: &str) -> Value {
    let op = json!({ "op": "spawn", "argv": argv, "directory": directory(world), "stdin": stdin });
    world.op_of("probe_everything", op).await.unwrap().unwrap()
}

pub async fn pipeline(world: &World, stages: &[&[&str]]) -> Result<Value, CallError> {
    let op = json!({ "op": "pipeline", "stages": stages, "directory": directory(world) });
    Ok(world.op_of("probe_everything", op).await?.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_ends_with_its_whole_exit_code() {
    let world = world(Limits::default()).await;
    for code in [0, 1, 2, 7, 126, 141, 255] {
        let code_text = code.to_string();
        assert_eq!(run(&world, &["deeds", "exit", &code_text], "").await["code"], code);
        assert_eq!(run(&world, &["deeds", "deep-exit", &code_text], "").await["code"], code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_has_its_arguments_its_streams_and_its_directory() {
    let world = world(Limits::default()).await;
    assert_eq!(run(&world, &["deeds", "echo", "a b", "c"], "").await["stdout"], "a b c\n");
    assert_eq!(run(&world, &["deeds", "cat"], "in\nout").await["stdout"], "in\nout");
    assert_eq!(run(&world, &["deeds", "where"], "").await["stdout"], format!("{}\n", directory(&world)));
    assert_eq!(run(&world, &["deeds", "write", "relative.txt"], "").await["code"], 0);
    assert_eq!(run(&world, &["deeds", "read", "relative.txt"], "").await["stdout"], "written\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn cred_09_a_program_has_no_environment_but_what_it_is_given() {
    let world = world(Limits::default()).await;
    assert_eq!(run(&world, &["deeds", "environment"], "").await["stdout"], "\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_down_says_so_and_harms_nobody() {
    let world = world(Limits::default()).await;
    let ended = run(&world, &["deeds", "panic"], "").await;
    assert_eq!(ended["code"], 134, "{ended}");
    assert!(ended["stderr"].as_str().unwrap().contains("as asked"), "{ended}");
    world.assert_alive().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_without_a_program_is_not_found() {
    let world = world(Limits::default()).await;
    let op = json!({ "op": "spawn", "argv": ["nothing"], "directory": "/" });
    let refused = world.op_of("probe_everything", op).await.unwrap().unwrap_err();
    assert!(refused.starts_with("not-found"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cmp_03_what_exports_no_entry_point_is_no_program() {
    let world = world(Limits::default()).await;
    publish(&world, "tool", chiton_hostile::tool("innocent"));
    let ended = run(&world, &["tool"], "").await;
    assert_eq!(ended["code"], 126);
    assert!(ended["stderr"].as_str().unwrap().contains("wasi:cli/run"), "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cmp_14_bytes_that_changed_after_they_were_added_do_not_run() {
    let world = world(Limits::default()).await;
    let digest = Digest::of(b"what was added");
    world.sandbox.publish_program(&["swapped".to_owned()], digest, Arc::new(|| Ok(chiton_hostile::program())));
    assert_eq!(run(&world, &["swapped", "exit", "0"], "").await["code"], 126);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_has_enough_ends_its_writer() {
    let world = world(Limits::default()).await;
    for writer in ["yes", "deaf"] {
        let ended = pipeline(&world, &[&["deeds", writer], &["deeds", "head", "3"]]).await.unwrap();
        assert_eq!(ended["codes"], json!([141, 0]), "{writer}: {ended}");
    }
    let ended = pipeline(&world, &[&["deeds", "yes"], &["deeds", "head", "3"]]).await.unwrap();
    assert_eq!(ended["stdout"], "y\ny\ny\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_stage_ends_the_others() {
    let world = world(Limits::default()).await;
    let stages = [["deeds", "yes"].as_slice(), &["deeds", "cat"], &["deeds", "count"]];
    let op = json!({ "op": "pipeline", "stages": stages, "directory": directory(&world), "kill": 1 });
    let ended = world.op_of("probe_everything", op).await.unwrap().unwrap();
    assert_eq!(ended["codes"][1], 137, "{ended}");
    assert_eq!(ended["codes"][2], 0, "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn res_04_memory_is_summed_over_all_programs_of_a_call() {
    let world = world(Limits::default()).await;
    let alone = run(&world, &["deeds", "grow", "40"], "").await;
    assert_eq!(alone["code"], 0, "{alone}");
    let stages: [&[&str]; 3] = [&["deeds", "grow", "40"], &["deeds", "grow", "40"], &["deeds", "grow", "40"]];
    let together = pipeline(&world, &stages).await.unwrap();
    let codes = together["codes"].as_array().unwrap();
    assert!(codes.iter().any(|code| code != 0), "120 MiB under a limit of 64: {together}");
    world.assert_alive().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn res_13_programs_that_start_programs_run_into_their_number() {
    let world = world(Limits { time: Duration::from_secs(3), ..Limits::default() }).await;
    let stages = vec![["deeds", "sleep", "60000"]; 40];
    let op = json!({ "op": "pipeline", "stages": stages, "directory": directory(&world) });
    let refused = world.op_of("probe_everything", op).await.unwrap().unwrap_err();
    assert!(refused.contains("more than 32 programs"), "{refused}");
    world.assert_alive().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_call_is_the_end_of_its_programs() {
    let world = world(Limits { time: Duration::from_millis(500), ..Limits::default() }).await;
    let begun = Instant::now();
    let op = json!({ "op": "spawn", "argv": ["deeds", "tick", "count"], "directory": directory(&world) });
    let ended = world.op_of("probe_everything", op).await.unwrap_err();
    assert!(matches!(ended, CallError::Deadline(_)), "{ended}");
    assert!(begun.elapsed() < Duration::from_millis(750), "{:?}", begun.elapsed());
    let count = || std::fs::read_to_string(world.directory.path().join("count")).unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (first, _) = (count(), tokio::time::sleep(Duration::from_millis(200)).await);
    // It may have ended between emptying the file and writing the next number.
    assert_eq!(first, count(), "it still counts");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_has_no_more_rights_than_who_started_it() {
    let world = world(Limits::default()).await;
    std::fs::write(world.directory.path().join("mine"), "text").unwrap();
    let op = |argv: &[&str]| json!({ "op": "spawn", "argv": argv, "directory": directory(&world) });
    let read = world.op_of("probe_run_read", op(&["deeds", "read", "mine"])).await.unwrap().unwrap();
    assert_eq!(read["stdout"], "text\n");
    let written = world.op_of("probe_run_read", op(&["deeds", "write", "mine"])).await.unwrap().unwrap();
    assert_eq!(written["code"], 1, "{written}");
    let outside = world.op_of("probe_run_read", op(&["deeds", "read", "/etc/passwd"])).await.unwrap().unwrap();
    assert_eq!(outside["code"], 1, "{outside}");
    assert_eq!(std::fs::read_to_string(world.directory.path().join("mine")).unwrap(), "text");
}

#[tokio::test(flavor = "multi_thread")]
async fn exe_15_a_program_reaches_the_network_only_as_its_starter_may() {
    let world = world(Limits::default()).await;
    world.forget_records();
    let ended = run(&world, &["deeds", "fetch", "http://127.0.0.1:9/secret?key=1"], "").await;
    assert_eq!(ended["code"], 22, "{ended}");
    assert!(ended["stderr"].as_str().unwrap().contains("network=http://127.0.0.1:9/"), "{ended}");
    let denials = world.records(Verdict::Denied);
    assert_eq!(denials.len(), 1, "{denials:?}");
    assert!(!denials[0].target.contains("key=1"), "{denials:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_effect_no_program_starts() {
    let world = world(Limits::default()).await;
    let op = json!({ "op": "spawn", "argv": ["deeds", "exit", "0"], "directory": directory(&world) });
    let refused = world.op_of("probe_write", op).await.unwrap().unwrap_err();
    assert_eq!(refused, "denied: effects=runs-programs");
    assert_eq!(world.records(Verdict::Denied).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_programs_of_a_call_change_is_noted_before_and_after() {
    let world = world(Limits::default()).await;
    let at = std::path::Path::new(&directory(&world)).join("note");
    std::fs::write(&at, "mine").unwrap();
    let journal = tempfile::tempdir().unwrap().keep();
    let stages: [&[&str]; 2] = [&["deeds", "write", "note"], &["deeds", "write", "new"]];
    let op = json!({ "op": "pipeline", "stages": stages, "directory": directory(&world) });
    let mut request = World::request("probe_everything", json!({ "ops": [op] }));
    request.session.journal = Some(journal.join("turn"));
    world.sandbox.call(request).await.result.unwrap();
    assert_eq!(std::fs::read_to_string(&at).unwrap(), "written");
    let lines = read_journal(&journal.join("turn")).unwrap();
    let kept = |name: &str| {
        let told = |line: &&Line| line.at.ends_with(name) && matches!(line.act, Act::Changes(_));
        let line = lines.iter().find(told).unwrap_or_else(|| panic!("{name} is not in {lines:?}"));
        (line.stamp.is_some(), std::fs::read_to_string(journal.join("turn").join(line_copy(line))).unwrap_or_default())
    };
    assert_eq!(kept("note"), (true, "mine".to_owned()));
    assert!(!kept("new").0, "there was nothing");
    let left = |name: &str| lines.iter().any(|line| line.at.ends_with(name) && matches!(line.act, Act::Left));
    assert!(left("note") && left("new"), "{lines:?}");
    std::fs::remove_dir_all(journal).unwrap();
}

fn line_copy(line: &Line) -> &str {
    match &line.act {
        Act::Changes(copy) => copy,
        _ => "",
    }
}
