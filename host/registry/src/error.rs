//! Every refusal, and what to do about it.

use chiton_sandbox::Digest;

use crate::{COMPONENT_LAYER, PACKAGE_LAYER};

/// Why a skill was not fetched or published. What a server wrote is shown escaped and cut; its secrets never are.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was typed is no source.
    #[error(
        "'{}' is no source of a skill: {reason}; write a name (weather), a folder (./weather), an archive (weather.tar.gz, \
         .tgz, .tar or .zip), oci://HOST/NAME[:TAG], https://HOST/index.json#NAME[@VERSION] or https://HOST/NAME.tar.gz",
        shown(text)
    )]
    NotASource {
        /// What was typed.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Credentials of another form.
    #[error("credentials are written as USER:TOKEN, without line breaks; correct them in the configuration")]
    Credentials,
    /// No connection, an untrusted certificate, or a connection that broke.
    #[error(
        "the connection to {host} failed: {reason}; check the address, the network and the server's certificate, then try again"
    )]
    Connection {
        /// The host.
        host: String,
        /// The cause.
        reason: String,
    },
    /// Too slow.
    #[error("{host} did not answer in time; try again later")]
    TimedOut {
        /// The host.
        host: String,
    },
    /// CMP-19: a redirect, an upload, a token server or an archive at a host that the owner did not name.
    #[error("{host} sends on to {other}, which you did not name; if you trust it, allow it with --allow-host {other}")]
    OtherHost {
        /// Where the owner sent us.
        host: String,
        /// Where that host sends us.
        other: String,
    },
    /// The same without encryption, which the owner cannot allow.
    #[error("{host} sends on to {other} without encryption, which is never followed; ask its publisher for https")]
    Unencrypted {
        /// Where the owner sent us.
        host: String,
        /// Where that host sends us.
        other: String,
    },
    /// More redirects than the limit.
    #[error("{host} sends on more than {limit} times; ask its publisher for a direct address")]
    Redirects {
        /// The host.
        host: String,
        /// The limit.
        limit: u32,
    },
    /// RES-12: more bytes than the limit, or than were announced.
    #[error("{what} from {host} is larger than {limit} bytes and was not taken; ask its publisher for a smaller one")]
    TooLarge {
        /// What was read.
        what: &'static str,
        /// The host.
        host: String,
        /// The limit.
        limit: u64,
    },
    /// Status 401 or 403.
    #[error(
        "{host} refuses this without the right credentials; check the name, and set USER:TOKEN for {host} in the configuration"
    )]
    Unauthorized {
        /// The host.
        host: String,
    },
    /// Status 404.
    #[error("{host} has no such thing as {what}; check the name and the version")]
    NotFound {
        /// What was asked for.
        what: &'static str,
        /// The host.
        host: String,
    },
    /// Any other status that is no success.
    #[error("{host} answers {what} with status {status}; try again later, then ask who runs it")]
    Status {
        /// What was asked for.
        what: &'static str,
        /// The host.
        host: String,
        /// The status.
        status: u16,
    },
    /// Not the format that was expected.
    #[error("{what} from {host} is not understood: {}; ask its publisher to correct it", shown(reason))]
    Malformed {
        /// What was read.
        what: &'static str,
        /// The host.
        host: String,
        /// What is wrong with it.
        reason: String,
    },
    /// CMP-14, CMP-19: other bytes than were promised.
    #[error(
        "{what} is not what was promised (sha256 {found} instead of {expected}) and was thrown away; do not use it, ask its publisher"
    )]
    Digest {
        /// What was read.
        what: &'static str,
        /// The digest that was promised.
        expected: Digest,
        /// The digest of the bytes.
        found: Digest,
    },
    /// An artifact of another kind.
    #[error(
        "{reference} is no skill: it holds {}; accepted is one layer of type {PACKAGE_LAYER} or {COMPONENT_LAYER}",
        shown(found)
    )]
    NotASkill {
        /// What was asked for.
        reference: String,
        /// What is there.
        found: String,
    },
    /// The index has no such skill, or no such version.
    #[error("the index has no {wanted} that was not withdrawn; search it for what there is")]
    NotInIndex {
        /// The name and version.
        wanted: String,
    },
    /// I3: the version exists with other bytes.
    #[error("{reference} exists with other bytes; publish under a new version, or overwrite it with --replace")]
    Exists {
        /// The reference.
        reference: String,
    },
    /// A publication whose parts do not fit together.
    #[error("this cannot be published: {reason}")]
    NotPublishable {
        /// What is wrong and what to do.
        reason: &'static str,
    },
}

/// A stranger's text on one line, without anything that a terminal obeys.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(200).flat_map(char::escape_debug).collect()
}
