//! The components that are part of the program.

use chiton_sandbox::{Component, Digest, Limits, LoadError, Sandbox};
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

include!(concat!(env!("OUT_DIR"), "/components.rs"));

/// A component that is part of the program.
pub struct BuiltIn {
    /// Its name.
    pub name: &'static str,
    /// The digest of its bytes.
    pub digest: Digest,
    /// The names that start it, if it is a program.
    pub names: &'static [&'static str],
    /// Where its bytes are among those of all, and how many they are.
    offset: usize,
    size: usize,
}

/// What each built-in tool is given unless the owner says otherwise. A component that is not in
/// this table is loaded only by whoever asks for it.
pub const GRANTS: &[(&str, &[&str])] = &[
    ("cron", &["schedule=this-chat"]),
    ("exec", &["files=workspace:write", "files=scratch:write", "skills=*"]),
    ("file", &["files=workspace:write", "files=scratch:read"]),
    ("memory", &["memory=this-chat"]),
    ("message", &["messaging=this-chat", "files=workspace:read", "files=scratch:read"]),
    ("skill", &["skills=*", "files=workspace:read", "proposals=this-chat"]),
    ("spawn", &["agents=spawn"]),
    ("web", &["network=public"]),
];

/// The highest limits of any call: those of a shell command with all its programs.
pub fn ceiling() -> Limits {
    Limits { time: Duration::from_secs(600), memory: 512 << 20, table_elements: 100_000, ..Limits::default() }
}

/// The limits of a built-in tool that needs other ones than the defaults.
pub fn limits(name: &str) -> Option<Limits> {
    match name {
        "exec" => Some(ceiling()),
        "web" | "file" => {
            Some(Limits { time: Duration::from_secs(60), memory: 256 << 20, output: 4 << 20, ..Limits::default() })
        }
        "spawn" | "message" => Some(Limits { time: Duration::from_secs(600), crossing: 16 << 20, ..Limits::default() }),
        _ => None,
    }
}

impl BuiltIn {
    /// The component of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        COMPONENTS.iter().find(|component| component.name == name)
    }

    /// The programs of the shell.
    pub fn programs() -> impl Iterator<Item = &'static Self> {
        COMPONENTS.iter().filter(|component| !component.names.is_empty())
    }

    /// Its bytes. Unpacking takes a few hundredths of a second, next to which compiling takes long.
    pub fn bytes(&self) -> std::io::Result<Vec<u8>> {
        unpacked(self.offset, self.size)
    }

    /// Loads it: from the code cache, or by compiling it, which takes a moment.
    pub async fn load(&'static self, sandbox: &Sandbox) -> Result<Arc<Component>, LoadError> {
        sandbox.load_known(self.digest, Arc::new(|| self.bytes())).await
    }
}

/// `size` bytes of what is packed, from `offset` on.
pub fn unpacked(offset: usize, size: usize) -> std::io::Result<Vec<u8>> {
    let mut all = zstd::Decoder::new(PACKED)?;
    all.window_log_max(WINDOW)?;
    std::io::copy(&mut (&mut all).take(offset as u64), &mut std::io::sink())?;
    let mut bytes = vec![0; size];
    all.read_exact(&mut bytes)?;
    Ok(bytes)
}
