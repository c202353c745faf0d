//! To which requests a secret belongs.

use chiton_egress::{EgressError, SecretSlot, canonical_url};

use crate::{
    placement::SECRET,
    support::{
        World, allow, get, missing,
        origin::{Origin, ok, redirect},
        rule, tls,
    },
};

/// Slot, URL, whether the secret is meant for it.
const BOUND: &[(&str, &str, bool)] = &[
    ("api.example.com", "https://api.example.com/", true),
    ("api.example.com", "https://API.example.com:443/x?y", true),
    ("api.example.com", "https://api.example.com./", true),
    ("api.example.com", "https://api.example.com.evil.test/", false),
    ("api.example.com", "https://evil-api.example.com/", false),
    ("api.example.com", "https://x.api.example.com/", false),
    ("api.example.com", "https://example.com/", false),
    ("api.example.com", "http://api.example.com/", false),
    ("api.example.com", "https://api.example.com:8443/", false),
    ("https://a.b/v1", "https://a.b/v1", true),
    ("https://a.b/v1", "https://a.b/v1/users", true),
    ("https://a.b/v1", "https://a.b/v1evil", false),
    ("https://a.b/v1", "https://a.b/v1/../admin", false),
    ("https://a.b/v1", "https://a.b/v1/%2e%2e/admin", false),
    ("https://a.b/v1", "https://a.b/v1/..%2fadmin", false),
    ("https://a.b/v1", "https://a.b/v1/%252e%252e/admin", false),
    ("https://a.b/v1", "https://a.b/V1/", false),
    ("https://a.b/v1", "https://a.b//v1/", false),
];

#[test]
fn cred_08_a_secret_is_bound_to_host_scheme_port_and_path_prefix() {
    for (entry, url, bound) in BOUND {
        let slot: SecretSlot = format!("KEY {entry} header=X: {{}}").parse().unwrap();
        assert_eq!(slot.covers(&canonical_url(url).unwrap()), *bound, "{entry} {url}");
    }
}

#[tokio::test]
async fn a_secret_goes_over_https() {
    let origin = Origin::https(tls::good(&["api.example"]), |_| ok("x")).await;
    let world = World::new();
    world.resolver.answer("api.example", &[&["127.0.0.1"]]);
    world.secrets.set("KEY", SECRET);
    let url = format!("https://api.example:{}/", origin.port());
    let allowance = allow(&[&format!("private:{url}")], &[&format!("KEY {url} header=X-Key: {{}}")]);
    world.fetch(&allowance, get(&url)).await.unwrap();
    assert_eq!(origin.seen()[0].fields("x-key"), [SECRET]);
}

#[tokio::test]
async fn cred_06_a_secret_over_plain_http_stays_on_this_machine_whatever_the_resolver_says() {
    let origin = Origin::http(|_| ok("x")).await;
    let world = World::new();
    world.secrets.set("KEY", SECRET);
    let url = format!("http://localhost:{}/", origin.port());
    let slot = format!("KEY {url} header=X-Key: {{}}");
    world.resolver.answer("localhost", &[&["10.0.0.1"], &["1.1.1.1"], &["127.0.0.1"]]);
    let private = allow(&[&format!("private:{url}")], &[&slot]);
    rule(world.fetch(&private, get(&url)).await);
    rule(world.fetch(&private, get(&url)).await);
    missing(world.fetch(&allow(&[&url], &[&slot]), get(&url)).await);
    assert!(origin.seen().is_empty());
    world.fetch(&private, get(&url)).await.unwrap();
    assert_eq!(origin.seen()[0].fields("x-key"), [SECRET], "the twin: loopback by a private grant");
}

#[tokio::test]
async fn cred_06_a_redirect_from_https_to_http_carries_no_secret() {
    let plain = Origin::http(|_| ok("x")).await;
    let target = format!("http://api.example:{}/", plain.port());
    let location = target.clone();
    let secure = Origin::https(tls::good(&["api.example"]), move |_| redirect(&location)).await;
    let world = World::new();
    world.resolver.answer("api.example", &[&["127.0.0.1"]]);
    world.secrets.set("KEY", SECRET);
    let url = format!("https://api.example:{}/", secure.port());
    let grants = [format!("private:{url}"), format!("private:{target}")];
    let slots = [format!("KEY {url} header=X-Key: {{}}"), format!("KEY {url} query=k")];
    let allowance = allow(&[&grants[0], &grants[1]], &[&slots[0], &slots[1]]);
    world.fetch(&allowance, get(&url)).await.unwrap();
    assert_eq!(secure.seen()[0].fields("x-key"), [SECRET]);
    let head = &plain.seen()[0].head;
    assert!(!head.contains(SECRET) && !head.contains("x-key") && !head.contains("k="), "{head}");
}

#[tokio::test]
async fn cred_06_a_secret_follows_no_redirect_out_of_its_path() {
    let origin = Origin::http(|seen| if seen.target() == "/v1" { redirect("/public") } else { ok("x") }).await;
    let world = World::new();
    world.secrets.set("KEY", SECRET);
    let slot = format!("KEY {} header=X-Key: {{}}", origin.url("/v1"));
    world.fetch(&allow(&[&origin.grant()], &[&slot]), get(&origin.url("/v1"))).await.unwrap();
    let seen = origin.seen();
    assert_eq!((seen[0].fields("x-key").len(), seen[1].fields("x-key").len()), (1, 0));
}

#[tokio::test]
async fn cred_06_a_redirect_into_a_slot_gets_its_secret() {
    let second = Origin::http(|_| ok("x")).await;
    let target = second.url("/");
    let first = Origin::http(move |_| redirect(&target)).await;
    let world = World::new();
    world.secrets.set("KEY", SECRET);
    let slot = format!("KEY {} header=X-Key: {{}}", second.url("/"));
    world.fetch(&allow(&[&first.grant(), &second.grant()], &[&slot]), get(&first.url("/"))).await.unwrap();
    assert!(first.seen()[0].fields("x-key").is_empty());
    assert_eq!(second.seen()[0].fields("x-key"), [SECRET]);
}

#[tokio::test]
async fn cred_06_a_secret_that_is_echoed_into_a_redirect_does_not_reach_its_target() {
    let second = Origin::http(|_| ok("x")).await;
    let target = second.url("/collect");
    let first = Origin::http(move |seen| redirect(&format!("{target}?stolen={}", seen.fields("x-key")[0]))).await;
    let world = World::new();
    world.secrets.set("KEY", SECRET);
    let slot = format!("KEY {} header=X-Key: {{}}", first.url("/"));
    let answer = world.fetch(&allow(&[&first.grant(), &second.grant()], &[&slot]), get(&first.url("/"))).await.unwrap();
    assert_eq!(second.seen()[0].target(), "/collect?stolen=[REDACTED]");
    assert!(!answer.url.as_str().contains(SECRET));
}

#[tokio::test]
async fn the_most_specific_slot_of_a_place_wins() {
    let origin = Origin::http(|_| ok("x")).await;
    let world = World::new();
    world.secrets.set("WIDE", "wide-secret-1234");
    world.secrets.set("NARROW", "narrow-secret-1234");
    let slots = [("NARROW", "/v1"), ("WIDE", "/")]
        .map(|(name, path)| format!("{name} {} header=X-Key: {{}}", origin.url(path)));
    let allowance = allow(&[&origin.grant()], &[&slots[0], &slots[1]]);
    world.fetch(&allowance, get(&origin.url("/v1/x"))).await.unwrap();
    world.fetch(&allowance, get(&origin.url("/other"))).await.unwrap();
    let seen = origin.seen();
    assert_eq!(seen[0].fields("x-key"), ["narrow-secret-1234"]);
    assert_eq!(seen[1].fields("x-key"), ["wide-secret-1234"]);
}

#[tokio::test]
async fn a_part_of_an_answer_is_not_asked_for_where_a_secret_is_sent() {
    let origin = Origin::http(|_| ok("x")).await;
    let world = World::new();
    world.secrets.set("KEY", SECRET);
    let slot = format!("KEY {} header=X-Key: {{}}", origin.url("/v1"));
    let allowance = allow(&[&origin.grant()], &[&slot]);
    let ranged = |path: &str| crate::support::with_header(get(&origin.url(path)), "Range", "bytes=0-9");
    assert!(matches!(world.fetch(&allowance, ranged("/v1")).await, Err(EgressError::Refused { .. })));
    world.fetch(&allowance, ranged("/file")).await.unwrap();
    assert_eq!(origin.seen()[0].fields("range"), ["bytes=0-9"], "the twin: without a secret");
}
