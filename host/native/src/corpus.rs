//! The fuzzers' corpus, through their oracle, without a fuzzer.

#[path = "../../../tests/fuzz/oracles/native_arguments.rs"]
mod oracle;
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;

#[test]
fn what_the_rules_accept_leads_nowhere() {
    replay::replay("native_arguments", oracle::check);
}
