//! `chiton provider`, and what the configuration says about models.
#![cfg(test)]

mod support;

use chiton_tests::fake_openai::{Answer, FakeOpenAi, Reply, Script};
use serde_json::{Value, json};
use support::Home;

/// A home without tools, since no turn is run in it.
fn with_model(script: Script) -> (Home, FakeOpenAi) {
    let home = Home::empty();
    let model = FakeOpenAi::start_blocking(script);
    home.use_model(&model.base_url());
    (home, model)
}

fn row<'a>(list: &'a Value, name: &str) -> &'a Value {
    list.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap()
}

#[test]
fn providers_are_listed_with_the_place_of_their_key_and_never_the_key() {
    let (home, model) = with_model(Script::new());
    let table = home.run(&["provider", "list"]).good();
    let mut command = home.chiton(&["provider", "list", "--json"]);
    let listed = support::Ran::from(command.env("GROQ_API_KEY", "sk-canary-groq").output().unwrap()).good();
    let list = listed.json();
    let mine = row(&list, "mine");
    assert_eq!((&mine["key"], &mine["address"]), (&json!("configuration"), &json!(model.base_url())));
    assert_eq!((&mine["model"], &mine["configured"]), (&json!("fake"), &json!(true)));
    assert_eq!(row(&list, "groq")["key"], "GROQ_API_KEY");
    assert_eq!(row(&list, "anthropic")["key"], "missing");
    assert_eq!(row(&list, "anthropic")["protocol"], "messages");
    assert_eq!(row(&list, "ollama")["key"], "not needed");
    assert!(!format!("{table:?}{listed:?}").contains("canary"));
}

#[test]
fn a_test_lists_the_models_and_asks_one_for_a_word() {
    let reply = Reply { usage: Some((12, 3)), ..Reply::text("ready") };
    let (home, model) = with_model(Script::new().always(reply));
    let told = home.run(&["provider", "test"]).good().stdout;
    assert!(told.contains("mine lists 1 models") && told.contains("mine/fake answered in"), "{told}");
    let told = home.run(&["provider", "test", "mine/other", "--json"]).good().json();
    assert_eq!((&told["model"], &told["answer"]), (&json!("mine/other"), &json!("ready")));
    assert_eq!((&told["usage"]["input"], &told["usage"]["output"]), (&json!(12), &json!(3)));
    assert_eq!(model.chats()[1].body["model"], "other");
}

#[test]
fn a_test_that_fails_tells_why_by_its_exit_code() {
    let (home, _model) = with_model(Script::new().always(Answer::status(401, "bad key")));
    home.run(&["provider", "test", "mine"]).bad(5, "refused the API key");
    home.run(&["provider", "test", "opnai/gpt-5"]).bad(5, "refused the API key");
    let empty = Home::empty();
    empty.run(&["provider", "test"]).bad(3, "no model is configured");
    empty.run(&["provider", "test", "opnai/gpt-5"]).bad(3, "did you mean 'openai'?");
}

#[test]
fn a_preset_is_tried_out_by_its_name() {
    let (home, model) = with_model(Script::new().always(Reply::text("ready")));
    let config = json!({
        "agents": {"defaults": {"model_preset": "fast"}},
        "modelPresets": {"fast": {"model": "quick", "provider": "mine", "max_tokens": 50}},
        "providers": {"mine": {"apiBase": model.base_url()}},
    });
    home.configure(&config.to_string());
    home.run(&["provider", "test", "fast"]).good();
    let sent = &model.chats()[0].body;
    assert_eq!((&sent["model"], &sent["max_tokens"]), (&json!("quick"), &json!(50)));
    home.run(&["provider", "test", "fats"]).bad(3, "did you mean 'fast'?");
}

#[test]
fn another_model_answers_when_the_first_one_fails() {
    let broken = FakeOpenAi::start_blocking(Script::new().always(Answer::status(402, "empty")));
    let good = FakeOpenAi::start_blocking(Script::new().always(Reply::text("Here I am.")));
    let home = Home::new();
    let config = json!({
        "agents": {"defaults": {"model": "a", "provider": "first", "fallbackModels": ["second/b"]}},
        "providers": {"first": {"apiBase": broken.base_url()}, "second": {"apiBase": good.base_url()}},
    });
    home.configure(&config.to_string());
    let ran = home.run(&["chat", "-m", "Are you there?"]).good();
    assert_eq!(ran.stdout, "Here I am.\n");
    assert_eq!(good.chats()[0].body["model"], "b");
}
