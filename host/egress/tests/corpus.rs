//! The fuzzers' corpus, through the fuzzers' own oracles, without a fuzzer.

#[path = "../../../tests/fuzz/oracles/grant_grammar.rs"]
mod grant_grammar;
#[path = "../../../tests/fuzz/oracles/redactor.rs"]
mod redactor;
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;
#[path = "../../../tests/fuzz/oracles/url_policy.rs"]
mod url_policy;

use replay::replay;

#[test]
fn what_an_entry_allows_lies_in_it() {
    replay("url_policy", url_policy::check);
}

#[test]
fn no_form_of_a_secret_survives() {
    replay("redactor", redactor::check);
}

#[test]
fn a_grant_reads_back_to_itself() {
    replay("grant_grammar", grant_grammar::check);
}
