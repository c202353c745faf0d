//! `-w`: what is told after a transfer.

use crate::transfer::header;
use chiton_program::http::Response;
use std::time::Duration;

/// A transfer that has ended.
pub(crate) struct Ended<'a> {
    pub(crate) response: Option<&'a Response>,
    pub(crate) method: &'a str,
    pub(crate) url: &'a str,
    pub(crate) file: &'a str,
    pub(crate) code: u8,
    pub(crate) took: Duration,
}

/// Fills in `%{variable}`, `%header{name}` and the escapes of a format.
pub(crate) fn fill(format: &str, ended: &Ended<'_>) -> String {
    let mut text = String::new();
    let mut rest = format;
    while let Some(at) = rest.find(['%', '\\']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let (piece, length) = piece(rest, ended);
        text.push_str(&piece);
        rest = &rest[length..];
    }
    text + rest
}

/// What stands for the start of `rest`, and how long that start is.
fn piece(rest: &str, ended: &Ended<'_>) -> (String, usize) {
    for (escape, text) in [("\\n", "\n"), ("\\r", "\r"), ("\\t", "\t"), ("%%", "%")] {
        if rest.starts_with(escape) {
            return (text.to_owned(), escape.len());
        }
    }
    for (open, value) in [("%{", variable as fn(&str, &Ended<'_>) -> String), ("%header{", field)] {
        if let Some((name, _)) = rest.strip_prefix(open).and_then(|inner| inner.split_once('}')) {
            return (value(name, ended), open.len() + name.len() + 1);
        }
    }
    (rest[..1].to_owned(), 1)
}

fn field(name: &str, ended: &Ended<'_>) -> String {
    ended.response.and_then(|response| header(&response.headers, name)).unwrap_or_default().to_owned()
}

fn variable(name: &str, ended: &Ended<'_>) -> String {
    let response = ended.response;
    match name {
        "http_code" | "response_code" => format!("{:03}", response.map_or(0, |response| response.status)),
        "url_effective" => response.map_or(ended.url, |response| &response.url).to_owned(),
        "url" => ended.url.to_owned(),
        "size_download" => response.map_or(0, |response| response.body.len()).to_string(),
        "content_type" => field("content-type", ended),
        "redirect_url" => match response {
            Some(response) if (300..400).contains(&response.status) => {
                let to = url::Url::parse(&response.url).and_then(|url| url.join(&field("location", ended)));
                to.map(String::from).unwrap_or_default()
            }
            _ => String::new(),
        },
        "num_redirects" => u8::from(response.is_some_and(|response| response.url != ended.url)).to_string(),
        "time_total" | "time_starttransfer" => format!("{:.6}", ended.took.as_secs_f64()),
        "method" => ended.method.to_owned(),
        "scheme" => ended.url.split(':').next().unwrap_or_default().to_owned(),
        "filename_effective" => ended.file.to_owned(),
        "exitcode" => ended.code.to_string(),
        "num_headers" => response.map_or(0, |response| response.headers.len()).to_string(),
        // As curl: an unknown variable is nothing.
        _ => String::new(),
    }
}
