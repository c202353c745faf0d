//! What the policy costs: one verdict, and 200 fetches at once against the plain client.
//!
//! The clients fetch the same page from the same origin by turns, so that a busy machine disturbs all alike. The time of
//! a round is that of the origin, which runs in this process, and of the client. Where the origin answers at once,
//! nobody ever waits: all the work of the policy shows, and little else does. Where it thinks as long as a near server
//! does, its own time is in the round, over which the policy may cost 10 %.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on ends")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use chiton_egress::{Allowance, Egress, Limits, Request};
use criterion::Criterion;
use support::{
    World, allow, caller, following, get,
    origin::{Origin, Reply, message},
};
use tokio::{runtime::Runtime, task::JoinSet};

/// How long the origin thinks about an answer, and how large that is.
const CASES: [(Duration, usize); 4] = [
    (Duration::ZERO, 20 << 10),
    (Duration::ZERO, 200 << 10),
    (Duration::from_millis(20), 20 << 10),
    (Duration::from_millis(20), 200 << 10),
];
const FETCHES: usize = 200;
/// Rounds of each client, after the first ones, in which connections are made.
const ROUNDS: usize = 100;
const FIRST_ROUNDS: usize = 5;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    verdicts(&mut criterion);
    criterion.final_summary();
    // On a worker, as in the host: the thread that blocks on the runtime is not one.
    let fetches = async {
        for (thought, size) in CASES {
            compare(thought, size).await;
        }
    };
    Runtime::new().unwrap().block_on(async { tokio::spawn(fetches).await }).unwrap();
}

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

/// Who fetches.
#[derive(Clone)]
enum Client {
    Plain(reqwest::Client),
    Policed(Arc<Egress>, Arc<Allowance>),
}

impl Client {
    async fn fetch(&self, url: &str) -> usize {
        match self {
            Self::Plain(client) => client.get(url).send().await.unwrap().bytes().await.unwrap().len(),
            Self::Policed(egress, allowance) => {
                egress.fetch(&caller(), allowance, get(url), &following()).await.unwrap().body.len()
            }
        }
    }
}

/// Prints the medians of all clients, and what they are beside that of the plain one.
async fn compare(thought: Duration, size: usize) {
    let answer = message("200 OK", "content-type: text/html\r\n", page(size));
    let origin = Origin::http(move |_| match thought {
        Duration::ZERO => Reply::Bytes(answer.clone()),
        _ => Reply::After(thought, answer.clone()),
    })
    .await;
    let world = World::with(|setup| setup.limits = limits());
    world.secrets.set("KEY", "correct-horse-battery-staple");
    let policed =
        |secrets: &[&str]| Client::Policed(Arc::clone(&world.egress), Arc::new(allow(&[&origin.grant()], secrets)));
    let slot = format!("KEY {} header=X-Key: {{}}", origin.url("/"));
    let clients = [("plain", plain()), ("egress", policed(&[])), ("egress with a secret", policed(&[&slot]))];
    let url = origin.url("/page");
    let mut times = clients.each_ref().map(|_| Vec::with_capacity(ROUNDS));
    for turn in 0..FIRST_ROUNDS + ROUNDS {
        for index in (0..clients.len()).map(|place| (turn + place) % clients.len()) {
            let time = round(&clients[index].1, &url, size).await;
            if turn >= FIRST_ROUNDS {
                times[index].push(time);
            }
        }
    }
    println!("{FETCHES} fetches of {} KiB at once, thought {} ms:", size >> 10, thought.as_millis());
    let medians = times.map(median);
    for ((name, _), median) in clients.iter().zip(medians) {
        let more = (median / medians[0] - 1.0) * 100.0;
        println!("    {name}: {:.2} ms, {more:+.1} %", median * 1000.0);
    }
}

/// One caller with 200 requests at once; the default lets 16 run and 512 wait.
fn limits() -> Limits {
    Limits {
        concurrency: FETCHES,
        burst: u32::MAX,
        requests_per_minute: u32::MAX,
        bytes_per_minute: u64::MAX,
        ..Limits::default()
    }
}

/// A page like those that are read most: marked up text with links, some of them percent-encoded.
fn page(size: usize) -> Vec<u8> {
    let lines = (0_u64..).flat_map(|number| {
        let word = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let line = format!(
            "<li class=\"entry\" id=\"e{number}\"><a href=\"/wiki/Snail_{number}?q=land%20snail&amp;page={number}\">\
             The {number}th kind of snail</a>, seen in many gardens of the south; size: 100%, key {word:016x}</li>\n"
        );
        line.into_bytes()
    });
    lines.take(size).collect()
}

async fn round(client: &Client, url: &str, size: usize) -> Duration {
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..FETCHES {
        let (client, url) = (client.clone(), url.to_owned());
        tasks.spawn(async move { client.fetch(&url).await });
    }
    assert_eq!(tasks.join_all().await.into_iter().sum::<usize>(), FETCHES * size);
    started.elapsed()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

/// The origin speaks plain http; the client wants a configuration all the same.
fn plain() -> Client {
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Client::Plain(reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap())
}
