//! The fuzzers' corpus, through their oracle, without a fuzzer.

#[path = "../../../tests/fuzz/oracles/component_names.rs"]
mod oracle;
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;

#[test]
fn only_what_is_served_is_accepted() {
    replay::replay("component_names", oracle::check);
}
