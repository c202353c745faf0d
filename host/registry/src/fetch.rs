//! Bringing the bytes of a skill.

use bytes::Bytes;
use chiton_sandbox::Digest;
use url::Url;

use crate::{
    Error, Index, Options, Place, Progress, Remote, TITLE, VERSION, Version, connection::Connection,
    manifest::Annotations, oci::Repository, source::parse_url,
};

/// What a source held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// An archive of a skill's folder.
    Package(Bytes),
    /// A component without a manifest: nothing is known of what it asks for.
    Component(Bytes),
}

/// Bytes whose digest was checked, and where they are from.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The bytes.
    pub content: Content,
    /// The source, pinned to a digest: fetched again, it gives the same bytes or an error.
    pub origin: Remote,
    /// What the publisher wrote about it: a stranger's words, to be cleaned before they are shown.
    pub annotations: Annotations,
}

/// Brings what a source holds. Nothing of it is unpacked or run.
///
/// # Errors
/// Every [`Error`] but those of publishing.
pub async fn fetch(source: &Remote, options: &Options, progress: Progress<'_>) -> Result<Fetched, Error> {
    match &source.place {
        Place::Oci(reference) => Repository::new(reference, "pull", options)?.fetch(source.digest, progress).await,
        Place::Archive(url) => {
            let mut connection = Connection::new(url, String::new(), options)?;
            let bytes = download(&mut connection, url, source.digest, progress).await?;
            let origin = Remote { digest: Some(Digest::of(&bytes)), ..source.clone() };
            Ok(Fetched { content: Content::Package(bytes), origin, annotations: Annotations::new() })
        }
        Place::Index { url, name, version } => {
            let mut connection = Connection::new(url, String::new(), options)?;
            let index = read_index(&mut connection, url).await?;
            let wanted = || format!("{name} {}", version.as_ref().map(Version::to_string).unwrap_or_default());
            let entry = index.choose(name, version.as_ref(), source.digest);
            let entry = entry.ok_or_else(|| Error::NotInIndex(wanted().trim_end().to_owned()))?;
            same("the index's entry", source.digest, entry.sha256)?;
            let archive = url.join(&entry.url).map_err(|error| connection.malformed("the index", error))?;
            let archive = connection.checked(archive)?;
            let bytes = download(&mut connection, &archive, Some(entry.sha256), progress).await?;
            let place = Place::Index { url: url.clone(), name: name.clone(), version: Some(entry.version.clone()) };
            let annotations = [(TITLE, entry.name.clone()), (VERSION, entry.version.to_string())];
            Ok(Fetched {
                content: Content::Package(bytes),
                origin: Remote { place, digest: Some(entry.sha256) },
                annotations: annotations.map(|(name, value)| (name.to_owned(), value)).into(),
            })
        }
    }
}

/// Brings an index file, to be searched.
///
/// # Errors
/// As [`fetch`].
pub async fn fetch_index(address: &str, options: &Options) -> Result<Index, Error> {
    let url = parse_url(address).map_err(|reason| Error::NotASource(address.to_owned(), reason))?;
    read_index(&mut Connection::new(&url, String::new(), options)?, &url).await
}

async fn read_index(connection: &mut Connection<'_>, url: &Url) -> Result<Index, Error> {
    let answer = connection.get(url, "application/json").await?;
    let bytes = connection.body(answer, "the index", connection.options.limits.document, &|_, _| ()).await?;
    Index::parse(&bytes).map_err(|reason| connection.malformed("the index", reason))
}

async fn download(
    connection: &mut Connection<'_>,
    url: &Url,
    expected: Option<Digest>,
    progress: Progress<'_>,
) -> Result<Bytes, Error> {
    let answer = connection.get(url, "*/*").await?;
    let bytes = connection.body(answer, "the archive", connection.options.limits.package, progress).await?;
    same("the archive", expected, Digest::of(&bytes))?;
    Ok(bytes)
}

/// CMP-14, CMP-19: whether the bytes are those that were promised, if any were.
pub(crate) fn same(what: &'static str, expected: Option<Digest>, found: Digest) -> Result<(), Error> {
    match expected {
        Some(expected) if expected != found => Err(Error::Digest { what, expected, found }),
        _ => Ok(()),
    }
}
