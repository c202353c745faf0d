//! The fuzzers' corpus, through their oracle, without a fuzzer.

#[path = "../../../tests/fuzz/oracles/file_grants.rs"]
mod oracle;
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;

#[test]
fn what_is_closed_is_closed_however_it_is_spelt() {
    replay::replay("file_grants", oracle::check);
}
