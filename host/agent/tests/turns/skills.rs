//! Skills of the owner: what the model is told of them, and when it is shown their tools.

use crate::house::{Asked, House, answer, calls};
use chiton_hostile::{Text, Tool};
use chiton_providers::Reply;
use chiton_sandbox::{Capability, Grants, Validity};
use serde_json::json;
use std::path::PathBuf;

/// A house without other tools than `use_skill`, and with these skills: each has a tool `NAME-tool` of so many bytes.
async fn house(skills: &[(&str, usize)]) -> House {
    let house = House::new().await;
    house.sandbox.unload("probe");
    let parameters = json!({"type": "object", "properties": {"name": {"type": "string", "format": "skill"}}});
    let use_skill = Tool { parameters: parameters.to_string(), effects: 1, ..Tool::named("use_skill") };
    let tools = Text::valid().tools(&[use_skill, Tool::named("propose_skill"), Tool::named("always")]);
    let component = house.sandbox.load(tools.component()).await.unwrap();
    let every = [(Capability::Skills, vec!["*".to_owned()])];
    house.sandbox.publish("skill", component, Grants { capabilities: every.into(), ..Grants::default() }).unwrap();
    for (name, size) in skills {
        let tool = Tool { description: "d".repeat(*size), ..Tool::named(&format!("{name}-tool")) };
        let component = house.sandbox.load(Text::valid().tools(&[tool]).component()).await.unwrap();
        house.sandbox.publish(name, component, Grants::default()).unwrap();
    }
    publish(&house, &skills.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    house
}

/// Makes skills of these names known, each with instructions.
fn publish(house: &House, names: &[&str]) {
    let network = || [(Capability::Network, vec!["https://example.com/".to_owned()])].into();
    let skill = |name: &&str| {
        let folder = folder(house, name);
        std::fs::create_dir_all(&folder).unwrap();
        let text = format!("---\ndescription: {}\n---\nDo it.", "It does what its name says. ".repeat(5));
        std::fs::write(folder.join("SKILL.md"), text).unwrap();
        ((*name).to_owned(), folder, Grants { capabilities: network(), ..Grants::default() })
    };
    house.sandbox.set_skills(names.iter().map(skill).collect());
}

fn folder(house: &House, name: &str) -> PathBuf {
    house.workspace().parent().unwrap().join("store").join(name).join("1a2b3c")
}

const MANY: [(&str, usize); 8] =
    [("a", 1_000), ("b", 1_000), ("c", 1_000), ("d", 1_000), ("e", 1_000), ("f", 1_000), ("g", 1_000), ("h", 1_000)];

fn using(skill: &str) -> Reply {
    calls([("1", "use_skill", json!({"name": skill}))])
}

/// The names of the tools that a request shows, in order.
fn shown(asked: &Asked) -> String {
    let tools: serde_json::Value = serde_json::from_str(asked.tools.as_deref().unwrap_or("[]")).unwrap();
    let names = tools.as_array().unwrap().iter().map(|tool| tool["function"]["name"].as_str().unwrap());
    names.collect::<Vec<_>>().join(" ")
}

/// What each request so far showed.
fn all_shown(house: &House) -> Vec<String> {
    house.asked().iter().map(shown).collect()
}

#[tokio::test]
async fn a_skill_is_told_and_found_wherever_the_host_keeps_it() {
    let house = house(&[("a", 100)]).await;
    house.ask("hi").await;
    let prompt = house.asked()[0].messages[0].to_string();
    assert!(prompt.contains("- **a**: It does what its name says.") && prompt.contains("`use_skill`"), "{prompt}");
    assert!(!prompt.contains("store/a"), "the model need not know where");
    house.sandbox.set_skills(Vec::new());
    house.ask("and now?").await;
    assert!(!house.asked()[1].messages[0].contains("# Skills"));
}

#[tokio::test]
async fn few_tools_of_skills_stand_in_every_request() {
    let house = house(&MANY[..4]).await;
    house.ask("hi").await;
    assert_eq!(all_shown(&house), ["a-tool always b-tool c-tool d-tool use_skill"]);
    assert!(!house.asked()[0].messages[0].contains("tools after use_skill"));
}

#[tokio::test]
async fn many_tools_of_skills_are_shown_from_the_next_step_on_when_their_skill_was_read() {
    let house = house(&MANY).await;
    house.script([using("c"), Reply::text("done"), Reply::text("again")]);
    house.ask("hi").await;
    house.ask("and now?").await;
    let with_c = "always use_skill c-tool";
    assert_eq!(all_shown(&house), ["always use_skill", with_c, with_c]);
    let asked = house.asked();
    assert!(asked[0].messages[0].contains("[tools after use_skill: c-tool]"));
    assert_eq!(asked[0].messages[0], asked[2].messages[0], "the prompt stays the same bytes");
    let (before, after) = (asked[0].tools.as_deref().unwrap(), asked[1].tools.as_deref().unwrap());
    assert!(after.starts_with(&before[..before.len() - 1]), "what was shown stays the same bytes");
}

#[tokio::test]
async fn the_tools_of_a_skill_are_shown_to_who_uses_it_and_to_no_other_chat() {
    let house = house(&MANY).await;
    house.script([using("c"), Reply::text("done"), Reply::text("hello")]);
    house.ask("hi").await;
    crate::house::to_end(house.submit("b", "hi").await).await;
    assert_eq!(all_shown(&house)[2], "always use_skill");
}

#[tokio::test]
async fn a_start_anew_shows_the_same_tools_and_a_new_conversation_none() {
    let house = house(&MANY).await;
    house.script([using("c"), Reply::text("done"), Reply::text("again"), Reply::text("new")]);
    house.ask("hi").await;
    house.restart();
    house.ask("and now?").await;
    house.ask("/new").await;
    house.ask("hi").await;
    let with_c = "always use_skill c-tool";
    assert_eq!(all_shown(&house), ["always use_skill", with_c, with_c, "always use_skill"]);
}

#[tokio::test]
async fn a_skill_that_the_user_names_is_in_use() {
    let house = house(&MANY).await;
    house.ask("do it with $d").await;
    assert_eq!(all_shown(&house), ["always use_skill d-tool"]);
}

#[tokio::test]
async fn a_skill_that_is_not_there_is_not_in_use() {
    let house = house(&MANY).await;
    house.script([using("z"), Reply::text("no")]);
    house.ask("hi").await;
    assert_eq!(all_shown(&house)[1], "always use_skill");
    assert!(house.asked()[1].result().contains("there is no skill 'z'"));
}

#[tokio::test]
async fn a_tool_that_was_not_shown_can_be_called_and_is_shown_from_then_on() {
    let house = house(&MANY).await;
    house.script([calls([("1", "e-tool", json!({}))]), Reply::text("ok")]);
    assert_eq!(answer(&house.ask("hi").await), "ok");
    assert_eq!(house.asked()[1].result(), "done");
    assert_eq!(all_shown(&house), ["always use_skill", "always use_skill e-tool"]);
}

#[tokio::test]
async fn tools_wait_too_when_the_catalogue_has_no_room_for_whole_lines() {
    let house = house(&MANY[..2]).await;
    let names: Vec<String> = (0..100).map(|number| format!("skill-{number:03}")).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.extend(["a", "b"]);
    publish(&house, &names);
    house.ask("hi").await;
    assert_eq!(all_shown(&house), ["always use_skill"]);
}

#[tokio::test]
async fn skills_are_proposed_only_while_the_skill_that_teaches_it_is_in_use() {
    let house = house(&[("a", 100)]).await;
    publish(&house, &["a", "skill-creator"]);
    house.script([Reply::text("hello"), using("skill-creator"), Reply::text("done")]);
    house.ask("hi").await;
    house.ask("make a skill").await;
    assert_eq!(all_shown(&house)[1..], ["a-tool always use_skill", "a-tool always use_skill propose_skill"]);
}

#[tokio::test]
async fn without_skills_there_is_nothing_to_read_them_with() {
    let house = house(&[]).await;
    house.ask("hi").await;
    assert_eq!(all_shown(&house), ["always"]);
    assert!(!house.asked()[0].messages[0].contains("# Skills"));
}

#[tokio::test]
async fn agt_09_the_text_of_a_skill_that_the_owner_approved_is_not_that_of_strangers() {
    let house = house(&[("a", 100)]).await;
    house.script([using("a"), Reply::text("done")]);
    house.ask("hi").await;
    assert_eq!(house.asked()[1].result(), "done", "nothing marks it, though the skill may use the network");
}

#[tokio::test]
async fn agt_11_a_skill_for_one_session_says_nothing_in_another() {
    let house = house(&[("a", 100)]).await;
    let known = house.sandbox.snapshot();
    let (_, folder, grants) = known.skills().next().unwrap();
    let grants = Grants { validity: Validity::Session("test:a".into()), ..grants.clone() };
    let component = known.get("a-tool").unwrap().component.clone();
    house.sandbox.publish("a", component, grants.clone()).unwrap();
    house.sandbox.set_skills(vec![("a".to_owned(), folder.to_owned(), grants)]);
    house.ask("hi, $a").await;
    crate::house::to_end(house.submit("b", "hi, $a").await).await;
    house.ask("again").await;
    assert_eq!(all_shown(&house), ["a-tool always use_skill", "always use_skill", "a-tool always use_skill"]);
    let asked = house.asked();
    let prompts = asked.iter().map(|asked| asked.messages[0].contains("It does what its name says"));
    assert_eq!(prompts.collect::<Vec<_>>(), [true, false, true]);
    let bodies = asked.iter().map(|asked| asked.messages[1].contains("Do it."));
    assert_eq!(bodies.collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(asked[0].messages[0], asked[2].messages[0], "the prompt stays the same bytes");
}

#[tokio::test]
async fn what_a_skill_says_makes_the_turn_one_that_met_strangers() {
    let house = house(&[("a", 100)]).await;
    let known = house.sandbox.snapshot();
    let component = known.get("a-tool").unwrap().component.clone();
    house.sandbox.publish("a", component, Grants { own_scratch: Some("a".into()), ..Grants::default() }).unwrap();
    house.script([calls([("1", "a-tool", json!({}))]), Reply::text("done")]);
    house.ask("hi").await;
    assert!(house.asked()[1].messages.last().unwrap().contains("[From outside, by a-tool"));
}
