//! How much and how long.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_compression::tokio::write::{BrotliEncoder, GzipEncoder, ZlibEncoder};
use chiton_egress::{CallerKey, EgressError, Limits, Options};
use tokio::io::AsyncWriteExt;

use crate::support::{
    World, allow, caller, following, get,
    origin::{Origin, Reply, ok, reply},
};

/// Options of one MiB and two seconds.
fn small() -> Options {
    Options { max_body: 1 << 20, deadline: Duration::from_secs(2), ..Options::default() }
}

/// Sends a GET with small limits to an origin that answers like this.
async fn visit(options: Options, script: impl Fn() -> Reply + Send + Sync + 'static) -> Result<Vec<u8>, EgressError> {
    let origin = Origin::http(move |_| script()).await;
    let world = World::new();
    let started = Instant::now();
    let allowance = allow(&[&origin.grant()], &[]);
    let result = world.egress.fetch(&caller(), &allowance, get(&origin.url("/")), &options).await;
    assert!(started.elapsed() < options.deadline + Duration::from_millis(500), "took {:?}", started.elapsed());
    result.map(|answer| answer.body.to_vec())
}

async fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzipEncoder::new(Vec::new());
    encoder.write_all(bytes).await.unwrap();
    encoder.shutdown().await.unwrap();
    encoder.into_inner()
}

async fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = BrotliEncoder::new(Vec::new());
    encoder.write_all(bytes).await.unwrap();
    encoder.shutdown().await.unwrap();
    encoder.into_inner()
}

async fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new());
    encoder.write_all(bytes).await.unwrap();
    encoder.shutdown().await.unwrap();
    encoder.into_inner()
}

#[track_caller]
fn assert_too_large(result: Result<Vec<u8>, EgressError>) {
    assert!(matches!(result, Err(EgressError::TooLarge(_))), "{:?}", result.map(|body| body.len()));
}

#[tokio::test]
async fn compressed_answers_are_decoded() {
    let text = b"the same words again and again and again".repeat(100);
    for (name, bytes) in [("gzip", gzip(&text).await), ("br", brotli(&text).await), ("deflate", deflate(&text).await)] {
        let script = move || reply("200 OK", &format!("content-encoding: {name}\r\n"), &bytes);
        assert_eq!(visit(small(), script).await.unwrap(), text, "{name}");
    }
}

#[tokio::test]
async fn net_26_what_cannot_be_decoded_is_not_given_raw() {
    for name in ["compress", "gzip, gzip", "zstd", "x-unknown"] {
        let result = visit(small(), move || reply("200 OK", &format!("content-encoding: {name}\r\n"), "abc")).await;
        assert!(matches!(result, Err(EgressError::Failed(_))), "{name}: {result:?}");
    }
    let result = visit(small(), || reply("200 OK", "content-encoding: gzip\r\n", "no gzip")).await;
    assert!(matches!(result, Err(EgressError::Failed(_))), "{result:?}");
}

#[tokio::test]
async fn net_26_a_body_counts_after_decoding() {
    let bomb = vec![0; 64 << 20];
    for (name, bytes) in [("gzip", gzip(&bomb).await), ("br", brotli(&bomb).await)] {
        assert!(bytes.len() < 256 << 10, "the bomb itself is within the limit");
        assert_too_large(
            visit(small(), move || reply("200 OK", &format!("content-encoding: {name}\r\n"), &bytes)).await,
        );
    }
}

#[tokio::test]
async fn net_26_a_body_of_exactly_the_limit_is_given_and_one_byte_more_is_not() {
    assert_eq!(visit(small(), || ok(vec![b'x'; 1 << 20])).await.unwrap().len(), 1 << 20);
    assert_too_large(visit(small(), || ok(vec![b'x'; (1 << 20) + 1])).await);
}

#[tokio::test]
async fn net_26_endless_chunks_end_at_the_limit() {
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    let chunk = [b"1000\r\n", &[b'x'; 4096][..], b"\r\n"].concat();
    assert_too_large(visit(small(), move || Reply::Endless(head.clone(), chunk.clone())).await);
}

#[tokio::test]
async fn net_26_a_slow_body_ends_at_the_deadline() {
    let head = || b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n".to_vec();
    let options = Options { deadline: Duration::from_millis(500), ..small() };
    assert_eq!(
        visit(options, move || Reply::Trickle(head(), Duration::from_millis(50))).await,
        Err(EgressError::TimedOut)
    );
}

#[tokio::test]
async fn net_26_a_slow_head_ends_at_the_deadline() {
    let options = Options { deadline: Duration::from_millis(500), ..small() };
    let script = || Reply::Trickle(b"HTTP/1.1 200 OK\r\nx-".to_vec(), Duration::from_millis(50));
    assert_eq!(visit(options, script).await, Err(EgressError::TimedOut));
}

#[tokio::test]
async fn net_26_an_endless_header_ends_by_itself() {
    let result = visit(small(), || Reply::Endless(b"HTTP/1.1 200 OK\r\n".to_vec(), b"x-a: b\r\n".repeat(1000))).await;
    assert!(matches!(result, Err(EgressError::Failed(_) | EgressError::TooLarge(_))), "{result:?}");
    let result = visit(small(), || Reply::Endless(b"HTTP/1.1 200 OK\r\nx-a: ".to_vec(), vec![b'b'; 4096])).await;
    assert!(matches!(result, Err(EgressError::Failed(_) | EgressError::TooLarge(_))), "{result:?}");
}

#[tokio::test]
async fn net_27_a_zero_deadline_is_an_error_and_a_huge_one_no_panic() {
    let zero = Options { deadline: Duration::ZERO, ..small() };
    assert_eq!(visit(zero, || ok("x")).await, Err(EgressError::TimedOut));
    let origin = Origin::http(|_| ok("x")).await;
    let huge = Options { deadline: Duration::MAX, max_body: u64::MAX, ..small() };
    let allowance = allow(&[&origin.grant()], &[]);
    let result = World::new().egress.fetch(&caller(), &allowance, get(&origin.url("/")), &huge).await;
    assert_eq!(result.unwrap().status, 200);
}

#[tokio::test]
async fn an_answer_to_head_and_one_without_content_have_no_body() {
    let origin = Origin::http(|seen| match seen.target() {
        "/head" => Reply::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\ncontent-encoding: gzip\r\n\r\n".to_vec()),
        _ => reply("200 OK", "content-encoding: gzip\r\n", ""),
    })
    .await;
    let (world, allowance) = (World::new(), allow(&[&origin.grant()], &[]));
    let mut head = get(&origin.url("/head"));
    head.method = "HEAD".to_owned();
    let answer = world.fetch(&allowance, head).await.unwrap();
    assert_eq!((answer.body.len(), &answer.headers["content-length"]), (0, &"99".parse().unwrap()));
    assert_eq!(world.fetch(&allowance, get(&origin.url("/empty"))).await.unwrap().body.len(), 0);
}

/// How many requests an origin answers now, and the most it answered at once.
#[derive(Default)]
struct Crowd {
    now: AtomicUsize,
    most: AtomicUsize,
}

/// An engine with these limits, and an origin that takes a millisecond for every answer.
async fn crowd(limits: Limits) -> (World, Origin, Arc<Crowd>) {
    let crowd = Arc::new(Crowd::default());
    let seen = Arc::clone(&crowd);
    let origin = Origin::http(move |_| {
        seen.most.fetch_max(seen.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(1));
        seen.now.fetch_sub(1, Ordering::SeqCst);
        ok("x")
    })
    .await;
    (World::with(|setup| setup.limits = limits), origin, crowd)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn net_28_ten_thousand_requests_at_once_run_a_few_at_a_time_and_most_are_refused() {
    let limits = Limits { concurrency: 4, queue: 50, ..Limits::default() };
    let (world, origin, crowd) = crowd(limits).await;
    let (allowance, url) = (Arc::new(allow(&[&origin.grant()], &[])), origin.url("/"));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..10_000 {
        let (egress, allowance, url) = (Arc::clone(&world.egress), Arc::clone(&allowance), url.clone());
        tasks.spawn(async move { egress.fetch(&caller(), &allowance, get(&url), &following()).await.map(|_| ()) });
    }
    let results = tasks.join_all().await;
    let limited = results.iter().filter(|result| matches!(result, Err(EgressError::Limited(_)))).count();
    let sent = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(limited + sent, 10_000);
    assert!((54..=500).contains(&sent), "{sent} were sent");
    let most = crowd.most.load(Ordering::SeqCst);
    assert!((1..=4).contains(&most), "{most} at once");
    let other = world.egress.fetch(&CallerKey("other".to_owned()), &allowance, get(&url), &following()).await;
    assert!(other.is_ok(), "another caller is not affected");
}

#[tokio::test]
async fn net_28_a_body_that_is_not_read_keeps_its_place_until_it_is_dropped() {
    let (world, origin, _) = crowd(Limits { concurrency: 1, queue: 1, ..Limits::default() }).await;
    let (allowance, url) = (allow(&[&origin.grant()], &[]), origin.url("/"));
    let held = world.egress.send(&caller(), &allowance, get(&url), &following()).await.unwrap();
    let soon = Options { deadline: Duration::from_millis(200), ..following() };
    let result = world.egress.fetch(&caller(), &allowance, get(&url), &soon).await;
    assert_eq!(result.unwrap_err(), EgressError::TimedOut);
    drop(held);
    assert!(world.egress.fetch(&caller(), &allowance, get(&url), &soon).await.is_ok());
}

#[tokio::test]
async fn net_28_the_rate_holds_over_time_and_redirects_count() {
    let limits = Limits { burst: 3, requests_per_minute: 60, ..Limits::default() };
    let (world, origin, _) = crowd(limits).await;
    let (grant, url) = (origin.grant(), origin.url("/"));
    for _ in 0..3 {
        assert!(world.get(&[&grant], &url).await.is_ok());
    }
    assert!(matches!(world.get(&[&grant], &url).await, Err(EgressError::Limited(_))));
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert!(world.get(&[&grant], &url).await.is_ok(), "a second later there is room for one more");
}

#[tokio::test]
async fn net_26_bytes_of_a_minute_are_bounded_over_all_requests_of_a_caller() {
    let origin = Origin::http(|_| ok(vec![b'x'; 600])).await;
    let world = World::with(|setup| setup.limits.bytes_per_minute = 1000);
    assert!(world.get(&[&origin.grant()], &origin.url("/")).await.is_ok());
    let result = world.get(&[&origin.grant()], &origin.url("/")).await;
    assert!(matches!(result, Err(EgressError::Limited(_))), "{result:?}");
}

#[tokio::test]
async fn net_23_a_wildcard_gives_a_bounded_number_of_names_an_hour() {
    let origin = Origin::http(|_| ok("x")).await;
    let world = World::with(|setup| setup.limits.names_per_hour = 20);
    let wildcard = format!("private:http://*.wild.example:{}", origin.port());
    let mut reached = 0;
    for number in 0..300 {
        let name = format!("n{number}.wild.example");
        world.resolver.answer(&name, &[&["127.0.0.1"]]);
        match world.get(&[&wildcard], &format!("http://{name}:{}/", origin.port())).await {
            Ok(_) => reached += 1,
            Err(EgressError::Limited(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((reached, world.resolver.asked().len()), (20, 20), "names beyond the cap are not looked up");
    let url = format!("http://n0.wild.example:{}/", origin.port());
    assert!(world.get(&[&wildcard], &url).await.is_ok(), "a name that was used stays usable");
    let exact = format!("http://n30.wild.example:{}/", origin.port());
    assert!(world.get(&[&wildcard, &format!("private:{exact}")], &exact).await.is_ok(), "a listed name is not counted");
}
