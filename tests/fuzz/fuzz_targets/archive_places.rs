//! See the oracle for what must hold.
#![no_main]
#![allow(dead_code, reason = "only a part of each module is looked at")]

#[path = "../oracles/archive_places.rs"]
mod oracle;
#[path = "../../../tools/programs/archive/src/place.rs"]
mod place;

/// An error in the words of the archive programs.
fn about(file: impl std::fmt::Display, error: &std::io::Error) -> String {
    format!("{file}: {error}")
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| oracle::check(data));
