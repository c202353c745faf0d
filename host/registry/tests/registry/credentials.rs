//! Who gets to see the owner's credentials.

use chiton_registry::{Error, Options, PACKAGE_LAYER};

use crate::support::{Answer, Origin, Request, bytes, get, get_with, manifest, sha256};

const ARCHIVE: &[u8] = b"these are the bytes of an archive";
/// `owner:a-secret-token` as an `authorization` field has it.
const BASIC: &str = "Basic b3duZXI6YS1zZWNyZXQtdG9rZW4=";

fn owner() -> Options {
    Options { credentials: Some("owner:a-secret-token".parse().unwrap()), ..Options::default() }
}

fn shown(request: &Request) -> Option<&str> {
    request.fields.get("authorization").map(String::as_str)
}

/// A registry that answers those who show `wanted`, and others with `challenge`.
async fn locked(wanted: &'static str, challenge: impl Into<String>) -> Origin {
    let challenge = challenge.into();
    Origin::start(move |request| match request.path.as_str() {
        path if path.starts_with("/token?") => Answer::ok(r#"{"token":"abc","access_token":"abc","expires_in":60}"#),
        _ if shown(request) != Some(wanted) => Answer::status(401).with("www-authenticate", &challenge),
        "/v2/weather/manifests/1.0.0" => Answer::ok(manifest(PACKAGE_LAYER, &sha256(ARCHIVE), ARCHIVE.len())),
        _ => Answer::ok(ARCHIVE),
    })
    .await
}

#[tokio::test]
async fn credentials_are_shown_when_they_are_asked_for_and_not_before() {
    let origin = locked(BASIC, "Basic realm=\"registry\"").await;
    let fetched = get_with(&origin.oci("weather:1.0.0"), &owner()).await.unwrap();
    assert_eq!(bytes(&fetched.content), ARCHIVE);
    let shown: Vec<Option<String>> =
        origin.requests().iter().map(|request| shown(request).map(str::to_owned)).collect();
    assert_eq!(shown, [None, Some(BASIC.to_owned()), Some(BASIC.to_owned())]);

    let open = Origin::start(|_| Answer::ok(ARCHIVE)).await;
    get_with(&open.url("weather.zip"), &owner()).await.unwrap();
    assert!(open.requests().iter().all(|request| self::shown(request).is_none()));
}

#[tokio::test]
async fn without_credentials_the_owner_is_told_what_to_set() {
    let origin = locked(BASIC, "Basic realm=\"registry\"").await;
    let error = get(&origin.oci("weather:1.0.0")).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized(..)), "{error}");
    let wrong = Options { credentials: Some("owner:another-token".parse().unwrap()), ..Options::default() };
    let error = get_with(&origin.oci("weather:1.0.0"), &wrong).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized(..)) && !error.to_string().contains("another"), "{error}");
}

#[tokio::test]
async fn a_token_is_asked_of_the_same_host_for_what_is_needed_and_no_more() {
    let port = std::sync::Arc::new(std::sync::OnceLock::new());
    let known = std::sync::Arc::clone(&port);
    let origin = Origin::start(move |request| {
        let realm = format!("http://127.0.0.1:{}/token", known.get().unwrap());
        match request.path.as_str() {
            path if path.starts_with("/token?") => Answer::ok(r#"{"token":"abc","access_token":"abc"}"#),
            _ if shown(request) != Some("Bearer abc") => Answer::status(401)
                .with("www-authenticate", &format!("Bearer realm=\"{realm}\",service=\"r\",scope=\"repository:*:*\"")),
            "/v2/weather/manifests/1.0.0" => Answer::ok(manifest(PACKAGE_LAYER, &sha256(ARCHIVE), ARCHIVE.len())),
            _ => Answer::ok(ARCHIVE),
        }
    })
    .await;
    port.set(origin.port).unwrap();
    assert_eq!(bytes(&get(&origin.oci("weather:1.0.0")).await.unwrap().content), ARCHIVE);
    assert_eq!(bytes(&get_with(&origin.oci("weather:1.0.0"), &owner()).await.unwrap().content), ARCHIVE);
    let asked: Vec<Request> = origin.requests().into_iter().filter(|request| request.path.contains("token")).collect();
    assert!(
        asked.iter().all(|request| request.path == "/token?scope=repository%3Aweather%3Apull&service=r"),
        "{asked:?}"
    );
    assert_eq!(asked.iter().map(shown).collect::<Vec<_>>(), [None, Some(BASIC)]);
}

#[tokio::test]
async fn cmp_19_a_token_server_elsewhere_is_not_asked() {
    let thief = Origin::start(|_| Answer::ok(r#"{"token":"abc"}"#)).await;
    let origin = locked("Bearer abc", format!("Bearer realm=\"{}\"", thief.url("token"))).await;
    let error = get_with(&origin.oci("weather:1.0.0"), &owner()).await.unwrap_err();
    assert!(matches!(error, Error::Unencrypted(..)), "{error}");
    let origin = locked("Bearer abc", "Bearer realm=\"https://thief.example/token\"").await;
    let error = get_with(&origin.oci("weather:1.0.0"), &owner()).await.unwrap_err();
    assert!(matches!(error, Error::OtherHost(..)), "{error}");
    assert!(thief.requests().is_empty());
}

#[tokio::test]
async fn a_challenge_that_is_not_understood_is_a_refusal() {
    for challenge in ["Negotiate", "Bearer", "Bearer realm=nowhere", "", "Bearer realm=\"\""] {
        let origin = locked("nothing", challenge).await;
        let error = get_with(&origin.oci("weather:1.0.0"), &owner()).await.unwrap_err();
        assert!(matches!(error, Error::Unauthorized(..) | Error::Malformed(..)), "{challenge}: {error}");
    }
}
