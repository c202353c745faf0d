//! The command line of curl.

use crate::body::{self, Data, Part};
use crate::transfer::{Trouble, code};
use chiton_program::http::Header;
use lexopt::Arg::{Long, Short, Value};
use lexopt::{Parser, ValueExt};
use std::ffi::OsString;

/// curl follows no more redirects than this unless `--max-redirs` says so; the host follows at most 255.
const USUAL_REDIRECTS: u8 = 10;

pub(crate) const USAGE: &str = "Usage: curl [OPTIONS] URL...
Request: -X METHOD, -H FIELD, -d DATA, --data-raw, --data-binary, --data-urlencode, --json, -F NAME=CONTENT, -G, -I,
         -T FILE, -A AGENT, -e REFERER, -b COOKIES, -r RANGE, -L, --max-redirs N, --retry N
Output:  -o FILE, -O, --output-dir DIR, --create-dirs, -i, -D FILE, -w FORMAT, -f, --fail-with-body, -s, -S, -v
Secrets: a variable that names a granted secret, such as -H \"Authorization: Bearer $KEY\"";

/// Options that are refused, and what to do in their place.
const REFUSED: [(&str, &str); 12] = [
    ("k", "certificates are always checked"),
    ("insecure", "certificates are always checked"),
    ("u", "use a granted secret in a header, such as -H \"Authorization: Bearer $KEY\""),
    ("user", "use a granted secret in a header, such as -H \"Authorization: Bearer $KEY\""),
    ("oauth2-bearer", "use a granted secret in a header, such as -H \"Authorization: Bearer $KEY\""),
    ("netrc", "use a granted secret in a header"),
    ("x", "the host chooses the way"),
    ("proxy", "the host chooses the way"),
    ("resolve", "the host resolves names"),
    ("unix-socket", "only http and https are served"),
    ("c", "cookies are not kept; send them with -b NAME=VALUE"),
    ("cookie-jar", "cookies are not kept; send them with -b NAME=VALUE"),
];

/// Options without a value that change nothing here: there is no progress to hide, no protocol to choose.
const IDLE: [&str; 17] = [
    "compressed",
    "no-progress-meter",
    "progress-bar",
    "#",
    "N",
    "no-buffer",
    "4",
    "6",
    "ipv4",
    "ipv6",
    "http1.1",
    "http2",
    "0",
    "tlsv1.2",
    "q",
    "Z",
    "globoff",
];

/// Options with a value that change nothing here: the host's own deadlines hold.
const IDLE_WITH_VALUE: [&str; 7] =
    ["m", "max-time", "connect-timeout", "retry-delay", "retry-max-time", "limit-rate", "keepalive-time"];

/// What the arguments say.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) urls: Vec<String>,
    pub(crate) method: Option<String>,
    pub(crate) headers: Vec<Header>,
    /// Fields that curl sends by itself and that were taken away by `-H 'Name:'`.
    pub(crate) removed: Vec<String>,
    pub(crate) data: Option<Vec<u8>>,
    pub(crate) is_json: bool,
    pub(crate) parts: Vec<Part>,
    pub(crate) upload: Option<String>,
    pub(crate) data_in_query: bool,
    pub(crate) head_only: bool,
    pub(crate) redirects: u8,
    /// Where each URL's body goes; none: to standard output.
    pub(crate) outputs: Vec<Output>,
    pub(crate) output_directory: Option<String>,
    pub(crate) create_directories: bool,
    pub(crate) include_head: bool,
    pub(crate) head_file: Option<String>,
    pub(crate) write_out: Option<String>,
    pub(crate) fail: bool,
    pub(crate) fail_with_body: bool,
    pub(crate) silent: bool,
    pub(crate) show_errors: bool,
    pub(crate) verbose: bool,
    pub(crate) retries: u32,
}

/// Where a body goes.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Output {
    Named(String),
    /// `-O`: named by the last part of the URL's path.
    ByUrl,
}

/// What the arguments ask for.
pub(crate) enum Asked {
    Transfer(Box<Options>),
    Print(&'static str),
}

/// Reads the arguments; the first is the name that curl was called by.
pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Asked, Trouble> {
    let mut options = Options::default();
    let (mut follow, mut most_redirects) = (false, USUAL_REDIRECTS);
    let mut parser = Parser::from_iter(arguments);
    while let Some(argument) = parser.next().map_err(usage)? {
        let name = match argument {
            Short('h') | Long("help") => return Ok(Asked::Print(USAGE)),
            Short('V') | Long("version") => return Ok(Asked::Print("curl 8.5.0 (Chiton)\nProtocols: http https")),
            Value(url) => {
                options.urls.push(url.string().map_err(usage)?);
                continue;
            }
            Short(letter) => letter.to_string(),
            Long(word) => word.to_owned(),
        };
        match name.as_str() {
            "L" | "location" | "location-trusted" => follow = true,
            "max-redirs" => most_redirects = number(&mut parser)?.try_into().unwrap_or(u8::MAX),
            name => {
                let known = options.request(name, &mut parser)? || options.output(name, &mut parser)?;
                if !known {
                    idle_or_refused(name, &mut parser)?;
                }
            }
        }
    }
    if options.urls.is_empty() {
        return Err(Trouble::new(code::USAGE, "no URL specified"));
    }
    options.redirects = if follow { most_redirects } else { 0 };
    Ok(Asked::Transfer(Box::new(options)))
}

fn usage(error: lexopt::Error) -> Trouble {
    Trouble::new(code::USAGE, error.to_string())
}

fn value(parser: &mut Parser) -> Result<String, Trouble> {
    parser.value().and_then(ValueExt::string).map_err(usage)
}

fn number(parser: &mut Parser) -> Result<u32, Trouble> {
    let text = value(parser)?;
    text.parse().map_err(|_| Trouble::new(code::USAGE, format!("{text} is no number")))
}

fn idle_or_refused(name: &str, parser: &mut Parser) -> Result<(), Trouble> {
    let dashed = if name.chars().count() == 1 { format!("-{name}") } else { format!("--{name}") };
    if let Some((_, instead)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
        return Err(Trouble::new(code::USAGE, format!("option {dashed} is refused: {instead}")));
    }
    if IDLE_WITH_VALUE.contains(&name) {
        value(parser)?;
        return Ok(());
    }
    match IDLE.contains(&name) {
        true => Ok(()),
        false => Err(Trouble::new(code::USAGE, format!("option {dashed}: is unknown"))),
    }
}

impl Options {
    fn request(&mut self, name: &str, parser: &mut Parser) -> Result<bool, Trouble> {
        match name {
            "X" | "request" => self.method = Some(value(parser)?),
            "H" | "header" => {
                let field = value(parser)?;
                self.add_headers(&field)?;
            }
            "d" | "data" | "data-ascii" => self.add_data(Data::Text, parser)?,
            "data-binary" => self.add_data(Data::Binary, parser)?,
            "data-raw" => self.add_data(Data::Raw, parser)?,
            "data-urlencode" => self.add_data(Data::Encoded, parser)?,
            "json" => {
                self.is_json = true;
                self.add_data(Data::Binary, parser)?;
            }
            "F" | "form" => self.parts.push(Part { given: value(parser)?, is_text: false }),
            "form-string" => self.parts.push(Part { given: value(parser)?, is_text: true }),
            "T" | "upload-file" => self.upload = Some(value(parser)?),
            "G" | "get" => self.data_in_query = true,
            "I" | "head" => self.head_only = true,
            "A" | "user-agent" => self.set_header("User-Agent", value(parser)?),
            "e" | "referer" => self.set_header("Referer", value(parser)?),
            "r" | "range" => {
                let range = value(parser)?;
                self.set_header("Range", format!("bytes={range}"));
            }
            "b" | "cookie" => {
                let cookies = value(parser)?;
                if !cookies.contains('=') {
                    return Err(Trouble::new(code::USAGE, "-b takes NAME=VALUE; cookie files are not kept"));
                }
                self.set_header("Cookie", cookies);
            }
            "url" => {
                let url = value(parser)?;
                self.urls.push(url);
            }
            "retry" => self.retries = number(parser)?,
            "retry-all-errors" | "retry-connrefused" => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn output(&mut self, name: &str, parser: &mut Parser) -> Result<bool, Trouble> {
        match name {
            "o" | "output" => self.outputs.push(Output::Named(value(parser)?)),
            "O" | "remote-name" | "remote-name-all" => self.outputs.push(Output::ByUrl),
            "J" | "remote-header-name" => {}
            "output-dir" => self.output_directory = Some(value(parser)?),
            "create-dirs" => self.create_directories = true,
            "i" | "include" | "show-headers" => self.include_head = true,
            "D" | "dump-header" => self.head_file = Some(value(parser)?),
            "w" | "write-out" => self.write_out = Some(value(parser)?),
            "f" | "fail" => self.fail = true,
            "fail-with-body" => self.fail_with_body = true,
            "s" | "silent" => self.silent = true,
            "S" | "show-error" => self.show_errors = true,
            "v" | "verbose" => self.verbose = true,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn add_headers(&mut self, given: &str) -> Result<(), Trouble> {
        let fields = match given.strip_prefix('@') {
            Some(file) => String::from_utf8_lossy(&body::read(file)?).into_owned(),
            None => given.to_owned(),
        };
        for field in fields.lines().filter(|line| !line.trim().is_empty()) {
            match (field.split_once(':'), field.strip_suffix(';')) {
                (Some((name, "")), _) => self.removed.push(name.trim().to_owned()),
                (Some((name, value)), _) if value.trim().is_empty() => self.removed.push(name.trim().to_owned()),
                (Some((name, value)), _) => {
                    self.headers.push(Header { name: name.trim().to_owned(), value: value.trim().to_owned() });
                }
                // `Name;` sends the field without a value.
                (None, Some(name)) => self.headers.push(Header { name: name.trim().to_owned(), value: String::new() }),
                (None, None) => {}
            }
        }
        Ok(())
    }

    fn set_header(&mut self, name: &str, value: String) {
        self.headers.push(Header { name: name.to_owned(), value });
    }

    fn add_data(&mut self, kind: Data, parser: &mut Parser) -> Result<(), Trouble> {
        let more = body::data(kind, &value(parser)?)?;
        match &mut self.data {
            // JSON is put together as it is, form data by `&`.
            Some(data) => {
                if !self.is_json {
                    data.push(b'&');
                }
                data.extend(more);
            }
            none => *none = Some(more),
        }
        Ok(())
    }
}
