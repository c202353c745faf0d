//! curl: builds the request, sends it, puts the answer where it belongs.

use crate::options::{Asked, Options, Output, parse};
use crate::report::{Ended, fill};
use crate::transfer::{Trouble, address, code, head, send, status};
use crate::{body, plain};
use chiton_program::http::{Header, Request, Response};
use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What curl tries again under `--retry`: timeouts and answers that may be others next time.
const TRANSIENT: [u16; 6] = [408, 429, 500, 502, 503, 504];
/// The wait before the first new try; it doubles up to ten minutes.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// Transfers all URLs; the exit code of the last that failed.
pub(crate) fn run(arguments: Vec<OsString>) -> u8 {
    let options = match parse(arguments) {
        Ok(Asked::Transfer(options)) => options,
        Ok(Asked::Print(text)) => {
            println!("{text}");
            return 0;
        }
        Err(trouble) => {
            eprintln!("curl: {}\ncurl: try 'curl --help' for more information", trouble.text);
            return trouble.code;
        }
    };
    let mut code = 0;
    for (index, url) in options.urls.iter().enumerate() {
        if let Err(trouble) = transfer(&options, url, options.outputs.get(index)) {
            if trouble.code == chiton_program::BROKEN_PIPE {
                return trouble.code;
            }
            // What was not allowed is told however silent it shall be: the owner has to know what to grant.
            if !options.silent || options.show_errors || trouble.code == code::NO_CONNECTION {
                eprintln!("curl: ({}) {}", trouble.code, trouble.text);
            }
            code = trouble.code;
        }
    }
    code
}

fn transfer(options: &Options, given: &str, output: Option<&Output>) -> Result<(), Trouble> {
    let request = request(options, given)?;
    let file = output.map(|output| output_file(options, output, &request.url)).transpose()?.flatten();
    if options.verbose {
        tell_request(&request);
    }
    let begun = Instant::now();
    let answered = send_patiently(options, &request);
    let took = begun.elapsed();
    if let (true, Ok(response)) = (options.verbose, &answered) {
        eprint!("{}", lines_after("< ", &head(response, "\n")));
    }
    let ended = match &answered {
        Ok(response) => deliver(options, response, file.as_deref()),
        Err(trouble) => Err(Trouble::new(trouble.code, trouble.text.clone())),
    };
    if let Some(format) = &options.write_out {
        let response = answered.as_ref().ok();
        let code = ended.as_ref().err().map_or(0, |trouble| trouble.code);
        let name = file.as_deref().map(|file| file.display().to_string()).unwrap_or_default();
        let ended = Ended { response, method: &request.method, url: &request.url, file: &name, code, took };
        print(fill(format, &ended).as_bytes())?;
    }
    ended
}

/// The request that the options describe.
fn request(options: &Options, given: &str) -> Result<Request, Trouble> {
    let mut url = address(given)?;
    let (mut content, mut kind) = (Vec::new(), None);
    let mut usual_method = "GET";
    if let Some(file) = &options.upload {
        (content, usual_method) = (body::read(file)?, "PUT");
        if url.path().ends_with('/') && file != "-" {
            url = url
                .join(file.rsplit('/').next().unwrap_or_default())
                .map_err(|error| Trouble::new(code::BAD_URL, error.to_string()))?;
        }
    } else if !options.parts.is_empty() {
        let (bytes, media) = body::multipart(&options.parts)?;
        (content, kind, usual_method) = (bytes, Some(media), "POST");
    } else if let Some(data) = &options.data {
        if options.data_in_query {
            let more = String::from_utf8_lossy(data);
            let query = url.query().map_or_else(|| more.to_string(), |query| format!("{query}&{more}"));
            url.set_query(Some(&query));
        } else {
            let media = if options.is_json { "application/json" } else { "application/x-www-form-urlencoded" };
            (content, kind, usual_method) = (data.clone(), Some(media.to_owned()), "POST");
        }
    }
    if options.head_only {
        usual_method = "HEAD";
    }
    // A fragment is the reader's, not the server's.
    url.set_fragment(None);
    let mut headers = Vec::new();
    let accept = if options.is_json { "application/json" } else { "*/*" };
    for (name, value) in
        [("User-Agent", Some("curl/8.5.0".to_owned())), ("Accept", Some(accept.to_owned())), ("Content-Type", kind)]
    {
        let own = options.headers.iter().map(|header| &header.name).chain(&options.removed);
        if !own.into_iter().any(|own| own.eq_ignore_ascii_case(name)) {
            headers.extend(value.map(|value| Header { name: name.to_owned(), value }));
        }
    }
    headers.extend(options.headers.iter().cloned());
    let method = options.method.clone().unwrap_or_else(|| usual_method.to_owned());
    Ok(Request { method, url: url.into(), headers, body: content, redirects: options.redirects })
}

fn send_patiently(options: &Options, request: &Request) -> Result<Response, Trouble> {
    let mut wait = FIRST_WAIT;
    let mut left = options.retries;
    loop {
        let answered = send(request);
        let again = match &answered {
            Ok(response) => TRANSIENT.contains(&response.status),
            Err(trouble) => trouble.code == code::TIMED_OUT,
        };
        if !again || left == 0 {
            return answered;
        }
        left -= 1;
        std::thread::sleep(wait);
        wait = (wait * 2).min(Duration::from_secs(600));
    }
}

fn deliver(options: &Options, response: &Response, file: Option<&Path>) -> Result<(), Trouble> {
    let refused = response.status >= 400 && (options.fail || options.fail_with_body);
    if let Some(to) = &options.head_file {
        match to.as_str() {
            "-" => print(head(response, "\r\n").as_bytes())?,
            to => write_file(options, Path::new(to), head(response, "\r\n").as_bytes())?,
        }
    }
    if !refused || options.fail_with_body {
        let mut bytes = Vec::new();
        if options.include_head || options.head_only {
            bytes.extend_from_slice(head(response, "\r\n").as_bytes());
        }
        if !options.head_only {
            bytes.extend_from_slice(&response.body);
        }
        match file {
            Some(file) => write_file(options, file, &bytes)?,
            None => print(&bytes)?,
        }
    }
    match refused {
        true => {
            Err(Trouble::new(code::REFUSED_BY_SERVER, format!("The requested URL returned error: {}", response.status)))
        }
        false => Ok(()),
    }
}

/// The file that a body goes to; none for `-o -`.
fn output_file(options: &Options, output: &Output, url: &str) -> Result<Option<PathBuf>, Trouble> {
    let name = match output {
        Output::Named(name) if name == "-" => return Ok(None),
        Output::Named(name) => name.clone(),
        Output::ByUrl => match last_part(url) {
            "" => return Err(Trouble::new(code::WRITE, "Remote file name has no length")),
            name => name.to_owned(),
        },
    };
    Ok(Some(
        options.output_directory.as_ref().map_or_else(|| PathBuf::from(&name), |folder| Path::new(folder).join(&name)),
    ))
}

/// The last part of a URL's path.
pub(crate) fn last_part(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    path.split_once('/').and_then(|(_, path)| path.rsplit('/').next()).unwrap_or_default()
}

fn write_file(options: &Options, file: &Path, bytes: &[u8]) -> Result<(), Trouble> {
    let written = match file.parent() {
        Some(folder) if options.create_directories => std::fs::create_dir_all(folder),
        _ => Ok(()),
    };
    written
        .and_then(|()| std::fs::write(file, bytes))
        .map_err(|error| Trouble::new(code::WRITE, format!("Failed to write {}: {}", file.display(), plain(&error))))
}

fn print(bytes: &[u8]) -> Result<(), Trouble> {
    let mut stdout = std::io::stdout();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Trouble::new(chiton_program::BROKEN_PIPE, "nobody reads the output"),
        _ => Trouble::new(code::WRITE, format!("Failed writing received data: {}", plain(&error))),
    })
}

fn tell_request(request: &Request) {
    let mut text = format!("{} {} HTTP/1.1\n", request.method, request.url);
    for header in &request.headers {
        text.push_str(&format!("{}: {}\n", header.name, header.value));
    }
    eprint!("{}", lines_after("> ", &(text + "\n")));
}

fn lines_after(mark: &str, text: &str) -> String {
    text.lines().map(|line| format!("{mark}{line}\n")).collect()
}

/// The status as wget shows it.
pub(crate) fn shown_status(response: &Response) -> String {
    status(response.status)
}
