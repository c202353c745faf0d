//! What comes back from an origin that tells the guest what it was told.

use chiton_egress::{Allowance, Collected, EgressError};

use crate::{
    placement::SECRET,
    support::{
        World, allow, caller, following, get,
        origin::{Origin, Reply, Seen, message, ok, redirect, reply},
        tls,
    },
};

/// An engine, an origin that answers by this script, and the grant of a header secret for it.
async fn echoing(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> (World, Origin, Allowance) {
    let origin = Origin::http(script).await;
    let world = World::new();
    world.secrets.set("KEY", SECRET);
    let allowance = allow(&[&origin.grant()], &[&format!("KEY {} header=X-Key: {{}}", origin.url("/"))]);
    (world, origin, allowance)
}

async fn visit(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Collected {
    let (world, origin, allowance) = echoing(script).await;
    world.fetch(&allowance, get(&origin.url("/echo"))).await.unwrap()
}

#[tokio::test]
async fn cred_03_an_echoed_header_is_redacted_in_the_body() {
    let answer = visit(|seen| ok(format!("<pre>{}</pre>", seen.head))).await;
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    assert!(text.contains("x-key: [REDACTED]"), "{text}");
    assert!(!text.contains(SECRET));
}

#[tokio::test]
async fn cred_03_an_echo_in_any_header_is_redacted() {
    let fields = format!(
        "set-cookie: a={SECRET}; path=/\r\nx-{SECRET}: name\r\nwww-authenticate: Bearer realm=\"{SECRET}\"\r\n"
    );
    let answer = visit(move |_| reply("401 Unauthorized", &fields, "")).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.headers["set-cookie"], "a=[REDACTED]; path=/");
    assert!(!format!("{answer:?}").contains(SECRET));
}

#[tokio::test]
async fn cred_03_a_location_that_is_not_followed_is_redacted() {
    let (world, origin, allowance) = echoing(|_| redirect(&format!("https://evil.test/?k={SECRET}"))).await;
    let options = chiton_egress::Options { redirects: 0, ..following() };
    let answer = world.egress.fetch(&caller(), &allowance, get(&origin.url("/")), &options).await.unwrap();
    assert_eq!(answer.headers["location"], "https://evil.test/?k=[REDACTED]");
}

#[tokio::test]
async fn cred_03_an_echo_cut_into_pieces_is_redacted() {
    let body: Vec<u8> = format!("before {SECRET} after").into_bytes();
    let mut pieces = vec![format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes()];
    pieces.extend(body.chunks(3).map(<[u8]>::to_vec));
    let (world, origin, allowance) = echoing(move |_| Reply::Pieces(pieces.clone())).await;
    let answer = world.fetch(&allowance, get(&origin.url("/"))).await.unwrap();
    assert_eq!(&answer.body[..], b"before [REDACTED] after");
    assert!(!answer.headers.contains_key("content-length"), "the length that was announced is no longer true");
}

#[tokio::test]
async fn cred_03_a_compressed_echo_is_redacted() {
    use tokio::io::AsyncWriteExt;
    let mut encoder = async_compression::tokio::write::GzipEncoder::new(Vec::new());
    encoder.write_all(format!("key={SECRET}").as_bytes()).await.unwrap();
    encoder.shutdown().await.unwrap();
    let bytes = encoder.into_inner();
    let answer = visit(move |_| reply("200 OK", "content-encoding: gzip\r\n", &bytes)).await;
    assert_eq!(&answer.body[..], b"key=[REDACTED]");
}

#[tokio::test]
async fn cred_03_a_secret_in_a_query_is_redacted_in_every_spelling_of_the_url() {
    let secret = "tr0ub4dor&3 with=odd+chars";
    let origin = Origin::http(|seen| ok(format!("you asked for {}", seen.target()))).await;
    let world = World::new();
    world.secrets.set("KEY", secret);
    let allowance = allow(&[&origin.grant()], &[&format!("KEY {} query=k", origin.url("/"))]);
    let answer = world.fetch(&allowance, get(&origin.url("/?a=b"))).await.unwrap();
    assert_eq!(&answer.body[..], b"you asked for /?a=b&k=[REDACTED]");
}

#[tokio::test]
async fn cred_03_the_secret_of_an_earlier_hop_is_redacted_in_the_last_answer() {
    let second = Origin::http(|_| ok(format!("we share {SECRET}"))).await;
    let target = second.url("/");
    let (world, first, _) = echoing(move |_| redirect(&target)).await;
    let slot = format!("KEY {} header=X-Key: {{}}", first.url("/"));
    let answer = world.fetch(&allow(&[&first.grant(), &second.grant()], &[&slot]), get(&first.url("/"))).await.unwrap();
    assert_eq!(&answer.body[..], b"we share [REDACTED]");
}

#[tokio::test]
async fn cred_03_a_basic_credential_is_redacted_decoded_too() {
    let origin = Origin::http(|_| ok("user:open-sesame and dXNlcjpvcGVuLXNlc2FtZQ==")).await;
    let world = World::new();
    world.secrets.set("KEY", "dXNlcjpvcGVuLXNlc2FtZQ==");
    let slot = format!("KEY {} header=Authorization: Basic {{}}", origin.url("/"));
    let answer = world.fetch(&allow(&[&origin.grant()], &[&slot]), get(&origin.url("/"))).await.unwrap();
    assert_eq!(&answer.body[..], b"[REDACTED] and [REDACTED]");
}

#[tokio::test]
async fn cred_04_no_error_and_no_debug_text_has_the_secret() {
    let scripts: [fn(&Seen) -> Reply; 5] = [
        |_| Reply::Close(format!("HTTP/1.1 {SECRET}\r\n\r\n").into_bytes()),
        |_| Reply::Close(format!("{SECRET}\r\n\r\n").into_bytes()),
        |_| reply("200 OK", &format!("content-encoding: {SECRET}\r\n"), "x"),
        |_| redirect(&format!("http://{SECRET}.example/{SECRET}?{SECRET}")),
        |_| redirect(&format!("{SECRET}://x")),
    ];
    for script in scripts {
        let origin = Origin::http(script).await;
        let world = World::new();
        world.secrets.set("KEY", SECRET);
        let slots = ["header=X-Key: {}", "query=k"].map(|place| format!("KEY {} {place}", origin.url("/")));
        let allowance = allow(&[&origin.grant()], &[&slots[0], &slots[1]]);
        let error = world.fetch(&allowance, get(&origin.url("/"))).await.unwrap_err();
        for text in [error.to_string(), format!("{error:?}"), format!("{allowance:?}")] {
            assert!(!text.contains(SECRET) && !text.contains("correct-horse"), "{text}");
        }
    }
}

#[tokio::test]
async fn cred_04_a_connection_that_fails_does_not_show_the_query() {
    let world = World::new();
    world.secrets.set("KEY", SECRET);
    let origin = Origin::https(tls::self_signed(&["api.example"]), |_| ok("x")).await;
    world.resolver.answer("api.example", &[&["127.0.0.1"]]);
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for url in [format!("https://api.example:{}/", origin.port()), format!("http://{unused}/")] {
        let allowance = allow(&[&format!("private:{url}")], &[&format!("KEY {url} query=k")]);
        match world.fetch(&allowance, get(&url)).await.unwrap_err() {
            EgressError::Failed(text) => {
                assert!(text.contains("cannot be reached") && !text.contains(SECRET), "{text}")
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn cred_04_a_response_shows_no_secret_in_debug() {
    let (world, origin, allowance) =
        echoing(|_| Reply::Bytes(message("200 OK", &format!("x-echo: {SECRET}\r\n"), SECRET))).await;
    let answer = world.egress.send(&caller(), &allowance, get(&origin.url("/")), &following()).await.unwrap();
    assert!(!format!("{answer:?} {:?}", answer.body).contains(SECRET));
}

#[tokio::test]
async fn cred_11_only_what_the_host_put_into_this_request_is_redacted() {
    let origin = Origin::http(|seen| ok(&seen.body)).await;
    let world = World::new();
    world.secrets.set("KEY", SECRET);
    world.secrets.set("OTHER", "another-secret-value");
    let slots = [
        format!("KEY {} header=X-Key: {{}}", origin.url("/with")),
        format!("OTHER {} header=X-Key: {{}}", origin.url("/other")),
    ];
    let allowance = allow(&[&origin.grant()], &[&slots[0], &slots[1]]);
    let guesses = format!("{SECRET} another-secret-value correct-horse correct-horse-battery-stapl");
    for (path, expected) in [("/without", guesses.clone()), ("/with", guesses.replace(SECRET, "[REDACTED]"))] {
        let request = chiton_egress::Request {
            method: "POST".to_owned(),
            body: guesses.clone().into(),
            ..get(&origin.url(path))
        };
        let answer = world.fetch(&allowance, request).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&answer.body), expected, "{path}");
    }
}

#[tokio::test]
async fn an_answer_without_the_secret_comes_through_byte_for_byte() {
    let bytes: Vec<u8> = (0..200_000_u32).map(|number| (number % 251) as u8).collect();
    let expected = bytes.clone();
    let answer = visit(move |_| ok(&bytes)).await;
    assert_eq!(&answer.body[..], &expected[..]);
}
