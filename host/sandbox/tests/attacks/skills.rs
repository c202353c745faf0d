//! Calls that act for a skill: the skill's rights in place of the tool's, switched by the host.

use crate::world::World;
use chiton_sandbox::{
    Access, CallError, CallOutcome, Capability, Effects, FileGrant, Grants, Part, SessionRights, Verdict,
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A tool with a directory of its own, and the skill `weather` with its folder and a directory that it was granted.
struct Scene {
    world: World,
    own: PathBuf,
    folder: PathBuf,
    granted: PathBuf,
}

impl Scene {
    async fn new(skills: Option<&str>) -> Self {
        let world = World::new();
        let place = |name: &str| {
            let path = world.directory.path().canonicalize().unwrap().join(name);
            std::fs::create_dir(&path).unwrap();
            path
        };
        let (own, folder, granted) = (place("own"), place("weather"), place("granted"));
        let capabilities = skills.map(|value| (Capability::Skills, vec![value.to_owned()]));
        let grants = Grants { capabilities: capabilities.into_iter().collect(), ..files(&own, Access::Write) };
        let probe = world.sandbox.load(chiton_hostile::probe()).await.unwrap();
        world.sandbox.publish("probe", probe, grants).unwrap();
        let scene = Self { world, own, folder, granted };
        scene.give(files(&scene.granted, Access::Write));
        scene
    }

    fn give(&self, grants: Grants) {
        self.world.sandbox.set_skills(vec![("weather".to_owned(), self.folder.clone(), grants)]);
    }

    async fn call(&self, skill: Value, ops: Value, session: SessionRights) -> CallOutcome {
        let mut request = World::request("probe_everything", json!({ "ops": ops, "skill": skill }));
        request.session = session;
        self.world.sandbox.call(request).await
    }

    /// The directories of a call, each with `true` if it may be written.
    async fn mounts(&self, skill: Value, session: SessionRights) -> Result<Vec<(PathBuf, bool)>, CallError> {
        let parts = self.call(skill, json!([{ "op": "context" }]), session).await.result?;
        let [Part::Json(text)] = &parts[..] else { panic!("{parts:?}") };
        let results: Value = serde_json::from_str(text).unwrap();
        let mounts = results[0]["ok"]["mounts"].as_array().unwrap();
        let mount = |mount: &Value| (mount["path"].as_str().unwrap().into(), mount["writable"].as_bool().unwrap());
        Ok(mounts.iter().map(mount).collect())
    }
}

fn files(path: &Path, access: Access) -> Grants {
    Grants { files: vec![FileGrant::directory(path, access).unwrap()], ..Grants::default() }
}

fn session() -> SessionRights {
    SessionRights::of("test:skills")
}

#[tokio::test]
async fn a_call_for_a_skill_has_its_rights_and_not_the_tools() {
    let scene = Scene::new(Some("*")).await;
    let mounts = scene.mounts(json!("weather"), session()).await.unwrap();
    assert_eq!(mounts, [(scene.granted.clone(), true), (scene.folder.clone(), false)]);
    let mounts = scene.mounts(Value::Null, session()).await.unwrap();
    assert_eq!(mounts, [(scene.own.clone(), true)]);
}

#[tokio::test]
async fn a_tool_acts_for_no_skill_that_it_was_not_granted() {
    for granted in [None, Some("other")] {
        let scene = Scene::new(granted).await;
        let denied = scene.mounts(json!("weather"), session()).await.unwrap_err();
        assert!(matches!(&denied, CallError::Denied { grant, .. } if grant == "skills=weather"), "{denied:?}");
        assert_eq!(scene.world.records(Verdict::Denied).len(), 1, "a denial is on record");
    }
    let scene = Scene::new(Some("weather")).await;
    assert!(scene.mounts(json!("weather"), session()).await.is_ok());
}

#[tokio::test]
async fn a_skill_that_is_not_there_is_told_apart_and_lends_no_rights() {
    let scene = Scene::new(Some("*")).await;
    for name in ["wether", "", "../weather", "probe"] {
        let missing = scene.mounts(json!(name), session()).await.unwrap_err();
        assert!(matches!(&missing, CallError::NotFound(text) if text.contains("weather")), "{name}: {missing:?}");
    }
}

#[tokio::test]
async fn a_session_narrows_a_skill_as_it_does_a_tool() {
    let scene = Scene::new(Some("*")).await;
    let looking = SessionRights { effects: Effects::ALL.without(Effects::WRITES_FILES), ..session() };
    let mounts = scene.mounts(json!("weather"), looking).await.unwrap();
    assert_eq!(mounts, [(scene.granted.clone(), false), (scene.folder.clone(), false)]);
    let here = SessionRights { files: Some(files(&scene.own, Access::Read).files), ..session() };
    let mounts = scene.mounts(json!("weather"), here).await.unwrap();
    assert_eq!(mounts, [(scene.own.clone(), false), (scene.folder.clone(), false)]);
    let blind = SessionRights { effects: Effects::USES_NETWORK, ..session() };
    let denied = scene.mounts(json!("weather"), blind).await.unwrap_err();
    assert!(matches!(denied, CallError::Denied { .. }), "a session that reads nothing has no skills: {denied:?}");
}

#[tokio::test]
async fn what_a_skill_is_denied_is_asked_for_in_its_own_name() {
    let scene = Scene::new(Some("*")).await;
    let fails = json!([{ "op": "fail", "kind": "denied", "text": "network=https://a.example/" }]);
    let denied = scene.call(json!("weather"), fails, session()).await.result.unwrap_err();
    assert!(denied.to_string().contains("chiton grant add weather network=https://a.example/"), "{denied}");
    let record = &scene.world.records(Verdict::Denied)[0];
    assert_eq!(record.component, "weather");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_version_with_the_same_rights_lets_the_calls_of_the_old_one_finish() {
    let scene = Scene::new(Some("*")).await;
    let exchanged = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let grants = files(&scene.granted, Access::Write);
        scene.world.sandbox.set_skills(vec![("weather".to_owned(), scene.own.clone(), grants)]);
    };
    let sleeping = scene.call(json!("weather"), json!([{ "op": "sleep", "ms": 500 }]), session());
    let (called, ()) = tokio::join!(sleeping, exchanged);
    assert!(called.result.is_ok(), "{:?}", called.result);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_taken_from_a_skill_ends_its_calls_and_no_others() {
    let scene = Scene::new(Some("*")).await;
    let sleeping = |skill| scene.call(skill, json!([{ "op": "sleep", "ms": 1500 }]), session());
    let changed = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        scene.give(files(&scene.granted, Access::Read));
        Instant::now()
    };
    let ended = async { (sleeping(json!("weather")).await, Instant::now()) };
    let ((theirs, ended), own, changed) = tokio::join!(ended, sleeping(Value::Null), changed);
    assert!(matches!(&theirs.result, Err(CallError::Revoked(name)) if name == "weather"), "{:?}", theirs.result);
    assert!(ended - changed < Duration::from_secs(1));
    assert!(own.result.is_ok(), "{:?}", own.result);
    scene.world.sandbox.set_skills(Vec::new());
    assert!(matches!(scene.mounts(json!("weather"), session()).await, Err(CallError::NotFound(_))));
}
