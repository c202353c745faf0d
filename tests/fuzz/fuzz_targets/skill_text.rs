//! See the oracle for what must hold.
#![no_main]

#[path = "../oracles/skill_text.rs"]
mod oracle;

use chiton_skills::{File, Files, Package, needs::Needs};

libfuzzer_sys::fuzz_target!(|data: &[u8]| oracle::check(data));
