//! wget: saves what URLs give.

use crate::curl::{last_part, shown_status};
use crate::transfer::{Trouble, address, head, send};
use crate::{body, plain};
use chiton_program::http::{Header, Request};
use lexopt::Arg::{Long, Short, Value};
use lexopt::{Parser, ValueExt};
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

const USAGE: &str = "Usage: wget [OPTIONS] URL...
Options: -O FILE, -P DIR, -q, -nv, -S, -U AGENT, --header FIELD, --method M, --post-data DATA, --post-file FILE,
         --body-data DATA, --body-file FILE, --spider, -i FILE, --max-redirect N";

/// wget's exit codes.
const GENERIC: u8 = 1;
const USAGE_ERROR: u8 = 2;
const FILE: u8 = 3;
const NETWORK: u8 = 4;
const SERVER: u8 = 8;
/// As wget.
const USUAL_REDIRECTS: u8 = 20;

struct Options {
    urls: Vec<String>,
    output: Option<String>,
    folder: Option<String>,
    quiet: bool,
    show_head: bool,
    only_look: bool,
    method: Option<String>,
    body: Option<Vec<u8>>,
    headers: Vec<Header>,
    redirects: u8,
}

/// Saves all URLs; the exit code of the worst.
pub(crate) fn run(arguments: Vec<OsString>) -> u8 {
    let options = match parse(arguments) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{USAGE}");
            return 0;
        }
        Err(error) => {
            eprintln!("wget: {error}\n{USAGE}");
            return USAGE_ERROR;
        }
    };
    let mut code = 0;
    for url in &options.urls {
        if let Err(trouble) = save(&options, url) {
            eprintln!("wget: {}", trouble.text);
            code = code.max(trouble.code);
        }
    }
    code
}

fn parse(arguments: Vec<OsString>) -> Result<Option<Options>, lexopt::Error> {
    // wget's short options of two letters.
    let arguments = arguments.into_iter().map(|argument| match argument.to_str() {
        Some("-nv") => "--no-verbose".into(),
        Some("-nc") => "--no-clobber".into(),
        _ => argument,
    });
    let mut options = Options {
        urls: Vec::new(),
        output: None,
        folder: None,
        quiet: false,
        show_head: false,
        only_look: false,
        method: None,
        body: None,
        headers: Vec::new(),
        redirects: USUAL_REDIRECTS,
    };
    let mut parser = Parser::from_iter(arguments);
    let read =
        |file: OsString| body::read(&file.to_string_lossy()).map_err(|trouble| lexopt::Error::from(trouble.text));
    while let Some(argument) = parser.next()? {
        match argument {
            Value(url) => options.urls.push(url.string()?),
            Short('h') | Long("help") => return Ok(None),
            Short('O') | Long("output-document") => options.output = Some(parser.value()?.string()?),
            Short('P') | Long("directory-prefix") => options.folder = Some(parser.value()?.string()?),
            Short('q') | Long("quiet" | "no-verbose") => options.quiet = true,
            Short('S') | Long("server-response") => options.show_head = true,
            Long("spider") => options.only_look = true,
            Short('U') | Long("user-agent") => {
                let value = parser.value()?.string()?;
                options.headers.push(Header { name: "User-Agent".to_owned(), value });
            }
            Long("header") => {
                let field = parser.value()?.string()?;
                let (name, value) =
                    field.split_once(':').ok_or_else(|| format!("--header {field}: it must be NAME: VALUE"))?;
                options.headers.push(Header { name: name.trim().to_owned(), value: value.trim().to_owned() });
            }
            Long("referer") => {
                let value = parser.value()?.string()?;
                options.headers.push(Header { name: "Referer".to_owned(), value });
            }
            Long("method") => options.method = Some(parser.value()?.string()?),
            Long("post-data" | "body-data") => options.body = Some(parser.value()?.string()?.into_bytes()),
            Long("post-file" | "body-file") => options.body = Some(read(parser.value()?)?),
            Short('i') | Long("input-file") => {
                let urls = read(parser.value()?)?;
                options.urls.extend(String::from_utf8_lossy(&urls).split_whitespace().map(str::to_owned));
            }
            Long("max-redirect") => options.redirects = parser.value()?.parse()?,
            Long("no-check-certificate") => return Err("certificates are always checked".into()),
            Long("user" | "password" | "http-user" | "http-password") => {
                return Err("use a granted secret in a header, such as --header \"Authorization: Bearer $KEY\"".into());
            }
            // The host's own deadlines hold, nothing is resumed, and there is no progress to show.
            Short('T' | 't' | 'w') | Long("timeout" | "tries" | "wait" | "connect-timeout" | "read-timeout") => {
                drop(parser.value()?)
            }
            Short('c' | 'N' | '4' | '6')
            | Long("continue" | "no-clobber" | "show-progress" | "content-disposition") => {}
            Long("progress" | "compression") => drop(parser.value()?),
            other => return Err(other.unexpected()),
        }
    }
    if options.urls.is_empty() {
        return Err("missing URL".into());
    }
    Ok(Some(options))
}

fn save(options: &Options, given: &str) -> Result<(), Trouble> {
    let url = address(given).map_err(|trouble| Trouble::new(GENERIC, trouble.text))?;
    let mut headers = options.headers.clone();
    let mut add = |name: &str, value: &str| {
        if !headers.iter().any(|header| header.name.eq_ignore_ascii_case(name)) {
            headers.push(Header { name: name.to_owned(), value: value.to_owned() });
        }
    };
    add("User-Agent", "Wget/1.21");
    add("Accept", "*/*");
    let usual_method = match (&options.body, options.only_look) {
        (Some(_), _) => {
            add("Content-Type", "application/x-www-form-urlencoded");
            "POST"
        }
        (None, true) => "HEAD",
        (None, false) => "GET",
    };
    let method = options.method.clone().unwrap_or_else(|| usual_method.to_owned());
    let body = options.body.clone().unwrap_or_default();
    let request = Request { method, url: url.into(), headers, body, redirects: options.redirects };
    let response = send(&request).map_err(|trouble| Trouble::new(NETWORK, trouble.text))?;
    if options.show_head {
        let lines: String = head(&response, "\n").trim_end().lines().map(|line| format!("  {line}\n")).collect();
        eprint!("{lines}");
    }
    if response.status >= 400 {
        return Err(Trouble::new(SERVER, format!("{given}: ERROR {}", shown_status(&response))));
    }
    if options.only_look {
        return Ok(());
    }
    let file = target(options, &request.url);
    let written = match &file {
        None => std::io::stdout().write_all(&response.body),
        Some(file) => match file.parent() {
            Some(folder) => std::fs::create_dir_all(folder).and_then(|()| std::fs::write(file, &response.body)),
            None => std::fs::write(file, &response.body),
        },
    };
    let shown = file.as_deref().map_or_else(|| "standard output".to_owned(), |file| file.display().to_string());
    written.map_err(|error| Trouble::new(FILE, format!("{shown}: {}", plain(&error))))?;
    if !options.quiet {
        eprintln!("{} - '{shown}' saved [{}]", shown_status(&response), response.body.len());
    }
    Ok(())
}

/// The file for a URL; none for standard output. As wget, a name that is taken gets a number.
fn target(options: &Options, url: &str) -> Option<PathBuf> {
    if let Some(output) = &options.output {
        return (output != "-").then(|| PathBuf::from(output));
    }
    let name = match last_part(url) {
        "" => "index.html",
        name => name,
    };
    let folder = Path::new(options.folder.as_deref().unwrap_or_default());
    let numbered = (1..).map(|number| folder.join(format!("{name}.{number}")));
    std::iter::once(folder.join(name)).chain(numbered).find(|file| !file.exists())
}
