//! See the oracle for what must hold.
#![no_main]
#![allow(dead_code, unused_imports, reason = "only a part of each module is looked at")]

// The module finds here what it hands to the agent, without all of it.
extern crate self as chiton_agent;

#[path = "../../../host/cli/src/config/mod.rs"]
mod config;
#[path = "../oracles/configuration.rs"]
mod oracle;

/// As in `host/agent/src/budget.rs`.
pub struct Budget {
    tokens: Option<u64>,
    microdollars: Option<u64>,
}

/// As in `host/agent/src/budget.rs`.
pub struct Budgets {
    turn: Budget,
    session: Budget,
    day: Budget,
    calls: u32,
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| oracle::check(data));
