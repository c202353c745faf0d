//! N2, N6, N7, N8, N10, P4, P5, R4: requests go to the origin that was granted, and a secret to its own place alone.

use crate::support::Home;
use crate::{CANARY, gets_nothing, got, install, refused, was_refused};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// An origin on this machine that answers with what it was sent, and redirects to URL where it is asked for `/to?URL`.
struct Origin {
    url: String,
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Origin {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let heads = seen.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let head = read_head(&stream);
                heads.lock().unwrap().push(head.clone());
                // Who left needs no answer.
                let _ = (&stream).write_all(answer(&head).as_bytes());
            }
        });
        Self { url: format!("http://127.0.0.1:{port}"), port, seen }
    }

    /// The head of every request so far; an empty one for a connection without.
    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// The manifest's grant for `/PATH/` and for redirects.
    fn grant(&self, path: &str) -> String {
        let url = &self.url;
        format!(
            "[grants]\nnetwork = [\n  {{ url = \"{url}/{path}/\", methods = [\"GET\"], private = true }},\n  {{ url = \"{url}/to\", private = true }},\n]\n"
        )
    }
}

fn read_head(stream: &TcpStream) -> String {
    let mut head = Vec::new();
    let mut reader = BufReader::new(stream);
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    while !head.ends_with(b"\r\n\r\n") && matches!(reader.read_until(b'\n', &mut head), Ok(1..)) {}
    String::from_utf8_lossy(&head).into_owned()
}

fn answer(head: &str) -> String {
    match head.split_whitespace().nth(1).and_then(|target| target.strip_prefix("/to?")) {
        Some(url) => format!("HTTP/1.1 302 Found\r\nlocation: {url}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
        None => format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{head}", head.len()),
    }
}

fn send(url: impl std::fmt::Display) -> Value {
    json!(["send", url.to_string()])
}

fn with_header(url: &str, name: &str, value: &str) -> Value {
    json!(["send", url, {"headers": {name: value}}])
}

#[test]
fn n2_n8_a_grant_for_one_origin_is_one_for_no_other() {
    let (home, granted, other) = (Home::with_engine(), Origin::start(), Origin::start());
    install(&home, "thief", &granted.grant("v1"));
    let (port, elsewhere) = (granted.port, other.port);
    let urls = [
        format!("{}/v1/", other.url),
        format!("http://localhost:{elsewhere}/v1/"),
        format!("http://localhost:{port}/v1/"),
        format!("http://2130706433:{elsewhere}/v1/"),
        format!("http://0x7f000001:{elsewhere}/v1/"),
        format!("http://127.1:{elsewhere}/v1/"),
        format!("http://0.0.0.0:{elsewhere}/v1/"),
        format!("http://[::ffff:127.0.0.1]:{elsewhere}/v1/"),
        format!("https://127.0.0.1:{port}/v1/"),
        format!("http://127.0.0.1.evil.example:{port}/v1/"),
        format!("http://127.0.0.1:{port}@127.0.0.1:{elsewhere}/v1/"),
        format!("http://127.0.0.1:{port}%2f@127.0.0.1:{elsewhere}/v1/"),
        format!("http://user:password@127.0.0.1:{port}/v1/"),
        format!("http://127.0.0.1:{port}\\@127.0.0.1:{elsewhere}/v1/"),
        format!("{}/v2/", granted.url),
        format!("{}/v1", granted.url),
        format!("{}/v1x/", granted.url),
        format!("{}/v1/../v2/", granted.url),
        format!("{}/v1/%2e%2e/v2/", granted.url),
        "http://169.254.169.254/latest/".to_owned(),
        "ftp://127.0.0.1/v1/".to_owned(),
        "file:///etc/passwd".to_owned(),
    ];
    gets_nothing(&home, "thief", urls.iter().map(send).collect());
    gets_nothing(&home, "thief", json!([["send", format!("{}/v1/", granted.url), {"method": "POST", "body": "x"}]]));
    assert_eq!((granted.seen(), other.seen()), (vec![], vec![]), "nobody was reached");
    was_refused(&home, "thief", &format!("network=private:{}/", other.url));
    was_refused(&home, "thief", "network=private:POST");
    let twin = got(&home, "thief", json!([send(format!("{}/v1/a", granted.url))]));
    assert!(twin[0].as_str().unwrap().starts_with("200 GET /v1/a"), "{twin:?}");
}

#[test]
fn n6_a_redirect_leads_nowhere_that_was_not_granted() {
    let (home, granted, other) = (Home::with_engine(), Origin::start(), Origin::start());
    install(&home, "thief", &granted.grant("v1"));
    let to = |url: String| send(format!("{}/to?{url}", granted.url));
    let hops = [
        to(format!("{}/v1/", other.url)),
        to(format!("{}/secret", granted.url)),
        to(format!("{}/to?{}/v1/", granted.url, other.url)),
        to("http://169.254.169.254/latest/".to_owned()),
        to(format!("//127.0.0.1:{}/v1/", other.port)),
        to("file:///etc/passwd".to_owned()),
    ];
    gets_nothing(&home, "thief", hops.into_iter().collect());
    assert_eq!(other.seen(), [""; 0], "nobody was reached");
    assert!(granted.seen().iter().all(|head| head.starts_with("GET /to?")), "{:#?}", granted.seen());
    was_refused(&home, "thief", &format!("network=private:{}/", other.url));
    let twin = got(&home, "thief", json!([to(format!("{}/v1/end", granted.url))]));
    assert!(twin[0].as_str().unwrap().starts_with("200 GET /v1/end"), "{twin:?}");
}

#[test]
fn n7_a_request_says_nothing_but_itself() {
    let (home, granted) = (Home::with_engine(), Origin::start());
    install(&home, "thief", &granted.grant("v1"));
    let url = format!("{}/v1/", granted.url);
    let fields = [
        ("Host", "evil.example"),
        ("Proxy-Authorization", "evil"),
        ("Proxy-Connection", "evil"),
        ("Transfer-Encoding", "chunked"),
        ("Content-Length", "9"),
        ("Connection", "evil"),
        ("Upgrade", "websocket"),
        ("Trailer", "evil"),
        ("X-A", "a\r\nX-Evil: 1"),
        ("X-A", "a\nX-Evil: 1"),
        ("X-A\r\nX-Evil", "1"),
        ("X-A:X-Evil", "1"),
    ];
    gets_nothing(&home, "thief", fields.iter().map(|(name, value)| with_header(&url, name, value)).collect());
    let long = "a".repeat(70_000);
    gets_nothing(&home, "thief", json!([with_header(&url, "X-A", &long)]));
    gets_nothing(&home, "thief", json!([["send", url, {"method": "GET / HTTP/1.1\r\nX-Evil: 1\r\n\r\nGET"}]]));
    assert_eq!(granted.seen(), [""; 0], "nothing was sent");
    got(&home, "thief", json!([send(format!("{url}\r\nX-Evil: 1")), send(format!("{url}%0d%0aX-Evil: 1"))]));
    got(&home, "thief", json!([with_header(&url, "X-A", "fine")]));
    let seen = granted.seen();
    assert_eq!(seen.len(), 3, "{seen:#?}");
    assert!(seen.iter().all(|head| head.lines().all(|line| !line.starts_with("X-Evil"))), "{seen:#?}");
    assert!(seen[2].contains("x-a: fine"), "{seen:#?}");
}

#[test]
fn n10_requests_are_counted_and_end() {
    let (home, granted) = (Home::with_engine(), Origin::start());
    install(&home, "thief", &granted.grant("v1"));
    let called = home.call("thief", json!({"work": [["flood", format!("{}/v1/", granted.url), 5_000]]}), &[]);
    assert!(called.code == 9 || called.stdout.contains("requests a minute"), "{called:#?}");
    let sent = granted.seen().len();
    assert!((1..=1_600).contains(&sent), "{sent} requests");
}

/// A skill with a secret of its own.
fn with_secret(home: &Home, name: &str, origin: &Origin, secret: &str) {
    let grant =
        format!("secrets = [{{ name = \"{secret}\", url = \"{}/{name}/\", header = \"X-Key: {{}}\" }}]\n", origin.url);
    install(home, name, &(origin.grant(name) + &grant));
}

#[test]
fn p4_p5_a_secret_is_sent_to_its_place_and_seen_by_no_skill() {
    let (home, origin) = (Home::with_engine(), Origin::start());
    home.configure(
        &json!({"secrets": {"ONE_KEY": format!("{CANARY}-one"), "TWO_KEY": format!("{CANARY}-two")}}).to_string(),
    );
    with_secret(&home, "one", &origin, "ONE_KEY");
    with_secret(&home, "two", &origin, "TWO_KEY");
    let url = |path: &str| format!("{}/{path}", origin.url);
    // What stands for a secret can be guessed; it is of no use elsewhere.
    let placeholder =
        |skill: &str, name: &str| got(&home, skill, json!([["secret", name]]))[0].as_str().unwrap().to_owned();
    let (own, foreign) = (&placeholder("one", "ONE_KEY"), &placeholder("two", "TWO_KEY"));
    let elsewhere = json!([
        ["secret", "TWO_KEY"],
        send(url("two/")),
        with_header(&url("one/"), "X-Key", foreign),
        with_header(&url("one/"), "X-Other", foreign),
        with_header(&url("one/"), "X-Other", own),
        with_header(&url("to?x"), "X-Key", own),
        send(url(&format!("one/{own}"))),
        send(url(&format!("one/?key={own}"))),
    ]);
    let before = origin.seen().len();
    let got_elsewhere = got(&home, "one", elsewhere);
    let sent = origin.seen();
    assert!(sent[before..].iter().all(|head| !head.contains(&format!("{CANARY}-two"))), "{sent:#?}");
    assert!(got_elsewhere[0].is_null() && got_elsewhere[1].is_null(), "{got_elsewhere:#?}");
    assert!(got_elsewhere[3..].iter().all(Value::is_null), "{got_elsewhere:#?}");
    was_refused(&home, "one", "secrets=TWO_KEY");

    let twin = got(&home, "one", json!([send(url("one/a")), with_header(&url("one/b"), "X-Key", own)]));
    assert!(twin.iter().all(|answer| answer.as_str().unwrap().contains("[REDACTED]")), "{twin:?}");
    let seen = origin.seen();
    let sent = seen.iter().filter(|head| head.contains(&format!("x-key: {CANARY}-one"))).count();
    assert!(sent >= 2, "the service has it: {seen:#?}");
    for shown in [&["audit", "--json"][..], &["skill", "show", "one", "--json"], &["skill", "list"], &["doctor"]] {
        let ran = home.run(shown);
        assert!(!ran.stdout.contains(CANARY) && !ran.stderr.contains(CANARY), "{ran:#?}");
    }
    assert!(!refused(&home, "one").is_empty());
}

#[test]
fn r4_a_server_that_never_answers_holds_no_call() {
    let home = Home::with_engine();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let grant = format!("[grants]\nnetwork = [{{ url = \"{url}\", private = true }}]\n[limits]\ntime = \"2 s\"\n");
    install(&home, "thief", &grant);
    let called = home.call("thief", json!({"work": [send(&url)]}), &[]);
    assert!(called.code == 9 || !called.stdout.contains("\"got\""), "{called:#?}");
    silent.set_nonblocking(true).unwrap();
    assert!(silent.accept().is_ok(), "it was asked");
    assert_eq!(got(&home, "thief", json!([["tell", "x"]])), ["x"]);
}
