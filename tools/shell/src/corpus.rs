//! The fuzzers' corpus, through their oracle, without a fuzzer.

#[path = "../../../tests/fuzz/oracles/shell.rs"]
mod oracle;
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;

#[test]
fn every_script_ends_and_quoted_text_is_read_back() {
    replay::replay("shell", oracle::check);
}
