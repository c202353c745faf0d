//! See the oracle for what must hold.
#![no_main]
#![allow(dead_code, unused_imports, reason = "only a part of each module is looked at")]

// The modules find here what they use of the sandbox, without all of it.
extern crate self as chiton_sandbox;

#[path = "../../../host/skills/src/archive.rs"]
mod archive;
#[path = "../../../host/sandbox/src/digest.rs"]
mod digest;
#[path = "../../../host/skills/src/grants.rs"]
mod grants;
#[path = "../../../host/skills/src/inert.rs"]
mod inert;
#[path = "../../../host/skills/src/instructions.rs"]
mod instructions;
#[path = "../../../host/skills/src/libraries.rs"]
mod libraries;
#[path = "../../../host/skills/src/manifest.rs"]
mod manifest;
#[path = "../../../host/skills/src/name.rs"]
mod name;
#[path = "../../../host/skills/src/needs.rs"]
mod needs;
#[path = "../oracles/skill_text.rs"]
mod oracle;
#[path = "../../../host/skills/src/package.rs"]
mod package;
#[path = "../../../host/skills/src/scan.rs"]
mod scan;
#[path = "../../../host/skills/src/values.rs"]
mod values;

use digest::Digest;
use instructions::Instructions;
use needs::Needs;
use package::{File, Files, Package};
use values::Version;

const MAX_COMPONENT_BYTES: u64 = 64 << 20;
const MAX_SCRIPT_BYTES: usize = 4 << 20;

libfuzzer_sys::fuzz_target!(|data: &[u8]| oracle::check(data));
