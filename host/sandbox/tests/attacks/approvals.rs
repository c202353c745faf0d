//! Approvals that hold for one call or one session, and what one skill sees of another.

use crate::world::World;
use chiton_sandbox::{
    Access, CallError, CallOutcome, Digest, FileGrant, Grants, Part, Quota, Script, Seal, SessionRights, Single,
    Validity, Verdict,
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

async fn world(validity: Validity) -> World {
    let world = World::new();
    let healthy = world.sandbox.load(chiton_hostile::tool("healthy")).await.unwrap();
    world.sandbox.publish("healthy", healthy, Grants { validity, ..Grants::default() }).unwrap();
    world
}

async fn call(world: &World, session: &str) -> CallOutcome {
    let mut request = World::request("healthy", json!({}));
    request.session = SessionRights::of(session);
    world.sandbox.call(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn agt_11_an_approval_for_one_call_is_used_once_however_many_ask_at_the_same_time() {
    let world = Arc::new(world(Validity::Once(Single::default(), "test:a".into())).await);
    let calls = (0..50).map(|_| {
        let world = world.clone();
        tokio::spawn(async move { call(&world, "test:a").await.result })
    });
    let results = futures_util::future::join_all(calls).await;
    let (mut good, mut refused) = (0, 0);
    for result in results {
        match result.unwrap() {
            Ok(_) => good += 1,
            Err(CallError::NotApproved(_)) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((good, refused), (1, 49));
}

#[tokio::test]
async fn agt_11_arguments_that_make_no_sense_do_not_use_up_the_one_call() {
    let world = world(Validity::Always).await;
    let probe = world.sandbox.load(chiton_hostile::probe()).await.unwrap();
    let grants = Grants { validity: Validity::Once(Single::default(), "test:hostile".into()), ..Grants::default() };
    world.sandbox.publish("probe", probe, grants).unwrap();
    let wrong = world.sandbox.call(World::request("probe_read", json!({ "ops": "none" }))).await;
    assert!(matches!(wrong.result, Err(CallError::InvalidArguments(_))), "{wrong:?}");
    world.sandbox.call(World::request("probe_read", json!({ "ops": [] }))).await.result.unwrap();
}

#[tokio::test]
async fn agt_11_an_approval_for_one_session_serves_no_other() {
    let world = world(Validity::Session("test:a".into())).await;
    call(&world, "test:a").await.result.unwrap();
    let refused = call(&world, "test:b").await;
    assert!(matches!(&refused.result, Err(CallError::NotApproved(name)) if name == "healthy"), "{refused:?}");
    assert_eq!(refused.verdict, Verdict::Denied);
    call(&world, "test:a").await.result.unwrap();
}

#[derive(Debug)]
struct Wax(AtomicBool);

impl Seal for Wax {
    fn holds(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn cmp_14_nothing_is_called_while_its_files_are_not_what_was_approved() {
    let world = World::new();
    let wax = Arc::new(Wax(AtomicBool::new(true)));
    let healthy = world.sandbox.load(chiton_hostile::tool("healthy")).await.unwrap();
    let validity = Validity::Once(Single::default(), "test:a".into());
    let grants = Grants { seal: Some(wax.clone()), validity, ..Grants::default() };
    world.sandbox.publish("healthy", healthy, grants).unwrap();
    wax.0.store(false, Ordering::Relaxed);
    let refused = call(&world, "test:a").await;
    assert!(matches!(&refused.result, Err(CallError::Changed(name)) if name == "healthy"), "{refused:?}");
    assert_eq!(refused.verdict, Verdict::Denied);
    assert_eq!(world.records(Verdict::Denied)[0].rule, "changed-files");
    wax.0.store(true, Ordering::Relaxed);
    call(&world, "test:a").await.result.unwrap();
}

#[test]
fn fs_17_a_skill_has_the_smaller_quota_of_its_own_and_the_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let rights = |asked: &str, session: u64| {
        let mut grants = Grants { own_scratch: Some("own".into()), ..Grants::default() };
        grants.add(asked, Path::new("/")).unwrap();
        let mut rights = SessionRights::of("test:a");
        let quota = Some(Quota { bytes: session, entries: 10 });
        rights.scratch = Some(FileGrant { quota, ..FileGrant::directory(folder.path(), Access::Write).unwrap() });
        chiton_sandbox::Rights::of(&grants, chiton_sandbox::Effects::ALL, &rights).files[0].quota.unwrap().bytes
    };
    assert_eq!(rights("files=scratch:write", 4096), 4096);
    assert_eq!(rights("files=scratch:write,1KiB", 4096), 1024);
    assert_eq!(rights("files=scratch:write,1GiB", 4096), 4096);
}

/// Two skills that were both granted the scratch directory of one session.
async fn two_skills() -> (World, PathBuf) {
    let world = World::new();
    let scratch = world.directory.path().canonicalize().unwrap().join("scratch");
    std::fs::create_dir(&scratch).unwrap();
    for name in ["probe", "other"] {
        let bytes = if name == "probe" { chiton_hostile::probe() } else { chiton_hostile::tool("healthy") };
        let component = world.sandbox.load(bytes).await.unwrap();
        let grants = Grants {
            scratch: Some(Access::Write),
            own_scratch: Some(PathBuf::from("skills").join(name)),
            ..Grants::default()
        };
        world.sandbox.publish(name, component, grants).unwrap();
    }
    (world, scratch)
}

#[tokio::test]
async fn fs_18_a_skill_sees_only_its_own_part_of_a_sessions_scratch_directory() {
    let (world, scratch) = two_skills().await;
    std::fs::create_dir_all(scratch.join("skills/other")).unwrap();
    std::fs::write(scratch.join("skills/other/canary"), "canary").unwrap();
    std::fs::write(scratch.join("canary"), "canary").unwrap();
    let mut request = World::request("probe_write", json!({ "ops": [{ "op": "context" }] }));
    request.session.scratch = Some(FileGrant::directory(&scratch, Access::Write).unwrap());
    let parts = world.sandbox.call(request).await.result.unwrap();
    let [Part::Json(text)] = &parts[..] else { panic!("{parts:?}") };
    let results: Value = serde_json::from_str(text).unwrap();
    let mounts = results[0]["ok"]["mounts"].as_array().unwrap();
    assert_eq!(mounts.len(), 1, "{mounts:?}");
    assert_eq!(mounts[0]["path"], scratch.join("skills/probe").display().to_string());
}

#[tokio::test]
async fn a_script_is_known_by_its_engine_its_name_and_its_text() {
    let digest = |engine: &[u8], name: &str, text: &str| {
        Script { name: name.into(), text: text.into() }.digest(Digest::of(engine))
    };
    let one = digest(b"engine", "a.js", "text");
    assert_eq!(one, digest(b"engine", "a.js", "text"));
    for other in
        [digest(b"other", "a.js", "text"), digest(b"engine", "a.jst", "ext"), digest(b"engine", "a.js", "text ")]
    {
        assert_ne!(one, other);
    }
}

#[tokio::test]
async fn cmp_14_two_scripts_on_one_engine_are_two_components_and_each_is_revoked_alone() {
    let world = World::new();
    let engine = chiton_hostile::tool("healthy");
    let (digest, bytes) = (Digest::of(&engine), Arc::new(move || Ok(engine.clone())));
    let load = async |text: &str| {
        let script = Script { name: "a.js".into(), text: text.into() };
        world.sandbox.load_script(digest, bytes.clone(), script).await.unwrap()
    };
    let (one, other) = (load("one").await, load("other").await);
    assert_ne!(one.digest(), other.digest());
    world.sandbox.publish("one", one.clone(), Grants::default()).unwrap();
    world.sandbox.revoke(&other.digest());
    call(&world, "test:a").await.result.unwrap();
    world.sandbox.revoke(&one.digest());
    assert!(matches!(call(&world, "test:a").await.result, Err(CallError::UnknownTool { .. })));
}

#[tokio::test]
async fn what_was_missing_is_known_even_if_the_tool_says_nothing_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let read = FileGrant::directory(folder.path(), Access::Read).unwrap();
    let missing = format!("files={}:write", read.path.display());
    let world = World::new().probing(vec![read]).await;
    let write = json!({ "op": "write", "path": "new", "text": "x" });
    let outcome = world.call("probe_write", json!({ "ops": [write, write] })).await;
    assert!(outcome.result.is_ok(), "{outcome:?}");
    let [CallError::Denied { component, grant, .. }] = &outcome.missing[..] else { panic!("{:?}", outcome.missing) };
    assert_eq!((component.as_str(), grant), ("probe", &missing));
}

#[tokio::test]
async fn a_tool_that_does_not_declare_what_it_does_is_told_so_and_no_grant_is_advised() {
    let world = World::new().probing(Vec::new()).await;
    let fails = json!({ "op": "fail", "kind": "denied", "text": "files=/:read" });
    let refused = world.call("probe_none", json!({ "ops": [fails] })).await;
    let told = refused.result.as_ref().unwrap_err().to_string();
    assert!(told.contains("does not declare the effect reads-files") && !told.contains("grant add"), "{told}");
    assert_eq!(refused.verdict, Verdict::Denied);
    assert_eq!(world.records(Verdict::Denied)[0].rule, "undeclared reads-files");
}

#[tokio::test]
async fn a_secret_that_was_granted_and_has_no_value_is_not_asked_for_again() {
    let world = World::new();
    let probe = world.sandbox.load(chiton_hostile::probe()).await.unwrap();
    let granted = vec!["KEY https://a.example/ query=key".to_owned()];
    let capabilities = [(chiton_sandbox::Capability::Secrets, granted)].into();
    world.sandbox.publish("probe", probe, Grants { capabilities, ..Grants::default() }).unwrap();
    let fails = json!({ "op": "fail", "kind": "denied", "text": "secrets=KEY" });
    let refused = world.call("probe_everything", json!({ "ops": [fails] })).await.result.unwrap_err();
    assert!(refused.to_string().contains("the secret KEY has no value"), "{refused}");
}

#[tokio::test]
async fn a_component_that_breaks_tells_its_last_words() {
    let world = World::new().probing(Vec::new()).await;
    let broken = world.call("probe_read", json!({ "ops": [{ "op": "panic" }] })).await.result.unwrap_err().to_string();
    assert!(broken.starts_with("the tool broke: ") && broken.contains("as asked"), "{broken}");
}
