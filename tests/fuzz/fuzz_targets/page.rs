//! See the oracle for what must hold.
#![no_main]
#![allow(dead_code, reason = "only a part of each module is looked at")]

#[path = "../oracles/page.rs"]
mod oracle;
#[path = "../../../tools/web/src/page.rs"]
mod page;

libfuzzer_sys::fuzz_target!(|data: &[u8]| oracle::check(data));
