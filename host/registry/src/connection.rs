//! One host, spoken to under the owner's limits: nothing follows to another host, nothing is read without a bound.

use std::{error::Error as StdError, future::Future, net::Ipv4Addr, net::Ipv6Addr, pin::pin};

use bytes::Bytes;
use futures_util::stream;
use reqwest::{
    Body, Client, Method, Request, RequestBuilder, Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, HeaderValue, LOCATION, WWW_AUTHENTICATE},
    redirect::Policy,
};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::{select, sync::mpsc, time::timeout};
use url::Url;

use crate::{Error, Options, Progress, options::hidden, source::authority};

/// Bytes of an upload between two reports of progress.
const PIECE: usize = 64 << 10;

pub(crate) struct Connection<'a> {
    client: Client,
    home: Url,
    /// What a token server is asked for; empty where there is none.
    scope: String,
    pub(crate) options: &'a Options,
    authorization: Option<HeaderValue>,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    // The name of the same in OAuth 2; some servers write both.
    access_token: Option<String>,
}

impl<'a> Connection<'a> {
    pub(crate) fn new(home: &Url, scope: String, options: &'a Options) -> Result<Self, Error> {
        // An error means that some provider is installed already, which is all that is wanted.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(options.limits.connect)
            .timeout(options.limits.whole)
            // This name is trusted without encryption, so no resolver decides what it means.
            .resolve_to_addrs("localhost", &[(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()])
            .user_agent(concat!("chiton/", env!("CARGO_PKG_VERSION")));
        if home.scheme() == "http" {
            // Reading the system's certificates takes longer than the whole exchange.
            builder = builder.tls_certs_only([]);
        }
        let failed = |error| Error::Connection(authority(home).to_owned(), cause(&error));
        let client = builder.build().map_err(failed)?;
        Ok(Self { client, home: home.clone(), scope, options, authorization: None })
    }

    pub(crate) fn host(&self) -> String {
        authority(&self.home).to_owned()
    }

    pub(crate) fn malformed(&self, what: &'static str, reason: impl ToString) -> Error {
        Error::Malformed(what, self.host(), reason.to_string())
    }

    pub(crate) fn request(&self, method: Method, url: &Url) -> RequestBuilder {
        self.client.request(method, url.clone())
    }

    /// What an address answers, redirects followed. The status is the caller's to judge.
    pub(crate) async fn get(&mut self, url: &Url, accept: &str) -> Result<Response, Error> {
        let mut url = url.clone();
        for _ in 0..=self.options.limits.redirects {
            let answer = self.send(self.request(Method::GET, &url).header(ACCEPT, accept)).await?;
            if !answer.status().is_redirection() {
                return Ok(answer);
            }
            url = self.location(&answer)?;
        }
        Err(Error::Redirects(self.host(), self.options.limits.redirects))
    }

    /// Where an answer sends on to, if the owner named that host.
    pub(crate) fn location(&self, answer: &Response) -> Result<Url, Error> {
        let field = answer.headers().get(LOCATION).and_then(|field| field.to_str().ok());
        let there = field.and_then(|text| answer.url().join(text).ok());
        self.checked(there.ok_or_else(|| self.malformed("the redirect", "it has no address"))?)
    }

    /// CMP-19: an address of this host, or by https of one that the owner named.
    pub(crate) fn checked(&self, url: Url) -> Result<Url, Error> {
        let (host, other) = (self.host(), authority(&url).to_owned());
        match url.scheme() {
            _ if self.is_home(&url) => Ok(url),
            "https" if self.options.hosts.contains(&other) => Ok(url),
            "https" => Err(Error::OtherHost(host, other)),
            _ => Err(Error::Unencrypted(host, other)),
        }
    }

    fn is_home(&self, url: &Url) -> bool {
        url.origin() == self.home.origin()
    }

    /// Sends a request, a second time with credentials when they are asked for.
    pub(crate) async fn send(&mut self, request: RequestBuilder) -> Result<Response, Error> {
        let request = request.build().map_err(|error| self.broken(&error))?;
        let again = request.try_clone();
        let answer = self.within(self.once(request)).await?;
        match again {
            Some(again) if answer.status() == StatusCode::UNAUTHORIZED && self.authorize(&answer).await? => {
                self.within(self.once(again)).await
            }
            _ => Ok(answer),
        }
    }

    fn once(&self, mut request: Request) -> impl Future<Output = reqwest::Result<Response>> + use<> {
        if let Some(value) = self.authorization.clone().filter(|_| self.is_home(request.url())) {
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        self.client.execute(request)
    }

    async fn within<T>(&self, work: impl Future<Output = reqwest::Result<T>>) -> Result<T, Error> {
        match timeout(self.options.limits.idle, work).await {
            Ok(done) => done.map_err(|error| self.broken(&error)),
            Err(_) => Err(Error::TimedOut(self.host())),
        }
    }

    fn broken(&self, error: &reqwest::Error) -> Error {
        let host = self.host();
        if error.is_timeout() { Error::TimedOut(host) } else { Error::Connection(host, cause(error)) }
    }

    /// Finds out what this host wants to see; whether there is something to show it.
    async fn authorize(&mut self, answer: &Response) -> Result<bool, Error> {
        if !self.is_home(answer.url()) {
            return Ok(false);
        }
        for challenge in answer.headers().get_all(WWW_AUTHENTICATE) {
            let challenge = challenge.to_str().unwrap_or_default();
            let scheme = challenge.split(' ').next().unwrap_or_default().to_ascii_lowercase();
            let found = match (scheme.as_str(), &self.options.credentials) {
                ("bearer", _) if !self.scope.is_empty() => Some(self.token(challenge).await?),
                ("basic", Some(credentials)) => Some(credentials.basic()?),
                _ => None,
            };
            if found.is_some() {
                self.authorization = found;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A token for the scope that this side needs, whatever the challenge asks for.
    async fn token(&self, challenge: &str) -> Result<HeaderValue, Error> {
        let parameter = |name: &str| {
            let (_, rest) = challenge.split_once(&format!("{name}=\""))?;
            rest.split('"').next()
        };
        let realm = parameter("realm").and_then(|text| Url::parse(text).ok());
        let mut realm = self.checked(realm.ok_or_else(|| self.malformed("the token server", "it has no address"))?)?;
        realm.query_pairs_mut().append_pair("scope", &self.scope);
        if let Some(service) = parameter("service") {
            realm.query_pairs_mut().append_pair("service", service);
        }
        let mut request = self.request(Method::GET, &realm);
        if let Some(credentials) = self.options.credentials.as_ref().filter(|_| self.is_home(&realm)) {
            request = request.header(AUTHORIZATION, credentials.basic()?);
        }
        let answer = self.within(request.send()).await?;
        let token: Token = self.document(answer, "the token").await?;
        let token = token.token.or(token.access_token).ok_or_else(|| self.malformed("the token", "there is none"))?;
        hidden(&format!("Bearer {token}"))
    }

    /// An answer that is a success.
    pub(crate) fn good(&self, answer: Response, what: &'static str) -> Result<Response, Error> {
        let host = self.host();
        match answer.status() {
            status if status.is_success() => Ok(answer),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Error::Unauthorized(host)),
            StatusCode::NOT_FOUND => Err(Error::NotFound(what, host)),
            status => Err(Error::Status(what, host, status.as_u16())),
        }
    }

    /// The body of a success, at most `limit` bytes.
    pub(crate) async fn body(
        &self,
        answer: Response,
        what: &'static str,
        limit: u64,
        progress: Progress<'_>,
    ) -> Result<Bytes, Error> {
        let mut answer = self.good(answer, what)?;
        let too_large = || Error::TooLarge(what, self.host(), limit);
        let total = answer.content_length();
        if total.is_some_and(|total| total > limit) {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        while let Some(piece) = self.within(answer.chunk()).await? {
            let done = (bytes.len() + piece.len()) as u64;
            if done > limit {
                return Err(too_large());
            }
            bytes.extend_from_slice(&piece);
            progress(done, total);
        }
        Ok(bytes.into())
    }

    /// A body that is JSON.
    pub(crate) async fn document<T: DeserializeOwned>(&self, answer: Response, what: &'static str) -> Result<T, Error> {
        let bytes = self.body(answer, what, self.options.limits.document, &|_, _| ()).await?;
        self.json(&bytes, what)
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, bytes: &[u8], what: &'static str) -> Result<T, Error> {
        serde_json::from_slice(bytes).map_err(|error| self.malformed(what, error))
    }

    /// Sends bytes. A server that takes some of them within the idle time is waited for.
    pub(crate) async fn upload(&self, url: &Url, bytes: &Bytes, progress: Progress<'_>) -> Result<Response, Error> {
        let (total, mut done) = (bytes.len(), 0);
        let (report, mut reports) = mpsc::unbounded_channel();
        let pieces = (0..total).step_by(PIECE).map({
            let bytes = bytes.clone();
            move |start| {
                let piece = bytes.slice(start..total.min(start + PIECE));
                // Nobody listens any more once the answer is there.
                let _ = report.send(piece.len());
                Ok::<_, std::io::Error>(piece)
            }
        });
        let request = self.request(Method::PUT, url).header(CONTENT_LENGTH, total);
        let request = request.body(Body::wrap_stream(stream::iter(pieces)));
        let mut sending = pin!(self.once(request.build().map_err(|error| self.broken(&error))?));
        loop {
            let step = async {
                select! {
                    answer = &mut sending => Some(answer),
                    Some(sent) = reports.recv() => { done += sent; None }
                }
            };
            match timeout(self.options.limits.idle, step).await {
                Ok(Some(answer)) => return answer.map_err(|error| self.broken(&error)),
                Ok(None) => progress(done as u64, Some(total as u64)),
                Err(_) => return Err(Error::TimedOut(self.host())),
            }
        }
    }
}

/// The innermost cause, which says most.
fn cause(error: &dyn StdError) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
