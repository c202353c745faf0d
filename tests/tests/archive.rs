//! The fuzzers' corpus for the archive programs, which are in a workspace of their own.
#![allow(dead_code, reason = "only a part of the module is looked at")]

#[path = "../fuzz/oracles/archive_places.rs"]
mod oracle;
#[path = "../../tools/programs/archive/src/place.rs"]
mod place;
#[path = "../fuzz/replay.rs"]
mod replay;

#[test]
fn cmp_17_nothing_is_made_outside_the_target() {
    replay::replay("archive_places", oracle::check);
}

/// An error in the words of the archive programs.
fn about(file: impl std::fmt::Display, error: &std::io::Error) -> String {
    format!("{file}: {error}")
}
