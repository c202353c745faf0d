//! OCI artifacts of registries that lie.

use chiton_registry::{COMPONENT_LAYER, Content, Error, PACKAGE_LAYER};

use crate::support::{Answer, Manner, Origin, bytes, get, get_with, impatient, manifest, serving, sha256, small};

const ARCHIVE: &[u8] = b"these are the bytes of an archive";

/// A registry with one manifest under a tag, and one blob under the digest of the archive.
async fn registry(manifest: Answer, blob: Answer) -> Origin {
    serving([
        ("/v2/weather/manifests/1.0.0".to_owned(), manifest),
        (format!("/v2/weather/blobs/{}", sha256(ARCHIVE)), blob),
    ])
    .await
}

fn package() -> String {
    manifest(PACKAGE_LAYER, &sha256(ARCHIVE), ARCHIVE.len())
}

async fn refusal(manifest: Answer, blob: Answer) -> Error {
    get_with(&registry(manifest, blob).await.oci("weather:1.0.0"), &small()).await.unwrap_err()
}

#[tokio::test]
async fn a_package_and_a_bare_component_are_told_apart() {
    let origin = registry(Answer::ok(package()), Answer::ok(ARCHIVE)).await;
    let fetched = get(&origin.oci("weather:1.0.0")).await.unwrap();
    assert_eq!(fetched.content, Content::Package(ARCHIVE.into()));
    assert_eq!(fetched.origin.to_string(), origin.oci(&format!("weather:1.0.0@{}", sha256(package().as_bytes()))));

    let wasm = manifest(COMPONENT_LAYER, &sha256(ARCHIVE), ARCHIVE.len());
    let wasm = wasm.replace("vnd.oci.empty.v1+json", "vnd.wasm.config.v0+json");
    let origin = registry(Answer::ok(wasm), Answer::ok(ARCHIVE)).await;
    assert_eq!(get(&origin.oci("weather:1.0.0")).await.unwrap().content, Content::Component(ARCHIVE.into()));
}

#[tokio::test]
async fn cmp_19_a_blob_with_other_bytes_is_refused() {
    for other in [&b"these are the bytes of something"[..], b"short", b""] {
        let error = refusal(Answer::ok(package()), Answer::ok(other)).await;
        assert!(matches!(error, Error::Digest { .. }), "{error}");
    }
}

#[tokio::test]
async fn res_12_a_blob_with_more_bytes_than_its_manifest_says_is_not_read() {
    let longer = Answer::ok([ARCHIVE, &[0; 500]].concat()).sent(Manner::Unannounced);
    let error = refusal(Answer::ok(package()), longer).await;
    assert!(matches!(error, Error::TooLarge(_, _, 33)), "{error}");
}

#[tokio::test]
async fn res_12_a_blob_that_is_announced_too_large_is_not_asked_for() {
    let large = manifest(PACKAGE_LAYER, &sha256(ARCHIVE), 1_001);
    let origin = registry(Answer::ok(large), Answer::ok(ARCHIVE)).await;
    let error = get_with(&origin.oci("weather:1.0.0"), &small()).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge(_, _, 1_000)), "{error}");
    assert_eq!(origin.requests().len(), 1);
}

#[tokio::test]
async fn res_12_a_manifest_over_the_limit_is_not_read() {
    let error = refusal(Answer::ok(vec![b' '; 2_001]), Answer::ok(ARCHIVE)).await;
    assert!(matches!(error, Error::TooLarge(_, _, 2_000)), "{error}");
}

#[tokio::test]
async fn cmp_19_a_manifest_that_is_not_the_pinned_one_is_refused() {
    let wanted = sha256(b"the manifest of yesterday");
    let origin = serving([(format!("/v2/weather/manifests/{wanted}"), Answer::ok(package()))]).await;
    let error = get(&origin.oci(&format!("weather:1.0.0@{wanted}"))).await.unwrap_err();
    assert!(matches!(error, Error::Digest { what: "the manifest", .. }), "{error}");
}

#[tokio::test]
async fn cmp_19_a_manifest_that_differs_from_the_digest_in_the_answer_is_refused() {
    let lying = Answer::ok(package()).with("docker-content-digest", &sha256(b"another"));
    let error = refusal(lying, Answer::ok(ARCHIVE)).await;
    assert!(matches!(error, Error::Digest { what: "the manifest", .. }), "{error}");
}

#[tokio::test]
async fn cmp_19_a_list_of_one_manifest_is_followed_and_its_digest_checked() {
    let one = |digest: &str| {
        format!(
            r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{digest}","size":9}}]}}"#
        )
    };
    let (honest, lying) = (sha256(package().as_bytes()), sha256(b"another"));
    let origin = serving([
        ("/v2/weather/manifests/1.0.0".to_owned(), Answer::ok(one(&honest))),
        ("/v2/weather/manifests/2.0.0".to_owned(), Answer::ok(one(&lying))),
        (format!("/v2/weather/manifests/{honest}"), Answer::ok(package())),
        (format!("/v2/weather/manifests/{lying}"), Answer::ok(package())),
        (format!("/v2/weather/blobs/{}", sha256(ARCHIVE)), Answer::ok(ARCHIVE)),
    ])
    .await;
    let fetched = get(&origin.oci("weather:1.0.0")).await.unwrap();
    assert_eq!(bytes(&fetched.content), ARCHIVE);
    assert!(fetched.origin.to_string().ends_with(&honest));
    let error = get(&origin.oci("weather:2.0.0")).await.unwrap_err();
    assert!(matches!(error, Error::Digest { what: "the manifest", .. }), "{error}");
}

#[tokio::test]
async fn an_artifact_of_another_kind_is_told_with_what_is_accepted() {
    let image = manifest("application/vnd.docker.image.\\u001b[2J", &sha256(ARCHIVE), ARCHIVE.len());
    let none = r#"{"schemaVersion":2,"layers":[]}"#.to_owned();
    let several = r#"{"schemaVersion":2,"manifests":[{"mediaType":"a","digest":"b","size":1},{"mediaType":"a","digest":"c","size":1}]}"#;
    for (manifest, found) in [
        (image, "a layer of type application/vnd.docker.image.\\u{1b}[2J"),
        (none, "0 layers and 0 manifests"),
        (several.to_owned(), "0 layers and 2 manifests"),
    ] {
        let error = refusal(Answer::ok(manifest), Answer::ok(ARCHIVE)).await.to_string();
        assert!(error.contains(found) && error.contains(PACKAGE_LAYER), "{error}");
    }
}

#[tokio::test]
async fn a_manifest_that_is_none_is_refused() {
    for text in [
        "<html>",
        "{}",
        r#"{"schemaVersion":1,"layers":[]}"#,
        &manifest(PACKAGE_LAYER, "sha512:ab", 1),
        &manifest(PACKAGE_LAYER, "sha256:../../secret", 1),
        &"[".repeat(1_900),
    ] {
        let error = refusal(Answer::ok(text), Answer::ok(ARCHIVE)).await;
        assert!(matches!(error, Error::Malformed("the manifest", ..)), "{text}: {error}");
    }
}

#[tokio::test]
async fn cmp_19_a_blob_at_another_host_is_refused() {
    let other = Origin::start(|_| Answer::ok(ARCHIVE)).await;
    let error = refusal(Answer::ok(package()), Answer::redirect(&other.url("blob"))).await;
    assert!(matches!(error, Error::Unencrypted(..)), "{error}");
    let error = refusal(Answer::ok(package()), Answer::redirect("https://storage.example/blob?signed=1")).await;
    assert!(error.to_string().ends_with("--allow-host storage.example"), "{error}");
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn a_blob_that_stops_or_is_cut_off_is_given_up() {
    let error = refusal(Answer::ok(package()), Answer::ok(ARCHIVE).sent(Manner::CutOff)).await;
    assert!(matches!(error, Error::Connection(..)), "{error}");
    let silent = registry(Answer::ok(package()), Answer::ok(ARCHIVE).sent(Manner::Silent)).await;
    let error = get_with(&silent.oci("weather:1.0.0"), &impatient()).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut(..)), "{error}");
}

#[tokio::test]
async fn without_a_tag_the_newest_version_is_taken() {
    let page = |tags: &str| Answer::ok(format!(r#"{{"name":"weather","tags":{tags}}}"#));
    let tags = |tags: &str, newest: &str| {
        serving([
            ("/v2/weather/tags/list?n=1000".to_owned(), page(tags)),
            (format!("/v2/weather/manifests/{newest}"), Answer::ok(package())),
            (format!("/v2/weather/blobs/{}", sha256(ARCHIVE)), Answer::ok(ARCHIVE)),
        ])
    };
    for (list, newest) in [
        (r#"["latest","1.9.0","1.10.0","2.0.0-rc.1","sha256-ab.sig"]"#, "1.10.0"),
        (r#"["2.0.0-rc.1","2.0.0-rc.2"]"#, "2.0.0-rc.2"),
    ] {
        let fetched = get(&tags(list, newest).await.oci("weather")).await.unwrap();
        assert!(fetched.origin.to_string().contains(&format!("weather:{newest}@sha256:")), "{}", fetched.origin);
    }
    for none in ["null", r#"["latest"]"#] {
        let error = get(&tags(none, "latest").await.oci("weather")).await.unwrap_err();
        assert!(matches!(error, Error::NotFound(..)), "{error}");
    }
}

#[tokio::test]
async fn a_list_of_tags_that_has_more_pages_is_not_taken_for_whole() {
    let first = Answer::ok(r#"{"tags":["1.0.0"]}"#).with("link", "</v2/weather/tags/list?last=1.0.0>; rel=\"next\"");
    let origin = serving([("/v2/weather/tags/list?n=1000".to_owned(), first)]).await;
    let error = get(&origin.oci("weather")).await.unwrap_err().to_string();
    assert!(error.contains("name a tag"), "{error}");
}
