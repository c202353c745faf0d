//! See the oracle for what must hold.
#![no_main]
#![allow(dead_code, reason = "only a part of each module is looked at")]

#[path = "../../../host/native/src/arguments.rs"]
mod arguments;
#[path = "../../../host/native/src/directory.rs"]
mod directory;
#[path = "../../../host/native/src/error.rs"]
mod error;
#[path = "../../../host/native/src/grant.rs"]
mod grant;
#[path = "../oracles/native_arguments.rs"]
mod oracle;
#[path = "../../../host/native/src/rules.rs"]
mod rules;
#[path = "../../../host/native/src/wall.rs"]
mod wall;

use directory::Directory;
use error::{GrantError, NativeError};
use grant::ProgramGrant;
use wall::Wall;

libfuzzer_sys::fuzz_target!(|data: &[u8]| oracle::check(data));
