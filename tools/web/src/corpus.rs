//! The fuzzers' corpus, through their oracle, without a fuzzer.

#[path = "../../../tests/fuzz/oracles/page.rs"]
mod oracle;
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;

#[test]
fn every_page_is_read_in_bounded_time() {
    replay::replay("page", oracle::check);
}
