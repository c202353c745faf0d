//! What the policy costs: one verdict, and 200 fetches at once against the plain client.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on ends")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::{hint::black_box, sync::Arc, time::Duration};

use chiton_egress::{Allowance, Limits, Request};
use criterion::{Criterion, criterion_group, criterion_main};
use support::{
    World, allow, caller, following, get,
    origin::{Origin, Reply, message},
};
use tokio::{runtime::Runtime, task::JoinSet};

/// How long the origin thinks about an answer.
const THOUGHT: Duration = Duration::from_millis(20);
const FETCHES: usize = 200;

/// 100 entries and 10 slots, of which the last of each fits.
fn long_allowance() -> Allowance {
    let network: Vec<String> = (0..100).map(|number| format!("GET,POST https://*.host{number}.example/v1/")).collect();
    let secrets: Vec<String> =
        (90..100).map(|number| format!("KEY https://api.host{number}.example/v1/ header=X-Key: {{}}")).collect();
    Allowance::parse(&network, &secrets).unwrap()
}

fn one_request(url: &str) -> Request {
    let mut request = get(url);
    for (name, value) in
        [("accept", "application/json"), ("content-type", "application/json"), ("x-trace", "0123456789abcdef")]
    {
        request.headers.push((name.to_owned(), value.as_bytes().to_vec()));
    }
    request.method = "POST".to_owned();
    request.body =
        "{\"query\": \"what a guest sends to an interface, about a hundred bytes of it, as it were\"}".into();
    request
}

fn verdicts(criterion: &mut Criterion) {
    let world = World::new();
    let allowance = long_allowance();
    let mut group = criterion.benchmark_group("verdict of 100 entries");
    for (name, url) in [
        ("allowed", "https://api.host99.example/v1/search?q=snails&page=2"),
        ("denied", "https://api.host100.example/v1/search?q=snails&page=2"),
    ] {
        let request = one_request(url);
        group.bench_function(name, |bencher| bencher.iter(|| black_box(world.egress.check(&allowance, &request))));
    }
    group.finish();
}

fn fetches(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let answer = message("200 OK", "content-type: text/html\r\n", vec![b'x'; 16 << 10]);
    let origin = runtime.block_on(Origin::http(move |_| Reply::After(THOUGHT, answer.clone())));
    // One caller with 200 requests at once; the default lets 16 run and 512 wait.
    let limits = Limits {
        concurrency: FETCHES,
        burst: u32::MAX,
        requests_per_minute: u32::MAX,
        bytes_per_minute: u64::MAX,
        ..Limits::default()
    };
    let world = World::with(|setup| setup.limits = limits);
    world.secrets.set("KEY", "correct-horse-battery-staple");
    let url = origin.url("/page");
    let without = Arc::new(allow(&[&origin.grant()], &[]));
    let with = Arc::new(allow(&[&origin.grant()], &[&format!("KEY {} header=X-Key: {{}}", origin.url("/"))]));
    let raw = reqwest::Client::builder().tls_backend_preconfigured(plain_tls()).no_proxy().build().unwrap();

    let mut group = criterion.benchmark_group("200 fetches");
    group.sample_size(20);
    group.bench_function("plain client", |bencher| {
        bencher.to_async(&runtime).iter(|| fetch_raw(raw.clone(), url.clone()))
    });
    for (name, allowance) in [("egress", &without), ("egress, redacting", &with)] {
        group.bench_function(name, |bencher| {
            bencher
                .to_async(&runtime)
                .iter(|| fetch_all(Arc::clone(&world.egress), Arc::clone(allowance), url.clone()));
        });
    }
    group.finish();
}

async fn fetch_raw(client: reqwest::Client, url: String) {
    let mut tasks = JoinSet::new();
    for _ in 0..FETCHES {
        let (client, url) = (client.clone(), url.clone());
        tasks.spawn(async move { client.get(&url).send().await.unwrap().bytes().await.unwrap().len() });
    }
    assert_eq!(tasks.join_all().await.into_iter().sum::<usize>(), FETCHES * (16 << 10));
}

async fn fetch_all(egress: Arc<chiton_egress::Egress>, allowance: Arc<Allowance>, url: String) {
    let mut tasks = JoinSet::new();
    for _ in 0..FETCHES {
        let (egress, allowance, url) = (Arc::clone(&egress), Arc::clone(&allowance), url.clone());
        tasks.spawn(
            async move { egress.fetch(&caller(), &allowance, get(&url), &following()).await.unwrap().body.len() },
        );
    }
    assert_eq!(tasks.join_all().await.into_iter().sum::<usize>(), FETCHES * (16 << 10));
}

/// The origin speaks plain http; the client wants a configuration all the same.
fn plain_tls() -> rustls::ClientConfig {
    rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}

criterion_group!(benches, verdicts, fetches);
criterion_main!(benches);
