//! HTTP for components: `chiton:tool/http` and `wasi:http` go through the same port.

use crate::Capability;
use crate::contract::v0_1::{http as wire, secrets, tool_types};
use crate::ports::{OutboundRequest, OutboundResponse, PortError};
use crate::state::{Call, State};
use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt as _;
use http_body_util::{BodyExt as _, Limited, StreamBody};
use std::sync::Arc;
use tool_types::Failure;
use wasmtime_wasi_http::{Error as HttpError, RequestOptions, WasiBody, WasiHttpHooks};

/// Most bytes of a request's body.
const MAX_REQUEST: usize = 8 << 20;
/// Most bytes of a response's body, decoded.
const MAX_RESPONSE: u64 = 32 << 20;

/// Sends a request if the call may use the network at all, and leaves a record of it.
async fn send(call: &Call, request: http::Request<Bytes>, redirects: u8) -> Result<OutboundResponse, Failure> {
    let target = format!("{} {}", request.method(), without_query(request.uri()));
    let (wanted, ports) = (origin(request.uri()), call.ports());
    let sent = match call.port(Capability::Network, &ports.outbound, &wanted) {
        Ok((network, port)) => {
            let secrets = call.values(Capability::Secrets);
            let request = OutboundRequest { request, redirects, max_body: MAX_RESPONSE };
            port.send(&call.caller, network, secrets, request).await
        }
        // Only the port knows how the grant is written that would allow it.
        Err(refused) => Err(ports.outbound.as_ref().map_or(refused, |port| port.missing(&request))),
    };
    call.audited("http", &target, sent)
}

fn origin(uri: &http::Uri) -> String {
    format!("{}://{}/", uri.scheme_str().unwrap_or("https"), uri.authority().map_or("", |authority| authority.as_str()))
}

/// The query may carry what the audit trail must not hold.
fn without_query(uri: &http::Uri) -> String {
    format!("{}{}", origin(uri).trim_end_matches('/'), uri.path())
}

impl wire::Host for State {
    async fn fetch(&mut self, request: wire::Request) -> wasmtime::Result<Result<wire::Response, Failure>> {
        let redirects = request.redirects;
        let request = match wire_request(request) {
            Ok(request) => request,
            Err(failure) => return Ok(Err(failure)),
        };
        let answer = match send(&self.call, request, redirects).await {
            Ok(answer) => answer,
            Err(failure) => return Ok(Err(failure)),
        };
        let OutboundResponse { response, url } = answer;
        let (head, body) = response.into_parts();
        let collect = |mut all: BytesMut, bytes: Bytes| async move {
            all.extend_from_slice(&bytes);
            Ok(all)
        };
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| wire::Header {
            name: name.to_string(),
            value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
        };
        Ok(match body.try_fold(BytesMut::new(), collect).await {
            Ok(body) => Ok(wire::Response {
                status: head.status.as_u16(),
                url,
                headers: head.headers.iter().map(header).collect(),
                body: body.into(),
            }),
            Err(error) => self.call.audited("http", &url, Err(error)),
        })
    }
}

fn wire_request(request: wire::Request) -> Result<http::Request<Bytes>, Failure> {
    let invalid = |what: String| Failure::InvalidArguments(what);
    if request.body.len() > MAX_REQUEST {
        return Err(invalid(format!("the body has more than {} MiB", MAX_REQUEST >> 20)));
    }
    let mut built = http::Request::builder().method(request.method.as_str()).uri(&request.url);
    for header in &request.headers {
        built = built.header(&header.name, &header.value);
    }
    built.body(request.body.into()).map_err(|error| invalid(format!("the request cannot be sent: {error}")))
}

impl secrets::Host for State {
    fn available(&mut self, name: String) -> wasmtime::Result<bool> {
        Ok(self.placeholder(name)?.is_some())
    }

    fn placeholder(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        let values = self.call.values(Capability::Secrets);
        Ok(self.call.ports().outbound.as_ref().and_then(|port| port.placeholder(values, &name)))
    }
}

/// What `wasi:http` sends through.
pub(crate) struct Http(pub(crate) Arc<Call>);

type Done = Box<dyn Future<Output = Result<(), HttpError>> + Send>;
type HttpAnswer = (http::Response<WasiBody>, Done);

impl WasiHttpHooks for Http {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _done: Done,
    ) -> Box<dyn Future<Output = wasmtime_wasi_http::Result<HttpAnswer>> + Send> {
        let call = self.0.clone();
        Box::new(async move {
            let (head, body) = request.into_parts();
            // What is refused anyway is not waited for.
            let body = match call.rights.capabilities.contains_key(&Capability::Network) {
                true => Limited::new(body, MAX_REQUEST).collect().await.map_err(|_| too_large())?.to_bytes(),
                false => Bytes::new(),
            };
            let answer = send(&call, http::Request::from_parts(head, body), 0).await.map_err(http_error)?;
            let body = answer.response.map(|body| {
                StreamBody::new(body.map_ok(http_body::Frame::data).map_err(|error| http_error(error.into())))
                    .boxed_unsync()
            });
            Ok((body, Box::new(async { Ok(()) }) as Done))
        })
    }
}

fn too_large() -> HttpError {
    HttpError::HttpRequestBodySize(Some(MAX_REQUEST as u64))
}

fn http_error(failure: Failure) -> HttpError {
    match failure {
        Failure::Denied(_) => HttpError::HttpRequestDenied,
        Failure::TimedOut(_) => HttpError::HttpResponseTimeout,
        Failure::NotFound(_) => HttpError::DestinationNotFound,
        Failure::InvalidArguments(text) | Failure::Failed(text) => HttpError::InternalError(Some(text)),
    }
}

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        match error {
            PortError::Denied { grant, .. } => Self::Denied(grant),
            PortError::Refused { rule, target } => Self::Failed(format!("{target} is refused: {rule}")),
            PortError::Invalid(text) => Self::InvalidArguments(text),
            PortError::NotFound(text) => Self::NotFound(text),
            PortError::TimedOut(text) => Self::TimedOut(text),
            PortError::Failed(text) => Self::Failed(text),
        }
    }
}
