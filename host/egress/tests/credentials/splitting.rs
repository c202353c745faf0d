//! The redactor alone: every form, cut everywhere.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use chiton_egress::{Patterns, REDACTED, Redactor, SecretString};

const SECRETS: &[&str] =
    &["correct-horse-battery-staple", "p&ss \"w\u{f6}rd\"/<+=>", "aaaaaaaa", "0123456789abcdef", "%41%42%43"];

/// Pushes the text cut into pieces of `size`.
fn pass(patterns: &Patterns, text: &[u8], size: usize) -> Vec<u8> {
    let mut redactor = Redactor::new(patterns.clone());
    let mut clean = Vec::new();
    for piece in text.chunks(size) {
        clean.extend_from_slice(&redactor.push(Bytes::copy_from_slice(piece)));
    }
    clean.extend_from_slice(&redactor.finish());
    clean
}

fn patterns(secrets: &[&str]) -> Patterns {
    let secrets: Vec<_> = secrets.iter().map(|secret| SecretString::from(*secret)).collect();
    Patterns::new(&secrets)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The usual encoders, written down independently of the engine.
fn spellings(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let all_percent: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
    let half_percent: String = secret
        .char_indices()
        .map(
            |(at, char)| if at % 2 == 0 && char.is_ascii() { format!("%{:02x}", char as u8) } else { char.to_string() },
        )
        .collect();
    let form: String = url::form_urlencoded::byte_serialize(bytes).collect();
    let mut all = vec![
        secret.to_owned(),
        secret.to_uppercase().replace('\u{d6}', "\u{f6}"),
        secret.chars().rev().collect(),
        hex(bytes),
        hex(bytes).to_uppercase(),
        all_percent.to_lowercase(),
        all_percent.replace('%', "%25"),
        all_percent,
        half_percent,
        form.replace('+', "%20"),
        form,
        secret.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect(),
        secret.replace('\\', "\\\\").replace('"', "\\\""),
        secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;"),
    ];
    for before in ["", "x", "xy", "xyz", "user:"] {
        let whole = [before.as_bytes(), bytes, b"z"].concat();
        all.push(STANDARD.encode(&whole));
        all.push(URL_SAFE_NO_PAD.encode(&whole));
        all.push(url::form_urlencoded::byte_serialize(STANDARD.encode(&whole).as_bytes()).collect());
    }
    all
}

#[test]
fn cred_03_every_spelling_is_redacted_wherever_the_stream_is_cut() {
    for secret in SECRETS {
        let patterns = patterns(&[secret]);
        for spelling in spellings(secret) {
            let text = format!("before, {spelling}; after");
            for size in [1, 2, 3, 7, 16, 1000] {
                let clean = String::from_utf8_lossy(&pass(&patterns, text.as_bytes(), size)).into_owned();
                assert!(clean.contains(REDACTED), "{spelling} of {secret} in pieces of {size}: {clean}");
                assert!(!patterns.found_in(clean.as_bytes()), "{spelling} of {secret} in pieces of {size}: {clean}");
                assert!(clean.starts_with("before, ") && clean.ends_with("; after"), "{clean}");
            }
        }
    }
}

#[test]
fn cred_03_overlapping_secrets_leave_nothing_of_either() {
    let patterns = patterns(&["abcdefgh1234", "1234stuvwxyz"]);
    for size in [1, 5, 100] {
        assert_eq!(pass(&patterns, b"-abcdefgh1234stuvwxyz-", size), b"-[REDACTED]-");
        assert_eq!(pass(&patterns, b"abcdefgh12341234stuvwxyz", size), b"[REDACTED][REDACTED]");
    }
}

#[test]
fn a_form_that_is_not_complete_is_all_that_is_held() {
    let mut redactor = Redactor::new(patterns(&["correct-horse-battery-staple"]));
    let mut push = |text: &'static str| String::from_utf8(redactor.push(text.into()).to_vec()).unwrap();
    assert_eq!(push("some words, some x"), "some words, some x");
    assert_eq!(push("and CORRECT-h"), "and ");
    assert_eq!(push("orse% and corr%65"), "CORRECT-horse% and ");
    assert_eq!(push("ct-horse-battery-staple"), REDACTED);
    assert_eq!(redactor.finish(), "");
}

#[test]
fn cred_11_near_misses_are_left_alone() {
    let patterns = patterns(&["correct-horse-battery-staple"]);
    for text in [
        "correct-horse-battery-stapl",
        "orrect-horse-battery-staple",
        "correct horse battery staple",
        "%",
        "%4",
        "100%",
        "",
    ] {
        assert_eq!(pass(&patterns, text.as_bytes(), 1), text.as_bytes());
    }
}

#[test]
fn without_secrets_a_chunk_passes_untouched() {
    let patterns = patterns(&[]);
    let mut redactor = Redactor::new(patterns);
    assert_eq!(redactor.push(Bytes::from_static(b"%41 anything")), "%41 anything");
    assert!(redactor.finish().is_empty());
}
