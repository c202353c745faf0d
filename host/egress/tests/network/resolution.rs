//! Names: what they resolve to decides, at every connection anew.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use chiton_egress::{CallerKey, EgressError};

use crate::support::{
    World, allow, following, get, missing,
    origin::{Origin, Reply, message, ok, redirect},
    rule,
};

#[tokio::test]
async fn a_private_grant_reaches_a_name_that_resolves_to_loopback() {
    let origin = Origin::http(|_| ok("hello")).await;
    let world = World::new();
    world.resolver.answer("nas.lan", &[&["127.0.0.1"]]);
    let port = origin.port();
    let answer = world.get(&[&format!("private:http://nas.lan:{port}")], &format!("http://nas.lan:{port}/a?b=c")).await;
    let answer = answer.unwrap();
    assert_eq!((answer.status, &answer.body[..]), (200, &b"hello"[..]));
    assert_eq!(origin.seen()[0].target(), "/a?b=c");
    assert_eq!(origin.seen()[0].fields("host"), [format!("nas.lan:{port}")]);
}

#[tokio::test]
async fn net_05_an_allowed_name_that_resolves_to_a_private_address_is_denied_and_not_connected_to() {
    let origin = Origin::http(|_| ok("secret")).await;
    let world = World::new();
    let port = origin.port();
    for address in [
        "127.0.0.1",
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "100.64.0.1",
        "::1",
        "fd00::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
    ] {
        world.resolver.answer("inside.example", &[&[address]]);
        for entry in [format!("http://inside.example:{port}"), "public".to_owned()] {
            let grant = missing(world.get(&[&entry], &format!("http://inside.example:{port}/")).await);
            assert_eq!(grant, format!("network=private:http://inside.example:{port}/"), "{address} {entry}");
        }
    }
    assert_eq!(origin.connections(), 0);
}

#[tokio::test]
async fn net_03_net_04_names_of_metadata_services_and_wildcard_dns_are_judged_by_their_address() {
    let world = World::new();
    for (name, address) in [
        ("metadata.google.internal", "169.254.169.254"),
        ("instance-data.ec2.internal", "fd00:ec2::254"),
        ("169.254.169.254.nip.io", "169.254.169.254"),
        ("alibaba.example", "100.100.100.200"),
        ("zero.example", "0.0.0.0"),
    ] {
        world.resolver.answer(name, &[&[address]]);
        let url = format!("http://{name}/");
        rule(world.get(&["public", &format!("private:{url}")], &url).await);
    }
    world.resolver.answer("127.0.0.1.nip.io", &[&["127.0.0.1"]]);
    missing(world.get(&["public"], "http://127.0.0.1.nip.io/").await);
}

#[tokio::test]
async fn net_04_localhost_needs_a_private_grant_and_is_never_another_machine() {
    let origin = Origin::http(|_| ok("here")).await;
    let world = World::new();
    let port = origin.port();
    for name in ["localhost", "app.localhost", "LOCALHOST", "localhost."] {
        let url = format!("http://{name}:{port}/");
        let canonical = name.trim_end_matches('.').to_ascii_lowercase();
        world.resolver.answer(&canonical, &[&["127.0.0.1"]]);
        missing(world.get(&["public"], &url).await);
        assert!(world.get(&[&format!("private:{url}")], &url).await.is_ok(), "{name}");
        world.resolver.answer(&canonical, &[&["10.0.0.1"]]);
        // A second engine, so that no pooled connection answers.
        let fresh = World::new();
        fresh.resolver.answer(&canonical, &[&["10.0.0.1"]]);
        rule(fresh.get(&[&format!("private:{url}")], &url).await);
    }
}

#[tokio::test]
async fn net_06_one_bad_address_among_good_ones_refuses_the_name() {
    let origin = Origin::http(|_| ok("x")).await;
    let world = World::new();
    let port = origin.port();
    let url = format!("http://mixed.example:{port}/");
    for answer in [["1.1.1.1", "127.0.0.1"], ["127.0.0.1", "1.1.1.1"], ["2606:4700::1", "::1"]] {
        world.resolver.answer("mixed.example", &[&answer]);
        missing(world.get(&["public"], &url).await);
    }
    world.resolver.answer("mixed.example", &[&["127.0.0.1", "169.254.169.254"]]);
    rule(world.get(&[&format!("private:{url}")], &url).await);
    assert_eq!(origin.connections(), 0);
}

#[tokio::test]
async fn net_07_rebinding_connects_only_to_the_checked_address() {
    let first = Origin::http_at("127.0.0.1:0", |_| ok("first")).await;
    let second = Origin::http_at(&format!("127.0.0.2:{}", first.port()), |_| ok("second")).await;
    let world = World::new();
    world.resolver.answer("rebind.example", &[&["127.0.0.1"], &["127.0.0.2"]]);
    let url = format!("http://rebind.example:{}/", first.port());
    let answer = world.get(&[&format!("private:{url}")], &url).await.unwrap();
    assert_eq!(&answer.body[..], b"first");
    assert_eq!(world.resolver.asked(), ["rebind.example"], "resolved once for one connection");
    assert_eq!(second.connections(), 0);
}

#[tokio::test]
async fn net_07_a_name_that_turns_bad_is_refused_at_the_next_connection() {
    let origin = Origin::http(|_| Reply::Close(message("200 OK", "connection: close\r\n", "x"))).await;
    let world = World::new();
    world.resolver.answer("rebind.example", &[&["127.0.0.1"], &["169.254.169.254"]]);
    let url = format!("http://rebind.example:{}/", origin.port());
    let grant = format!("private:{url}");
    world.get(&[&grant], &url).await.unwrap();
    rule(world.get(&[&grant], &url).await);
}

#[tokio::test]
async fn net_07_a_pooled_private_connection_never_serves_a_caller_without_the_private_grant() {
    let origin = Origin::http(|_| ok("x")).await;
    let world = World::new();
    world.resolver.answer("pool.example", &[&["127.0.0.1"]]);
    let url = format!("http://pool.example:{}/", origin.port());
    for _ in 0..2 {
        world.get(&[&format!("private:{url}")], &url).await.unwrap();
    }
    assert_eq!(origin.connections(), 1, "the twin: the same grant reuses the connection");
    missing(world.get(&[&url], &url).await);
    missing(world.get(&["public"], &url).await);
    assert_eq!(origin.seen().len(), 2);
}

#[tokio::test]
async fn net_07_a_redirect_to_the_same_name_after_rebinding_is_checked_again() {
    let count = Arc::new(AtomicUsize::new(0));
    let origin = Origin::http(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::Close(message("302 Found", "location: /again\r\nconnection: close\r\n", "")),
        _ => ok("reached"),
    })
    .await;
    let world = World::new();
    world.resolver.answer("rebind.example", &[&["127.0.0.1"], &["0.0.0.0"]]);
    let url = format!("http://rebind.example:{}/", origin.port());
    rule(world.get(&[&format!("private:{url}")], &url).await);
    assert_eq!(origin.seen().len(), 1);
}

#[tokio::test]
async fn net_23_a_name_that_is_not_granted_is_not_even_looked_up() {
    let world = World::new();
    missing(world.get(&["allowed.example"], "https://c2VjcmV0.evil.test/").await);
    missing(world.get(&["*.allowed.example"], "https://c2VjcmV0.evil.test/").await);
    assert!(world.resolver.asked().is_empty());
}

#[tokio::test]
async fn net_29_the_hosts_own_addresses_are_out_of_reach_by_every_name() {
    let gateway = Origin::http_at("0.0.0.0:0", |_| ok("control")).await;
    let neighbour = Origin::http(|_| ok("other")).await;
    let port = gateway.port();
    let world = World::with(|setup| setup.own_addresses = vec![format!("0.0.0.0:{port}").parse().unwrap()]);
    world.resolver.answer("gateway.example", &[&["127.0.0.1"]]);
    for host in ["127.0.0.1", "127.1.2.3", "[::ffff:127.0.0.1]", "gateway.example"] {
        let url = format!("http://{host}:{port}/");
        rule(world.get(&[&format!("private:{url}")], &url).await);
    }
    assert_eq!(gateway.connections(), 0);
    let other = format!("http://gateway.example:{}/", neighbour.port());
    assert!(
        world.get(&[&format!("private:{other}")], &other).await.is_ok(),
        "other ports of this machine stay reachable"
    );
}

#[tokio::test]
async fn net_29_a_redirect_does_not_reach_the_hosts_own_address() {
    let gateway = Origin::http(|_| ok("control")).await;
    let own = gateway.url("/config");
    let origin = Origin::http(move |_| redirect(&own)).await;
    let world = World::with(|setup| setup.own_addresses = vec![gateway.address]);
    rule(world.get(&[&origin.grant(), &gateway.grant()], &origin.url("/")).await);
    assert_eq!(gateway.connections(), 0);
}

#[tokio::test]
async fn net_30_who_asks_makes_no_difference_to_the_verdict() {
    let world = World::new();
    world.resolver.answer("inside.example", &[&["10.0.0.1"]]);
    let allowance = allow(&["public"], &[]);
    for url in ["http://127.0.0.1/", "http://inside.example/", "http://169.254.169.254/", "http://1.1.1.1/", "x"] {
        let mut verdicts = Vec::new();
        for caller in ["model", "skill:weather"] {
            let result = world.egress.fetch(&CallerKey(caller.to_owned()), &allowance, get(url), &following()).await;
            verdicts.push(result.map(|_| ()).unwrap_err());
        }
        assert_eq!(verdicts[0], verdicts[1]);
        assert!(!matches!(verdicts[0], EgressError::Failed(_)), "{url}: {:?}", verdicts[0]);
    }
}

#[tokio::test]
async fn net_24_proxies_in_the_environment_are_ignored() {
    // Another process, since the environment of this one is shared by all tests.
    if std::env::var_os("CHITON_TEST_PROXY").is_none() {
        let proxy = Origin::http(|_| ok("from the proxy")).await;
        let url = proxy.url("");
        let status = tokio::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "resolution::net_24_proxies_in_the_environment_are_ignored"])
            .envs(["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"].map(|name| (name, &url)))
            .env("CHITON_TEST_PROXY", "1")
            .stdout(std::process::Stdio::null())
            .status()
            .await
            .unwrap();
        assert!(status.success());
        assert_eq!(proxy.connections(), 0);
        return;
    }
    let origin = Origin::http(|_| ok("direct")).await;
    let answer = World::new().get(&[&origin.grant()], &origin.url("/")).await.unwrap();
    assert_eq!(&answer.body[..], b"direct");
}
