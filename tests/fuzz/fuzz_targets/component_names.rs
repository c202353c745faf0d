//! See the oracle for what must hold.
#![no_main]
#![allow(dead_code, reason = "only a part of each module is looked at")]

#[path = "../../../host/sandbox/src/digest.rs"]
mod digest;
#[path = "../../../host/sandbox/src/error.rs"]
mod error;
#[path = "../../../host/sandbox/src/imports.rs"]
mod imports;
#[path = "../oracles/component_names.rs"]
mod oracle;

use digest::Digest;
use error::LoadError;

libfuzzer_sys::fuzz_target!(|data: &[u8]| oracle::check(data));
