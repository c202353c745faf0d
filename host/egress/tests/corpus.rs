//! The fuzzers' corpus, through the fuzzers' own oracles, without a fuzzer.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;

#[path = "../../../tests/fuzz/oracles/grant_grammar.rs"]
mod grant_grammar;
#[path = "../../../tests/fuzz/oracles/redactor.rs"]
mod redactor;
#[path = "../../../tests/fuzz/oracles/url_policy.rs"]
mod url_policy;

fn run(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus").join(target);
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 10, "the corpus in {} is gone", folder.display());
    for file in files {
        check(&std::fs::read(file).unwrap());
    }
}

#[test]
fn what_an_entry_allows_lies_in_it() {
    run("url_policy", url_policy::check);
}

#[test]
fn no_form_of_a_secret_survives() {
    run("redactor", redactor::check);
}

#[test]
fn a_grant_reads_back_to_itself() {
    run("grant_grammar", grant_grammar::check);
}
