//! Slash commands: answered by the bot itself, for whoever may use them.

use crate::house::{House, Say, answer, calls, op, to_end, until};
use async_trait::async_trait;
use chiton_agent::{AgentSettings, OwnerDesk, TurnEvent};
use chiton_providers::Reply;
use chiton_sandbox::SessionRights;
use serde_json::json;
use std::sync::Mutex;

/// A house whose owner writes in the channel `test`.
async fn owned() -> House {
    let mut house = House::new().await;
    house.settings = AgentSettings { owners: vec!["test".into()], ..house.settings };
    house
}

#[tokio::test]
async fn a_command_never_reaches_the_model_and_its_answer_is_delivered() {
    let house = owned().await;
    for command in ["/help", "/status", "/cost", "/tools", "/skills", "/memory", "/model", "/history", "/approve"] {
        let events = house.ask(command).await;
        let Some(TurnEvent::Finished { text, outbox: Some(_) }) = events.last() else {
            panic!("{command}: {events:?}")
        };
        assert!(!text.trim().is_empty(), "{command}");
    }
    assert!(house.asked().is_empty());
    assert_eq!(house.outbox().await.len(), 9);
}

#[tokio::test]
async fn an_unknown_command_is_answered_with_the_nearest() {
    let house = House::new().await;
    let text = answer(&house.ask("/statsu").await).to_owned();
    assert!(text.contains("did you mean `/status`?"), "{text}");
    assert!(answer(&house.ask("/nwe").await).contains("did you mean `/new`?"));
    assert!(answer(&house.ask("/qqqqqq").await).contains("`/help`"));
    assert!(house.asked().is_empty());
}

#[tokio::test]
async fn a_path_is_no_command() {
    let house = House::new().await;
    house.script([Reply::text("a file")]);
    assert_eq!(answer(&house.ask("/etc/passwd is what?").await), "a file");
}

#[tokio::test]
async fn agt_12_what_is_the_owners_is_shown_to_nobody_else() {
    let house = House::new().await;
    std::fs::write(house.workspace().join("memory/MEMORY.md"), "canary").unwrap();
    for command in ["/memory", "/memory accept", "/grants", "/approve", "/approve 1", "/deny 1", "/tools", "/skills"] {
        let text = answer(&house.ask(command).await).to_owned();
        assert!(text.contains("for the owner") && !text.contains("canary"), "{command}: {text}");
    }
}

#[tokio::test]
async fn agt_12_a_message_that_no_person_sent_is_no_command() {
    let house = owned().await;
    house.script([Reply::text("it is only text")]);
    // As a job or the end of a sub-agent's task comes: put into the store, not submitted.
    house.store.accept(house.message("a", "/new")).await.unwrap();
    house.agent().resume().await.unwrap();
    until(async || !house.outbox().await.is_empty()).await;
    assert_eq!(house.outbox().await, ["it is only text"]);
}

#[tokio::test]
async fn after_new_the_model_sees_nothing_older() {
    let house = House::new().await;
    house.script([Reply::text("hello"), Reply::text("who?")]);
    house.ask("I am Ann").await;
    assert!(answer(&house.ask("/new").await).contains("anew"));
    house.ask("who am I?").await;
    assert_eq!(house.asked()[1].roles(), "user");
    // The same after a start.
    house.script([Reply::text("again")]);
    let events = house.new_agent().submit(house.message("a", "and now?"), SessionRights::of("test:a")).await.unwrap();
    to_end(events).await;
    assert_eq!(house.asked()[2].roles(), "user assistant user");
}

#[tokio::test]
async fn stop_ends_the_turn_at_once_and_says_so() {
    let house = House::new().await;
    house.says([Say::Hang]);
    let turn = house.submit("a", "go").await;
    until(async || !house.asked().is_empty()).await;
    assert_eq!(answer(&house.ask("/stop").await), "Stopped.");
    assert_eq!(to_end(turn).await.last(), Some(&TurnEvent::Cancelled));
    assert_eq!(answer(&house.ask("/stop").await), "Nothing runs here.");
}

#[tokio::test]
async fn status_is_answered_while_a_turn_runs() {
    let house = House::new().await;
    house.says([Say::Hang]);
    let turn = house.submit("a", "go").await;
    until(async || !house.asked().is_empty()).await;
    assert!(answer(&house.ask("/status").await).contains("a turn runs"));
    house.ask("/stop").await;
    to_end(turn).await;
}

#[tokio::test]
async fn a_command_that_comes_twice_is_done_once() {
    let house = House::new().await;
    let message = house.message("a", "/status");
    let rights = || SessionRights::of("test:a");
    assert!(!house.agent().submit(message.clone(), rights()).await.unwrap().duplicate);
    assert!(house.agent().submit(message, rights()).await.unwrap().duplicate);
    assert_eq!(house.outbox().await.len(), 1);
}

/// A desk with one thing that waits.
#[derive(Default)]
struct Desk(Mutex<Vec<String>>);

#[async_trait]
impl OwnerDesk for Desk {
    async fn grants(&self) -> Result<String, String> {
        Ok("- `file`: everything".into())
    }

    async fn waiting(&self) -> Result<Vec<(String, String)>, String> {
        Ok(vec![("7".into(), "a job".into())])
    }

    async fn approve(&self, number: &str, _: &str, _: &str) -> Result<String, String> {
        self.0.lock().unwrap().push(format!("+{number}"));
        Ok("It runs.".into())
    }

    async fn deny(&self, number: &str) -> Result<String, String> {
        self.0.lock().unwrap().push(format!("-{number}"));
        Err("It is gone.".into())
    }
}

#[tokio::test]
async fn the_owner_judges_what_waits() {
    let mut house = owned().await;
    let desk = std::sync::Arc::new(Desk::default());
    house.desk = Some(desk.clone());
    assert!(answer(&house.ask("/approve").await).contains("`7`: a job"));
    assert_eq!(answer(&house.ask("/approve 7").await), "It runs.");
    assert_eq!(answer(&house.ask("/deny 7").await), "It is gone.");
    assert!(answer(&house.ask("/grants").await).contains("everything"));
    assert_eq!(*desk.0.lock().unwrap(), ["+7", "-7"]);
}

#[tokio::test]
async fn compact_puts_a_summary_in_the_place_of_what_was_said() {
    let house = House::new().await;
    let long = "word ".repeat(1_000);
    house.script([
        Reply::text(long.clone()),
        Reply::text(long),
        Reply::text("## Facts\nAnn, 7 apples"),
        Reply::text("7"),
    ]);
    house.ask("one").await;
    house.ask("two").await;
    assert!(answer(&house.ask("/compact").await).starts_with("Summarised"));
    assert!(house.asked()[2].talk()[0].1.contains("assistant: word"));
    house.ask("how many?").await;
    let talk = house.asked()[3].talk();
    assert!(talk[0].1.starts_with("[Summary of the conversation") && talk[0].1.contains("7 apples"), "{talk:?}");
    assert!(!talk.iter().any(|(_, text)| text.contains("word word")));
    assert!(
        house.store.read_messages("test:a", None, 20).await.unwrap().iter().any(|old| old.text.contains("word word"))
    );
}

#[tokio::test]
async fn a_summary_that_fails_changes_nothing() {
    let house = House::new().await;
    house.script([Reply::text("word ".repeat(1_000)), Reply::text("  "), Reply::text("still here")]);
    house.ask("one").await;
    assert!(answer(&house.ask("/compact").await).contains("nothing has changed"));
    house.ask("two").await;
    assert_eq!(house.asked()[2].roles(), "user assistant user assistant user");
}

#[tokio::test]
async fn undo_takes_back_one_turn_after_another_and_tells_what() {
    let house = owned().await;
    let write = |text: &str| {
        let beside = json!({"op": "write", "path": "new.tmp", "text": text, "flags": ["create", "write"]});
        let over = json!({"op": "rename", "path": "new.tmp", "to": "note"});
        calls([("1", "probe_write", json!({"ops": [beside, over]}))])
    };
    for text in ["one", "two"] {
        house.script([write(text), Reply::text("done")]);
        house.ask("write").await;
    }
    let note = house.workspace().join("note");
    assert_eq!(std::fs::read_to_string(&note).unwrap(), "two");
    let told = answer(&house.ask("/undo").await).to_owned();
    assert!(told.starts_with("Restored:") && told.contains("/note") && !told.contains("new.tmp"), "{told}");
    assert_eq!(std::fs::read_to_string(&note).unwrap(), "one");
    let told = answer(&house.ask("/undo").await).to_owned();
    assert!(told.starts_with("Removed:") && told.contains("/note") && !note.exists(), "{told}");
    assert!(answer(&house.ask("/undo").await).contains("nothing to undo"));
}

#[tokio::test]
async fn commands_keep_their_place_behind_the_turn_that_runs() {
    let house = House::new().await;
    house.script([calls([("1", "probe_none", op(json!({"op": "sleep", "ms": 300})))]), Reply::text("first")]);
    let (turn, new) = (house.submit("a", "go").await, house.submit("a", "/new").await);
    assert_eq!(answer(&to_end(turn).await), "first");
    assert!(answer(&to_end(new).await).contains("anew"));
    assert_eq!(house.asked()[1].roles(), "user assistant tool", "a command joins no turn");
}
