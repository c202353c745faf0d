//! The program is killed (SIGKILL) at every commit point of a turn, started again, and must go on:
//! nothing that was accepted is lost, nothing that was recorded is done twice.
#![cfg(test)]

mod support;

use chiton_tests::fake_openai::{FakeOpenAi, Reply, Rule, Script};
use serde_json::{Value, json};
use support::{Home, Ran};

/// Every point of a turn with a read-only call and one that changes a file, with how often it is
/// reached before the process dies.
const POINTS: [&str; 24] = [
    "before-accept",
    "after-accept",
    "before-begin-turn",
    "after-begin-turn",
    "before-model",
    "after-model",
    "before-append",
    "after-append",
    "before-call",
    "after-call",
    "before-start-call",
    "after-start-call",
    "before-call:2",
    "after-call:2",
    "before-finish-call",
    "after-finish-call",
    "before-finish-call:2",
    "after-finish-call:2",
    "before-model:3",
    "before-answer",
    "before-finish-turn",
    "after-finish-turn",
    "after-answer",
    "before-delivery",
];

/// A model that reads the file, adds one mark to it, and answers; then answers a second question.
fn model() -> FakeOpenAi {
    let edit = json!({"path": "marks.md", "old_text": "end", "new_text": "+end"});
    let rules: [(&str, Reply); 5] = [
        ("not known whether", Reply::text("first answer")),
        ("Second question", Reply::text("second answer")),
        ("First question", Reply::call("read_file", json!({"path": "marks.md"}))),
        ("begin of the marks", Reply::call("edit_file", edit)),
        ("Edited", Reply::text("first answer")),
    ];
    let rule = |(when, reply): (&str, Reply)| Rule { when: Some(when.to_owned()), times: 0, answer: reply.into() };
    let script = Script { rules: rules.into_iter().map(rule).collect(), ..Script::default() };
    FakeOpenAi::start_blocking(script)
}

fn marks(home: &Home) -> usize {
    let text = std::fs::read_to_string(home.root().join("workspace/marks.md")).unwrap();
    text.matches('+').count()
}

fn killed_at(home: &Home, point: &str) -> Ran {
    home.chiton(&["chat", "-m", "First question"]).env("CHITON_FAILPOINT", point).output().unwrap().into()
}

/// The messages of the request that asked the second question.
fn history(model: &FakeOpenAi) -> Vec<Value> {
    let chats = model.chats();
    chats.iter().rfind(|chat| chat.raw.contains("Second question")).unwrap().messages().to_vec()
}

/// Every call of the history has exactly one result, right after the message that made it.
fn assert_well_formed(history: &[Value], point: &str) {
    let mut waiting: Vec<&str> = Vec::new();
    for message in history {
        if message["role"] == "tool" {
            let id = message["tool_call_id"].as_str().unwrap();
            let place = waiting.iter().position(|open| *open == id);
            waiting.remove(place.unwrap_or_else(|| panic!("{point}: a result without a call: {message}")));
            continue;
        }
        assert!(waiting.is_empty(), "{point}: calls without results: {waiting:?}");
        let calls = message["tool_calls"].as_array().map(Vec::as_slice).unwrap_or_default();
        waiting.extend(calls.iter().map(|call| call["id"].as_str().unwrap()));
    }
    assert!(waiting.is_empty(), "{point}: calls without results: {waiting:?}");
}

#[test]
fn a_turn_killed_at_any_point_goes_on_and_does_nothing_twice() {
    for point in POINTS {
        let home = Home::new();
        let model = model();
        home.use_model(&model.base_url());
        home.call("write_file", json!({"path": "marks.md", "content": "begin of the marks end"}), &[]).good();

        let dead = killed_at(&home, point);
        assert_eq!(dead.code, -1, "{point} was not reached: {dead:#?}");
        // With rights of its own the second question joins no turn.
        let second = home.run(&["chat", "--grant", "files=/:read", "-m", "Second question"]).good();
        assert!(second.stdout.contains("second answer"), "{point}: {second:#?}");

        let history = history(&model);
        assert_well_formed(&history, point);
        let asked = history.iter().filter(|message| message.to_string().contains("First question")).count();
        let answered = history.iter().filter(|message| message["content"] == "first answer").count();
        let taken = point != "before-accept";
        assert_eq!((asked, answered), (usize::from(taken), usize::from(taken)), "{point}: {history:#?}");

        // A call that may have begun is never repeated; one that certainly ended is there once.
        let uncertain = history.iter().any(|message| message.to_string().contains("not known whether"));
        let expected = match point {
            "before-accept" => 0..=0,
            _ if uncertain => 0..=1,
            _ => 1..=1,
        };
        assert!(expected.contains(&marks(&home)), "{point}: {} marks, uncertain: {uncertain}", marks(&home));
        let doubtful = ["after-start-call", "before-call:2", "after-call:2", "before-finish-call:2"];
        assert_eq!(uncertain, doubtful.contains(&point), "{point}");
    }
}

/// Numbers that look random and are the same at every run (splitmix64).
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }
}

/// A model that adds a mark to one file after another, and answers.
fn marking_model(edits: usize) -> FakeOpenAi {
    let edit = |number: usize| {
        let arguments = json!({"path": format!("marks{number}.md"), "old_text": "end", "new_text": "+end"});
        Reply::call("edit_file", arguments)
    };
    let rule = |when: String, reply: Reply| Rule { when: Some(when), times: 0, answer: reply.into() };
    let mut rules = vec![
        rule("not known whether".into(), Reply::text("first answer")),
        rule("Second question".into(), Reply::text("second answer")),
        rule("First question".into(), edit(1)),
    ];
    // The result of an edit names its file.
    let next = |number: usize| if number < edits { edit(number + 1) } else { Reply::text("first answer") };
    rules.extend((1..=edits).map(|number| rule(format!("marks{number}.md"), next(number))));
    FakeOpenAi::start_blocking(Script { rules, ..Script::default() })
}

/// A turn that dies again and again, wherever the seed says: at most one call is in doubt for each death, every other
/// change is there once, and every request is well-formed. `CHITON_CRASH_SEEDS` says how many seeds are tried.
#[test]
fn a_turn_killed_again_and_again_loses_nothing_and_repeats_nothing() {
    let seeds = std::env::var("CHITON_CRASH_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(6);
    for seed in 0..seeds {
        let mut random = Seeded(seed);
        let home = Home::new();
        let edits = 1 + random.below(3);
        let model = marking_model(edits);
        home.use_model(&model.base_url());
        for number in 1..=edits {
            home.call("write_file", json!({"path": format!("marks{number}.md"), "content": "end"}), &[]).good();
        }
        let mut deaths = Vec::new();
        for _ in 0..1 + random.below(3) {
            let point = POINTS[random.below(POINTS.len())].split(':').next().unwrap_or_default();
            let point = format!("{point}:{}", 1 + random.below(4));
            // The first start takes the message; further ones go on with it, and take another that joins no turn.
            let mut command = match deaths.is_empty() {
                true => home.chiton(&["chat", "-m", "First question"]),
                false => home.chiton(&["chat", "--grant", "files=/:read", "-m", "Second question"]),
            };
            let ran: Ran = command.env("CHITON_FAILPOINT", &point).output().unwrap().into();
            deaths.push((point, ran.code));
        }
        let last = home.run(&["chat", "--grant", "files=/:read", "-m", "Second question"]).good();
        assert!(last.stdout.contains("second answer"), "seed {seed}, {deaths:?}: {last:#?}");
        let context = format!("seed {seed}, {edits} edits, {deaths:?}");
        for chat in model.chats() {
            assert_well_formed(chat.messages(), &context);
        }
        let history = history(&model);
        let whole = serde_json::to_string(&history).unwrap();
        let uncertain = whole.matches("It is not known whether").count();
        let marks = |number: usize| {
            let file = home.root().join(format!("workspace/marks{number}.md"));
            std::fs::read_to_string(file).unwrap().matches('+').count()
        };
        let marks: Vec<usize> = (1..=edits).map(marks).collect();
        assert!(marks.iter().all(|marks| *marks <= 1), "{context}: an edit was repeated: {marks:?}");
        let asked = history
            .iter()
            .filter(|message| message["role"] == "user" && message.to_string().contains("First question"))
            .count();
        // Only a death before the commit may lose it: then nothing was acknowledged either.
        let lost = deaths[0].0.starts_with("before-accept") && deaths[0].1 == -1;
        assert_eq!(asked, usize::from(!lost), "{context}");
        if !lost && uncertain == 0 {
            assert_eq!(marks.iter().sum::<usize>(), edits, "{context}: {marks:?}");
        }
        assert!(uncertain <= deaths.len(), "{context}");
    }
}

#[test]
fn an_answer_that_was_not_shown_is_shown_at_the_next_start() {
    let home = Home::new();
    let model = model();
    home.use_model(&model.base_url());
    home.call("write_file", json!({"path": "marks.md", "content": "begin of the marks end"}), &[]).good();
    let dead = killed_at(&home, "after-finish-turn");
    assert!(!dead.stdout.contains("first answer"), "{dead:#?}");
    let next = home.run(&["chat", "-m", "Second question"]).good();
    let shown = format!("{}{}", next.stdout, next.stderr);
    assert!(shown.contains("first answer"), "{next:#?}");
    let last = home.run(&["chat", "-m", "Second question"]).good();
    assert!(!format!("{}{}", last.stdout, last.stderr).contains("first answer"), "{last:#?}");
}
