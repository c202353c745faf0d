//! What a reader sees of what models write.

use super::*;
use proptest::prelude::*;

const TOOLS: &str = r#"[{"type":"function","function":{"name":"read_file"}}]"#;

/// All text, all reasoning, what is held; for a model with this name.
fn sort_of(model: &str, pieces: &[&str]) -> (String, String, Option<String>) {
    let (mut inline, mut text, mut reasoning) = (InlineText::new(true), String::new(), String::new());
    inline.expect_thought(model);
    let mut all: Vec<Piece> = pieces.iter().flat_map(|piece| inline.push(piece)).collect();
    let (last, held) = inline.finish(true);
    all.extend(last);
    for piece in all {
        match piece {
            Piece::Text(piece) => text.push_str(&piece),
            Piece::Reasoning(piece) => reasoning.push_str(&piece),
        }
    }
    (text, reasoning, held)
}

fn sort(pieces: &[&str]) -> (String, String, Option<String>) {
    sort_of("", pieces)
}

/// What the model writes, what the reader sees, what is kept as reasoning.
const TABLE: &[(&str, &str, &str)] = &[
    // Thoughts, however they are written.
    ("<think>a</think>hello", "hello", "a"),
    ("<thinking>a</thinking>hello", "hello", "a"),
    ("<thought>a</thought>hello", "hello", "a"),
    ("<antthinking>a</antthinking>hello", "hello", "a"),
    ("<reasoning>a</reasoning>hello", "hello", "a"),
    ("<reflection>a</reflection>hello", "hello", "a"),
    ("[THINK]a[/THINK]hello", "hello", "a"),
    ("<THINK>a</Think>hello", "hello", "a"),
    ("<think id=\"1\" lang='é'>a</think>hello", "hello", "a"),
    ("< think >a< / think >hello", "hello", "a"),
    ("<think\n>a</think\n>hello", "hello", "a"),
    ("<think>a<think>b</think>c</think>hello", "hello", "abc"),
    ("<think>a<reasoning>b</reasoning>c</think>hello", "hello", "abc"),
    ("\n<think>why</think>\n\nbecause", "because", "why"),
    ("one <think>a</think>two <thought>b</thought>three", "one two three", "ab"),
    ("<think/>hello", "hello", ""),
    (
        "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>hello<|return|>",
        "hello",
        "a",
    ),
    // A thought without an end.
    ("hello <think>a", "hello ", "a"),
    ("<think>hello", "hello", "hello"),
    ("<think>\n\nhello<|im_end|>", "hello", "\n\nhello"),
    ("<think>a</think><think>hello", "hello", "ahello"),
    ("<think>the tag <think> opens</think>hello", "hello", "the tag  openshello"),
    ("<think>hello</thi", "hello</thi", "hello</thi"),
    // An end without a beginning: what was shown stays.
    ("hello</think> you", "hello you", ""),
    // Code.
    ("```\n<think>a</think>\n```\n<think>b</think>c", "```\n<think>a</think>\n```\nc", "b"),
    ("> ~~~~ xml\n> ~~~\n> </s>\n> ~~~~\n</s>", "> ~~~~ xml\n> ~~~\n> </s>\n> ~~~~\n", ""),
    ("- ```\n  <think>\n  ```\n<think>a</think>b", "- ```\n  <think>\n  ```\nb", "a"),
    ("```\n<think>a</think>", "```\n<think>a</think>", ""),
    ("```\ncode\n```<|im_end|>", "```\ncode\n```", ""),
    ("```\n``` x\n</s>\n```", "```\n``` x\n</s>\n```", ""),
    ("the tags `<think>` and ``a ` </s>``</s>", "the tags `<think>` and ``a ` </s>``", ""),
    ("```<think>``` is a tag<think>a</think>", "```<think>``` is a tag", "a"),
    ("a ` alone <think>secret</think>b", "a ` alone b", "secret"),
    ("a ` alone <think>secret</think>b\nand `<think>`", "a ` alone b\nand `<think>`", "secret"),
    ("use ` twice <think>\n`", "use ` twice ", "\n`"),
    // The tag of an answer, and what templates leave.
    ("<final>x</final> tail", "x tail", ""),
    ("<think>a</think><final>\nx</final>", "x", "a"),
    ("<|im_start|>assistant\nhello<|im_end|>", "hello", ""),
    ("<|start_header_id|>assistant<|end_header_id|>\n\nhello<|eot_id|>", "hello", ""),
    ("<start_of_turn>model\nhello<end_of_turn>", "hello", ""),
    ("hello<|endoftext|>", "hello", ""),
    ("<｜Assistant｜>hello<｜end▁of▁sentence｜>", "hello", ""),
    ("<s>[INST] hello [/INST] you</s>", "hello  you", ""),
    ("hello<|im_start|>assis", "helloassis", ""),
    // Silence.
    ("NO_REPLY", "", ""),
    (" NO_REPLY \n", "", ""),
    ("<think>a</think>NO_REPLY<|im_end|>\n", "", "a"),
    ("<think>NO_REPLY", "", "NO_REPLY"),
    ("NO_REPLY</think>hello", "hello", "NO_REPLY"),
    ("NO_REPLY is what I say", "NO_REPLY is what I say", ""),
    ("I say NO_REPLY", "I say NO_REPLY", ""),
    ("NO", "NO", ""),
    // Text that only looks like it.
    ("2 < 3, and <b>", "2 < 3, and <b>", ""),
    ("<thinker> <think-aloud> <think", "<thinker> <think-aloud> <think", ""),
    ("a <| b |> c [link](x) [/IN", "a <| b |> c [link](x) [/IN", ""),
    ("x <think 1 <b>", "x <think 1 <b>", ""),
];

#[test]
fn the_reader_sees_the_answer_and_nothing_else_however_it_is_cut() {
    for (written, seen, thought) in TABLE {
        let characters: Vec<String> = written.chars().map(String::from).collect();
        let characters: Vec<&str> = characters.iter().map(String::as_str).collect();
        for pieces in [&[*written][..], &characters] {
            assert_eq!(sort(pieces), (seen.to_string(), thought.to_string(), None), "{written}");
        }
        for (at, _) in written.char_indices() {
            assert_eq!(sort(&[&written[..at], &written[at..]]).0, *seen, "{written} at {at}");
        }
    }
}

#[test]
fn a_model_that_begins_inside_a_thought_shows_nothing_of_it() {
    for (written, seen, thought) in [
        ("secret</think>hello", "hello", "secret"),
        ("<think>\nsecret</think>hello", "hello", "\nsecret"),
        ("<|im_start|>assistant\n<think>secret</think>hello", "hello", "\nsecret"),
        ("</think>hello", "hello", ""),
        ("hello", "hello", "hello"),
    ] {
        let expected = (seen.to_string(), thought.to_string(), None);
        assert_eq!(sort_of("Qwen/Qwen3-4B-Thinking-2507", &[written]), expected, "{written}");
    }
    let mut sorted_by_the_server = InlineText::new(false);
    sorted_by_the_server.expect_thought("deepseek-r1:7b");
    sorted_by_the_server.expect_no_thought();
    assert_eq!(sorted_by_the_server.push("hello"), [Piece::Text("hello".into())]);
}

#[test]
fn plain_text_is_never_held_back() {
    assert_eq!(InlineText::new(true).push("2 < 3, and <b>"), [Piece::Text("2 < 3, and <b>".into())]);
    let mut inline = InlineText::new(true);
    assert_eq!(inline.push("Use `a <t"), [Piece::Text("Use `a ".into())]);
    assert_eq!(inline.push("d>"), [Piece::Text("<td>".into())]);
}

#[test]
fn an_open_thought_beside_calls_is_not_the_answer() {
    let mut inline = InlineText::new(true);
    inline.push("<think>I need the file");
    assert_eq!(inline.finish(false), (Vec::new(), None));
}

#[test]
fn a_call_at_the_start_of_a_line_is_held_and_one_in_a_sentence_is_text() {
    let call = "<tool_call>{\"name\":\"read_file\",\"arguments\":{\"path\":\"</s>\"}}</tool_call>";
    assert_eq!(sort(&["I look.\n", call]), ("I look.\n".into(), String::new(), Some(call.into())));
    assert_eq!(sort(&["Write ", call]).2, None);
    assert_eq!(sort(&[&format!("```\n{call}\n```")]), (format!("```\n{call}\n```"), String::new(), None));
}

#[test]
fn what_is_around_held_calls_is_sorted_too() {
    let call = "<tool_call>{\"name\":\"read_file\"}</tool_call>";
    let (text, reasoning, held) = sort(&[&format!("<think>a</think>{call}<|im_end|><think>b</think>{call}</s>")]);
    assert_eq!((text.as_str(), reasoning.as_str()), ("", "ab"));
    assert_eq!(read_calls(&held.unwrap(), TOOLS).unwrap().len(), 2);
}

#[test]
fn held_calls_are_read_with_or_without_the_last_closing_tag() {
    let held = "<tool_call>\n{\"name\":\"read_file\",\"arguments\":{\"path\":\"a\"}}\n</tool_call>\n<tool_call>{\"name\":\"read_file\",\"parameters\":\"{}\"}";
    let calls = read_calls(held, TOOLS).unwrap();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].1["path"], "a");
}

#[test]
fn text_that_talks_about_calls_gives_none() {
    for held in [
        "<tool_call>{\"name\":\"read_file\",\"arguments\":{}}</tool_call>\nThis is how a call looks.",
        "<tool_call>{\"name\":\"unknown\",\"arguments\":{}}</tool_call>",
        "<tool_call>{\"name\":\"read_file\",\"argum",
        "<tool_call>{\"name\":\"read_file\",\"arguments\":[1]}</tool_call>",
    ] {
        assert_eq!(read_calls(held, TOOLS), None, "{held}");
    }
}

#[test]
fn a_megabyte_in_single_characters_takes_a_moment() {
    for unit in
        ["plain text ", "`<s> ", "`", "<think ", "<think>a", "[", "<|a", "``` <s>\n", "NO_REPLY ", "   ", "<tool_call>"]
    {
        for beginning in ["", "a `<s>"] {
            let text = format!("{beginning}{}", unit.repeat(1_000_000 / unit.len()));
            let mut inline = InlineText::new(true);
            let began = std::time::Instant::now();
            let mut buffer = [0; 4];
            text.chars().for_each(|c| drop(inline.push(c.encode_utf8(&mut buffer))));
            inline.finish(true);
            let limit = if cfg!(debug_assertions) { 20.0 } else { 1.0 };
            let took = began.elapsed().as_secs_f64();
            assert!(took < limit, "{beginning} {unit} took {took} s");
        }
    }
}

const WORDS: [&str; 34] = [
    "<think>",
    "</think>",
    "<THOUGHT a=b>",
    "</ thought >",
    "<think/>",
    "<final>",
    "</final>",
    "<tool_call>",
    "</tool_call>",
    "<tool",
    "\n",
    " ",
    "é",
    "👩‍👧",
    "<",
    ">",
    "a b",
    "`",
    "``",
    "```",
    "~~~",
    "\n```",
    "\n~~~~",
    "```rs\n",
    "> ",
    "- ",
    "</s>",
    "[/INST]",
    "[",
    "<|im_start|>",
    "assistant",
    "<|im_end|>",
    "NO_REPLY",
    "<|channel|>",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn the_place_where_text_is_cut_does_not_matter(
        parts in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..16),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        every in any::<bool>(),
        model in prop::sample::select(vec!["", "qwq"]),
    ) {
        let whole = parts.concat();
        let places: Vec<usize> = whole.char_indices().map(|(at, _)| at).chain([whole.len()]).collect();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| places[cut.index(places.len())]).collect();
        if every {
            cuts.clone_from(&places);
        }
        cuts.extend([0, whole.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&str> = cuts.windows(2).map(|pair| &whole[pair[0]..pair[1]]).collect();
        prop_assert_eq!(sort_of(model, &pieces), sort_of(model, &[&whole]));
    }

    #[test]
    fn a_closed_thought_outside_code_is_never_seen(
        before in "[a-z <>\n]{0,40}", space in "[ \t]{0,3}", after in "[a-z <\n`]{0,40}",
    ) {
        let seen = sort(&[&format!("{before}<{space}think{space}>SECRET</think>{after}")]).0;
        prop_assert!(!seen.contains("SECRET"), "{seen}");
    }
}
