//! Quoting: text that a shell reads back as it was, and the escapes of `$'...'`.

/// `text` so that a shell reads it as one literal word.
pub fn quote(text: &str) -> String {
    let plain = |next: char| next.is_ascii_alphanumeric() || "_-./:@%+=,".contains(next);
    if text.is_empty() {
        "''".to_owned()
    } else if text.chars().all(plain) {
        text.to_owned()
    } else if text.chars().any(char::is_control) {
        ansi(text)
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// `text` as `printf %q` and `declare -p` of bash write it: with backslashes.
pub(crate) fn backslashed(text: &str) -> String {
    if text.is_empty() {
        return "''".to_owned();
    }
    if text.chars().any(char::is_control) {
        return ansi(text);
    }
    let mut quoted = String::with_capacity(text.len());
    for (index, next) in text.chars().enumerate() {
        let special = " !\"$&'()*,;<>?[\\]^`{|}".contains(next) || (index == 0 && "#~".contains(next));
        if special {
            quoted.push('\\');
        }
        quoted.push(next);
    }
    quoted
}

/// `text` between double quotes.
pub(crate) fn double(text: &str) -> String {
    if text.chars().any(char::is_control) {
        return ansi(text);
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for next in text.chars() {
        if "\"$`\\".contains(next) {
            quoted.push('\\');
        }
        quoted.push(next);
    }
    quoted.push('"');
    quoted
}

fn ansi(text: &str) -> String {
    let mut quoted = String::from("$'");
    for next in text.chars() {
        match next {
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{b}' => quoted.push_str("\\v"),
            '\u{c}' => quoted.push_str("\\f"),
            '\u{1b}' => quoted.push_str("\\E"),
            '\'' | '\\' => quoted.extend(['\\', next]),
            control if u32::from(control) < 0x80 && control.is_control() => {
                quoted.push_str(&format!("\\{:03o}", u32::from(control)));
            }
            control if control.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

/// Which dialect of backslash escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escapes {
    /// `$'...'` and the format of `printf`: octal as `\nnn`.
    Ansi,
    /// `echo -e` and `%b`: octal as `\0nnn`, and `\c` ends the output.
    Echo,
}

/// Text with its escapes replaced. Bytes that make no text become U+FFFD.
pub(crate) fn unescape_ansi(text: &str) -> String {
    String::from_utf8_lossy(&unescape(text, Escapes::Ansi).0).into_owned()
}

/// Bytes with escapes replaced, and whether `\c` ended them.
pub(crate) fn unescape(text: &str, escapes: Escapes) -> (Vec<u8>, bool) {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend(rest.get(..at).unwrap_or_default().as_bytes());
        rest = rest.get(at + 1..).unwrap_or_default();
        let Some(letter) = rest.chars().next() else {
            bytes.push(b'\\');
            break;
        };
        let after = rest.get(letter.len_utf8()..).unwrap_or_default();
        match letter {
            'c' if escapes == Escapes::Echo => return (bytes, true),
            '0' if escapes == Escapes::Echo => rest = number(after, 8, 3, &mut bytes),
            '0'..='7' => rest = number(rest, 8, 3, &mut bytes),
            'x' if starts_with_hex(after) => rest = number(after, 16, 2, &mut bytes),
            'u' if starts_with_hex(after) => rest = character(after, 4, &mut bytes),
            'U' if starts_with_hex(after) => rest = character(after, 8, &mut bytes),
            other => {
                match SIMPLE.iter().find(|(name, _)| *name == other) {
                    Some((_, byte)) => bytes.push(*byte),
                    None if escapes == Escapes::Ansi && "'\"?".contains(other) => bytes.push(other as u8),
                    None => {
                        bytes.push(b'\\');
                        bytes.extend(other.to_string().as_bytes());
                    }
                }
                rest = after;
            }
        }
    }
    bytes.extend(rest.as_bytes());
    (bytes, false)
}

const SIMPLE: [(char, u8); 10] = [
    ('a', 7),
    ('b', 8),
    ('e', 27),
    ('E', 27),
    ('f', 12),
    ('n', b'\n'),
    ('r', b'\r'),
    ('t', b'\t'),
    ('v', 11),
    ('\\', b'\\'),
];

fn starts_with_hex(text: &str) -> bool {
    text.starts_with(|next: char| next.is_ascii_hexdigit())
}

/// The digits at the start of `text`, at most `most`, and what is behind them.
fn digits(text: &str, radix: u32, most: usize) -> (u32, &str) {
    let count = text.chars().take(most).take_while(|next| next.is_digit(radix)).count();
    let (digits, rest) = text.split_at(count);
    (u32::from_str_radix(digits, radix).unwrap_or_default(), rest)
}

fn number<'a>(text: &'a str, radix: u32, most: usize, bytes: &mut Vec<u8>) -> &'a str {
    let (value, rest) = digits(text, radix, most);
    bytes.push(value as u8);
    rest
}

fn character<'a>(text: &'a str, most: usize, bytes: &mut Vec<u8>) -> &'a str {
    let (value, rest) = digits(text, 16, most);
    let character = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
    bytes.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
    rest
}
