//! See the oracle for what must hold.
#![no_main]

#[path = "../oracles/documents.rs"]
mod oracle;

libfuzzer_sys::fuzz_target!(|data: &[u8]| oracle::check(data));
