//! Versions of skills and what the owner decided.

use super::new_store;
use chiton_store::{Publisher, SkillRow, SkillState};

fn version(digest: &str, version: &str) -> SkillRow {
    SkillRow {
        name: "weather".into(),
        digest: digest.into(),
        version: version.into(),
        engine: String::new(),
        file: "weather.wasm".into(),
        code: "c".into(),
        definitions: "d".into(),
        source: "/skills/weather".into(),
        asked_json: "[]".into(),
        limits_json: String::new(),
        granted_json: None,
        state: SkillState::Waiting,
        added_at: 1,
        decided_at: None,
    }
}

fn states(rows: &[SkillRow]) -> Vec<(String, SkillState)> {
    let mut all: Vec<_> = rows.iter().map(|row| (row.digest.clone(), row.state)).collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}

#[tokio::test]
async fn one_version_runs_one_waits_and_three_are_kept() {
    let (_home, _path, store) = new_store();
    for digest in ["1", "2", "3", "4"] {
        store.add_skill(version(digest, digest)).await.unwrap();
        store.activate_skill("weather", digest, "[]", Publisher::default()).await.unwrap();
        // milliseconds order them
        tokio::time::sleep(std::time::Duration::from_millis(3)).await;
    }
    store.add_skill(version("5", "5")).await.unwrap();
    store.add_skill(version("6", "6")).await.unwrap();
    let expected =
        [("2", SkillState::Retired), ("3", SkillState::Retired), ("4", SkillState::Active), ("6", SkillState::Waiting)];
    let expected: Vec<_> = expected.map(|(digest, state)| (digest.to_owned(), state)).into();
    assert_eq!(states(&store.skills().await.unwrap()), expected);
}

#[tokio::test]
async fn approving_a_version_forgets_what_was_granted_to_the_one_before() {
    let (_home, _path, store) = new_store();
    store.add_skill(version("1", "1")).await.unwrap();
    store.activate_skill("weather", "1", "[]", Publisher::default()).await.unwrap();
    store.set_tool_grants("weather", Some(r#"["network=public"]"#)).await.unwrap();
    store.add_skill(version("2", "2")).await.unwrap();
    store.activate_skill("weather", "2", "[]", Publisher { key: "k".into(), floor: "2".into() }).await.unwrap();
    assert!(store.tool_grants().await.unwrap().is_empty());
    assert_eq!(store.publisher("weather").await.unwrap().unwrap().key, "k");
}

#[tokio::test]
async fn a_removed_skill_leaves_nothing_that_another_of_its_name_inherits() {
    let (_home, _path, store) = new_store();
    store.add_skill(version("1", "1")).await.unwrap();
    store.activate_skill("weather", "1", "[]", Publisher { key: "k".into(), floor: "1".into() }).await.unwrap();
    store.set_tool_grants("weather", Some(r#"["network=public"]"#)).await.unwrap();
    let job = chiton_store::NewJob { component: "weather".into(), ..super::jobs::job("daily", 1_000) };
    store.add_job(job, chiton_store::JobLimits { of_session: 10, in_all: 10 }, 1).await.unwrap();
    store.remove_skill("weather").await.unwrap();
    assert!(store.skills().await.unwrap().is_empty());
    assert_eq!(store.publisher("weather").await.unwrap(), None);
    assert!(store.tool_grants().await.unwrap().is_empty());
    assert!(store.jobs(None).await.unwrap().is_empty());
}
