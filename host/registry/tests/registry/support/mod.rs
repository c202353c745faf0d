//! Servers, and words that the tests share.

mod debian;
mod origin;

use std::{collections::BTreeMap, time::Duration};

use chiton_registry::{Content, Error, Fetched, Limits, Options, Place, Reference, Remote, fetch};
use chiton_sandbox::Digest;

pub use debian::DebianRegistry;
pub use origin::{Answer, Manner, Origin, Request};

/// Gives what a source holds, or why not.
pub async fn get(source: &str) -> Result<Fetched, Error> {
    get_with(source, &Options::default()).await
}

pub async fn get_with(source: &str, options: &Options) -> Result<Fetched, Error> {
    fetch(&source.parse::<Remote>()?, options, &|_, _| ()).await
}

/// Limits that a test can reach.
pub fn small() -> Options {
    let limits = Limits { package: 1_000, document: 2_000, redirects: 2, ..Limits::default() };
    Options { limits, ..Options::default() }
}

/// Waits for a byte hardly at all.
pub fn impatient() -> Options {
    let limits = Limits { idle: Duration::from_millis(300), ..Limits::default() };
    Options { limits, ..Options::default() }
}

pub fn reference(text: &str) -> Reference {
    match text.parse::<Remote>().unwrap().place {
        Place::Oci(reference) => reference,
        other => panic!("{other:?}"),
    }
}

pub fn bytes(content: &Content) -> &[u8] {
    match content {
        Content::Package(bytes) | Content::Component(bytes) => bytes,
    }
}

/// The manifest of one layer, as a registry keeps it.
pub fn manifest(media_type: &str, digest: &str, size: usize) -> String {
    let empty = format!("sha256:{}", Digest::of(b"{}"));
    format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
        "config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{empty}","size":2}},
        "layers":[{{"mediaType":"{media_type}","digest":"{digest}","size":{size},"annotations":null}}]}}"#
    )
}

pub fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", Digest::of(bytes))
}

/// A registry or web server that has these paths and no others.
pub async fn serving(pages: impl IntoIterator<Item = (String, Answer)>) -> Origin {
    let pages: BTreeMap<String, Answer> = pages.into_iter().collect();
    Origin::start(move |request| pages.get(&request.path).cloned().unwrap_or_else(|| Answer::status(404))).await
}
