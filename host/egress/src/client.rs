//! Connections: one pooled client per route, so that a connection to a private address never serves a
//! request that has no grant for one.

use std::{
    collections::HashMap,
    error::Error as StdError,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use reqwest::{Client, redirect, retry};
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::CertificateDer};
use tokio::sync::OnceCell;

use crate::resolver::{CheckedResolver, OwnAddresses, Resolver, Route};

/// How long an idle connection is kept.
const POOL_IDLE: Duration = Duration::from_secs(15);
/// Longest time for one connection, look-up and TLS included.
const CONNECT: Duration = Duration::from_secs(20);
/// Most header fields of an HTTP/1.1 response; the parser's own limit is 100.
const H1_FIELDS: usize = 256;
/// Most bytes of an HTTP/2 response's header block.
const H2_HEADER_BYTES: u32 = 64 * 1024;

/// All clients, made when they are first needed.
pub(crate) struct Clients {
    resolver: Arc<dyn Resolver>,
    own: Arc<OwnAddresses>,
    extra_roots: RootCertStore,
    tls: OnceCell<ClientConfig>,
    by_route: Mutex<HashMap<Route, Client>>,
}

impl Clients {
    pub(crate) fn new(
        resolver: Arc<dyn Resolver>,
        own: Arc<OwnAddresses>,
        extra_roots: Vec<CertificateDer<'static>>,
    ) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        for root in extra_roots {
            roots.add(root).map_err(|error| format!("a root certificate is not valid: {error}"))?;
        }
        Ok(Self { resolver, own, extra_roots: roots, tls: OnceCell::new(), by_route: Mutex::default() })
    }

    /// The client of a route.
    pub(crate) async fn of(&self, route: Route) -> Result<Client, String> {
        let tls = self.tls.get_or_try_init(|| self.read_tls()).await?;
        let mut clients = self.by_route.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&route) {
            return Ok(client.clone());
        }
        let client = self.build(route, tls.clone())?;
        clients.insert(route, client.clone());
        Ok(client)
    }

    async fn read_tls(&self) -> Result<ClientConfig, String> {
        let extra = self.extra_roots.clone();
        let reading = tokio::task::spawn_blocking(move || tls_config(extra));
        reading.await.map_err(|_| "the root certificates could not be read".to_owned())?
    }

    fn build(&self, route: Route, tls: ClientConfig) -> Result<Client, String> {
        let resolver = CheckedResolver { inner: Arc::clone(&self.resolver), route, own: Arc::clone(&self.own) };
        // A connection is reused for the same scheme, host and port only: the pool does not coalesce
        // HTTP/2 connections, so no name is served that was not resolved and checked itself.
        Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(Arc::new(resolver))
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(retry::never())
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .connect_timeout(CONNECT)
            .pool_idle_timeout(POOL_IDLE)
            .http1_max_headers(H1_FIELDS)
            .http2_max_header_list_size(H2_HEADER_BYTES)
            .build()
            .map_err(|error| words(&error))
    }
}

/// TLS by ring, whatever the process has installed, with the given roots and the system's.
fn tls_config(mut roots: RootCertStore) -> Result<ClientConfig, String> {
    // A system without roots still reaches http and the given roots.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// An error with its causes, as one sentence.
pub(crate) fn words(error: &dyn StdError) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        let text = error.to_string();
        // Several layers repeat the words of the layer below.
        if words.last().is_none_or(|last| !last.ends_with(&text)) {
            words.push(text);
        }
        cause = error.source();
    }
    words.join(": ")
}
