//! Sending a package to a registry.

use bytes::Bytes;
use chiton_sandbox::Digest;

use crate::{
    Error, Options, Place, Progress, Reference, Remote,
    manifest::{EMPTY, Manifest},
    oci::Repository,
    source::{is_skill_name, is_tag, sha256},
};

/// A package that shall be published.
#[derive(Clone, Debug)]
pub struct Publication<'a> {
    /// The archive, a `.tar.gz`.
    pub archive: Bytes,
    /// The archive's digest, as its author saw or signed it.
    pub digest: Digest,
    /// The skill's name.
    pub name: &'a str,
    /// The skill's version; it becomes the tag.
    pub version: &'a str,
    /// Whether this version may be overwritten when it exists with other bytes.
    pub replace: bool,
}

/// Sends a package and gives back where it is, pinned. The same bytes may be published again.
///
/// # Errors
/// [`Error::Exists`], [`Error::NotPublishable`], and those of the connection.
pub async fn publish(
    publication: Publication<'_>,
    to: &Reference,
    options: &Options,
    progress: Progress<'_>,
) -> Result<Remote, Error> {
    let Publication { archive, digest, name, version, replace } = publication;
    let place = Reference { tag: Some(version.to_owned()), ..to.clone() };
    let rules = [
        (Digest::of(&archive) == digest, "its archive was changed since its digest was taken; pack it again"),
        (
            archive.len() as u64 <= options.limits.package,
            "its archive is larger than a package may be; leave files out",
        ),
        (is_skill_name(name), "its name has other characters than a-z, 0-9 and -; rename it"),
        (semver::Version::parse(version).is_ok(), "its version is not of the form 1.2.0; correct it"),
        (is_tag(version), "a version with + cannot be a tag; leave out what follows the +"),
        (to.tag.as_deref().is_none_or(|tag| tag == version), "the tag is the skill's version; leave it out"),
    ];
    if let Some((_, reason)) = rules.into_iter().find(|(holds, _)| !holds) {
        return Err(Error::NotPublishable(reason));
    }
    let mut repository = Repository::new(to, "pull,push", options)?;
    let manifest = Manifest::of_package(name, version, &archive);
    match repository.manifest(version).await {
        Ok((there, existing)) if existing.layer().is_ok_and(|(layer, _)| sha256(&layer.digest) == Some(digest)) => {
            return Ok(Remote { place: Place::Oci(place), digest: Some(there) });
        }
        Ok(_) if !replace => return Err(Error::Exists(place.to_string())),
        Ok(_) | Err(Error::NotFound(..)) => {}
        Err(Error::Malformed(..)) if replace => {}
        Err(error) => return Err(error),
    }
    repository.push_blob(&EMPTY, &|_, _| ()).await?;
    repository.push_blob(&archive, progress).await?;
    let manifest = serde_json::to_vec(&manifest).map_err(|_| Error::NotPublishable("its manifest is no JSON"))?;
    let digest = repository.push_manifest(version, manifest).await?;
    Ok(Remote { place: Place::Oci(place), digest: Some(digest) })
}
