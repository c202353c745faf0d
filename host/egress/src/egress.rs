//! Sending one request: every hop is checked, resolved, pinned, given its secrets, and redacted.

use std::{mem, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use rustls::pki_types::CertificateDer;
use secrecy::SecretString;
use url::Url;

use crate::{
    allowance::{self, Allowance, Permit},
    body::{self, Body, Chunks, Terms},
    client::{self, Clients},
    credentials,
    deadline::Deadline,
    error::EgressError,
    headers,
    limits::{Account, Accounts, CallerKey, Limits, Place},
    redactor::{Patterns, Redactor, Underway},
    request::{Collected, Options, Request, Response},
    resolver::{AddressRefused, OwnAddresses, Resolver, Route, SystemResolver},
    secret::SecretSource,
    target,
};

/// What the host says it is, unless the guest says otherwise.
pub const USER_AGENT: &str = concat!("chiton/", env!("CARGO_PKG_VERSION"));

/// How an engine is set up.
pub struct Setup {
    /// Where the values of secrets come from.
    pub secrets: Arc<dyn SecretSource>,
    /// Finds addresses; the system's by default.
    pub resolver: Arc<dyn Resolver>,
    /// Root certificates (DER) that are trusted beside the system's.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Where the host itself listens; requests never get there. An unspecified address stands for all of this
    /// machine; a router's address that leads here is not known by itself, so name it too.
    pub own_addresses: Vec<SocketAddr>,
    /// Limits of every caller.
    pub limits: Limits,
}

impl Setup {
    /// The system's resolver and roots, default limits.
    #[must_use]
    pub fn new(secrets: Arc<dyn SecretSource>) -> Self {
        Self {
            secrets,
            resolver: Arc::new(SystemResolver),
            extra_roots: Vec::new(),
            own_addresses: Vec::new(),
            limits: Limits::default(),
        }
    }
}

/// The engine. One serves all callers of a process.
pub struct Egress {
    secrets: Arc<dyn SecretSource>,
    clients: Clients,
    own: Arc<OwnAddresses>,
    limits: Arc<Limits>,
    accounts: Accounts,
    marks: Patterns,
    underway: Underway,
}

/// One hop: what is sent next, without secrets.
struct Hop {
    method: Method,
    url: Url,
    fields: HeaderMap,
    body: Bytes,
}

/// What the hops of one request share.
struct Course<'a> {
    allowance: &'a Allowance,
    account: Arc<Account>,
    place: Place,
    /// Most redirects that are followed.
    redirects: u8,
    max_body: u64,
    /// The secrets of all hops so far: a later hop may echo an earlier one's.
    secrets: Vec<SecretString>,
}

/// What came back for one hop.
struct Answer {
    response: reqwest::Response,
    /// Its header fields without secrets.
    head: HeaderMap,
    patterns: Patterns,
}

impl Egress {
    /// An engine. Opens nothing: roots are read and clients made at the first request.
    ///
    /// # Errors
    /// [`EgressError::Failed`] if an extra root is no certificate.
    pub fn new(setup: Setup) -> Result<Self, EgressError> {
        let Setup { secrets, resolver, extra_roots, own_addresses, limits } = setup;
        let own = Arc::new(OwnAddresses::new(own_addresses));
        let limits = Arc::new(limits);
        Ok(Self {
            secrets,
            clients: Clients::new(resolver, Arc::clone(&own), extra_roots).map_err(EgressError::Failed)?,
            own,
            accounts: Accounts::new(Arc::clone(&limits)),
            limits,
            marks: credentials::marks(),
            underway: Underway::default(),
        })
    }

    /// Sends one request under the grants of `allowance` and gives the response as soon as its head is there.
    ///
    /// # Errors
    /// [`EgressError`]; nothing was sent if it is `Denied`, `Refused` or `Invalid` for the first hop.
    pub async fn send(
        &self,
        caller: &CallerKey,
        allowance: &Allowance,
        request: Request,
        options: &Options,
    ) -> Result<Response, EgressError> {
        let mut deadline = Deadline::after(options.deadline.min(self.limits.deadline));
        let run = self.run(caller, allowance, request, options);
        let (course, hop, answer) = deadline.bound(run).await??;
        respond(course, hop, answer, deadline)
    }

    /// As [`Self::send`], and waits for the whole body.
    ///
    /// # Errors
    /// As [`Self::send`] and [`Body::chunk`].
    pub async fn fetch(
        &self,
        caller: &CallerKey,
        allowance: &Allowance,
        request: Request,
        options: &Options,
    ) -> Result<Collected, EgressError> {
        self.send(caller, allowance, request, options).await?.collect().await
    }

    /// The verdict on a request as far as it can be told without a look-up. Sends nothing, counts nothing.
    ///
    /// # Errors
    /// What [`Self::send`] would say.
    pub fn check(&self, allowance: &Allowance, request: &Request) -> Result<(), EgressError> {
        self.first_hop(allowance, request).map(|_| ())
    }

    /// All hops of one request, up to the head of the last answer.
    async fn run<'a>(
        &self,
        caller: &CallerKey,
        allowance: &'a Allowance,
        request: Request,
        options: &Options,
    ) -> Result<(Course<'a>, Hop, Answer), EgressError> {
        let mut hop = self.first_hop(allowance, &request)?;
        let account = self.accounts.of(caller);
        let mut course = Course {
            place: self.accounts.enter(&account).await?,
            allowance,
            account,
            redirects: options.redirects.min(self.limits.redirects),
            max_body: options.max_body.min(self.limits.response_body),
            secrets: Vec::new(),
        };
        let mut followed = 0;
        loop {
            let answer = self.exchange(&mut course, &hop).await?;
            let next = if course.redirects == 0 { None } else { next_hop(allowance, &hop, &answer)? };
            match next {
                Some(_) if followed == course.redirects => {
                    return Err(EgressError::Failed(format!("more than {followed} redirects")));
                }
                Some(next) => (hop, followed) = (next, followed + 1),
                None => return Ok((course, hop, answer)),
            }
        }
    }

    /// Reads the guest's request and checks all that can be checked without a look-up.
    fn first_hop(&self, allowance: &Allowance, request: &Request) -> Result<Hop, EgressError> {
        let Request { method, url, headers, body } = request;
        let method = headers::method(method).map_err(EgressError::Invalid)?;
        let mut url = target::canonical_url(url).map_err(|reason| EgressError::Invalid(reason.to_owned()))?;
        if body.len() > self.limits.request_body {
            let most = self.limits.request_body;
            return Err(EgressError::Invalid(format!("the request body has more than {most} bytes")));
        }
        let mut fields = headers::guest_fields(headers, &url, body.len()).map_err(EgressError::Invalid)?;
        allowance.check(&method, &url)?;
        credentials::take_placeholders(&self.marks, allowance, &method, &mut url, &mut fields, body)?;
        if !fields.contains_key(header::USER_AGENT) {
            fields.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        }
        fields.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(body::ACCEPTED));
        Ok(Hop { method, url, fields, body: body.clone() })
    }

    /// Checks one hop and sends it.
    async fn exchange(&self, course: &mut Course<'_>, hop: &Hop) -> Result<Answer, EgressError> {
        let permit = course.allowance.check(&hop.method, &hop.url)?;
        let route = self.route(&permit, &hop.url)?;
        course.account.charge_request()?;
        course.account.charge_bytes(hop.body.len())?;
        if permit.wildcard {
            course.account.count_name(hop.url.host_str().unwrap_or_default())?;
        }
        let mut fields = hop.fields.clone();
        let injection = credentials::inject(course.allowance, &*self.secrets, &hop.url, &mut fields)?;
        if !injection.secrets.is_empty() && fields.contains_key(header::RANGE) {
            let rule = "a part of an answer cannot be asked for where a secret is sent, since a part of a secret \
                        could not be recognised in it; leave the header `range` out";
            return Err(EgressError::Refused { rule: rule.to_owned(), target: target::shown(&hop.url) });
        }
        course.secrets.extend(injection.secrets);
        let patterns = self.underway.patterns(&course.secrets);
        let client = self.clients.of(route).await.map_err(EgressError::Failed)?;
        let sending = client.request(hop.method.clone(), injection.url).headers(fields).body(hop.body.clone());
        let mut response = sending.send().await.map_err(|error| failure(error, &hop.url, &patterns))?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(EgressError::Failed("the origin wants to speak another protocol".to_owned()));
        }
        let head = self.clean_head(mem::take(response.headers_mut()), &patterns)?;
        Ok(Answer { response, head, patterns })
    }

    /// Which addresses this hop may reach.
    fn route(&self, permit: &Permit, url: &Url) -> Result<Route, EgressError> {
        let own_port = url.port_or_known_default().and_then(|port| self.own.own_port(port));
        let route = Route { private: permit.private, own_port };
        // Connections to literal addresses ask no resolver.
        let literal = match url.host() {
            Some(url::Host::Ipv4(address)) => Some(address.into()),
            Some(url::Host::Ipv6(address)) => Some(address.into()),
            _ => None,
        };
        match literal.map(|address| route.check(address, &self.own)) {
            Some(Err(refused)) => Err(address_error(refused, url)),
            _ => Ok(route),
        }
    }

    /// The header fields of an answer, within the limits and without secrets.
    fn clean_head(&self, fields: HeaderMap, patterns: &Patterns) -> Result<HeaderMap, EgressError> {
        let bytes: usize = fields.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if fields.len() > self.limits.response_fields || bytes > self.limits.response_header_bytes {
            return Err(EgressError::TooLarge("its header has too many or too long fields".to_owned()));
        }
        if patterns.is_empty() {
            return Ok(fields);
        }
        let mut clean = HeaderMap::with_capacity(fields.len());
        for (name, value) in fields.iter().filter(|(name, _)| !patterns.found_in(name.as_str().as_bytes())) {
            let redacted = patterns.redact(value.as_bytes()).map(|value| HeaderValue::from_bytes(&value));
            // Cutting out a secret leaves the other bytes as they were, and these were valid.
            if let Ok(value) = redacted.unwrap_or_else(|| Ok(value.clone())) {
                clean.append(name, value);
            }
        }
        Ok(clean)
    }
}

/// The end of the course: the head is given, the body is yet to come.
fn respond(course: Course<'_>, hop: Hop, answer: Answer, deadline: Deadline) -> Result<Response, EgressError> {
    let Answer { response, mut head, patterns } = answer;
    let status = response.status().as_u16();
    let expected = response.content_length().unwrap_or(0);
    let body: Chunks = if hop.method == Method::HEAD || matches!(status, 204 | 304) {
        Box::pin(futures_util::stream::empty())
    } else {
        if !patterns.is_empty() {
            // The length changes where a secret is taken out.
            head.remove(header::CONTENT_LENGTH);
        }
        body::decoded(response, &mut head).map_err(|encoding| {
            let text = format!("the answer is encoded as `{encoding}`, which is not supported");
            EgressError::Failed(patterns.redact_text(text))
        })?
    };
    let Course { account, place, max_body: most, .. } = course;
    let terms = Terms { account, place, deadline, most, expected, redactor: Redactor::new(patterns) };
    Ok(Response { status, url: hop.url, headers: head, body: Body::new(body, terms) })
}

/// The hop to which an answer redirects, if it does and redirects are followed.
fn next_hop(allowance: &Allowance, hop: &Hop, answer: &Answer) -> Result<Option<Hop>, EgressError> {
    let Some(location) = answer.head.get(header::LOCATION) else { return Ok(None) };
    let keeps_method = match answer.response.status().as_u16() {
        301 | 302 => hop.method != Method::POST,
        303 => matches!(hop.method, Method::GET | Method::HEAD),
        307 | 308 => true,
        _ => return Ok(None),
    };
    let broken = || EgressError::Failed("the origin redirects to something that is no URL".to_owned());
    let location = std::str::from_utf8(location.as_bytes()).map_err(|_| broken())?;
    let joined = hop.url.join(location).map_err(|_| broken())?;
    let url = target::canonical(joined).map_err(|reason| EgressError::Refused {
        rule: format!("the origin redirects elsewhere: {reason}"),
        target: target::shown(&hop.url),
    })?;
    let mut fields = hop.fields.clone();
    if url.origin() != hop.url.origin() {
        credentials::forget(allowance, &hop.url, &mut fields);
    }
    if keeps_method {
        return Ok(Some(Hop { method: hop.method.clone(), url, fields, body: hop.body.clone() }));
    }
    for field in [header::CONTENT_TYPE, header::CONTENT_LANGUAGE, header::CONTENT_LOCATION, header::CONTENT_ENCODING] {
        fields.remove(field);
    }
    Ok(Some(Hop { method: Method::GET, url, fields, body: Bytes::new() }))
}

/// What a failed exchange means.
fn failure(error: reqwest::Error, url: &Url, patterns: &Patterns) -> EgressError {
    // The URL of the error has the secrets of query slots.
    let error = error.without_url();
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = cause {
        if let Some(refused) = error.downcast_ref::<AddressRefused>() {
            return address_error(*refused, url);
        }
        cause = error.source();
    }
    if error.is_timeout() {
        return EgressError::TimedOut;
    }
    let text = format!("{} cannot be reached: {}", target::origin(url), client::words(&error));
    EgressError::Failed(patterns.redact_text(text))
}

fn address_error(refused: AddressRefused, url: &Url) -> EgressError {
    match refused {
        AddressRefused::Class(crate::AddressClass::Private) => allowance::missing_private(url),
        AddressRefused::Class(class) => allowance::unreachable_address(class, url),
        AddressRefused::Own => {
            let rule = "it is an address of the bot itself".to_owned();
            EgressError::Refused { rule, target: target::shown(url) }
        }
    }
}
