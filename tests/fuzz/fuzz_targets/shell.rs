//! See the oracle for what must hold.
#![no_main]
#![allow(dead_code, reason = "only a part of each module is looked at")]

#[path = "../oracles/shell.rs"]
mod oracle;
#[path = "../../../tools/shell/src/testing.rs"]
mod testing;

use chiton_shell::{Launch, OpenMode, Shell, SpawnError, Standard, System, quote};

libfuzzer_sys::fuzz_target!(|data: &[u8]| oracle::check(data));
