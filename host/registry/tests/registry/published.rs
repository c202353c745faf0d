//! Publishing to Debian's `docker-registry`, and back.

use std::{fs, sync::Mutex};

use bytes::Bytes;
use chiton_registry::{Error, Options, Publication, Reference, Remote, TITLE, VERSION, publish};
use chiton_sandbox::Digest;

use crate::support::{Answer, DebianRegistry, Origin, bytes, get, get_with, reference, sha256};

fn publication(archive: &[u8]) -> Publication<'static> {
    Publication {
        archive: Bytes::copy_from_slice(archive),
        digest: Digest::of(archive),
        name: "weather",
        version: "0.1.0",
        replace: false,
    }
}

async fn push(publication: Publication<'_>, to: &Reference) -> Result<Remote, Error> {
    publish(publication, to, &Options::default(), &|_, _| ()).await
}

#[tokio::test]
async fn what_was_published_is_fetched_again() {
    let registry = DebianRegistry::open();
    let place = registry.reference("skills/weather");
    // More than one piece of an upload.
    let archive: Vec<u8> = (0..300_000_u32).map(|number| number as u8).collect();
    let told = Mutex::new(Vec::new());
    let progress = |done, total| told.lock().unwrap().push((done, total));
    let published = publish(publication(&archive), &place, &Options::default(), &progress).await.unwrap();
    assert_eq!(told.lock().unwrap().last(), Some(&(300_000, Some(300_000))));
    assert!(published.to_string().starts_with(&format!("{place}:0.1.0@sha256:")), "{published}");

    for source in [place.to_string(), format!("{place}:0.1.0"), published.to_string()] {
        let fetched = get(&source).await.unwrap();
        assert_eq!(bytes(&fetched.content), archive);
        assert_eq!(fetched.origin.to_string(), published.to_string());
        assert_eq!((fetched.annotations[TITLE].as_str(), fetched.annotations[VERSION].as_str()), ("weather", "0.1.0"));
    }
}

#[tokio::test]
async fn i3_a_version_is_not_overwritten_with_other_bytes_unless_the_author_says_so() {
    let registry = DebianRegistry::open();
    let place = registry.reference("weather");
    let first = push(publication(b"the first archive"), &place).await.unwrap();
    assert_eq!(push(publication(b"the first archive"), &place).await.unwrap(), first);

    let other = publication(b"another archive");
    let error = push(other.clone(), &place).await.unwrap_err().to_string();
    assert!(error.contains("publish under a new version, or overwrite it with --replace"), "{error}");
    assert_eq!(bytes(&get(&format!("{place}:0.1.0")).await.unwrap().content), b"the first archive");

    let second = push(Publication { replace: true, ..other }, &place).await.unwrap();
    assert_eq!(bytes(&get(&format!("{place}:0.1.0")).await.unwrap().content), b"another archive");
    assert_ne!(first, second);
    // Who pinned the first still gets it.
    assert_eq!(bytes(&get(&first.to_string()).await.unwrap().content), b"the first archive");
}

#[tokio::test]
async fn cmp_14_bytes_that_changed_in_the_registry_are_refused() {
    let registry = DebianRegistry::open();
    let archive = b"the archive as it was published";
    let published = push(publication(archive), &registry.reference("weather")).await.unwrap();
    fs::write(registry.blob(&sha256(archive)), b"the archive as it was tampered!").unwrap();
    let error = get(&published.to_string()).await.unwrap_err();
    assert!(matches!(error, Error::Digest { what: "the skill", .. }), "{error}");
}

#[tokio::test]
async fn cmp_14_bytes_that_changed_since_the_author_saw_them_are_not_published() {
    let swapped = Publication { digest: Digest::of(b"as it was seen"), ..publication(b"as it is") };
    let never: Reference = DebianRegistry::open().reference("weather");
    let error = push(swapped, &never).await.unwrap_err().to_string();
    assert!(error.contains("its archive was changed"), "{error}");
}

#[tokio::test]
async fn what_does_not_fit_together_is_not_published() {
    let good = publication(b"an archive");
    let place = DebianRegistry::open().reference("weather");
    let tagged = Reference { tag: Some("latest".to_owned()), ..place.clone() };
    for (publication, place, reason) in [
        (Publication { name: "Weather", ..good.clone() }, &place, "its name has"),
        (Publication { version: "1", ..good.clone() }, &place, "its version is"),
        (Publication { version: "1.0.0+build", ..good.clone() }, &place, "a version with +"),
        (good.clone(), &tagged, "the tag is the skill's version"),
    ] {
        let error = push(publication, place).await.unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[tokio::test]
async fn a_locked_registry_takes_and_gives_with_the_right_credentials_only() {
    let registry = DebianRegistry::locked();
    let place = registry.reference("weather");
    let author = Options { credentials: Some(DebianRegistry::CREDENTIALS.parse().unwrap()), ..Options::default() };
    let error = push(publication(b"an archive"), &place).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized(..)), "{error}");
    let published = publish(publication(b"an archive"), &place, &author, &|_, _| ()).await.unwrap();
    assert!(matches!(get(&published.to_string()).await.unwrap_err(), Error::Unauthorized(..)));
    assert_eq!(bytes(&get_with(&published.to_string(), &author).await.unwrap().content), b"an archive");
}

#[tokio::test]
async fn what_is_not_there_is_told() {
    let place = DebianRegistry::open();
    for name in ["weather", "weather:0.1.0"] {
        let error = get(&place.reference(name).to_string()).await.unwrap_err().to_string();
        assert!(error.contains("check the name and the version"), "{error}");
    }
}

#[tokio::test]
async fn cmp_19_an_upload_is_not_sent_to_another_host() {
    let thief = Origin::start(|_| Answer::status(201)).await;
    let elsewhere = thief.url("upload");
    let registry = Origin::start(move |request| match request.method.as_str() {
        "POST" => Answer::status(202).with("location", &elsewhere),
        _ => Answer::status(404),
    })
    .await;
    let error = push(publication(b"an archive"), &reference(&registry.oci("weather"))).await.unwrap_err();
    assert!(matches!(error, Error::Unencrypted(..)), "{error}");
    assert!(thief.requests().is_empty());
}
