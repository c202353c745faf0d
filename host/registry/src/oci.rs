//! A repository of an OCI registry.

use bytes::Bytes;
use chiton_sandbox::Digest;
use reqwest::{
    Method, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, LINK},
};
use semver::Version;
use serde::Deserialize;
use url::Url;

use crate::{
    Error, Fetched, Options, Place, Progress, Reference, Remote,
    connection::Connection,
    fetch::same,
    manifest::{Descriptor, MANIFESTS, Manifest},
    source::sha256,
};

pub(crate) struct Repository<'a> {
    connection: Connection<'a>,
    reference: &'a Reference,
}

#[derive(Deserialize)]
struct Tags {
    // A registry may write null for none.
    tags: Option<Vec<String>>,
}

impl<'a> Repository<'a> {
    /// `actions` is what a token must allow: `pull` or `pull,push`.
    pub(crate) fn new(reference: &'a Reference, actions: &str, options: &'a Options) -> Result<Self, Error> {
        let scope = format!("repository:{}:{actions}", reference.name);
        Ok(Self { connection: Connection::new(&reference.registry, scope, options)?, reference })
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.reference.registry.clone();
        url.set_path(&format!("/v2/{}/{path}", self.reference.name));
        url
    }

    pub(crate) async fn fetch(mut self, pinned: Option<Digest>, progress: Progress<'_>) -> Result<Fetched, Error> {
        let mut reference = self.reference.clone();
        if reference.tag.is_none() && pinned.is_none() {
            reference.tag = Some(self.newest_tag().await?);
        }
        let wanted = pinned.map(|digest| format!("sha256:{digest}")).or_else(|| reference.tag.clone());
        let (mut digest, mut manifest) = self.manifest(&wanted.unwrap_or_default()).await?;
        if let [only] = manifest.manifests.as_slice() {
            let only = self.digest(only)?;
            (digest, manifest) = self.manifest(&format!("sha256:{only}")).await?;
        }
        let not_a_skill = |found| Error::NotASkill(reference.to_string(), found);
        let (layer, kind) = manifest.layer().map_err(not_a_skill)?;
        let content = kind(self.blob(layer, progress).await?);
        let origin = Remote { place: Place::Oci(reference), digest: Some(digest) };
        Ok(Fetched { content, origin, annotations: manifest.annotations.unwrap_or_default() })
    }

    /// The highest version among the tags; releases before pre-releases.
    async fn newest_tag(&mut self) -> Result<String, Error> {
        const WHAT: &str = "the list of versions";
        let mut url = self.url("tags/list");
        url.set_query(Some("n=1000"));
        let answer = self.connection.get(&url, "application/json").await?;
        if answer.headers().contains_key(LINK) {
            return Err(self.connection.malformed(WHAT, "it is too long to be searched, so name a tag"));
        }
        let tags: Tags = self.connection.document(answer, WHAT).await?;
        let versions = tags.tags.iter().flatten().filter_map(|tag| Version::parse(tag).ok());
        let newest = versions.max_by_key(|version| (version.pre.is_empty(), version.clone()));
        newest.map(|version| version.to_string()).ok_or(Error::NotFound(WHAT, self.connection.host()))
    }

    /// The manifest of a tag or digest, and its own digest, checked against all that was said of it.
    pub(crate) async fn manifest(&mut self, wanted: &str) -> Result<(Digest, Manifest), Error> {
        const WHAT: &str = "the manifest";
        let answer = self.connection.get(&self.url(&format!("manifests/{wanted}")), &MANIFESTS.join(", ")).await?;
        let said = answer.headers().get("docker-content-digest").and_then(|field| sha256(field.to_str().ok()?));
        let limit = self.connection.options.limits.document;
        let bytes = self.connection.body(answer, WHAT, limit, &|_, _| ()).await?;
        let digest = Digest::of(&bytes);
        for expected in [sha256(wanted), said] {
            same(WHAT, expected, digest)?;
        }
        let manifest: Manifest = self.connection.json(&bytes, WHAT)?;
        if manifest.schema_version != 2 {
            return Err(self.connection.malformed(WHAT, "its schemaVersion is not 2"));
        }
        Ok((digest, manifest))
    }

    pub(crate) fn digest(&self, descriptor: &Descriptor) -> Result<Digest, Error> {
        sha256(&descriptor.digest).ok_or_else(|| self.connection.malformed("the manifest", "a digest is no sha256"))
    }

    async fn blob(&mut self, layer: &Descriptor, progress: Progress<'_>) -> Result<Bytes, Error> {
        const WHAT: &str = "the skill";
        let (expected, limit) = (self.digest(layer)?, self.connection.options.limits.package);
        if layer.size > limit {
            return Err(Error::TooLarge(WHAT, self.connection.host(), limit));
        }
        let answer = self.connection.get(&self.url(&format!("blobs/sha256:{expected}")), "*/*").await?;
        let bytes = self.connection.body(answer, WHAT, layer.size, progress).await?;
        same(WHAT, Some(expected), Digest::of(&bytes))?;
        Ok(bytes)
    }

    /// Sends a blob, unless it is there.
    pub(crate) async fn push_blob(&mut self, bytes: &Bytes, progress: Progress<'_>) -> Result<(), Error> {
        const WHAT: &str = "the upload";
        let digest = format!("sha256:{}", Digest::of(bytes));
        let asking = self.connection.request(Method::HEAD, &self.url(&format!("blobs/{digest}")));
        if self.connection.send(asking).await?.status() == StatusCode::OK {
            return Ok(());
        }
        let opening = self.connection.request(Method::POST, &self.url("blobs/uploads/")).header(CONTENT_LENGTH, 0);
        let answer = self.connection.send(opening).await?;
        let mut place = self.connection.location(&self.connection.good(answer, WHAT)?)?;
        place.query_pairs_mut().append_pair("digest", &digest);
        let answer = self.connection.upload(&place, bytes, progress).await?;
        self.connection.good(answer, WHAT).map(drop)
    }

    pub(crate) async fn push_manifest(&mut self, tag: &str, manifest: Vec<u8>) -> Result<Digest, Error> {
        let digest = Digest::of(&manifest);
        let request = self.connection.request(Method::PUT, &self.url(&format!("manifests/{tag}")));
        let answer = self.connection.send(request.header(CONTENT_TYPE, MANIFESTS[0]).body(manifest)).await?;
        self.connection.good(answer, "the manifest")?;
        Ok(digest)
    }
}
