//! How answers become messages.

use super::*;
use proptest::prelude::*;

fn characters(most: usize) -> Limit {
    Limit { most, unit: Unit::Characters }
}

/// The messages of a text that arrives in these pieces.
fn pieces(limit: Limit, min: usize, pieces: &[&str]) -> Vec<String> {
    let mut chunker = Chunker::new(limit, min);
    let mut parts: Vec<String> = pieces.iter().flat_map(|piece| chunker.push(piece)).collect();
    parts.extend(chunker.finish());
    parts
}

fn parts(most: usize, text: &str) -> Vec<String> {
    pieces(characters(most), most, &[text])
}

#[test]
fn a_short_answer_is_one_message_without_white_space_around_it() {
    assert_eq!(parts(40, "\n\nHello.\n\nYou.\n"), ["Hello.\n\nYou."]);
    assert_eq!(parts(40, " \n\n"), [""; 0]);
    assert_eq!(parts(40, ""), [""; 0]);
}

#[test]
fn a_message_ends_at_a_paragraph_else_a_line_a_sentence_a_space_and_only_then_in_a_word() {
    assert_eq!(parts(20, "One.\n\nTwo, a\nthree four"), ["One.", "Two, a\nthree four"]);
    assert_eq!(parts(20, "One. Two\nthree four five"), ["One. Two", "three four five"]);
    assert_eq!(parts(20, "One two. Three four five"), ["One two.", "Three four five"]);
    assert_eq!(parts(20, "One two three four five"), ["One two three four", "five"]);
    assert_eq!(parts(8, "Onetwothreefour"), ["Onetwoth", "reefour"]);
    assert_eq!(parts(6, "一二。三四五六"), ["一二。", "三四五六"]);
}

#[test]
fn a_tiny_message_is_avoided_unless_a_long_word_follows() {
    assert_eq!(parts(20, "A.\n\nOne two three four five"), ["A.\n\nOne two three", "four five"]);
    assert_eq!(parts(20, "See https://example.org/a"), ["See", "https://example.org/", "a"]);
}

#[test]
fn a_paragraph_of_the_least_size_goes_out_at_once() {
    let mut chunker = Chunker::new(characters(100), 6);
    assert_eq!(chunker.push("One.\n\nTwo"), [""; 0]);
    assert_eq!(chunker.push(" three.\n"), [""; 0]);
    assert_eq!(chunker.push("\nFour"), ["One.\n\nTwo three."]);
    assert_eq!(chunker.finish(), ["Four"]);
}

#[test]
fn indentation_at_the_beginning_of_a_message_stays() {
    assert_eq!(parts(16, "- one\n  - two\n  - three"), ["- one\n  - two", "  - three"]);
}

#[test]
fn lengths_are_counted_as_the_platform_counts_them() {
    let text = "👍👍👍é";
    let by = |most, unit| pieces(Limit { most, unit }, most, &[text]);
    assert_eq!(by(4, Unit::Characters), ["👍👍👍é"]);
    assert_eq!(by(5, Unit::Utf16), ["👍👍", "👍é"]);
    assert_eq!(by(8, Unit::Bytes), ["👍👍", "👍é"]);
    assert_eq!(by(1, Unit::Bytes), ["👍", "👍", "👍", "é"], "a character is never cut");
}

#[test]
fn what_is_shown_as_one_is_kept_together() {
    assert_eq!(parts(4, "ab👩\u{200d}👧cd"), ["ab", "👩\u{200d}👧c", "d"]);
    assert_eq!(parts(3, "abe\u{301}x"), ["ab", "e\u{301}x"]);
    assert_eq!(parts(3, "ab🇨🇭"), ["ab", "🇨🇭"]);
    assert_eq!(parts(2, "👩\u{200d}👧"), ["👩\u{200d}", "👧"], "where it does not fit, it is cut");
}

#[test]
fn a_fence_that_fits_is_kept_whole() {
    let text = "Some words before it.\n\n```rs\nfn a() {}\n\nfn b() {}\n```\nAnd after.";
    assert_eq!(parts(45, text), ["Some words before it.", "```rs\nfn a() {}\n\nfn b() {}\n```\nAnd after."]);
    assert_eq!(parts(45, &text[..text.len() - 11]), ["Some words before it.", "```rs\nfn a() {}\n\nfn b() {}\n```"]);
    assert_eq!(pieces(characters(60), 5, &[text])[1], "```rs\nfn a() {}\n\nfn b() {}\n```\nAnd after.");
}

#[test]
fn a_longer_fence_is_closed_and_opened_again() {
    let text = "A:\n~~~~ rs x\nlet a = 1;\n\n    let b = 2;\nlet c = 3;\n~~~~\nB";
    assert_eq!(
        parts(40, text),
        ["A:\n~~~~ rs x\nlet a = 1;\n~~~~", "~~~~ rs x\n\n    let b = 2;\n~~~~", "~~~~ rs x\nlet c = 3;\n~~~~\nB"]
    );
    let text = "> ```\n> one two three\n> four five\n> ```\nB";
    assert_eq!(parts(32, text), ["> ```\n> one two three\n> ```", "> ```\n> four five\n> ```\nB"]);
}

#[test]
fn a_fence_that_ends_where_a_message_ends_is_not_opened_again() {
    assert_eq!(parts(20, "```\none two three\n```\nB"), ["```\none two\n```", "```\n three\n```\nB"]);
    assert_eq!(parts(20, "```\none two thre\n\n```   \nBcd"), ["```\none two thre\n```", "Bcd"]);
}

#[test]
fn every_platform_has_its_limit() {
    assert_eq!(Limit::of("telegram"), Some(Limit { most: 4096, unit: Unit::Utf16 }));
    assert_eq!(Limit::of("terminal"), None);
}

#[test]
fn a_megabyte_in_single_characters_takes_a_moment() {
    for unit in [
        "words and words ",
        "a\n\n",
        "```rs\nlet a;\n```\n",
        "```\n",
        "x",
        "\n",
        " ",
        "a\"",
        "`",
        "> ",
        "。",
        "\u{301}",
    ] {
        for most in [10, 40, 39_000] {
            let text = unit.repeat(1_000_000 / unit.len());
            let mut chunker = Chunker::new(characters(most), most);
            let began = std::time::Instant::now();
            let mut buffer = [0; 4];
            let parts: usize = text.chars().map(|c| chunker.push(c.encode_utf8(&mut buffer)).len()).sum();
            let parts = parts + chunker.finish().len();
            let took = began.elapsed().as_secs_f64();
            assert!(took < if cfg!(debug_assertions) { 20.0 } else { 1.0 }, "{unit:?} {most}: {parts} in {took} s");
            let began = std::time::Instant::now();
            assert_eq!(pieces(characters(most), most, &[&text]).len(), parts);
            let took = began.elapsed().as_secs_f64();
            assert!(took < if cfg!(debug_assertions) { 20.0 } else { 1.0 }, "{unit:?} {most} at once: {took} s");
        }
    }
}

const WORDS: [&str; 26] = [
    "a",
    "bc",
    "word",
    "a long-ish-word",
    ".",
    "。",
    "\n",
    "\n\n",
    " ",
    "  ",
    "\n    ",
    "```",
    "```\n",
    "\n```\n",
    "```rs\n",
    "~~~\n",
    "\n~~~~ x\n",
    "> ",
    "- ",
    "`",
    "é",
    "e\u{301}",
    "👩\u{200d}👧",
    "🇨🇭",
    "\"",
    "\t",
];

/// A text and the pieces it arrives in.
fn text_in_pieces(words: Vec<&'static str>) -> impl Strategy<Value = Vec<String>> {
    let words = prop::collection::vec(prop::sample::select(words), 0..40);
    (words, any::<u64>(), 0..3_u8).prop_map(|(words, seed, how)| {
        let whole = words.concat();
        let mut pieces = vec![String::new()];
        for (at, c) in whole.chars().enumerate() {
            if how == 0 || (how == 1 && seed >> (at % 64) & 1 == 1) {
                pieces.push(String::new());
            }
            pieces.last_mut().unwrap().push(c);
        }
        pieces
    })
}

/// The text without white space and without the marks and info strings of fences.
fn content(text: &str) -> String {
    text.replace(|c: char| c.is_whitespace() || "`~>-rsx".contains(c), "")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(800))]
    #[test]
    fn the_messages_do_not_depend_on_how_the_answer_arrives(
        arriving in text_in_pieces(WORDS.to_vec()), most in 1..80_usize, min in 1..80_usize,
        unit in prop::sample::select(vec![Unit::Characters, Unit::Utf16, Unit::Bytes]),
    ) {
        let limit = Limit { most, unit };
        let arriving: Vec<&str> = arriving.iter().map(String::as_str).collect();
        let whole = pieces(limit, min, &[&arriving.concat()]);
        prop_assert_eq!(&pieces(limit, min, &arriving), &whole);
        for part in &whole {
            prop_assert!(!part.trim().is_empty());
            prop_assert!(unit.count(part) <= most.max(4), "{} of {}: {:?}", unit.count(part), most, part);
        }
    }

    #[test]
    fn joined_the_messages_are_the_answer(
        // only with info strings that `content` knows
        arriving in text_in_pieces(WORDS.into_iter().filter(|word| !matches!(*word, "`" | "```")).collect()),
        most in 24..80_usize, min in 1..80_usize,
    ) {
        let whole = arriving.concat();
        let parts = pieces(characters(most), min, &[&whole]);
        prop_assert_eq!(content(&parts.join("\n")), content(&whole), "{:?}", parts);
    }

    #[test]
    fn no_message_leaves_a_fence_open(lines in prop::collection::vec("[a-z]{0,9}( [a-z]{1,9}){0,4}", 1..20), most in 30..90_usize) {
        let whole = format!("Look:\n```rs\n{}\n```\nDone.", lines.join("\n"));
        let parts = pieces(characters(most), most, &[&whole]);
        for part in &parts {
            prop_assert_eq!(part.matches("```").count() % 2, 0, "{:?}", parts);
        }
        let fences = parts.iter().filter(|part| part.contains("```")).count();
        if whole.len() - 12 <= most {
            prop_assert_eq!(fences, 1, "{:?}", parts);
        }
    }
}
