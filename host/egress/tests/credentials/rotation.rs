//! Secrets that change while connections are open.

use chiton_egress::EgressError;

use crate::support::{
    World, allow, get,
    origin::{Origin, ok},
    rule,
};

#[tokio::test]
async fn cred_13_a_changed_secret_is_sent_with_the_next_request_on_the_same_connection() {
    let origin = Origin::http(|_| ok("x")).await;
    let world = World::new();
    let allowance = allow(&[&origin.grant()], &[&format!("KEY {} header=X-Key: {{}}", origin.url("/"))]);
    for value in ["first-value-123", "second-value-456"] {
        world.secrets.set("KEY", value);
        world.fetch(&allowance, get(&origin.url("/"))).await.unwrap();
        assert_eq!(origin.seen().pop().unwrap().fields("x-key"), [value]);
    }
    assert_eq!(origin.connections(), 1);
}

#[tokio::test]
async fn cred_13_a_revoked_secret_ends_its_requests_at_once() {
    let origin = Origin::http(|_| ok("x")).await;
    let world = World::new();
    let allowance = allow(&[&origin.grant()], &[&format!("KEY {} header=X-Key: {{}}", origin.url("/"))]);
    world.secrets.set("KEY", "first-value-123");
    world.fetch(&allowance, get(&origin.url("/"))).await.unwrap();
    world.secrets.revoke("KEY");
    let text = rule(world.fetch(&allowance, get(&origin.url("/"))).await);
    assert_eq!(text, "the secret KEY is not set; set it, or remove its grant");
    assert_eq!(origin.seen().len(), 1);
}

#[tokio::test]
async fn a_secret_that_could_not_be_sent_or_recognised_is_refused() {
    let origin = Origin::http(|_| ok("x")).await;
    let world = World::new();
    let allowance = allow(&[&origin.grant()], &[&format!("KEY {} header=X-Key: {{}}", origin.url("/"))]);
    for value in ["tiny-1", "", "line\r\nX-Evil: 1", "nul\0nul\0nul"] {
        world.secrets.set("KEY", value);
        let error = world.fetch(&allowance, get(&origin.url("/"))).await.unwrap_err();
        assert!(matches!(error, EgressError::Refused { .. }), "{error}");
        assert!(value.is_empty() || !error.to_string().contains(value), "{error}");
    }
    assert!(origin.seen().is_empty());
}
