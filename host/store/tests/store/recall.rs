//! Finding what was said.

use super::{SESSION, begin, message, new_store};
use chiton_store::{NewMessage, Outcome, Scope, Store};
use proptest::prelude::*;

/// Says `text` in a chat, as a whole turn.
async fn say(store: &Store, chat: &str, text: &str) {
    static NUMBER: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let id = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_string();
    store.accept(NewMessage { chat_id: chat.into(), ..message(&id, text) }).await.unwrap();
    let turn = store.next_turn(&format!("terminal:{chat}")).await.unwrap().unwrap();
    store.finish_turn(turn.id, None, Outcome::Done, None).await.unwrap();
}

async fn found(store: &Store, query: &str, scope: Scope) -> Vec<String> {
    store.search(query, scope, 10).await.unwrap().into_iter().map(|found| found.snippet).collect()
}

#[tokio::test]
async fn every_word_must_be_there_in_any_order_case_or_accent() {
    let (_folder, _path, store) = new_store();
    for text in ["The café opens at nine", "nine cafes", "It closes at nine"] {
        say(&store, "default", text).await;
    }
    assert_eq!(found(&store, "NINE cafe", Scope::All).await, ["The café opens at nine"]);
    assert_eq!(found(&store, "nine", Scope::All).await.len(), 3);
    assert_eq!(found(&store, "midnight", Scope::All).await, [""; 0]);
}

#[tokio::test]
async fn quoted_words_stand_side_by_side() {
    let (_folder, _path, store) = new_store();
    say(&store, "default", "red roses and blue ferns").await;
    say(&store, "default", "blue roses and red ferns").await;
    assert_eq!(found(&store, r#""blue roses" ferns"#, Scope::All).await, ["blue roses and red ferns"]);
}

#[tokio::test]
async fn writing_without_spaces_is_found_by_a_part_of_it() {
    let (_folder, _path, store) = new_store();
    say(&store, "default", "明天我们去东京塔吃饭").await;
    say(&store, "default", "京东明天送货").await;
    assert_eq!(found(&store, "东京塔", Scope::All).await, ["明天我们去东京塔吃饭"]);
    assert_eq!(found(&store, "明天", Scope::All).await.len(), 2);
}

#[tokio::test]
async fn agt_a_search_stays_in_the_sessions_it_is_given() {
    let (_folder, _path, store) = new_store();
    for chat in ["a", "b", "c"] {
        say(&store, chat, &format!("the secret of {chat} s1 s2 s3")).await;
    }
    let key = |chat: &str| format!("terminal:{chat}");
    assert_eq!(found(&store, "secret", Scope::Session(key("b"))).await, ["the secret of b s1 s2 s3"]);
    assert_eq!(found(&store, "secret", Scope::Sessions(vec![key("a"), key("c")])).await.len(), 2);
    assert_eq!(found(&store, r#"x" OR {session} : "s1"#, Scope::Session(key("b"))).await, [""; 0]);
    for nothing in [Scope::Session(key("d")), Scope::Sessions(Vec::new())] {
        assert_eq!(found(&store, "secret", nothing).await, [""; 0]);
    }
}

#[tokio::test]
async fn what_tools_answered_is_not_found_and_what_the_assistant_said_is() {
    let (_folder, _path, store) = new_store();
    let turn = begin(&store, "1", "look").await;
    store
        .append(turn.id, r#"{"role":"assistant","content":[{"type":"text","text":"I look at penguins"}]}"#)
        .await
        .unwrap();
    store.finish_call(turn.id, "c1", r#"{"role":"tool","content":"penguins"}"#, "allowed").await.unwrap();
    let found = store.search("penguins", Scope::All, 10).await.unwrap();
    assert_eq!((found.len(), found[0].role.as_str(), found[0].session.as_str()), (1, "assistant", SESSION));
    let page = store.read_messages(SESSION, Some(found[0].message + 1), 1).await.unwrap();
    assert_eq!(page[0].text, "I look at penguins");
}

#[tokio::test]
async fn a_snippet_shows_the_words_in_at_most_300_characters() {
    let (_folder, _path, store) = new_store();
    let long = format!("{} the Needle\nis here {}", "é ".repeat(500), "x ".repeat(500));
    say(&store, "default", &long).await;
    let found = found(&store, "needle", Scope::All).await;
    assert!(
        found[0].contains("the Needle is here") && found[0].starts_with('…') && found[0].ends_with('…'),
        "{found:?}"
    );
    assert!(found[0].chars().count() <= 300, "{}", found[0].chars().count());
}

#[tokio::test]
async fn a_session_is_read_page_by_page_backwards() {
    let (_folder, _path, store) = new_store();
    for text in ["one", "two", "three"] {
        say(&store, "default", text).await;
    }
    let page = store.read_messages(SESSION, None, 2).await.unwrap();
    assert_eq!(page.iter().map(|row| row.text.as_str()).collect::<Vec<_>>(), ["two", "three"]);
    assert!(page.iter().all(|row| row.role == "user" && row.at_ms > 0));
    let older = store.read_messages(SESSION, Some(page[0].id), 2).await.unwrap();
    assert_eq!(older.iter().map(|row| row.text.as_str()).collect::<Vec<_>>(), ["one"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]
    #[test]
    fn no_query_is_an_error_and_a_word_is_found_whatever_stands_around_it(
        queries in prop::collection::vec(r#"[ -~\x00é京\u{0301}"*:(){}^+-]{0,40}|\PC{0,20}"#, 40),
        text in r"\PC{0,40}",
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (_folder, _path, store) = new_store();
            say(&store, "default", &format!("{text} needle")).await;
            for query in queries {
                for scope in [Scope::All, Scope::Session(SESSION.into())] {
                    prop_assert!(store.search(&query, scope, 10).await.is_ok(), "{query:?}");
                }
            }
            prop_assert_eq!(found(&store, "needle", Scope::Session(SESSION.into())).await.len(), 1);
            Ok(())
        })?;
    }
}
