//! What the owner may type.

use chiton_registry::{Credentials, Remote, Source};

const HEX: &str = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";

#[test]
fn a_source_is_written_as_it_is_read() {
    for text in [
        "weather",
        "./weather",
        "/home/owner/skills/weather",
        "..",
        "weather.tar.gz",
        "archives/weather.tgz",
        "weather.tar",
        "weather.zip",
        "oci://registry.example/skills/weather",
        "oci://registry.example:5000/weather:1.2.0",
        "oci://[::1]:5000/weather:1.2.0-rc.1",
        &format!("oci://registry.example/weather@sha256:{HEX}"),
        &format!("oci://registry.example/weather:1.2.0@sha256:{HEX}"),
        "https://example.com/index.json#weather",
        "https://example.com:8443/skills/index.json#weather@1.2.0",
        &format!("https://example.com/index.json#weather@1.2.0@sha256:{HEX}"),
        "https://example.com/weather-1.2.0.zip",
        "https://example.com/weather.tar.gz?ref=main",
        &format!("https://example.com/weather.tar.gz#sha256:{HEX}"),
        "http://127.0.0.1:8000/index.json#weather",
        "http://localhost:8000/weather.tgz",
    ] {
        let source: Source = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(source.to_string(), text);
    }
}

#[test]
fn a_host_is_written_in_the_way_that_names_are_compared() {
    for (typed, canonical) in [
        ("oci://Registry.EXAMPLE:443/weather:1.0.0", "oci://registry.example/weather:1.0.0"),
        ("https://EXAMPLE.com:443/index.json#weather", "https://example.com/index.json#weather"),
        // CMP-19: a Cyrillic letter is seen.
        ("oci://r\u{435}gistry.example/weather", "oci://xn--rgistry-7gg.example/weather"),
    ] {
        assert_eq!(typed.parse::<Source>().unwrap().to_string(), canonical);
    }
}

#[test]
fn a_bare_name_is_a_bundled_skill_whatever_lies_in_the_current_folder() {
    assert_eq!("src".parse::<Source>().unwrap(), Source::Bundled("src".to_owned()));
    assert_eq!("./src".parse::<Source>().unwrap(), Source::Folder("./src".into()));
}

#[test]
fn what_is_no_source_is_refused_with_what_is_accepted() {
    for (text, reason) in [
        ("", "empty"),
        ("wea\nther", "control characters"),
        ("Weather", "a-z, 0-9 and -"),
        ("http://example.com/weather.zip", "only https and oci"),
        ("ftp://example.com/weather.zip", "only https and oci"),
        ("http://127.0.0.1.example.com/weather.zip", "only https and oci"),
        ("https://owner:secret@example.com/weather.zip", "configuration"),
        ("https://example.com/weather", "neither an archive nor an index"),
        ("https://example.com/index.json", "the name of a skill"),
        ("https://example.com/weather.zip#weather", "neither an archive nor an index"),
        ("https://example.com/index.json#We\u{435}ther", "the name of a skill"),
        ("https://example.com/index.json#weather@new", "a version such as"),
        ("https://example.com/weather.zip#sha256:12", "64 hexadecimal digits"),
        ("oci://registry.example", "a name is missing"),
        ("oci://registry.example/Weather", "lower-case"),
        ("oci://registry.example/a/../b", "lower-case"),
        ("oci://registry.example/weather:", "a tag has"),
        ("oci://registry.example/weather@sha512:12", "64 hexadecimal digits"),
        ("oci://owner@registry.example/weather", "configuration"),
        ("oci://registry.example?x/weather", "host is not valid"),
        ("oci://registry.example\\x/weather", "host is not valid"),
    ] {
        let error = text.parse::<Source>().unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
        assert!(error.contains("write a name (weather), a folder (./weather)"), "{error}");
        assert!(!error.chars().any(char::is_control), "{error:?}");
    }
}

#[test]
fn only_a_source_of_another_machine_is_fetched() {
    assert!("./weather".parse::<Remote>().unwrap_err().to_string().contains("on this machine"));
}

#[test]
fn credentials_are_a_user_and_a_token_and_are_never_shown() {
    let credentials: Credentials = "owner:a-secret-token".parse().unwrap();
    assert_eq!(format!("{credentials:?}"), "Credentials(hidden)");
    for wrong in ["a-secret-token", ":a-secret-token", "owner:", "owner:a-secret\r\ntoken"] {
        let error = wrong.parse::<Credentials>().unwrap_err().to_string();
        assert!(error.contains("USER:TOKEN") && !error.contains("a-secret"), "{error}");
    }
}
