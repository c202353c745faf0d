//! Where skills come from and go to: OCI registries, index files, archives behind HTTPS.
//!
//! Nothing is unpacked, judged or run: [`fetch()`] gives bytes whose digest was checked, [`publish()`] sends some.

mod connection;
mod error;
mod fetch;
mod index;
mod manifest;
mod oci;
mod options;
mod publish;
mod source;

pub use error::Error;
pub use fetch::{Content, Fetched, fetch, fetch_index};
pub use index::{Entry, Index};
pub use manifest::{ARTIFACT_TYPE, COMPONENT_LAYER, PACKAGE_LAYER, TITLE, VERSION};
pub use options::{Credentials, Limits, Options, Progress};
pub use publish::{Publication, publish};
pub use semver::Version;
pub use source::{Place, Reference, Remote, Source};
