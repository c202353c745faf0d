//! See the oracle for what must hold.
#![no_main]
#![allow(dead_code, reason = "only a part of each module is looked at")]

#[path = "../../../host/files/src/grant.rs"]
mod grant;
#[path = "../oracles/file_grants.rs"]
mod oracle;
#[path = "../../../host/files/src/place.rs"]
mod place;

libfuzzer_sys::fuzz_target!(|data: &[u8]| oracle::check(data));
