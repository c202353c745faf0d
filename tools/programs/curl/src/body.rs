//! Bodies of requests: data as forms send it, JSON, several parts, files.

use crate::plain;
use crate::transfer::{Trouble, code};
use std::io::Read;

/// Reads a file; `-` is standard input.
pub(crate) fn read(file: &str) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    let read = match file {
        "-" => std::io::stdin().read_to_end(&mut bytes).map(drop),
        file => std::fs::read(file).map(|read| bytes = read),
    };
    match read {
        Ok(()) => Ok(bytes),
        Err(error) => Err(Trouble::new(code::READ, format!("Failed to open {file}: {}", plain(&error)))),
    }
}

/// How `-d` and its relatives read their value.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Data {
    /// `-d`: `@FILE` without its line ends.
    Text,
    /// `--data-binary`, `--json`: `@FILE` as it is.
    Binary,
    /// `--data-raw`: nothing is a file.
    Raw,
    /// `--data-urlencode`: `VALUE`, `=VALUE`, `NAME=VALUE`, `@FILE`, `NAME@FILE`.
    Encoded,
}

/// The bytes that one data option adds.
pub(crate) fn data(kind: Data, value: &str) -> Result<Vec<u8>, Trouble> {
    match (kind, value.strip_prefix('@')) {
        (Data::Raw, _) | (Data::Text | Data::Binary, None) => Ok(value.as_bytes().to_vec()),
        (Data::Binary, Some(file)) => read(file),
        (Data::Text, Some(file)) => {
            let mut bytes = read(file)?;
            bytes.retain(|byte| !matches!(byte, b'\r' | b'\n' | 0));
            Ok(bytes)
        }
        (Data::Encoded, _) => encoded(value),
    }
}

fn encoded(value: &str) -> Result<Vec<u8>, Trouble> {
    let mark = value.find(['=', '@']);
    let (name, content) = match mark.map(|at| (at, value.as_bytes()[at])) {
        Some((at, b'=')) => (&value[..at], value.as_bytes()[at + 1..].to_vec()),
        Some((at, _)) => (&value[..at], read(&value[at + 1..])?),
        None => ("", value.as_bytes().to_vec()),
    };
    let content = percent(&content);
    let whole = if name.is_empty() { content } else { format!("{name}={content}") };
    Ok(whole.into_bytes())
}

/// Percent-encoding of everything but the unreserved characters of RFC 3986.
pub(crate) fn percent(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(*byte)),
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}

/// One `-F NAME=CONTENT`, where `@FILE` uploads a file and `<FILE` takes its content as the text.
pub(crate) struct Part {
    /// The value of `-F` or `--form-string`.
    pub(crate) given: String,
    /// `--form-string`: the content is text whatever it starts with.
    pub(crate) is_text: bool,
}

/// The parts as `multipart/form-data` (RFC 7578), and their media type.
pub(crate) fn multipart(parts: &[Part]) -> Result<(Vec<u8>, String), Trouble> {
    let boundary = boundary();
    let mut body = Vec::new();
    for part in parts {
        let Some((name, content)) = part.given.split_once('=') else {
            return Err(Trouble::new(code::USAGE, format!("-F {}: it must be NAME=CONTENT", part.given)));
        };
        let (content, attributes) = match part.is_text {
            true => (content, Vec::new()),
            false => split_attributes(content),
        };
        let attribute = |name: &str| attributes.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        let (bytes, file) = match (part.is_text, content.as_bytes().first()) {
            (false, Some(b'@')) => (read(&content[1..])?, Some(content[1..].rsplit('/').next().unwrap_or_default())),
            (false, Some(b'<')) => (read(&content[1..])?, None),
            _ => (content.as_bytes().to_vec(), None),
        };
        let mut head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", quoted(name));
        if let Some(file) = attribute("filename").or(file) {
            head.push_str(&format!("; filename=\"{}\"", quoted(file)));
        }
        let kind = attribute("type").or_else(|| file.map(media_type));
        if let Some(kind) = kind {
            head.push_str(&format!("\r\nContent-Type: {kind}"));
        }
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(b"\r\n\r\n");
        body.extend_from_slice(&bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok((body, format!("multipart/form-data; boundary={boundary}")))
}

/// `CONTENT;type=...;filename=...`.
fn split_attributes(content: &str) -> (&str, Vec<(&str, &str)>) {
    let mut pieces = content.split(';');
    let mut end = pieces.next().map_or(0, str::len);
    let mut attributes = Vec::new();
    for piece in pieces {
        match piece.trim().split_once('=') {
            Some((name @ ("type" | "filename" | "encoder"), value)) => attributes.push((name, value.trim_matches('"'))),
            // A semicolon of the content itself.
            _ if attributes.is_empty() => end += 1 + piece.len(),
            _ => {}
        }
    }
    (&content[..end], attributes)
}

fn quoted(text: &str) -> String {
    text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

fn media_type(file: &str) -> &'static str {
    const ENDINGS: [(&str, &str); 8] = [
        ("gif", "image/gif"),
        ("jpg", "image/jpeg"),
        ("jpeg", "image/jpeg"),
        ("png", "image/png"),
        ("pdf", "application/pdf"),
        ("txt", "text/plain"),
        ("html", "text/html"),
        ("json", "application/json"),
    ];
    let ending = file.rsplit('.').next().unwrap_or_default();
    ENDINGS.iter().find(|(known, _)| *known == ending).map_or("application/octet-stream", |(_, kind)| kind)
}

/// Nothing in a part can be expected to contain it.
fn boundary() -> String {
    let mut bytes = [0; 12];
    // Without randomness the boundary is a constant: then a part that contains it is sent wrongly, nothing worse.
    let _ = getrandom::fill(&mut bytes);
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("------------------------{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_data_keeps_the_name_and_encodes_the_value() {
        assert_eq!(data(Data::Encoded, "q=a b&c").unwrap(), b"q=a%20b%26c");
        assert_eq!(data(Data::Encoded, "=a/b").unwrap(), b"a%2Fb");
        assert_eq!(data(Data::Encoded, "plain text").unwrap(), b"plain%20text");
    }

    #[test]
    fn raw_data_names_no_file() {
        assert_eq!(data(Data::Raw, "@x").unwrap(), b"@x");
        assert_eq!(data(Data::Text, "@/no/such/file").unwrap_err().code, code::READ);
    }

    #[test]
    fn parts_carry_name_type_and_content() {
        let part = |given: &str| Part { given: given.to_owned(), is_text: false };
        let (body, kind) = multipart(&[part("a=1;type=text/x"), part("b=x;y")]).unwrap();
        let body = String::from_utf8(body).unwrap();
        let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
        assert_eq!(
            body,
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Type: text/x\r\n\r\n1\r\n\
                 --{boundary}\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\nx;y\r\n--{boundary}--\r\n"
            )
        );
    }
}
