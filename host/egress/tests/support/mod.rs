//! A loopback origin that can misbehave, a resolver that can lie, and certificates of every kind.
#![allow(dead_code, reason = "each test binary uses a part of it")]

pub mod origin;
pub mod tls;

use std::{
    collections::{HashMap, VecDeque},
    io,
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use chiton_egress::{
    Allowance, CallerKey, Collected, Egress, EgressError, Options, Request, Resolver, SecretSource, SecretString, Setup,
};

/// A resolver that answers as it was told: one answer after the other, the last one for ever.
#[derive(Default)]
pub struct Lying {
    answers: Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>,
    asked: Mutex<Vec<String>>,
}

impl Lying {
    pub fn answer(&self, name: &str, answers: &[&[&str]]) {
        let parsed = answers.iter().map(|one| one.iter().map(|text| text.parse().unwrap()).collect()).collect();
        self.answers.lock().unwrap().insert(name.to_owned(), parsed);
    }

    /// Every name that was asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Resolver for Lying {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.lock().unwrap().push(name.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let queue = answers.get_mut(name).ok_or_else(|| io::Error::other("no such name"))?;
        let first = queue.front().cloned().unwrap_or_default();
        if queue.len() > 1 {
            queue.pop_front();
        }
        Ok(first)
    }
}

/// Secrets that a test can change while the engine runs.
#[derive(Default)]
pub struct Secrets(Mutex<HashMap<String, String>>);

impl Secrets {
    pub fn set(&self, name: &str, value: &str) {
        self.0.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    pub fn revoke(&self, name: &str) {
        self.0.lock().unwrap().remove(name);
    }
}

impl SecretSource for Secrets {
    fn get(&self, name: &str) -> Option<SecretString> {
        self.0.lock().unwrap().get(name).cloned().map(SecretString::from)
    }
}

/// An engine with its resolver and its secrets in the hands of the test.
pub struct World {
    pub egress: Arc<Egress>,
    pub resolver: Arc<Lying>,
    pub secrets: Arc<Secrets>,
}

impl World {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Setup)) -> Self {
        let (resolver, secrets) = (Arc::new(Lying::default()), Arc::new(Secrets::default()));
        let mut setup = Setup::new(Arc::clone(&secrets) as _);
        setup.resolver = Arc::clone(&resolver) as _;
        setup.extra_roots = vec![tls::authority().root.clone()];
        change(&mut setup);
        Self { egress: Arc::new(Egress::new(setup).unwrap()), resolver, secrets }
    }

    /// GET by one caller under these network grants, redirects followed.
    pub async fn get(&self, network: &[&str], url: &str) -> Result<Collected, EgressError> {
        self.fetch(&allow(network, &[]), get(url)).await
    }

    pub async fn fetch(&self, allowance: &Allowance, request: Request) -> Result<Collected, EgressError> {
        self.egress.fetch(&caller(), allowance, request, &following()).await
    }
}

pub fn caller() -> CallerKey {
    CallerKey("skill:test".to_owned())
}

pub fn following() -> Options {
    Options { redirects: 5, deadline: Duration::from_secs(10), ..Options::default() }
}

pub fn allow(network: &[&str], secrets: &[&str]) -> Allowance {
    let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    Allowance::parse(&own(network), &own(secrets)).unwrap()
}

pub fn get(url: &str) -> Request {
    Request { method: "GET".to_owned(), url: url.to_owned(), ..Request::default() }
}

pub fn with_header(mut request: Request, name: &str, value: &str) -> Request {
    request.headers.push((name.to_owned(), value.as_bytes().to_vec()));
    request
}

/// The missing grant of a denial; panics when it is anything else.
#[track_caller]
pub fn missing(result: Result<Collected, EgressError>) -> String {
    match result {
        Err(EgressError::Denied { grant, .. }) => grant,
        other => panic!("expected a denial, got {other:?}"),
    }
}

/// The rule of a refusal; panics when it is anything else.
#[track_caller]
pub fn rule(result: Result<Collected, EgressError>) -> String {
    match result {
        Err(EgressError::Refused { rule, .. }) => rule,
        other => panic!("expected a refusal, got {other:?}"),
    }
}
