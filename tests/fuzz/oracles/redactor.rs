//! No form of a secret survives, wherever the stream is cut, and nothing else is changed.
//! The input is: form, piece size, length of the text before, length of the secret, then all of these.

use base64::{
    Engine as _,
    engine::{
        DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig,
        general_purpose::{STANDARD, URL_SAFE_NO_PAD},
    },
};
use bytes::Bytes;
use chiton_egress::{MIN_SECRET_BYTES, Patterns, REDACTED, Redactor, SecretString};

/// Longest secret that is tried.
const LONGEST: usize = 48;

pub fn check(data: &[u8]) {
    let [form, size, before, length, rest @ ..] = data else { return };
    let before = usize::from(*before).min(rest.len());
    let (before, rest) = rest.split_at(before);
    let length = (usize::from(*length) % LONGEST).max(MIN_SECRET_BYTES).min(rest.len());
    let (secret, after) = rest.split_at(length);
    let Ok(secret) = std::str::from_utf8(secret) else { return };
    if secret.len() < MIN_SECRET_BYTES {
        return;
    }
    let patterns = Patterns::new(&[SecretString::from(secret)]);
    let text = [before, &spelled(*form, secret, before), after].concat();
    let clean = pass(&patterns, &text, usize::from(*size).max(1));
    assert!(contains(&clean, REDACTED.as_bytes()), "form {form} of {secret:?} was not seen in {:?}", show(&text));
    // A marker is not the guest's text; what it touches is no spelling.
    let pieces = split(&clean);
    for piece in &pieces {
        survives_nowhere(secret, piece);
    }
    in_order(&pieces, &text);

    let other = [before, after].concat();
    if !patterns.found_in(&other) {
        assert_eq!(pass(&patterns, &other, usize::from(*size).max(1)), other, "text without the secret was changed");
    }
}

/// The usual encoders, written independently of the engine.
fn spelled(form: u8, secret: &str, before: &[u8]) -> Vec<u8> {
    let bytes = secret.as_bytes();
    let around = [&before[..before.len().min(3)], bytes, b"z"].concat();
    match form % 12 {
        0 => bytes.to_vec(),
        1 => bytes.iter().rev().copied().collect(),
        2 => hex(bytes).into_bytes(),
        3 => hex(bytes).to_uppercase().into_bytes(),
        4 => STANDARD.encode(bytes).into_bytes(),
        5 => URL_SAFE_NO_PAD.encode(&around).into_bytes(),
        6 => STANDARD.encode(&around).into_bytes(),
        7 => bytes.iter().flat_map(|byte| format!("%{byte:02X}").into_bytes()).collect(),
        8 => bytes.iter().flat_map(|byte| format!("%25{byte:02x}").into_bytes()).collect(),
        9 => url::form_urlencoded::byte_serialize(bytes).collect::<String>().into_bytes(),
        10 => secret.encode_utf16().flat_map(|unit| format!("\\u{unit:04x}").into_bytes()).collect(),
        _ => secret.to_ascii_uppercase().into_bytes(),
    }
}

fn survives_nowhere(secret: &str, piece: &[u8]) {
    let bytes = secret.as_bytes();
    let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
    let low = piece.to_ascii_lowercase();
    for (name, form) in [
        ("plain", bytes.to_vec()),
        ("reversed", reversed),
        ("hex", hex(bytes).into_bytes()),
        ("percent", bytes.iter().flat_map(|byte| format!("%{byte:02x}").into_bytes()).collect()),
        ("unicode", secret.encode_utf16().flat_map(|unit| format!("\\u{unit:04x}").into_bytes()).collect()),
    ] {
        assert!(!contains(&low, &form.to_ascii_lowercase()), "{name} of {secret:?} survives in {:?}", show(piece));
    }
    let standard: Vec<u8> = piece
        .iter()
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => *other,
        })
        .collect();
    for run in standard.split(|byte| !(byte.is_ascii_alphanumeric() || b"+/".contains(byte))) {
        for skip in 0..run.len().min(4) {
            assert!(!contains(&decoded(&run[skip..]), bytes), "base64 of {secret:?} survives in {:?}", show(piece));
        }
    }
}

/// As many bytes as the digits give.
fn decoded(run: &[u8]) -> Vec<u8> {
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let lenient = GeneralPurpose::new(&base64::alphabet::STANDARD, config);
    let whole = if run.len() % 4 == 1 { run.len() - 1 } else { run.len() };
    lenient.decode(&run[..whole]).unwrap_or_default()
}

/// What is left are pieces of the input, in their order.
fn in_order(pieces: &[&[u8]], text: &[u8]) {
    let mut rest = text;
    for piece in pieces {
        let at = position(rest, piece).unwrap_or_else(|| panic!("{:?} is not in {:?}", show(piece), show(text)));
        rest = &rest[at + piece.len()..];
    }
}

fn pass(patterns: &Patterns, text: &[u8], size: usize) -> Vec<u8> {
    let mut redactor = Redactor::new(patterns.clone());
    let mut clean = Vec::new();
    for piece in text.chunks(size) {
        clean.extend_from_slice(&redactor.push(Bytes::copy_from_slice(piece)));
    }
    clean.extend_from_slice(&redactor.finish());
    clean
}

fn split(clean: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut rest = clean;
    while let Some(at) = position(rest, REDACTED.as_bytes()) {
        pieces.push(&rest[..at]);
        rest = &rest[at + REDACTED.len()..];
    }
    pieces.push(rest);
    pieces
}

fn position(text: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() {
        return Some(0);
    }
    text.windows(part.len()).position(|window| window == part)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    position(text, part).is_some()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn show(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
