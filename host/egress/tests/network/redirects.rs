//! Redirects: every hop is a new request, checked like the first.

use chiton_egress::{EgressError, Options, Request};

use crate::support::{
    World, allow, caller, following, get, missing,
    origin::{Origin, ok, redirect, reply},
    rule, tls, with_header,
};

#[tokio::test]
async fn a_redirect_on_the_same_origin_is_followed() {
    let origin = Origin::http(|seen| if seen.target() == "/new" { ok("there") } else { redirect("/new") }).await;
    let answer = World::new().get(&[&origin.grant()], &origin.url("/old")).await.unwrap();
    assert_eq!((answer.status, answer.url.as_str()), (200, origin.url("/new").as_str()));
}

#[tokio::test]
async fn without_redirects_the_redirecting_answer_is_given_back() {
    let origin = Origin::http(|_| redirect("https://elsewhere.example/")).await;
    let (world, options) = (World::new(), Options { redirects: 0, ..following() });
    let allowance = allow(&[&origin.grant()], &[]);
    let answer = world.egress.fetch(&caller(), &allowance, get(&origin.url("/")), &options).await.unwrap();
    assert_eq!(answer.status, 302);
    assert_eq!(answer.headers["location"], "https://elsewhere.example/");
}

#[tokio::test]
async fn net_08_a_redirect_off_the_list_is_denied_and_not_connected_to() {
    let evil = Origin::http(|_| ok("evil")).await;
    for location in [
        evil.url("/"),
        format!("//{}/", evil.address),
        format!("/\\{}/", evil.address),
        format!("\\\\{}/", evil.address),
        format!("http:\\\\{}/", evil.address),
        "https://off.example/".to_owned(),
        "http://10.0.0.1/".to_owned(),
    ] {
        let target = location.clone();
        let origin = Origin::http(move |_| redirect(&target)).await;
        let grant = missing(World::new().get(&[&origin.grant()], &origin.url("/")).await);
        assert!(grant.starts_with("network="), "{location}: {grant}");
    }
    assert_eq!(evil.connections(), 0);
}

#[tokio::test]
async fn net_08_a_redirect_to_metadata_another_scheme_or_user_information_is_refused() {
    for location in [
        "http://169.254.169.254/",
        "ftp://a.example/",
        "file:///etc/passwd",
        "http://user@a.example/",
        "javascript:1",
        "http://a.example:0/",
    ] {
        let origin = Origin::http(move |_| redirect(location)).await;
        rule(World::new().get(&["public", &origin.grant()], &origin.url("/")).await);
    }
}

#[tokio::test]
async fn net_08_a_redirect_out_of_the_path_prefix_is_denied() {
    for location in ["/admin", "/v1/../admin", "/v1/%2e%2e/admin", "/v1/..%2fadmin", "/v1evil"] {
        let origin = Origin::http(move |_| redirect(location)).await;
        let grant = format!("{}v1", origin.grant());
        missing(World::new().get(&[&grant], &origin.url("/v1/x")).await);
        assert_eq!(origin.seen().len(), 1, "{location}");
    }
}

#[tokio::test]
async fn net_08_a_redirect_from_https_to_http_needs_a_grant_for_http() {
    let world = World::new();
    let plain = Origin::http(|_| ok("plain")).await;
    let target = format!("http://site.example:{}/", plain.port());
    let secure = Origin::https(tls::good(&["site.example"]), move |_| redirect(&target)).await;
    world.resolver.answer("site.example", &[&["127.0.0.1"]]);
    let url = format!("https://site.example:{}/", secure.port());
    missing(world.get(&[&format!("private:{url}")], &url).await);
    assert_eq!(plain.connections(), 0);
}

#[tokio::test]
async fn net_08_endless_redirects_end() {
    let origin = Origin::http(|_| redirect("/again")).await;
    let result = World::new().get(&[&origin.grant()], &origin.url("/")).await;
    assert_eq!(result.unwrap_err(), EgressError::Failed("more than 5 redirects".to_owned()));
    assert_eq!(origin.seen().len(), 6);
}

#[tokio::test]
async fn net_08_nobody_can_ask_for_more_than_ten_redirects() {
    let origin = Origin::http(|_| redirect("/again")).await;
    let options = Options { redirects: 255, ..following() };
    let allowance = allow(&[&origin.grant()], &[]);
    let result = World::new().egress.fetch(&caller(), &allowance, get(&origin.url("/")), &options).await;
    assert_eq!(result.unwrap_err(), EgressError::Failed("more than 10 redirects".to_owned()));
}

#[tokio::test]
async fn net_09_a_redirect_to_another_allowed_origin_drops_the_first_ones_credentials() {
    let second = Origin::http(|_| ok("second")).await;
    let target = second.url("/");
    let first = Origin::http(move |_| redirect(&target)).await;
    let world = World::new();
    world.secrets.set("KEY", "correct-horse-battery");
    let slot = format!("KEY {} header=X-Api-Key: {{}}", first.url("/"));
    let allowance = allow(&[&first.grant(), &second.grant()], &[&slot]);
    let request = with_header(get(&first.url("/")), "Authorization", "Bearer guest");
    let request = with_header(with_header(request, "Cookie", "a=b"), "Accept", "text/plain");
    let answer = world.fetch(&allowance, request).await.unwrap();
    assert_eq!(&answer.body[..], b"second");
    assert_eq!(first.seen()[0].fields("x-api-key"), ["correct-horse-battery"]);
    let seen = &second.seen()[0];
    assert_eq!(seen.fields("accept"), ["text/plain"]);
    for field in ["authorization", "cookie", "x-api-key", "referer"] {
        assert!(seen.fields(field).is_empty(), "{field} went along: {}", seen.head);
    }
}

/// Status, method, method after the redirect, whether the body goes along.
const METHODS: &[(&str, &str, &str, bool)] = &[
    ("301 Moved", "POST", "GET", false),
    ("302 Found", "POST", "GET", false),
    ("303 See Other", "PUT", "GET", false),
    ("303 See Other", "HEAD", "HEAD", false),
    ("307 Temporary", "POST", "POST", true),
    ("308 Permanent", "PUT", "PUT", true),
    ("302 Found", "PUT", "PUT", true),
];

#[tokio::test]
async fn a_redirect_keeps_or_changes_the_method_as_its_status_says() {
    for (status, method, after, keeps) in METHODS {
        let origin = Origin::http(move |seen| {
            if seen.target() == "/" { reply(status, "location: /next\r\n", "") } else { reply("204 No", "", "") }
        })
        .await;
        let body = if *method == "HEAD" { "" } else { "payload" };
        let request = Request {
            method: (*method).to_owned(),
            url: origin.url("/"),
            headers: vec![("content-type".to_owned(), b"text/plain".to_vec())],
            body: body.into(),
        };
        World::new().fetch(&allow(&[&origin.grant()], &[]), request).await.unwrap();
        let seen = &origin.seen()[1];
        assert!(seen.head.starts_with(after), "{status} {method}: {}", seen.head);
        assert_eq!(seen.body == b"payload", *keeps, "{status} {method}");
        assert_eq!(seen.fields("content-type").len(), usize::from(*keeps || *method == "HEAD"), "{status} {method}");
    }
}

#[tokio::test]
async fn a_redirect_may_not_change_to_a_method_that_is_not_granted() {
    let origin = Origin::http(|_| redirect("/next")).await;
    let grant = origin.grant().replace("private:", "private:POST ");
    let request = Request { method: "POST".to_owned(), ..get(&origin.url("/")) };
    missing(World::new().fetch(&allow(&[&grant], &[]), request).await);
    assert_eq!(origin.seen().len(), 1);
}
