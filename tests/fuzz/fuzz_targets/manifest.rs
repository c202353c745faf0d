//! See the oracle for what must hold.
#![no_main]

#[path = "../oracles/manifest.rs"]
mod oracle;

use chiton_skills::{Manifest, is_name};

libfuzzer_sys::fuzz_target!(|data: &[u8]| oracle::check(data));
