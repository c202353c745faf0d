//! What can go wrong, in words that tell the owner what to do. No error ever carries a secret.

use thiserror::Error;

/// Why a grant could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{entry}` is not a valid {kind} grant: {reason}")]
pub struct GrammarError {
    /// `network` or `secrets`.
    pub kind: &'static str,
    /// The text as it was given.
    pub entry: String,
    /// What is wrong with it and what would be right.
    pub reason: String,
}

/// Why a request got no response. `target` is the canonical URL without its query.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EgressError {
    /// A grant is missing that the owner could give.
    #[error("{target} is not allowed: the grant {grant} is missing")]
    Denied {
        /// The missing grant as `KIND=VALUE`, such as `network=https://api.example.com/`.
        grant: String,
        /// What the request was for.
        target: String,
    },
    /// A rule forbids it that no grant changes.
    #[error("{target} is refused: {rule}")]
    Refused {
        /// The rule, as a sentence.
        rule: String,
        /// What the request was for.
        target: String,
    },
    /// The caller has used up a rate, a queue or a budget; later it may go on.
    #[error("{0}")]
    Limited(String),
    /// The deadline of the request has passed, in whatever phase it was.
    #[error("no complete answer came within the deadline of the request")]
    TimedOut,
    /// The answer is larger than the caller or the engine allows.
    #[error("the answer is too large: {0}")]
    TooLarge(String),
    /// The request is no request that can be sent.
    #[error("{0}")]
    Invalid(String),
    /// The network, the origin or its certificate is at fault.
    #[error("{0}")]
    Failed(String),
}
