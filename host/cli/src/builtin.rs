//! The components that are part of the program.

use chiton_sandbox::{Component, Digest, LoadError, Sandbox};
use std::sync::Arc;

include!(concat!(env!("OUT_DIR"), "/components.rs"));

/// A component that is part of the program.
pub struct BuiltIn {
    /// Its name.
    pub name: &'static str,
    /// The digest of its bytes.
    pub digest: Digest,
    /// The number of its bytes.
    size: usize,
    packed: &'static [u8],
}

/// What each built-in tool is given unless the owner says otherwise. A component that is not in
/// this table is loaded only by whoever asks for it.
pub const GRANTS: &[(&str, &[&str])] = &[("file", &["files=workspace:write"])];

impl BuiltIn {
    /// The component of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        COMPONENTS.iter().find(|component| component.name == name)
    }

    /// Its bytes.
    pub fn bytes(&self) -> std::io::Result<Vec<u8>> {
        zstd::bulk::decompress(self.packed, self.size)
    }

    /// Loads it: from the code cache, or by compiling it, which takes a moment.
    pub async fn load(&self, sandbox: &Sandbox) -> Result<Arc<Component>, LoadError> {
        if let Some(component) = sandbox.load_cached(self.digest).await {
            return Ok(component);
        }
        let bytes = self.bytes().map_err(|error| LoadError::Host(error.to_string()))?;
        sandbox.load(bytes).await
    }
}
