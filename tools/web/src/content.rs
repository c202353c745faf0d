//! What a response is, and its text.

use crate::charset;
use crate::page::{self, Mode};
use chiton_documents::{Kind, Picture};
use url::Url;

/// Largest JSON that is laid out; a larger one stays as it came.
const LARGEST_PRETTY: usize = 2 << 20;
/// Most bytes of a document's text.
const MOST_DOCUMENT_TEXT: usize = 4 << 20;

/// Media types of text besides `text/*`, by their beginning.
const TEXTUAL: [&str; 8] = [
    "application/xml",
    "application/javascript",
    "application/ecmascript",
    "application/yaml",
    "application/x-yaml",
    "application/toml",
    "application/x-sh",
    "application/sql",
];

/// What a response holds.
#[derive(Debug, PartialEq)]
pub(crate) enum Content {
    Text(Text),
    Picture(Picture),
}

/// Text of a response.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Text {
    pub(crate) title: String,
    pub(crate) text: String,
    /// How the text was found.
    pub(crate) extractor: &'static str,
    /// Whether there was more than is read.
    pub(crate) cut: bool,
}

/// The content of a response with this `content-type` field. An error is the end of a sentence about the response.
pub(crate) fn read(kind: &str, body: Vec<u8>, url: &Url, mode: Mode) -> Result<Content, String> {
    let (media, charset) = media_type(kind);
    if chiton_documents::picture_format(&body).is_some() {
        return chiton_documents::picture(&body).map(Content::Picture).map_err(|error| error.to_string());
    }
    if let Some(kind) = Kind::of(&body) {
        let document =
            chiton_documents::read(kind, body, None, MOST_DOCUMENT_TEXT).map_err(|error| error.to_string())?;
        let cut = document.truncated || document.next.is_some();
        return Ok(Content::Text(Text { title: document.title, text: document.text, extractor: "document", cut }));
    }
    let unnamed = media.is_empty() || media == "application/octet-stream";
    let text = |extractor, text| Ok(Content::Text(Text { text, extractor, ..Text::default() }));
    if media == "text/html" || media == "application/xhtml+xml" || (unnamed && looks_like_html(&body)) {
        let page = page::read(&charset::decode(&body, charset.as_deref()), url, mode);
        return Ok(Content::Text(Text {
            title: page.title,
            text: page.text,
            extractor: page.extractor,
            cut: page.cut,
        }));
    }
    if media == "application/json" || media.ends_with("+json") {
        return text("json", pretty(charset::decode(&body, charset.as_deref())));
    }
    let textual =
        media.starts_with("text/") || media.ends_with("+xml") || TEXTUAL.iter().any(|known| media.starts_with(known));
    if textual || (unnamed && !body.contains(&0) && std::str::from_utf8(&body).is_ok()) {
        return text("text", charset::decode(&body, charset.as_deref()));
    }
    let media = if unnamed { "data of no known kind" } else { &media };
    Err(format!("is {media} ({} bytes), which is neither text, a document nor a picture", body.len()))
}

/// The media type in lower case, and the charset.
fn media_type(field: &str) -> (String, Option<String>) {
    let mut parts = field.split(';');
    let media = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let charset = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches(['"', '\'']).to_owned())
    });
    (media, charset)
}

fn looks_like_html(body: &[u8]) -> bool {
    let start = body.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or_default();
    let head = body[start..].get(..14).unwrap_or(&body[start..]).to_ascii_lowercase();
    head.starts_with(b"<!doctype html") || head.starts_with(b"<html")
}

fn pretty(json: String) -> String {
    if json.len() > LARGEST_PRETTY {
        return json;
    }
    let value: Result<serde_json::Value, _> = serde_json::from_str(&json);
    value.and_then(|value| serde_json::to_string_pretty(&value)).unwrap_or(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(kind: &str, body: &[u8]) -> Text {
        let url = Url::parse("https://example.com/a/").unwrap();
        match read(kind, body.to_vec(), &url, Mode::Markdown) {
            Ok(Content::Text(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    fn refusal(kind: &str, body: &[u8]) -> String {
        let url = Url::parse("https://example.com/").unwrap();
        read(kind, body.to_vec(), &url, Mode::Markdown).unwrap_err()
    }

    #[test]
    fn json_is_laid_out_in_its_own_order_and_broken_json_is_text() {
        assert_eq!(
            text("application/json", br#"{"b":1,"a":[true]}"#).text,
            "{\n  \"b\": 1,\n  \"a\": [\n    true\n  ]\n}"
        );
        assert_eq!(text("application/problem+json; charset=utf-8", b"{broken").text, "{broken");
    }

    #[test]
    fn feeds_and_other_text_stay_as_they_are() {
        assert_eq!(
            text("application/rss+xml", b"<rss><title>News</title></rss>").text,
            "<rss><title>News</title></rss>"
        );
        assert_eq!(text("text/plain; charset=\"iso-8859-1\"", b"caf\xe9").text, "café");
        assert_eq!(text("text/html", b"<p>Hi").extractor, "page");
    }

    #[test]
    fn without_a_media_type_the_bytes_decide() {
        assert_eq!(text("", b"\n<!DOCTYPE html><p>Hi").text, "Hi");
        assert_eq!(text("application/octet-stream", b"just text").text, "just text");
        let pdf = include_bytes!("../../documents/tests/fixtures/report.pdf");
        let document = text("application/octet-stream", pdf);
        assert_eq!((document.title.as_str(), document.extractor), ("PDF document, 3 pages", "document"));
    }

    #[test]
    fn what_is_neither_text_nor_known_is_refused_by_name() {
        assert_eq!(
            refusal("application/zip", b"PK\x03\x04zip"),
            "is application/zip (7 bytes), which is neither text, a document nor a picture"
        );
        assert!(refusal("", b"\0\x01\x02").starts_with("is data of no known kind"));
        assert!(refusal("image/png", b"\x89PNG\r\n\x1a\nbroken").starts_with("is damaged"));
    }
}
