//! See the oracle for what must hold.
#![no_main]
#![allow(dead_code, unused_imports, reason = "only a part of each module is looked at")]

#[path = "../../../host/cli/src/config/mod.rs"]
mod config;
#[path = "../oracles/configuration.rs"]
mod oracle;

libfuzzer_sys::fuzz_target!(|data: &[u8]| oracle::check(data));
