//! The fuzzers' corpus, through their oracle, without a fuzzer.

#[path = "../../../tests/fuzz/oracles/configuration.rs"]
mod oracle;
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;

#[test]
fn a_configuration_never_shows_a_secret() {
    replay::replay("configuration", oracle::check);
}
