//! The fuzzers' corpus, through their oracle, without a fuzzer.

#[path = "../../../tests/fuzz/oracles/documents.rs"]
mod oracle;
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;

#[test]
fn every_file_is_read_or_refused() {
    replay::replay("documents", oracle::check);
}
