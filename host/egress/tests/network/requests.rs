//! What a guest may write into a request, and what then is on the wire.

use chiton_egress::{EgressError, Request, USER_AGENT};

use crate::support::{
    World, allow, get,
    origin::{Origin, Reply, ok},
    with_header,
};

/// Sends a GET with one more field and gives the error.
async fn refused(name: &str, value: &str) -> String {
    let origin = Origin::http(|_| ok("x")).await;
    let request = with_header(get(&origin.url("/")), name, value);
    let result = World::new().fetch(&allow(&[&origin.grant()], &[]), request).await;
    assert_eq!(origin.connections(), 0, "{name:?}: {value:?} reached the wire");
    match result {
        Err(EgressError::Invalid(text)) => text,
        other => panic!("{name:?}: {value:?} gave {other:?}"),
    }
}

#[tokio::test]
async fn ordinary_fields_go_through_and_the_guest_may_name_itself() {
    let origin = Origin::http(|_| ok("x")).await;
    let (world, allowance) = (World::new(), allow(&[&origin.grant()], &[]));
    world.fetch(&allowance, get(&origin.url("/"))).await.unwrap();
    let request = with_header(get(&origin.url("/")), "User-Agent", "my script");
    let request = with_header(with_header(request, "X-Two", "1"), "x-two", "caf\u{e9}; q=\"a b\"");
    world.fetch(&allowance, request).await.unwrap();
    let seen = origin.seen();
    assert_eq!(seen[0].fields("user-agent"), [USER_AGENT]);
    assert_eq!(seen[1].fields("user-agent"), ["my script"]);
    assert_eq!(seen[1].fields("x-two"), ["1", "caf\u{e9}; q=\"a b\""]);
}

#[tokio::test]
async fn net_16_control_characters_never_make_a_second_line() {
    for (name, value) in [
        ("X-A", "1\r\nX-Evil: 1"),
        ("X-A", "1\nX-Evil: 1"),
        ("X-A", "1\rX-Evil: 1"),
        ("X-A", "1\0"),
        ("X-A", "1\u{7f}"),
        ("X-A\r\nX-Evil", "1"),
        ("X-A\n", "1"),
        ("X A", "1"),
        ("X-A ", "1"),
        (" X-A", "1"),
        ("X-A\t", "1"),
        ("X-A:", "1"),
        ("X-A\0", "1"),
        ("", "1"),
        (":authority", "evil.test"),
        ("X-\u{c4}", "1"),
    ] {
        refused(name, value).await;
    }
}

#[tokio::test]
async fn net_16_a_method_is_one_token() {
    let world = World::new();
    for method in
        ["GET /evil HTTP/1.1\r\nX:", "GET\n", "GE T", "", "GET\0", "G\u{c9}T", "GET\t", "A:B", &"A".repeat(40)]
    {
        let request = Request { method: method.to_owned(), ..get("http://127.0.0.1:9/") };
        let result = world.fetch(&allow(&["private:http://127.0.0.1:9"], &[]), request).await;
        assert!(matches!(result, Err(EgressError::Invalid(_))), "{method:?}: {result:?}");
    }
}

#[tokio::test]
async fn net_17_the_host_field_and_the_target_come_from_the_checked_url() {
    for (name, value) in
        [("Host", "evil.test"), ("host", "127.0.0.1"), ("HOST", "127.0.0.1:1, evil.test"), (":authority", "evil.test")]
    {
        refused(name, value).await;
    }
    let origin = Origin::http(|_| ok("x")).await;
    let request = with_header(get(&origin.url("/http://evil.test/")), "Host", &origin.address.to_string());
    World::new().fetch(&allow(&[&origin.grant()], &[]), request).await.unwrap();
    let seen = &origin.seen()[0];
    assert_eq!(seen.fields("host"), [origin.address.to_string()], "the twin: saying the same is no attack");
    assert_eq!(seen.target(), "/http://evil.test/");
}

#[tokio::test]
async fn net_18_the_host_alone_frames_the_message() {
    for (name, value) in [
        ("Transfer-Encoding", "chunked"),
        ("transfer-encoding", "identity"),
        ("Transfer-Encoding", " chunked"),
        ("Content-Length", "5"),
        ("Content-Length", "+0"),
        ("Content-Length", "0, 5"),
        ("Content-Length", "-1"),
        ("Content-Length", "0x0"),
    ] {
        refused(name, value).await;
    }
}

#[tokio::test]
async fn net_18_the_length_is_the_bodys() {
    let origin = Origin::http(|_| ok("x")).await;
    let request = Request { method: "POST".to_owned(), body: "hello".into(), ..get(&origin.url("/")) };
    let request = with_header(request, "Content-Length", "5");
    World::new().fetch(&allow(&[&origin.grant()], &[]), request).await.unwrap();
    let seen = &origin.seen()[0];
    assert_eq!((seen.fields("content-length"), &seen.body[..]), (vec!["5"], &b"hello"[..]));
    assert!(seen.fields("transfer-encoding").is_empty());
}

#[tokio::test]
async fn net_18_an_answer_with_a_wrong_length_is_an_error_and_its_connection_is_not_reused() {
    let origin = Origin::http(|_| Reply::Close(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nshort".to_vec())).await;
    let (world, grant) = (World::new(), origin.grant());
    for expected in 1..=2 {
        let result = world.get(&[&grant], &origin.url("/")).await;
        assert!(matches!(result, Err(EgressError::Failed(_))), "{result:?}");
        assert_eq!(origin.connections(), expected);
    }
}

#[tokio::test]
async fn net_18_contradicting_lengths_in_an_answer_are_an_error() {
    for head in [
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 7\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ncontent-length: 5x\r\n\r\nhello",
    ] {
        let origin = Origin::http(move |_| Reply::Close(head.into())).await;
        let result = World::new().get(&[&origin.grant()], &origin.url("/")).await;
        assert!(matches!(result, Err(EgressError::Failed(_))), "{head}: {result:?}");
    }
}

#[tokio::test]
async fn net_19_net_20_fields_of_one_connection_belong_to_the_host() {
    for (name, value) in [
        ("Connection", "upgrade"),
        ("Connection", "X-Secret"),
        ("Keep-Alive", "timeout=9"),
        ("Proxy-Authorization", "Basic x"),
        ("Proxy-Connection", "keep-alive"),
        ("Upgrade", "websocket"),
        ("Upgrade", "h2c"),
        ("HTTP2-Settings", "AAMAAABk"),
        ("TE", "trailers"),
        ("Trailer", "X"),
        ("Expect", "100-continue"),
    ] {
        assert!(refused(name, value).await.contains("belongs to the host"), "{name}");
    }
}

#[tokio::test]
async fn net_19_fields_that_http_libraries_add_are_dropped_not_refused() {
    let origin = Origin::http(|_| ok("x")).await;
    let mut request = get(&origin.url("/"));
    for (name, value) in [
        ("Connection", "close"),
        ("connection", "Keep-Alive"),
        ("Accept-Encoding", "identity"),
        ("Content-Length", "0"),
    ] {
        request = with_header(request, name, value);
    }
    World::new().fetch(&allow(&[&origin.grant()], &[]), request).await.unwrap();
    let seen = &origin.seen()[0];
    assert!(seen.fields("connection").is_empty(), "{}", seen.head);
    assert_eq!(seen.fields("accept-encoding"), ["gzip, br, deflate"]);
}

#[tokio::test]
async fn net_19_methods_that_tunnel_or_echo_are_not_sent() {
    let world = World::new();
    for method in ["CONNECT", "connect", "TRACE", "TRACK"] {
        let request = Request { method: method.to_owned(), ..get("http://127.0.0.1:9/") };
        let result = world.fetch(&allow(&["private:http://127.0.0.1:9"], &[]), request).await;
        assert_eq!(
            result.unwrap_err(),
            EgressError::Invalid(format!("the method {} is not sent", method.to_uppercase()))
        );
    }
}

#[tokio::test]
async fn net_20_an_origin_cannot_upgrade_the_connection() {
    let origin = Origin::http(|_| {
        Reply::Bytes(
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\nraw".to_vec(),
        )
    })
    .await;
    let result = World::new().get(&[&origin.grant()], &origin.url("/")).await;
    assert!(matches!(result, Err(EgressError::Failed(_))), "{result:?}");
}

#[tokio::test]
async fn net_27_too_many_or_too_long_fields_are_an_error() {
    let allowance = allow(&["private:http://127.0.0.1:9"], &[]);
    let many = Request { headers: vec![("a".to_owned(), b"b".to_vec()); 129], ..get("http://127.0.0.1:9/") };
    let long = Request { headers: vec![("a".to_owned(), vec![b'b'; 70_000])], ..get("http://127.0.0.1:9/") };
    for request in [many, long] {
        let result = World::new().fetch(&allowance, request).await;
        assert!(matches!(result, Err(EgressError::Invalid(_))), "{result:?}");
    }
}
