//! TLS: who the origin is, by certificate and by connection.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use chiton_egress::EgressError;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_rustls::TlsAcceptor;

use crate::support::{
    World, get, missing,
    origin::{Origin, ok},
    rule, tls, with_header,
};

async fn visit(certificate: TlsAcceptor) -> Result<u16, EgressError> {
    let origin = Origin::https(certificate, |_| ok("x")).await;
    let world = World::new();
    world.resolver.answer("site.example", &[&["127.0.0.1"]]);
    let url = format!("https://site.example:{}/", origin.port());
    let result = world.get(&[&format!("private:{url}")], &url).await;
    assert_eq!(origin.seen().len(), usize::from(result.is_ok()), "a request went to an origin that is not who it says");
    result.map(|answer| answer.status)
}

#[tokio::test]
async fn a_good_certificate_of_a_given_root_is_trusted() {
    assert_eq!(visit(tls::good(&["site.example"])).await, Ok(200));
    assert_eq!(visit(tls::good(&["other.example", "site.example"])).await, Ok(200));
}

#[tokio::test]
async fn net_25_a_bad_certificate_ends_the_connection_before_the_request() {
    for (certificate, reason) in [
        (tls::good(&["other.example"]), "name"),
        (tls::good(&["site.example.evil.test"]), "name"),
        (tls::good(&["127.0.0.1"]), "name"),
        (tls::expired(&["site.example"]), "expired"),
        (tls::self_signed(&["site.example"]), "unknownissuer"),
    ] {
        match visit(certificate).await {
            Err(EgressError::Failed(text)) => assert!(text.to_lowercase().contains(reason), "{text}"),
            other => panic!("{reason}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn net_25_nothing_that_a_guest_writes_turns_the_check_off() {
    let origin = Origin::https(tls::self_signed(&["site.example"]), |_| ok("x")).await;
    let world = World::new();
    world.resolver.answer("site.example", &[&["127.0.0.1"]]);
    let url = format!("https://site.example:{}/?verify=false&insecure=1", origin.port());
    let request = with_header(get(&url), "X-Insecure", "true");
    let allowance = crate::support::allow(&[&format!("private:https://site.example:{}", origin.port())], &[]);
    assert!(world.fetch(&allowance, request).await.is_err());
    assert!(origin.seen().is_empty());
}

/// An HTTP/2 origin whose certificate holds for several names; counts its connections.
struct Shared {
    port: u16,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    async fn start(names: &[&str]) -> Self {
        let acceptor = tls::good_h2(names);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, connections) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            let mut served = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let acceptor = acceptor.clone();
                served.spawn(async move {
                    let stream = acceptor.accept(stream).await.unwrap();
                    let mut connection = h2::server::handshake(stream).await.unwrap();
                    while let Some(Ok((request, mut respond))) = connection.accept().await {
                        let answer = http::Response::builder().header("x-authority", request.uri().host().unwrap());
                        respond.send_response(answer.body(()).unwrap(), true).unwrap();
                    }
                });
            }
        });
        Self { port, connections, task }
    }
}

#[tokio::test]
async fn net_21_an_http2_connection_serves_only_the_name_that_was_checked_for_it() {
    let shared = Shared::start(&["one.example", "two.example"]).await;
    let world = World::new();
    world.resolver.answer("one.example", &[&["127.0.0.1"]]);
    world.resolver.answer("two.example", &[&["127.0.0.1"]]);
    let grants = ["one", "two"].map(|name| format!("private:https://{name}.example:{}/", shared.port));
    let grants = [grants[0].as_str(), &grants[1]];
    for (name, connections) in [("one", 1), ("one", 1), ("two", 2)] {
        let answer = world.get(&grants, &format!("https://{name}.example:{}/", shared.port)).await.unwrap();
        assert_eq!(answer.headers["x-authority"], format!("{name}.example"));
        assert_eq!(shared.connections.load(Ordering::SeqCst), connections, "{name}");
    }
    assert_eq!(world.resolver.asked(), ["one.example", "two.example"]);
}

#[tokio::test]
async fn net_21_an_open_http2_connection_is_no_way_around_the_address_check() {
    let shared = Shared::start(&["one.example", "two.example"]).await;
    let world = World::new();
    world.resolver.answer("one.example", &[&["127.0.0.1"]]);
    let url = format!("https://one.example:{}/", shared.port);
    world.get(&[&format!("private:{url}")], &url).await.unwrap();
    let other = format!("https://two.example:{}/", shared.port);
    world.resolver.answer("two.example", &[&["169.254.169.254"]]);
    rule(world.get(&[&format!("private:{other}")], &other).await);
    missing(world.get(&["public"], &url).await);
}
