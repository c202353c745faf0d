//! HTTP for components, by the egress engine.

use super::secrets::Configured;
use crate::settings::Settings;
use async_trait::async_trait;
use bytes::Bytes;
use chiton_egress::{Allowance, CallerKey, Egress, EgressError, Options, Request, SecretSource, Setup};
use chiton_sandbox::ports::{Caller, Outbound, OutboundRequest, OutboundResponse, PortError};
use futures_util::{StreamExt as _, TryStreamExt as _};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// The engine and the secrets it adds.
pub struct Http {
    /// Started by the first request: it reads the system's certificates.
    engine: OnceLock<Result<Egress, EgressError>>,
    secrets: Arc<Configured>,
}

impl Http {
    pub fn of(settings: &Settings) -> Self {
        Self { engine: OnceLock::new(), secrets: Arc::new(Configured::of(&settings.config.secrets)) }
    }

    fn engine(&self) -> Result<&Egress, PortError> {
        let start = || Egress::new(Setup::new(self.secrets.clone()));
        self.engine.get_or_init(start).as_ref().map_err(|error| told(error.clone()))
    }
}

#[async_trait]
impl Outbound for Http {
    async fn send(
        &self,
        caller: &Caller,
        network: &[String],
        secrets: &[String],
        request: OutboundRequest,
    ) -> Result<OutboundResponse, PortError> {
        let allowance = Allowance::parse(network, secrets)
            .map_err(|error| PortError::Failed(format!("a grant is broken: {error}")))?;
        let sent = sent(&request.request);
        let options = Options {
            redirects: request.redirects,
            deadline: caller.deadline.saturating_duration_since(Instant::now()),
            max_body: request.max_body,
        };
        let answer = self
            .engine()?
            .send(&CallerKey(caller.component.clone()), &allowance, sent, &options)
            .await
            .map_err(told)?;
        let mut response = http::Response::new(answer.body.into_stream().map_err(told).boxed());
        *response.status_mut() = http::StatusCode::from_u16(answer.status)
            .map_err(|_| PortError::Failed(format!("{} is no status code", answer.status)))?;
        *response.headers_mut() = answer.headers;
        Ok(OutboundResponse { response, url: answer.url.to_string() })
    }

    fn missing(&self, request: &http::Request<Bytes>) -> PortError {
        let verdict =
            self.engine().and_then(|engine| engine.check(&Allowance::default(), &sent(request)).map_err(told));
        verdict.err().unwrap_or_else(|| PortError::Failed("nothing is granted".to_owned()))
    }

    fn placeholder(&self, secrets: &[String], name: &str) -> Option<String> {
        stands_for(&*self.secrets, secrets, name)
    }
}

/// Text that stands for a secret, if it is granted and set.
pub(super) fn stands_for(source: &dyn SecretSource, granted: &[String], name: &str) -> Option<String> {
    let allowance = Allowance::parse(&[], granted).ok()?;
    let granted = allowance.secrets.iter().any(|slot| slot.name() == name);
    (granted && source.get(name).is_some()).then(|| chiton_egress::placeholder(name))
}

/// A request in the words of the engine.
pub(super) fn sent(request: &http::Request<Bytes>) -> Request {
    let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| (name.to_string(), value.as_bytes().to_vec());
    Request {
        method: request.method().to_string(),
        url: request.uri().to_string(),
        headers: request.headers().iter().map(header).collect(),
        body: request.body().clone(),
    }
}

pub(super) fn told(error: EgressError) -> PortError {
    let text = error.to_string();
    match error {
        EgressError::Denied { grant, target } => PortError::Denied { grant, target },
        EgressError::Refused { rule, target } => PortError::Refused { rule, target },
        EgressError::TimedOut => PortError::TimedOut(text),
        EgressError::Invalid(_) => PortError::Invalid(text),
        EgressError::Limited(_) | EgressError::TooLarge(_) | EgressError::Failed(_) => PortError::Failed(text),
    }
}
