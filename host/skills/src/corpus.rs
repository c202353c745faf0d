//! The fuzzers' corpus, through their oracles, without a fuzzer.

#[path = "../../../tests/fuzz/oracles/inert.rs"]
mod inert;
#[path = "../../../tests/fuzz/oracles/manifest.rs"]
mod manifest;
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;
#[path = "../../../tests/fuzz/oracles/skill_archive.rs"]
mod skill_archive;
#[path = "../../../tests/fuzz/oracles/skill_text.rs"]
mod skill_text;

use replay::replay;

#[test]
fn what_is_shown_is_harmless() {
    replay("inert", inert::check);
}

#[test]
fn what_a_manifest_asks_for_can_be_shown_and_enforced() {
    replay("manifest", manifest::check);
}

#[test]
fn an_archive_is_a_skill_or_says_why_not() {
    replay("skill_archive", skill_archive::check);
}

#[test]
fn the_needs_of_a_text_are_harmless_and_bounded() {
    replay("skill_text", skill_text::check);
}
