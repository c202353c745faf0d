//! Everything that can go wrong with a request, each in one sentence with what to do.

use std::time::Duration;

/// What a caller may do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// The same request may succeed later. It was already retried as far as the settings allow; after a part of
    /// the reply was shown it is not retried at all.
    Retry,
    /// The same request fails again: the owner has to change something.
    Fatal,
    /// The conversation is too long for the model: shorten it.
    ContextOverflow,
}

/// Why no complete reply came. No variant holds a key or a header; texts of the server are cut, cleaned and redacted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// No connection.
    #[error(
        "cannot reach {provider} at {origin} ({reason}); check that the server runs and that providers.{provider}.apiBase is right"
    )]
    Unreachable {
        /// The provider's name.
        provider: String,
        /// Scheme, host and port.
        origin: String,
        /// What the connection said.
        reason: String,
    },
    /// The server's certificate is not one this system trusts.
    #[error(
        "the certificate of {provider} at {origin} is not trusted ({reason}); check the address, or add the authority that signed it to the system's certificates"
    )]
    Untrusted {
        /// The provider's name.
        provider: String,
        /// Scheme, host and port.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nothing came for too long.
    #[error("{provider} sent nothing for {} s; try again, or raise the time limit if the model is slow", .after.as_secs())]
    TimedOut {
        /// The provider's name.
        provider: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The stream ended before the model did.
    #[error(
        "the reply of {provider} was cut off before its end ({reason}); nothing of it was carried out, so ask again"
    )]
    Truncated {
        /// The provider's name.
        provider: String,
        /// How it ended.
        reason: String,
    },
    /// Status 401.
    #[error("{provider} refused the API key ({detail}); set a valid one as providers.{provider}.apiKey")]
    BadKey {
        /// The provider's name.
        provider: String,
        /// What the server said.
        detail: String,
    },
    /// Status 401 and no key was configured.
    #[error("{provider} needs an API key; set one as providers.{provider}.apiKey")]
    KeyMissing {
        /// The provider's name.
        provider: String,
    },
    /// Status 403.
    #[error("{provider} does not allow this request ({detail}); check what the key and the account may use")]
    Forbidden {
        /// The provider's name.
        provider: String,
        /// What the server said.
        detail: String,
    },
    /// Status 402, or a quota that is used up.
    #[error("the account at {provider} has no credit left ({detail}); top it up or choose another provider")]
    NoCredit {
        /// The provider's name.
        provider: String,
        /// What the server said.
        detail: String,
    },
    /// Status 404.
    #[error(
        "{provider} does not know the model {model} or the address ({detail}); choose a model it lists, or check providers.{provider}.apiBase"
    )]
    NotFound {
        /// The provider's name.
        provider: String,
        /// The model that was asked for; empty when models were listed.
        model: String,
        /// What the server said.
        detail: String,
    },
    /// The conversation does not fit.
    #[error(
        "the conversation is too long for the model ({detail}); shorten it, or choose a model with a larger context"
    )]
    ContextOverflow {
        /// What the server said.
        detail: String,
    },
    /// Status 429 after all retries, or a pause that is too long to wait for.
    #[error("{provider} limits the rate of requests ({detail}); try again {}", wait(*.retry_after))]
    RateLimited {
        /// The provider's name.
        provider: String,
        /// The pause the server asked for.
        retry_after: Option<Duration>,
        /// What the server said.
        detail: String,
    },
    /// Status 408, 409, 425, 5xx or an error inside a stream.
    #[error("{provider} failed ({detail}); try again later")]
    ServerFailed {
        /// The provider's name.
        provider: String,
        /// The pause the server asked for.
        retry_after: Option<Duration>,
        /// The status and what the server said.
        detail: String,
    },
    /// Any other refusal.
    #[error(
        "{provider} refused the request ({detail}); check the model's name and the extra fields in the configuration"
    )]
    Refused {
        /// The provider's name.
        provider: String,
        /// The status and what the server said.
        detail: String,
    },
    /// A redirect, which is never followed: it could carry the key to another host.
    #[error(
        "{provider} redirects to {to}, which is not followed; set providers.{provider}.apiBase to the final address"
    )]
    Redirected {
        /// The provider's name.
        provider: String,
        /// The origin it points to.
        to: String,
    },
    /// An answer that is no reply of its protocol.
    #[error("{provider} did not answer like a server of models ({detail}); check providers.{provider}.apiBase")]
    Unintelligible {
        /// The provider's name.
        provider: String,
        /// What came instead.
        detail: String,
    },
    /// The reply passed a bound.
    #[error("the reply of {provider} is too large ({detail}); ask for less at once")]
    TooLarge {
        /// The provider's name.
        provider: String,
        /// Which bound.
        detail: String,
    },
    /// The base URL cannot be used.
    #[error("providers.{provider}.apiBase cannot be used: {reason}")]
    BadBaseUrl {
        /// The provider's name.
        provider: String,
        /// Why, and what to write.
        reason: String,
    },
    /// A key or header that HTTP cannot carry.
    #[error(
        "{what} of providers.{provider} holds characters that HTTP does not allow; set it again without line breaks or control characters"
    )]
    BadHeader {
        /// The provider's name.
        provider: String,
        /// `apiKey`, or the header's name.
        what: String,
    },
    /// The HTTP client could not be made.
    #[error(
        "the connection to {provider} cannot be set up ({reason}); install the system's CA certificates (package ca-certificates)"
    )]
    NoTls {
        /// The provider's name.
        provider: String,
        /// What is missing.
        reason: String,
    },
}

fn wait(after: Option<Duration>) -> String {
    match after {
        Some(pause) => format!("in {} s", pause.as_secs().max(1)),
        None => "later".into(),
    }
}

impl ProviderError {
    /// What the caller may do about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::Truncated { .. }
            | Self::RateLimited { .. }
            | Self::ServerFailed { .. } => ErrorClass::Retry,
            Self::ContextOverflow { .. } => ErrorClass::ContextOverflow,
            _ => ErrorClass::Fatal,
        }
    }

    /// May another model answer? Not when the request itself is what is wrong.
    pub fn another_may_do_better(&self) -> bool {
        self.class() != ErrorClass::ContextOverflow && !matches!(self, Self::Refused { .. } | Self::TooLarge { .. })
    }

    /// The pause the server asked for, if it did.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::ServerFailed { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
