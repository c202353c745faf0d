//! Index files.

use chiton_registry::{Error, Index, Options, TITLE, VERSION, fetch_index};

use crate::support::{Answer, Origin, bytes, get, serving, sha256};

const OLD: &[u8] = b"the archive of 1.9.0";
const NEW: &[u8] = b"the archive of 1.10.0";

fn entry(name: &str, version: &str, url: &str, archive: &[u8], more: &str) -> String {
    let digest = sha256(archive).replace("sha256:", "");
    format!(
        r#"{{"name":"{name}","version":"{version}","description":"Tells the {name}","url":"{url}","sha256":"{digest}"{more}}}"#
    )
}

fn index(entries: &[String]) -> String {
    format!(r#"{{"format":1,"skills":[{}]}}"#, entries.join(","))
}

/// A publisher with 1.9.0, 1.10.0, a pre-release of 2.0.0, and 1.11.0 withdrawn.
async fn publisher() -> Origin {
    let list = index(&[
        entry("weather", "1.10.0", "archives/new.zip", NEW, ""),
        entry("weather", "1.9.0", "/skills/archives/old.zip", OLD, ""),
        entry("weather", "2.0.0-rc.1", "archives/old.zip", OLD, ""),
        entry("weather", "1.11.0", "archives/old.zip", OLD, r#","yanked":true"#),
        entry("tides", "0.1.0", "archives/old.zip", OLD, ""),
    ]);
    serving([
        ("/skills/index.json".to_owned(), Answer::ok(list)),
        ("/skills/archives/new.zip".to_owned(), Answer::ok(NEW)),
        ("/skills/archives/old.zip".to_owned(), Answer::ok(OLD)),
    ])
    .await
}

#[tokio::test]
async fn the_newest_version_is_taken_that_was_not_withdrawn() {
    let origin = publisher().await;
    let place = origin.url("skills/index.json");
    let fetched = get(&format!("{place}#weather")).await.unwrap();
    assert_eq!(bytes(&fetched.content), NEW);
    assert_eq!(fetched.origin.to_string(), format!("{place}#weather@1.10.0@{}", sha256(NEW)));
    assert_eq!((fetched.annotations[TITLE].as_str(), fetched.annotations[VERSION].as_str()), ("weather", "1.10.0"));
    assert_eq!(get(&fetched.origin.to_string()).await.unwrap().origin, fetched.origin);
}

#[tokio::test]
async fn a_version_that_is_named_is_taken() {
    let origin = publisher().await;
    let place = origin.url("skills/index.json");
    assert_eq!(bytes(&get(&format!("{place}#weather@1.9.0")).await.unwrap().content), OLD);
}

#[tokio::test]
async fn a_withdrawn_version_is_given_only_to_those_who_pinned_it() {
    let origin = publisher().await;
    let withdrawn = format!("{}#weather@1.11.0", origin.url("skills/index.json"));
    let error = get(&withdrawn).await.unwrap_err().to_string();
    assert_eq!(error, "the index has no weather 1.11.0 that was not withdrawn; search it for what there is");
    assert_eq!(bytes(&get(&format!("{withdrawn}@{}", sha256(OLD))).await.unwrap().content), OLD);
}

#[tokio::test]
async fn cmp_19_a_version_whose_entry_was_changed_is_refused_to_those_who_pinned_it() {
    let origin = publisher().await;
    let pinned = format!("{}#weather@1.10.0@{}", origin.url("skills/index.json"), sha256(OLD));
    assert!(matches!(get(&pinned).await.unwrap_err(), Error::Digest { .. }));
}

#[tokio::test]
async fn cmp_19_an_archive_that_differs_from_its_entry_is_refused() {
    let list = index(&[entry("weather", "1.0.0", "weather.zip", OLD, "")]);
    let origin =
        serving([("/index.json".to_owned(), Answer::ok(list)), ("/weather.zip".to_owned(), Answer::ok(NEW))]).await;
    let error = get(&format!("{}#weather", origin.url("index.json"))).await.unwrap_err();
    assert!(matches!(error, Error::Digest { .. }), "{error}");
}

#[tokio::test]
async fn cmp_19_an_archive_on_another_host_is_refused() {
    for (url, words) in [
        ("https://elsewhere.example/weather.zip", "allow it with --allow-host elsewhere.example"),
        ("http://169.254.169.254/weather.zip", "without encryption"),
        ("file:///etc/passwd", "without encryption"),
    ] {
        let list = index(&[entry("weather", "1.0.0", url, OLD, "")]);
        let origin = serving([("/index.json".to_owned(), Answer::ok(list))]).await;
        let error = get(&format!("{}#weather", origin.url("index.json"))).await.unwrap_err().to_string();
        assert!(error.contains(words), "{url}: {error}");
    }
}

#[tokio::test]
async fn a_search_finds_the_newest_versions_that_have_all_words() {
    let origin = publisher().await;
    let index = fetch_index(&origin.url("skills/index.json"), &Options::default()).await.unwrap();
    let found = |words: &[&str]| -> Vec<String> {
        index.search(words).into_iter().map(|entry| format!("{} {}", entry.name, entry.version)).collect()
    };
    assert_eq!(found(&[]), ["tides 0.1.0", "weather 1.10.0"]);
    assert_eq!(found(&["TELLS", "weath"]), ["weather 1.10.0"]);
    assert_eq!(found(&["tells", "fortune"]), [""; 0]);
}

#[test]
fn an_index_that_is_not_exactly_right_is_refused_with_the_reason() {
    let good = entry("weather", "1.0.0", "weather.zip", OLD, "");
    for (text, reason) in [
        ("[]".to_owned(), "expected"),
        (r#"{"format":2,"skills":[],"new":true}"#.to_owned(), "its format is 2, and only 1 is known"),
        (r#"{"format":1,"skills":[],"extra":1}"#.to_owned(), "unknown field `extra`"),
        (index(&[good.replace("\"url\"", "\"uri\"")]), "unknown field `uri`"),
        (index(&[good.replace("1.0.0", "1.0")]), "version"),
        (index(&[good.replace("\"sha256\":\"", "\"sha256\":\"x")]), "64 hexadecimal digits"),
        // CMP-19: a name in letters that look alike.
        (index(&[good.replace("weather\",\"v", "w\u{435}ather\",\"v")]), "is not made of a-z, 0-9 and -"),
        (index(&[good.clone(), good.clone()]), "weather 1.0.0 is in it twice"),
    ] {
        let error = Index::parse(text.as_bytes()).unwrap_err();
        assert!(error.contains(reason), "{text}: {error}");
    }
    assert_eq!(Index::parse(index(&[good]).as_bytes()).unwrap().skills.len(), 1);
}

#[tokio::test]
async fn cmp_10_what_a_broken_index_says_is_shown_without_control_characters() {
    let text = "{\"format\":1,\"skills\":[],\"\\u001b[2J\\u202e\":1}";
    let origin = serving([("/index.json".to_owned(), Answer::ok(text))]).await;
    let error = fetch_index(&origin.url("index.json"), &Options::default()).await.unwrap_err().to_string();
    assert!(error.contains("unknown field") && error.contains("\\u{1b}[2J\\u{202e}"), "{error}");
}
