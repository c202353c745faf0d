//! What is asked of the model, and what is made of its replies.

use crate::house::{House, Say, answer, calls, error, op};
use chiton_agent::{AgentSettings, TurnEvent};
use chiton_providers::{Finish, ProviderError, Reply};
use serde_json::{Value, json};

fn cut(text: &str) -> Reply {
    Reply { finish: Finish::Length, ..Reply::text(text) }
}

#[tokio::test]
async fn an_answer_is_streamed_kept_and_put_into_the_outbox() {
    let house = House::new().await;
    house.script([Reply::text("hello ann")]);
    let events = house.ask("hi").await;
    assert_eq!(answer(&events), "hello ann");
    assert!(matches!(&events[0], TurnEvent::Text { delta } if delta == "hello ann"));
    assert_eq!(house.outbox().await, ["hello ann"]);
    assert_eq!(house.history().await.roles(), "user assistant");
}

/// A house with these built-in tools alone.
async fn with_tools<const N: usize>(tools: [&str; N]) -> House {
    let house = House::new().await;
    house.sandbox.unload("probe");
    for tool in tools {
        let guest = chiton_build::Guest::at(format!("{}/../../tools/{tool}", env!("CARGO_MANIFEST_DIR")));
        let bytes = std::fs::read(chiton_build::build(&guest).unwrap()).unwrap();
        let component = house.sandbox.load(bytes).await.unwrap();
        house.sandbox.publish(tool, component, chiton_sandbox::Grants::default()).unwrap();
    }
    house
}

#[tokio::test]
async fn the_first_request_of_a_new_home_is_small() {
    let house = with_tools(["file", "memory"]).await;
    house.ask("hi").await;
    let asked = &house.asked()[0];
    assert!(["read_file", "search_memory"].iter().all(|tool| asked.tools.as_deref().unwrap().contains(tool)));
    assert!(asked.size() <= 16 << 10, "{} bytes", asked.size());
}

#[tokio::test]
async fn two_hundred_skills_make_the_first_request_at_most_8_000_bytes_larger() {
    let house = with_tools(["skill"]).await;
    house.ask("hi").await;
    let folder = house.workspace().parent().unwrap().join("skills");
    let skill = |number: usize| {
        let name = format!("skill-{number:06}");
        let text = format!("---\ndescription: {}\n---\nDo it.", "Tells of one thing. ".repeat(6));
        std::fs::create_dir_all(folder.join(&name)).unwrap();
        std::fs::write(folder.join(&name).join("SKILL.md"), text).unwrap();
        (name.clone(), folder.join(name), chiton_sandbox::Grants::default())
    };
    house.sandbox.set_skills((0..200).map(skill).collect());
    crate::house::to_end(house.submit("b", "hi").await).await;
    let (before, after) = (house.asked()[0].size(), house.asked()[1].size());
    assert!(house.asked()[1].tools.as_deref().unwrap().contains("use_skill") && house.asked()[0].tools.is_none());
    assert!(after - before <= 8_000, "{before} + {} bytes", after - before);
}

#[tokio::test]
async fn every_request_begins_with_the_bytes_of_the_one_before() {
    let house = House::new().await;
    for number in 0..4 {
        house.script([
            calls([("c", "probe_none", op(json!({"op": "raw_output", "text": format!("{number}")})))]),
            Reply::text("done"),
        ]);
        house.ask(&format!("question {number}")).await;
    }
    let asked = house.asked();
    assert_eq!(asked.len(), 8);
    for pair in asked.windows(2) {
        assert_eq!(pair[1].messages[..pair[0].messages.len()], pair[0].messages);
        assert_eq!(pair[1].tools, pair[0].tools);
    }
}

#[tokio::test]
async fn a_start_anew_sends_the_same_bytes() {
    let house = House::new().await;
    house.script([calls([("c", "probe_none", op(json!({"op": "clock"})))]), Reply::text("one"), Reply::text("two")]);
    house.ask("first").await;
    let message = house.message("a", "second");
    let rights = chiton_sandbox::SessionRights::of(message.session());
    crate::house::to_end(house.new_agent().submit(message, rights).await.unwrap()).await;
    let asked = house.asked();
    assert_eq!(asked[2].messages[..4], asked[1].messages[..]);
    assert_eq!(asked[2].roles(), "user assistant tool assistant user");
}

#[tokio::test]
async fn time_and_place_are_at_the_end_and_not_in_the_prefix() {
    let house = House::new().await;
    house.ask("hi").await;
    let asked = &house.asked()[0];
    let user = &asked.talk()[0].1;
    assert!(
        user.starts_with("hi\n\n[") && user.ends_with(&format!("working directory {}]", house.workspace().display())),
        "{user}"
    );
    let year = &user[user.find("20").unwrap()..][..4];
    assert!(!asked.messages[0].contains(&format!(" {year}-")));
}

#[tokio::test]
async fn at_the_last_round_the_answer_is_written_without_tools() {
    let mut house = House::new().await;
    house.settings = AgentSettings { max_tool_iterations: 2, ..house.settings };
    for id in ["1", "2"] {
        house.script([calls([(id, "probe_none", op(json!({"op": "raw_output", "text": id})))])]);
    }
    house.script([Reply::text("what I have")]);
    assert_eq!(answer(&house.ask("go").await), "what I have");
    let asked = house.asked();
    assert!(asked[1].tools.is_some() && !asked[1].result().contains("last round"));
    assert!(asked[2].tools.is_none() && asked[2].result().contains("last round"));
}

#[tokio::test]
async fn a_model_that_wants_tools_even_then_leaves_a_well_formed_history() {
    let mut house = House::new().await;
    house.settings = AgentSettings { max_tool_iterations: 1, ..house.settings };
    let again = || calls([("1", "probe_none", op(json!({"op": "clock"})))]);
    house.script([again(), again()]);
    assert!(answer(&house.ask("go").await).contains("used up its rounds"));
    assert_eq!(house.history().await.roles(), "user assistant tool assistant");
}

#[tokio::test]
async fn an_empty_answer_is_asked_for_again() {
    let house = House::new().await;
    house.script([Reply::text(" "), Reply::text("here")]);
    assert_eq!(answer(&house.ask("hi").await), "here");
    assert_eq!(house.history().await.roles(), "user assistant");
}

#[tokio::test]
async fn a_model_that_gives_no_answer_fails_the_turn_in_one_sentence() {
    let house = House::new().await;
    house.script([Reply::text(""), Reply::text(""), Reply::text("")]);
    assert!(error(&house.ask("hi").await).contains("three times"));
    assert_eq!(house.asked().len(), 3);
    assert!(house.asked()[2].tools.is_none());
}

#[tokio::test]
async fn a_cut_answer_is_gone_on_with_three_times_at_most() {
    let house = House::new().await;
    house.script([cut("one "), cut("two "), Reply::text("three")]);
    assert_eq!(answer(&house.ask("write").await), "one two three");
    house.script([cut("a"), cut("b"), cut("c"), cut("d")]);
    assert_eq!(answer(&house.ask("more").await), "abcd");
    assert_eq!(house.asked().len(), 7);
}

#[tokio::test]
async fn calls_of_a_cut_reply_are_not_run() {
    let house = House::new().await;
    let file = house.workspace().join("half");
    let half =
        calls([("1", "probe_write", op(json!({"op": "write", "path": "half", "text": "x", "flags": ["create"]})))]);
    house.script([Reply { finish: Finish::Length, ..half }, Reply::text("sorry")]);
    house.ask("go").await;
    assert!(house.asked()[1].result().contains("was cut"));
    assert!(!file.exists());
}

#[tokio::test]
async fn an_error_of_the_provider_fails_the_turn_and_the_next_one_goes_on() {
    let house = House::new().await;
    let cause = ProviderError::Truncated { provider: "script".into(), reason: "no end".into() };
    house.says([Say::Error(cause.clone()), Say::Reply(Reply::text("back"))]);
    assert_eq!(error(&house.ask("hi").await), cause.to_string());
    assert_eq!(house.outbox().await, [cause.to_string()]);
    assert_eq!(answer(&house.ask("again").await), "back");
    assert_eq!(house.asked()[1].roles(), "user assistant user");
}

#[tokio::test]
async fn a_conversation_that_is_too_long_is_shortened_and_asked_again() {
    let house = House::new().await;
    for number in 0..8 {
        house.script([Reply::text(format!("answer {number}"))]);
        house.ask(&format!("question {number}")).await;
    }
    let overflow = || Say::Error(ProviderError::ContextOverflow { detail: "8 tokens".into() });
    let summary = || Say::Reply(Reply::text("summary"));
    house.says([overflow(), summary(), overflow(), summary(), Say::Reply(Reply::text("short"))]);
    assert_eq!(answer(&house.ask("last").await), "short");
    let asked = house.asked();
    let asked: Vec<_> = asked[8..].iter().filter(|asked| asked.talk().last().unwrap().1.starts_with("last")).collect();
    let sizes: Vec<_> = asked.iter().map(|asked| asked.messages.len()).collect();
    assert!(sizes.len() == 3 && sizes[0] > sizes[1] && sizes[1] > sizes[2], "{sizes:?}");
}

#[tokio::test]
async fn an_answer_cannot_write_to_the_terminal() {
    let house = House::new().await;
    house.script([Reply::text("\u{1b}]52;c;aGk=\u{7}hi")]);
    let events = house.ask("hi").await;
    assert_eq!(answer(&events), "\\u{1b}]52;c;aGk=\\u{7}hi");
    assert!(!serde_json::to_string(&events).unwrap().contains("\\u001b"));
}

#[tokio::test]
async fn a_turn_ends_at_its_time_limit() {
    let mut house = House::new().await;
    house.settings = AgentSettings { max_turn_time: std::time::Duration::from_millis(300), ..house.settings };
    house.script([calls([("1", "probe_none", op(json!({"op": "sleep", "ms": 20_000})))])]);
    assert!(error(&house.ask("wait").await).contains("time limit"));
    let history: Value = serde_json::from_str(&house.history().await.messages[3]).unwrap();
    assert_eq!(history["role"], "tool");
}
