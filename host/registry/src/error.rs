//! Every refusal, and what to do about it.

use chiton_sandbox::Digest;

use crate::{COMPONENT_LAYER, PACKAGE_LAYER};

/// Why a skill was not fetched or published. What a server wrote is shown escaped and cut; its secrets never are.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was typed is no source, and why.
    #[error(
        "'{text}' is no source of a skill: {reason}; write a name (weather), a folder (./weather), an archive \
         (weather.tar.gz, .tgz, .tar or .zip), oci://HOST/NAME[:TAG], https://HOST/index.json#NAME[@VERSION] or \
         https://HOST/NAME.tar.gz",
        text = shown(.0), reason = .1
    )]
    NotASource(String, &'static str),
    /// Credentials of another form.
    #[error("credentials are written as USER:TOKEN, without line breaks; correct them in the configuration")]
    Credentials,
    /// A host that is not there or not trusted, or a connection that broke, and its cause.
    #[error(
        "the connection to {0} failed: {1}; check the address, the network and the server's certificate, then try again"
    )]
    Connection(String, String),
    /// A host that is too slow.
    #[error("{0} did not answer in time; try again later")]
    TimedOut(String),
    /// CMP-19: a redirect, an upload, a token server or an archive of a host, at another that the owner did not name.
    #[error("{0} sends on to {1}, which you did not name; if you trust it, allow it with --allow-host {1}")]
    OtherHost(String, String),
    /// The same without encryption, which the owner cannot allow.
    #[error("{0} sends on to {1} without encryption, which is never followed; ask its publisher for https")]
    Unencrypted(String, String),
    /// More redirects than the limit.
    #[error("{0} sends on more than {1} times; ask its publisher for a direct address")]
    Redirects(String, u32),
    /// RES-12: something from a host with more bytes than the limit, or than were announced.
    #[error("{0} from {1} is larger than {2} bytes and was not taken; ask its publisher for a smaller one")]
    TooLarge(&'static str, String, u64),
    /// Status 401 or 403.
    #[error(
        "{0} refuses this without the right credentials; check the name, and set USER:TOKEN for {0} in the \
         configuration"
    )]
    Unauthorized(String),
    /// Status 404 for something at a host.
    #[error("{1} has no such thing as {0}; check the name and the version")]
    NotFound(&'static str, String),
    /// Any other status that is no success, for something at a host.
    #[error("{1} answers {0} with status {2}; try again later, then ask who runs it")]
    Status(&'static str, String, u16),
    /// Something from a host that is not in the expected format, and why.
    #[error(
        "{what} from {host} is not understood: {reason}; ask its publisher to correct it",
        what = .0, host = .1, reason = shown(.2)
    )]
    Malformed(&'static str, String, String),
    /// CMP-14, CMP-19: other bytes than were promised.
    #[error(
        "{what} is not what was promised (sha256 {found} instead of {expected}) and was thrown away; do not use it, \
         ask its publisher"
    )]
    Digest {
        /// What was read.
        what: &'static str,
        /// The digest that was promised.
        expected: Digest,
        /// The digest of the bytes.
        found: Digest,
    },
    /// An artifact of another kind, and what it holds.
    #[error(
        "{place} is no skill: it holds {found}; accepted is one layer of type {PACKAGE_LAYER} \
         or {COMPONENT_LAYER}",
        place = .0, found = shown(.1)
    )]
    NotASkill(String, String),
    /// The index has no such skill, or no such version.
    #[error("the index has no {0} that was not withdrawn; search it for what there is")]
    NotInIndex(String),
    /// I3: the version exists with other bytes.
    #[error("{0} exists with other bytes; publish under a new version, or overwrite it with --replace")]
    Exists(String),
    /// A publication whose parts do not fit together: why, and what to do.
    #[error("this cannot be published: {0}")]
    NotPublishable(&'static str),
}

/// A stranger's text on one line, without anything that a terminal obeys.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(200).flat_map(char::escape_debug).collect()
}
