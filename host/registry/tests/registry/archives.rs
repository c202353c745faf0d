//! Archives behind an address, and servers that misbehave.

use std::sync::Mutex;

use chiton_registry::{Content, Error, Options, Remote, fetch};

use crate::support::{Answer, Manner, Origin, bytes, get, get_with, impatient, serving, sha256, small};

const ARCHIVE: &[u8] = b"these are the bytes of an archive";

async fn archive(answer: Answer) -> Origin {
    Origin::start(move |_| answer.clone()).await
}

#[tokio::test]
async fn an_archive_is_pinned_to_what_was_fetched() {
    let origin = archive(Answer::ok(ARCHIVE)).await;
    let fetched = get(&origin.url("weather.tar.gz")).await.unwrap();
    assert_eq!(fetched.content, Content::Package(ARCHIVE.into()));
    assert_eq!(fetched.origin.to_string(), format!("{}#{}", origin.url("weather.tar.gz"), sha256(ARCHIVE)));
    let again = get(&fetched.origin.to_string()).await.unwrap();
    assert_eq!((bytes(&again.content), again.origin), (ARCHIVE, fetched.origin));
}

#[tokio::test]
async fn progress_tells_what_came_and_what_is_to_come() {
    let origin = archive(Answer::ok(ARCHIVE)).await;
    let source: Remote = origin.url("weather.zip").parse().unwrap();
    let told = Mutex::new(Vec::new());
    fetch(&source, &Options::default(), &|done, total| told.lock().unwrap().push((done, total))).await.unwrap();
    let length = ARCHIVE.len() as u64;
    assert_eq!(told.lock().unwrap().last(), Some(&(length, Some(length))));
}

#[tokio::test]
async fn cmp_19_other_bytes_than_were_pinned_are_refused() {
    let origin = archive(Answer::ok(ARCHIVE)).await;
    let pinned = format!("{}#{}", origin.url("weather.zip"), sha256(b"other bytes"));
    let error = get(&pinned).await.unwrap_err();
    assert!(matches!(error, Error::Digest { .. }), "{error}");
    assert!(error.to_string().contains("do not use it"), "{error}");
}

#[tokio::test]
async fn cmp_19_a_redirect_to_another_host_is_refused_and_that_host_sees_nothing() {
    let other = archive(Answer::ok(ARCHIVE)).await;
    let to_other = archive(Answer::redirect(&other.url("weather.zip"))).await;
    let error = get(&to_other.url("weather.zip")).await.unwrap_err();
    assert!(matches!(error, Error::Unencrypted(..)), "{error}");
    assert!(other.requests().is_empty());

    let to_https = archive(Answer::redirect("https://storage.example/weather.zip")).await;
    let error = get(&to_https.url("weather.zip")).await.unwrap_err().to_string();
    assert!(error.ends_with("allow it with --allow-host storage.example"), "{error}");
}

#[tokio::test]
async fn a_redirect_to_a_host_that_the_owner_named_is_followed() {
    let named = Origin::self_signed(|_| Answer::ok(ARCHIVE)).await;
    let host = format!("localhost:{}", named.port);
    let origin = archive(Answer::redirect(&format!("https://{host}/weather.zip"))).await;
    let options = Options { hosts: vec![host], ..Options::default() };
    // It is asked, and its certificate is found wanting.
    let error = get_with(&origin.url("weather.zip"), &options).await.unwrap_err();
    assert!(matches!(error, Error::Connection(..)), "{error}");
}

#[tokio::test]
async fn a_redirect_on_the_same_host_is_followed() {
    let origin = serving([
        ("/latest.zip".to_owned(), Answer::redirect("/1.2.0/weather.zip")),
        ("/1.2.0/weather.zip".to_owned(), Answer::ok(ARCHIVE)),
    ])
    .await;
    assert_eq!(bytes(&get(&origin.url("latest.zip")).await.unwrap().content), ARCHIVE);
}

#[tokio::test]
async fn a_redirect_that_never_ends_is_given_up() {
    let origin = archive(Answer::redirect("/again.zip")).await;
    let error = get_with(&origin.url("weather.zip"), &small()).await.unwrap_err();
    assert!(matches!(error, Error::Redirects(_, 2)), "{error}");
    assert_eq!(origin.requests().len(), 3);
}

#[tokio::test]
async fn cmp_19_a_certificate_that_nobody_trusts_is_refused() {
    let origin = Origin::self_signed(|_| Answer::ok(ARCHIVE)).await;
    let error = get(&format!("https://localhost:{}/weather.zip", origin.port)).await.unwrap_err();
    assert!(matches!(error, Error::Connection(..)), "{error}");
    assert!(error.to_string().contains("certificate"), "{error}");
    assert!(origin.requests().is_empty());
}

#[tokio::test]
async fn res_12_a_body_over_the_limit_is_not_read() {
    for manner in [Manner::Whole, Manner::Unannounced] {
        let origin = archive(Answer::ok(vec![0; 2_000_000]).sent(manner)).await;
        let source: Remote = origin.url("weather.zip").parse().unwrap();
        let most = Mutex::new(0);
        let error = fetch(&source, &small(), &|done, _| *most.lock().unwrap() = done).await.unwrap_err();
        assert!(matches!(error, Error::TooLarge(_, _, 1_000)), "{error}");
        assert!(*most.lock().unwrap() <= 1_000);
    }
    let fits = archive(Answer::ok(vec![0; 1_000])).await;
    assert_eq!(bytes(&get_with(&fits.url("weather.zip"), &small()).await.unwrap().content).len(), 1_000);
}

#[tokio::test]
async fn a_body_that_is_cut_off_is_an_error_and_no_archive() {
    let origin = archive(Answer::ok(ARCHIVE).sent(Manner::CutOff)).await;
    let error = get(&origin.url("weather.zip")).await.unwrap_err();
    assert!(matches!(error, Error::Connection(..)), "{error}");
}

#[tokio::test]
async fn a_server_that_stops_in_the_middle_is_given_up() {
    let origin = archive(Answer::ok(ARCHIVE).sent(Manner::Silent)).await;
    let error = get_with(&origin.url("weather.zip"), &impatient()).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut(..)), "{error}");
}

#[tokio::test]
async fn what_a_server_refuses_is_told_with_what_to_do() {
    for (status, words) in [
        (404, "check the name and the version"),
        (401, "set USER:TOKEN for 127.0.0.1"),
        (403, "set USER:TOKEN for 127.0.0.1"),
        (503, "answers the archive with status 503"),
    ] {
        let origin = archive(Answer::status(status)).await;
        let error = get(&origin.url("weather.zip")).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told() {
    let free = archive(Answer::ok("")).await.port;
    let error = get(&format!("http://127.0.0.1:{free}/weather.zip")).await.unwrap_err();
    assert!(matches!(error, Error::Connection(..)), "{error}");
}
