//! What a skill is before it runs: its files, manifest, instructions, needs, archive and signature.
//!
//! Everything here is read and compared in memory; nothing is run, asked or sent.

mod archive;
#[cfg(test)]
mod corpus;
pub mod difference;
mod folder;
mod grants;
pub mod inert;
mod instructions;
mod libraries;
pub mod lock;
mod manifest;
mod name;
pub mod needs;
mod package;
mod scan;
mod seal;
pub mod signature;
mod values;
mod words;

pub use grants::{
    Access, Asked, Chat, Chats, Files as AskedFiles, Folder, Header, Method, Network, Origin, Query, Secret,
    SecretName, SecretOrigin, Word,
};
pub use instructions::{Instructions, Requires};
pub use manifest::{Build, Engine, Example, Inside, Limits, Manifest, ManifestError, Name, Reply, schema};
pub use name::{MOST_DEPTH, confusable, is_name};
pub use package::{
    Code, File, Files, INSTRUCTIONS, LEFT_OUT, MANIFEST, MOST_BYTES, MOST_FILES, Package, PackageError, Rule, SIGNATURE,
};
pub use seal::Seal;
pub use values::{Size, Time, Version};
pub use words::words;

#[cfg(test)]
use needs::Needs;
