//! How calls are run, and what the model and the owner are told of them.

use crate::house::{House, answer, calls, op};
use chiton_agent::{AgentSettings, TurnEvent};
use chiton_providers::{MalformedArguments, Reply};
use chiton_sandbox::{Access, Effects, FileGrant, SessionRights, Verdict};
use serde_json::json;
use std::time::{Duration, Instant};

fn finished(events: &[TurnEvent]) -> Vec<(String, Verdict)> {
    let finished = events.iter().filter_map(|event| match event {
        TurnEvent::ToolFinished { id, verdict, .. } => Some((id.clone(), *verdict)),
        _ => None,
    });
    finished.collect()
}

fn write(path: &str, text: &str) -> serde_json::Value {
    op(json!({"op": "write", "path": path, "text": text, "flags": ["create", "write"]}))
}

#[tokio::test]
async fn a_call_runs_in_the_sandbox_and_its_result_goes_to_the_model() {
    let house = House::new().await;
    std::fs::write(house.workspace().join("note"), "four words in it").unwrap();
    house.script([calls([("1", "probe_read", op(json!({"op": "read", "path": "note"})))]), Reply::text("done")]);
    let events = house.ask("read").await;
    assert!(house.asked()[1].result().contains("four words in it"));
    assert_eq!(finished(&events), [("1".to_owned(), Verdict::Allowed)]);
    assert!(matches!(&events[0], TurnEvent::ToolStarted { name, .. } if name == "probe_read"));
}

#[tokio::test]
async fn read_only_calls_run_beside_each_other() {
    let house = House::new().await;
    let nap = |id| (id, "probe_read", op(json!({"op": "sleep", "ms": 600})));
    house.script([calls([nap("1"), nap("2"), nap("3"), nap("4")]), Reply::text("done")]);
    let start = Instant::now();
    let events = house.ask("wait").await;
    assert_eq!(finished(&events).len(), 4);
    assert!(start.elapsed() < Duration::from_millis(1_800), "{:?}", start.elapsed());
}

#[tokio::test]
async fn calls_that_change_something_run_one_after_another_in_order() {
    let house = House::new().await;
    let slow = json!({"ops": [{"op": "sleep", "ms": 300}, {"op": "write", "path": "f", "text": "first", "flags": ["create", "write"]}]});
    house.script([
        calls([
            ("1", "probe_write", slow),
            ("2", "probe_write", write("f", "other")),
            ("3", "probe_read", op(json!({"op": "read", "path": "f"}))),
        ]),
        Reply::text("done"),
    ]);
    let events = house.ask("write").await;
    let order: Vec<_> = finished(&events).into_iter().map(|(id, _)| id).collect();
    assert_eq!(order, ["1", "2", "3"]);
    assert!(house.asked()[1].result().contains("other"));
}

#[tokio::test]
async fn an_unknown_tool_is_answered_with_the_nearest_name() {
    let house = House::new().await;
    house.script([calls([("1", "probe_raed", json!({}))]), Reply::text("done")]);
    house.ask("go").await;
    assert!(house.asked()[1].result().contains("did you mean 'probe_read'"));
}

#[tokio::test]
async fn arguments_are_cast_to_the_schema_before_they_are_checked() {
    let house = House::new().await;
    let text = json!({"ops": "[{\"op\":\"raw_output\",\"text\":\"cast\"}]"});
    house.script([calls([("1", "probe_none", text), ("2", "probe_none", json!({"ops": 5}))]), Reply::text("done")]);
    let events = house.ask("go").await;
    let talk = house.asked()[1].talk();
    let results: Vec<_> = talk.iter().filter(|(role, _)| role == "tool").map(|(_, text)| text.as_str()).collect();
    assert!(results.contains(&"cast"));
    assert!(results.iter().any(|text| text.contains("invalid arguments")));
    assert_eq!(finished(&events).len(), 2);
}

#[tokio::test]
async fn malformed_arguments_are_answered_and_not_run() {
    let house = House::new().await;
    let mut reply = calls([("1", "probe_none", json!({}))]);
    reply.tool_calls[0].arguments = Err(MalformedArguments { raw: "{".into(), reason: "cut".into() });
    house.script([reply, Reply::text("done")]);
    let events = house.ask("go").await;
    assert!(house.asked()[1].result().contains("not a JSON object (cut)"));
    assert_eq!(finished(&events), [("1".to_owned(), Verdict::Failed)]);
}

#[tokio::test]
async fn a_long_result_is_shown_by_head_and_tail() {
    let mut house = House::new().await;
    house.settings = AgentSettings { max_tool_result_chars: 1_000, ..house.settings };
    house.script([calls([("1", "probe_none", op(json!({"op": "output", "bytes": 100_000})))]), Reply::text("done")]);
    house.ask("go").await;
    let result = house.asked()[1].result();
    assert!(result.chars().count() <= 1_000 && result.contains("characters left out"));
}

#[tokio::test]
async fn wasi_07_what_a_tool_says_is_harmless_in_events_and_to_the_model() {
    let house = House::new().await;
    let nasty = "\u{1b}[2J\u{202e}evil\u{200b}\u{e0041}";
    let both = json!({"ops": [{"op": "progress", "count": 1, "text": nasty}, {"op": "raw_output", "text": nasty}]});
    house.script([calls([("1", "probe_none", both)]), Reply::text("done")]);
    let events = house.ask("go").await;
    let safe = "\\u{1b}[2J\\u{202e}evil\\u{200b}\\u{e0041}";
    assert_eq!(house.asked()[1].result(), safe);
    assert!(events.iter().any(|event| matches!(event, TurnEvent::ToolProgress { text, .. } if text.contains("evil"))));
    assert!(events.iter().any(|event| matches!(event, TurnEvent::ToolFinished { summary, .. } if summary == safe)));
    let all = serde_json::to_string(&events).unwrap();
    assert!(!all.contains(['\u{202e}', '\u{200b}', '\u{e0041}']) && !all.contains("\\u001b"));
}

#[tokio::test]
async fn a_repeated_call_is_stopped_and_then_the_turn_is_closed() {
    let house = House::new().await;
    let same = || calls([("1", "probe_none", op(json!({"op": "raw_output", "text": "same"})))]);
    house.script((0..5).map(|_| same()).chain([Reply::text("enough")]));
    assert_eq!(answer(&house.ask("go").await), "enough");
    let asked = house.asked();
    let results: Vec<_> = asked[1..].iter().map(|asked| asked.result()).collect();
    assert_eq!(results[..2], ["same", "same"]);
    assert!(results[2].contains("has just given the same result") && results[3] == results[2]);
    assert!(results[4].contains("repeated too often"));
    assert!(asked[4].tools.is_some() && asked[5].tools.is_none());
}

#[tokio::test]
async fn a_session_can_bring_its_own_folder() {
    let house = House::new().await;
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::write(elsewhere.path().join("x"), "from elsewhere").unwrap();
    let message = house.message("b", "read");
    let files = Some(vec![FileGrant::directory(elsewhere.path(), Access::Read).unwrap()]);
    let rights = SessionRights { files, ..SessionRights::of(message.session()) };
    house.script([calls([("1", "probe_read", op(json!({"op": "read", "path": "x"})))]), Reply::text("done")]);
    crate::house::to_end(house.agent().submit(message, rights).await.unwrap()).await;
    assert!(house.asked()[1].result().contains("from elsewhere"));
    assert!(house.asked()[0].talk()[0].1.contains(&elsewhere.path().canonicalize().unwrap().display().to_string()));
}

#[tokio::test]
async fn a_session_without_an_effect_has_no_tool_that_uses_it() {
    let house = House::new().await;
    let message = house.message("b", "write");
    let rights = SessionRights { effects: Effects::READS_FILES, ..SessionRights::of(message.session()) };
    house.script([calls([("1", "probe_write", write("f", "x"))]), Reply::text("done")]);
    crate::house::to_end(house.agent().submit(message, rights).await.unwrap()).await;
    assert!(house.asked()[1].result().contains("err"), "{}", house.asked()[1].result());
    assert!(!house.workspace().join("f").exists());
    house.script([calls([("1", "probe_write", write("f", "x"))]), Reply::text("done")]);
    house.ask("write").await;
    assert!(house.workspace().join("f").exists());
}
