//! The spellings in which a secret may come back.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

/// Every form of a secret that is searched for. Percent forms are not among them: the search reads every
/// byte in its percent forms too.
pub(crate) fn of(secret: &str) -> Vec<Vec<u8>> {
    let plain = secret.as_bytes();
    let reversed: Vec<u8> = plain.iter().rev().copied().collect();
    let reversed_words: String = secret.chars().rev().collect();
    let escapes = [json_least, json_web, json_all, html, plus];
    let mut forms: Vec<Vec<u8>> = escapes.into_iter().map(|escape| escaped(secret, escape)).collect();
    forms.push(hex(plain));
    for text in [plain, &reversed, reversed_words.as_bytes()] {
        forms.extend(base64(text));
        forms.push(text.to_vec());
    }
    if let Some(inner) = credentials_inside(secret) {
        forms.push(inner);
    }
    forms
}

/// Lower case; the search ignores case.
fn hex(bytes: &[u8]) -> Vec<u8> {
    let mut digits = String::with_capacity(2 * bytes.len());
    bytes.iter().for_each(|byte| push_hex(&mut digits, *byte));
    digits.into_bytes()
}

fn push_hex(text: &mut String, byte: u8) {
    text.extend([byte >> 4, byte & 15].into_iter().filter_map(|digit| char::from_digit(digit.into(), 16)));
}

/// Base64 in both alphabets, as it stands inside the base64 of a longer text: in each of three alignments
/// only the digits that depend on nothing but the secret.
fn base64(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for before in 0..3 {
        let mut padded = vec![0; before];
        padded.extend_from_slice(bytes);
        // Digit i holds bits 6i to 6i+5.
        let first = (before * 8).div_ceil(6);
        let last = padded.len() * 8 / 6;
        for digits in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            forms.push(digits.as_bytes()[first..last].to_vec());
        }
    }
    forms
}

/// The `user:password` of a ready `Basic` credential: origins that decode it echo it so.
fn credentials_inside(secret: &str) -> Option<Vec<u8>> {
    let decoded = STANDARD_NO_PAD.decode(secret.trim_end_matches('=')).ok()?;
    let is_text = decoded.iter().all(|byte| (b' '..=b'~').contains(byte));
    (is_text && decoded.len() >= crate::credentials::MIN_SECRET_BYTES).then_some(decoded)
}

fn escaped(secret: &str, escape: fn(&mut String, char)) -> Vec<u8> {
    let mut text = String::with_capacity(secret.len());
    secret.chars().for_each(|char| escape(&mut text, char));
    text.into_bytes()
}

fn json_least(text: &mut String, char: char) {
    if matches!(char, '"' | '\\') {
        text.push('\\');
    }
    text.push(char);
}

/// As encoders do that fear for the HTML around them.
fn json_web(text: &mut String, char: char) {
    match char {
        '"' | '\\' | '/' => text.extend(['\\', char]),
        '<' | '>' | '&' | '\'' | '+' | '=' => json_all(text, char),
        _ if char.is_ascii() => text.push(char),
        _ => json_all(text, char),
    }
}

fn json_all(text: &mut String, char: char) {
    for unit in char.encode_utf16(&mut [0; 2]) {
        text.push_str("\\u");
        unit.to_be_bytes().into_iter().for_each(|byte| push_hex(text, byte));
    }
}

fn html(text: &mut String, char: char) {
    match char {
        '&' => text.push_str("&amp;"),
        '<' => text.push_str("&lt;"),
        '>' => text.push_str("&gt;"),
        '"' => text.push_str("&quot;"),
        '\'' => text.push_str("&#39;"),
        _ => text.push(char),
    }
}

/// A blank in a query; the search decodes the percent forms around it.
fn plus(text: &mut String, char: char) {
    text.push(if char == ' ' { '+' } else { char });
}
