//! `skill.toml`.

use super::manifest;
use chiton_skills::{Manifest, ManifestError, schema};
use std::path::Path;

const WHOLE: &str = r#"
name = "weather"
version = "0.1.0"
description = "Tells the weather."
component = "weather.wasm"
[grants]
files = [{ path = "workspace/notes", access = "read" }, { path = "scratch", access = "write", quota = "64 MiB" }, { path = "skill", access = "read" }, { path = "/srv/music/", access = "read" }]
network = [{ url = "https://api.open-meteo.com/v1/", methods = ["POST", "GET"] }, { url = "https://*.example.com" }, { url = "http://nas.local:8080/", private = true }, { url = "public", methods = ["GET"] }]
secrets = [{ name = "KEY", url = "https://api.example.com/", query = "appid" }, { name = "TOKEN", url = "https://api.example.com", header = "Authorization: Bearer {}" }]
programs = [["git", "status"]]
messaging = "this-chat"
schedule = ["telegram:42", "telegram:43"]
memory = "none"
agents = true
[limits]
memory = "64 MiB"
time = "30 s"
output = "1 MiB"
[build]
command = ["cargo", "build", "--release"]
output = "target/wasm32-wasip2/release/weather.wasm"
watch = ["src", "Cargo.toml"]
[[examples]]
tool = "weather"
arguments = { city = "Bern" }
expect = "Bern"
replies = [{ url = "https://api.open-meteo.com/v1/forecast", status = 200, body = "{}", headers = { a = "b" } }, { url = "https://x.org/", file = "examples/reply.json" }]
files = "examples/files"
secrets = ["KEY"]
"#;

fn refused(more: &str) -> ManifestError {
    Manifest::parse(&manifest(more)).unwrap_err()
}

fn grant(text: &str) -> Result<Vec<String>, ManifestError> {
    Manifest::parse(&manifest(&format!("[grants]\n{text}"))).map(|manifest| manifest.asked())
}

#[test]
fn what_is_asked_for_is_told_a_grant_each() {
    let asked = Manifest::parse(WHOLE).unwrap().asked();
    assert_eq!(
        asked,
        [
            "files=workspace/notes:read",
            "files=scratch:write,64MiB",
            "files=skill:read",
            "files=/srv/music:read",
            "network=GET,POST https://api.open-meteo.com/v1/",
            "network=https://*.example.com/",
            "network=private:http://nas.local:8080/",
            "network=GET public",
            "secrets=KEY https://api.example.com/ query=appid",
            "secrets=TOKEN https://api.example.com/ header=Authorization: Bearer {}",
            "programs=git status",
            "messaging=this-chat",
            "schedule=telegram:42",
            "schedule=telegram:43",
            "agents=spawn",
        ]
    );
    assert!(Manifest::parse(&manifest("")).unwrap().asked().is_empty(), "nothing is asked for by default");
}

#[test]
fn cmp_20_an_unknown_key_is_refused_with_its_place_and_the_one_that_is_meant() {
    let error = refused("compnent = \"x\"\n");
    assert_eq!(error.to_string(), "skill.toml, line 3, column 1: unknown key 'compnent'; did you mean 'component'?");
    let error = refused("[grants]\nnetwrok = []\n");
    assert_eq!((error.line, error.reason.as_str()), (4, "unknown key 'netwrok'; did you mean 'network'?"));
    let error = refused("[limits]\nfloppies = 3\n");
    assert_eq!(error.reason, "unknown key 'floppies'; the keys here are memory, time, output");
    let error = refused("\"a\u{202e}b\" = 1\n");
    assert!(!error.to_string().contains('\u{202e}'));
}

#[test]
fn cmp_20_a_key_that_is_there_twice_is_refused() {
    assert!(refused("version = \"9.0.0\"\n").reason.contains("duplicate"));
}

#[test]
fn cmp_20_wildcards_for_every_host_are_refused_in_words() {
    for every in
        ["*", "https://*", "https://*/", "https://*:443/", "0.0.0.0/0", "::/0", "https://0.0.0.0/0", "http://[::]/"]
    {
        let error = grant(&format!("network = [{{ url = {every:?} }}]")).unwrap_err();
        assert!(error.reason.contains("ask for \"public\", which is shown as any public host"), "{every}: {error}");
        assert_eq!(error.line, 4);
    }
    for wide in ["https://*.com/", "https://a*.example.com/", "https://*.*.example.com/", "10.0.0.0/8", "example.com"] {
        assert!(grant(&format!("network = [{{ url = {wide:?} }}]")).is_err(), "{wide}");
    }
    assert_eq!(grant("network = [{ url = \"public\" }]").unwrap(), ["network=public"]);
    assert_eq!(grant("network = [{ url = \"https://[::1]:1/\" }]").unwrap(), ["network=https://[::1]:1/"]);
}

#[test]
fn cmp_20_what_a_url_hides_is_refused() {
    for bad in [
        "https://a@b.org/",
        "https://b.org/a/../b",
        "https://b.org/%2e%2e/",
        "https://b.org/?x",
        "ftp://b.org/",
        "https://",
    ] {
        assert!(grant(&format!("network = [{{ url = {bad:?} }}]")).is_err(), "{bad}");
    }
    let punycode = grant("network = [{ url = \"https://\u{430}pple.com\" }]").unwrap();
    assert_eq!(punycode, ["network=https://xn--pple-43d.com/"], "letters that look like others are seen");
}

#[test]
fn cmp_16_a_folder_is_granted_below_a_root() {
    for good in ["workspace", "workspace/a/b", "scratch", "skill", "/srv/music", "workspace/Grüße"] {
        assert!(grant(&format!("files = [{{ path = {good:?}, access = \"read\" }}]")).is_ok(), "{good}");
    }
    for bad in [
        "",
        "/",
        "~",
        "~/notes",
        "notes",
        "workspace/../x",
        "/srv/../etc",
        "workspace//x",
        "scratch/x",
        "workspace/\\n",
    ] {
        let error = grant(&format!("files = [{{ path = \"{bad}\", access = \"read\" }}]")).unwrap_err();
        assert!(error.reason.contains("write workspace, workspace/..."), "{bad}: {error}");
    }
}

#[test]
fn a_secret_goes_to_one_exact_and_safe_place() {
    let secret = |text: &str| grant(&format!("secrets = [{{ name = \"KEY\", {text} }}]"));
    assert!(secret("url = \"http://localhost:80/\", query = \"k\"").is_ok());
    for bad in [
        "url = \"http://example.com/\", query = \"k\"",
        "url = \"https://*.example.com/\", query = \"k\"",
        "url = \"public\", query = \"k\"",
        "url = \"https://example.com/\"",
        "url = \"https://example.com/\", query = \"k\", header = \"A: {}\"",
        "url = \"https://example.com/\", header = \"A: b\"",
        "url = \"https://example.com/\", header = \"A: {} {}\"",
        "url = \"https://example.com/\", query = \"a b\"",
    ] {
        assert!(secret(bad).is_err(), "{bad}");
    }
}

#[test]
fn what_does_not_go_together_is_refused_at_its_key() {
    for (more, line, word) in [
        ("component = \"a\"\nscript = \"b.js\"\nengine = \"js\"", 4, "take one out"),
        ("engine = \"js\"", 3, "give both"),
        ("script = \"a.py\"\nengine = \"js\"", 3, "the engine js runs"),
        ("engine = \"lua\"", 3, "js"),
        ("[build]\ncommand = []", 4, "name the program"),
        ("[[examples]]\ntool = \"t\"", 3, "give one of expect and fails"),
        ("[limits]\ntime = \"30\"", 4, "such as \"30 s\""),
    ] {
        let error = refused(more);
        assert!(error.line == line && error.reason.contains(word), "{more}: {error}");
    }
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_do_no_harm() {
    assert!(Manifest::parse(&format!("\u{feff}{}", manifest("").replace('\n', "\r\n"))).is_ok());
}

#[test]
fn the_published_schema_is_what_is_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../skills/skill.schema.json");
    if std::env::var_os("WRITE_SCHEMA").is_some() {
        std::fs::write(&path, serde_json::to_string_pretty(&schema()).unwrap() + "\n").unwrap();
    }
    let published: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(published == schema(), "run this test with WRITE_SCHEMA=1 to publish the schema anew");
}
