//! Where a placeholder is replaced, and that everywhere else it is refused.

use chiton_egress::{Allowance, EgressError, Request, placeholder};

use crate::support::{
    World, allow, get, missing,
    origin::{Origin, Seen, ok},
    with_header,
};

pub const SECRET: &str = "correct-horse-battery-staple";

/// An origin with a header slot KEY and a query slot TOKEN, both set.
pub async fn granted() -> (World, Origin, Allowance) {
    let origin = Origin::http(|_| ok("x")).await;
    let world = World::new();
    world.secrets.set("KEY", SECRET);
    world.secrets.set("TOKEN", "tr0ub4dor&3 with=odd+chars");
    let slots = [
        format!("KEY {} header=Authorization: Bearer {{}}", origin.url("/header")),
        format!("TOKEN {} query=appid", origin.url("/query")),
    ];
    let allowance = allow(&[&origin.grant()], &[&slots[0], &slots[1]]);
    (world, origin, allowance)
}

/// Sends and gives what was on the wire.
async fn sent(world: &World, origin: &Origin, allowance: &Allowance, request: Request) -> Seen {
    world.fetch(allowance, request).await.unwrap();
    origin.seen().pop().unwrap()
}

#[tokio::test]
async fn a_secret_is_added_to_its_header_without_being_asked_for() {
    let (world, origin, allowance) = granted().await;
    let seen = sent(&world, &origin, &allowance, get(&origin.url("/header/x"))).await;
    assert_eq!(seen.fields("authorization"), [format!("Bearer {SECRET}")]);
}

#[tokio::test]
async fn a_secret_is_added_to_its_query_field_and_the_url_that_is_shown_has_none() {
    let (world, origin, allowance) = granted().await;
    let answer = world.fetch(&allowance, get(&origin.url("/query?q=a%20b"))).await.unwrap();
    assert_eq!(origin.seen()[0].target(), "/query?q=a%20b&appid=tr0ub4dor%263+with%3Dodd%2Bchars");
    assert_eq!(answer.url.as_str(), origin.url("/query?q=a%20b"));
}

#[tokio::test]
async fn a_placeholder_in_the_granted_slot_becomes_the_secret() {
    let (world, origin, allowance) = granted().await;
    let request = with_header(get(&origin.url("/header")), "authorization", &format!("Bearer {}", placeholder("KEY")));
    let seen = sent(&world, &origin, &allowance, request).await;
    assert_eq!(seen.fields("authorization"), [format!("Bearer {SECRET}")]);
    let url = origin.url(&format!("/query?appid={}&q=1", placeholder("TOKEN")));
    let seen = sent(&world, &origin, &allowance, get(&url)).await;
    assert_eq!(seen.target(), "/query?q=1&appid=tr0ub4dor%263+with%3Dodd%2Bchars");
}

#[tokio::test]
async fn cred_01_a_placeholder_anywhere_else_is_refused_and_nothing_is_sent() {
    let (world, origin, allowance) = granted().await;
    let (key, token) = (placeholder("KEY"), placeholder("TOKEN"));
    let at = |path: &str| get(&origin.url(path));
    let attempts = [
        at(&format!("/{key}")),
        at(&format!("/header/{key}")),
        at(&format!("/header?k={key}")),
        at(&format!("/header?{key}=1")),
        at(&format!("/header?{key}")),
        at(&format!("/header#{key}")),
        at(&format!("/query?appid=x{token}")),
        at(&format!("/query?appid={token}x")),
        at(&format!("/query?appid={key}")),
        at(&format!("/query?other={token}")),
        at(&format!("/header?appid={token}")),
        with_header(at("/header"), "x-other", &key),
        with_header(at("/header"), "authorization", &format!("Basic {key}")),
        with_header(at("/header"), "authorization", &format!("Bearer {token}")),
        with_header(at("/header"), "authorization", &format!("Bearer {key} {key}")),
        with_header(at("/header"), "cookie", &format!("a={key}")),
        with_header(at("/elsewhere"), "authorization", &format!("Bearer {key}")),
        with_header(at("/query"), "authorization", &format!("Bearer {key}")),
        Request { method: "POST".to_owned(), body: format!("key={key}").into(), ..at("/header") },
        Request { method: "POST".to_owned(), body: format!("{{\"k\":\"{token}\"}}").into(), ..at("/query") },
        Request { method: key.clone(), ..at("/header") },
    ];
    for request in attempts {
        let shown = format!("{request:?}");
        let result = world.fetch(&allowance, request).await;
        let refused =
            matches!(result, Err(EgressError::Denied { .. } | EgressError::Refused { .. } | EgressError::Invalid(_)));
        assert!(refused, "{shown} gave {result:?}");
    }
    assert!(origin.seen().is_empty());
}

#[tokio::test]
async fn cred_01_a_placeholder_for_a_host_without_the_slot_names_the_missing_grant() {
    let (world, origin, allowance) = granted().await;
    let request = with_header(get(&origin.url("/elsewhere")), "x-api-key", &placeholder("KEY"));
    let grant = missing(world.fetch(&allowance, request).await);
    assert_eq!(grant, format!("secrets=KEY {} header=x-api-key: {{}}", origin.url("/")));
    assert!(grant.strip_prefix("secrets=").unwrap().parse::<chiton_egress::SecretSlot>().is_ok());
}

#[tokio::test]
async fn cred_02_an_encoded_placeholder_is_not_replaced_and_where_it_is_seen_refused() {
    let (world, origin, allowance) = granted().await;
    let key = placeholder("KEY");
    let hex: String = key.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = key.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let json: String = key.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    let reversed: String = key.chars().rev().collect();
    // Y2hpdG9uLXNlY3JldC0 is the base64 of the beginning of every placeholder.
    let basic = "dXNlcjpjaGl0b24tc2VjcmV0LUtFWS0wMDAw";
    for form in [&key.to_uppercase(), &hex, &percent, &json, &reversed, basic, "Y2hpdG9uLXNlY3JldC1LRVktMDAwMA=="] {
        for request in [
            with_header(get(&origin.url("/header")), "x-other", form),
            with_header(get(&origin.url("/elsewhere")), "authorization", &format!("Basic {form}")),
            Request { method: "POST".to_owned(), body: form.to_owned().into(), ..get(&origin.url("/header")) },
        ] {
            assert!(world.fetch(&allowance, request).await.is_err(), "{form}");
        }
    }
    assert!(world.fetch(&allowance, get(&origin.url(&format!("/header/{percent}")))).await.is_err());
    assert!(origin.seen().is_empty());
}

#[tokio::test]
async fn cred_02_a_split_placeholder_is_only_text() {
    let (world, origin, allowance) = granted().await;
    let key = placeholder("KEY");
    let (first, second) = key.split_at(9);
    let request = with_header(get(&origin.url("/elsewhere")), "x-one", first);
    let seen = sent(&world, &origin, &allowance, with_header(request, "x-two", second)).await;
    assert_eq!((seen.fields("x-one"), seen.fields("x-two")), (vec![first], vec![second]));
    assert!(!seen.head.contains(SECRET));
}

#[tokio::test]
async fn cred_05_the_hosts_value_wins_over_the_guests() {
    let (world, origin, allowance) = granted().await;
    let mut request = get(&origin.url("/header"));
    for (name, value) in [("Authorization", "Bearer mine"), ("AUTHORIZATION", "Basic x"), ("authorization", "")] {
        request = with_header(request, name, value);
    }
    let seen = sent(&world, &origin, &allowance, request).await;
    assert_eq!(seen.fields("authorization"), [format!("Bearer {SECRET}")]);
    let seen = sent(&world, &origin, &allowance, get(&origin.url("/query?appid=mine&%61ppid=2&q=1"))).await;
    assert_eq!(seen.target(), "/query?q=1&appid=tr0ub4dor%263+with%3Dodd%2Bchars");
    let spaced = with_header(get(&origin.url("/header")), "Authorization ", "x");
    assert!(matches!(world.fetch(&allowance, spaced).await, Err(EgressError::Invalid(_))));
}

#[tokio::test]
async fn cred_07_a_foreign_secret_cannot_be_told_from_one_that_does_not_exist() {
    let (world, origin, _) = granted().await;
    let allowance = allow(&[&origin.grant()], &[]);
    let mut answers = Vec::new();
    for name in ["KEY", "NONE"] {
        let request = with_header(get(&origin.url("/header")), "authorization", &placeholder(name));
        answers.push(world.fetch(&allowance, request).await.unwrap_err().to_string().replace(name, "_"));
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn a_guests_own_authorization_goes_where_no_slot_is() {
    let (world, origin, allowance) = granted().await;
    let request = with_header(get(&origin.url("/elsewhere")), "Authorization", "Bearer own");
    let seen = sent(&world, &origin, &allowance, request).await;
    assert_eq!(seen.fields("authorization"), ["Bearer own"]);
}
