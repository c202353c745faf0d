//! HTTP for examples: the policy is the real one, the answers are those that the example recorded.

use super::outbound::{sent, stands_for, told};
use async_trait::async_trait;
use bytes::Bytes;
use chiton_egress::{Allowance, Egress, SecretSource, SecretString, Setup};
use chiton_sandbox::ports::{Caller, Outbound, OutboundRequest, OutboundResponse, PortError};
use futures_util::{StreamExt as _, stream};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What every secret of an example is.
const SECRET: &str = "an-example-of-a-secret";

/// One recorded answer.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The method of the request.
    pub method: String,
    /// The URL of the request; what stands behind a `?` is not compared.
    pub url: String,
    /// The status of the answer.
    pub status: u16,
    /// Its header fields.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// The secrets that are set in an example.
struct Set(BTreeSet<String>);

impl SecretSource for Set {
    fn get(&self, name: &str) -> Option<SecretString> {
        self.0.contains(name).then(|| SecretString::from(SECRET.to_owned()))
    }
}

/// The answers of one example.
pub struct Recorded {
    engine: Egress,
    secrets: Arc<Set>,
    recordings: Vec<Recording>,
}

impl Recorded {
    pub fn new(recordings: Vec<Recording>, secrets: BTreeSet<String>) -> Result<Self, String> {
        let secrets = Arc::new(Set(secrets));
        let engine = Egress::new(Setup::new(secrets.clone())).map_err(|error| error.to_string())?;
        Ok(Self { engine, secrets, recordings })
    }
}

fn plain(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

#[async_trait]
impl Outbound for Recorded {
    async fn send(
        &self,
        _: &Caller,
        network: &[String],
        secrets: &[String],
        request: OutboundRequest,
    ) -> Result<OutboundResponse, PortError> {
        let allowance = Allowance::parse(network, secrets)
            .map_err(|error| PortError::Failed(format!("a grant is broken: {error}")))?;
        let wanted = sent(&request.request);
        self.engine.check(&allowance, &wanted).map_err(told)?;
        let meant = |recording: &&Recording| {
            recording.method.eq_ignore_ascii_case(&wanted.method) && plain(&recording.url) == plain(&wanted.url)
        };
        let Some(found) = self.recordings.iter().find(meant) else {
            let message = format!(
                "the example has no reply to {} {}; add one to its `replies`",
                wanted.method,
                plain(&wanted.url)
            );
            return Err(PortError::Failed(message));
        };
        let mut response = http::Response::builder().status(found.status);
        for (name, value) in &found.headers {
            response = response.header(name, value);
        }
        let body = stream::iter([Ok(Bytes::from(found.body.clone()))]).boxed();
        let response =
            response.body(body).map_err(|error| PortError::Failed(format!("the reply is wrong: {error}")))?;
        Ok(OutboundResponse { response, url: wanted.url })
    }

    fn missing(&self, request: &http::Request<Bytes>) -> PortError {
        let verdict = self.engine.check(&Allowance::default(), &sent(request)).map_err(told);
        verdict.err().unwrap_or_else(|| PortError::Failed("nothing is granted".to_owned()))
    }

    fn placeholder(&self, secrets: &[String], name: &str) -> Option<String> {
        stands_for(&*self.secrets, secrets, name)
    }
}
