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
    bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
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

fn escaped(secret: &str, escape: fn(char) -> String) -> Vec<u8> {
    secret.chars().map(escape).collect::<String>().into_bytes()
}

fn json_least(char: char) -> String {
    match char {
        '"' | '\\' => format!("\\{char}"),
        _ => char.into(),
    }
}

/// As encoders do that fear for the HTML around them.
fn json_web(char: char) -> String {
    match char {
        '"' | '\\' | '/' => format!("\\{char}"),
        '<' | '>' | '&' | '\'' | '+' | '=' => json_all(char),
        _ if char.is_ascii() => char.into(),
        _ => json_all(char),
    }
}

fn json_all(char: char) -> String {
    let mut units = [0; 2];
    char.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect()
}

fn html(char: char) -> String {
    match char {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&#39;".to_owned(),
        _ => char.into(),
    }
}

/// A blank in a query; the search decodes the percent forms around it.
fn plus(char: char) -> String {
    if char == ' ' { "+".to_owned() } else { char.into() }
}
