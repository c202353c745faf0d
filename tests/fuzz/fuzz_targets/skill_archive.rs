//! See the oracle for what must hold.
#![no_main]

#[path = "../oracles/skill_archive.rs"]
mod oracle;

use chiton_skills::{MOST_BYTES, MOST_FILES, Package};

libfuzzer_sys::fuzz_target!(|data: &[u8]| oracle::check(data));
