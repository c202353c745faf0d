//! Network entries: how they are written, and what they cover.

use chiton_egress::{Allowance, Entry, SecretSlot, canonical_url};
use http::Method;

use crate::support::allow;

/// As written, as shown.
const VALID: &[(&str, &str)] = &[
    ("example.com", "https://example.com/"),
    ("Example.COM", "https://example.com/"),
    ("example.com.", "https://example.com/"),
    ("https://example.com", "https://example.com/"),
    ("https://example.com:443/", "https://example.com/"),
    ("http://example.com:80", "http://example.com/"),
    ("https://example.com:8443/v1", "https://example.com:8443/v1"),
    ("https://example.com/a/../v1/", "https://example.com/v1/"),
    ("bücher.example", "https://xn--bcher-kva.example/"),
    ("*.example.com", "https://*.example.com/"),
    ("http://*.Example.com:8080/v1", "http://*.example.com:8080/v1"),
    ("GET https://example.com/", "GET https://example.com/"),
    ("post,GET,get example.com", "GET,POST https://example.com/"),
    ("public", "public"),
    ("GET,HEAD public", "GET,HEAD public"),
    ("private:nas.lan", "private:https://nas.lan/"),
    ("private:GET http://127.0.0.1:8080/status", "private:GET http://127.0.0.1:8080/status"),
    ("http://0x7f.1/", "http://127.0.0.1/"),
    ("[2606:4700::1111]", "https://[2606:4700::1111]/"),
    ("private:http://[::1]:80/", "private:http://[::1]/"),
];

const INVALID: &[&str] = &[
    "",
    " ",
    "*",
    "https://*",
    "https://*/",
    "*.com",
    "*.*.example.com",
    "a.*.example.com",
    "a*.example.com",
    "*example.com",
    "https://example.com/*",
    "*.1.2.3.4",
    "*.[::1]",
    "private:public",
    "private:",
    "private:private:nas.lan",
    "ftp://example.com/",
    "ws://example.com/",
    "file:///etc/passwd",
    "//example.com",
    "example.com:8443",
    "example.com/v1",
    "https:example.com",
    "https:///example.com",
    "https://",
    "https://:443/",
    "https://user@example.com/",
    "https://user:pass@example.com/",
    "https://@example.com/",
    "https://example.com:0/",
    "https://example.com:65979/",
    "https://example.com:80:80/",
    "https://example.com:x/",
    "https://example.com/?q=1",
    "https://example.com/#top",
    "https://example.com/v1/%2e%2e%2fadmin",
    "https://example.com/v1/..;/admin",
    "https://example..com/",
    "https://example.com../",
    "https://exa mple.com/",
    "https://example.com\\@evil.example/",
    "https://a\u{2100}b.example/",
    "CONNECT https://example.com/",
    "TRACE example.com",
    "GET,, example.com",
    "GE T example.com",
    "GET  example.com",
    "0.0.0.0/0",
    "10.0.0.0/8",
];

#[test]
fn an_entry_is_shown_in_canonical_form_and_reads_back_to_itself() {
    for (written, shown) in VALID {
        let entry: Entry = written.parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(entry.to_string(), *shown);
        assert_eq!(shown.parse::<Entry>().unwrap(), entry);
    }
}

#[test]
fn cmp_20_an_entry_that_says_too_much_or_nonsense_is_refused() {
    for written in INVALID {
        assert!(written.parse::<Entry>().is_err(), "{written:?} was accepted");
    }
}

#[test]
fn a_refused_entry_names_itself_and_the_remedy() {
    let error = "example.com:8443".parse::<Entry>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "`example.com:8443` is not a valid network grant: write the scheme too, as in https://host:port/path"
    );
}

#[test]
fn an_empty_allowance_allows_nothing() {
    let url = canonical_url("https://example.com/").unwrap();
    assert!(Allowance::default().check(&Method::GET, &url).is_err());
}

/// Entry, method, URL, whether it is allowed.
const COVERED: &[(&str, &str, &str, bool)] = &[
    ("example.com", "GET", "https://example.com/", true),
    ("example.com", "DELETE", "https://EXAMPLE.com:443/any/path?q=1#f", true),
    ("example.com", "GET", "http://example.com/", false),
    ("example.com", "GET", "https://example.com:8443/", false),
    ("example.com", "GET", "https://www.example.com/", false),
    ("example.com", "GET", "https://example.com.evil.test/", false),
    ("GET,HEAD example.com", "HEAD", "https://example.com/", true),
    ("GET,HEAD example.com", "POST", "https://example.com/", false),
    ("https://example.com/v1", "GET", "https://example.com/v1", true),
    ("https://example.com/v1", "GET", "https://example.com/v1?x=1", true),
    ("https://example.com/v1", "GET", "https://example.com/v1/users", true),
    ("https://example.com/v1", "GET", "https://example.com/v1/a%2Fb", true),
    ("https://example.com/v1", "GET", "https://example.com/v1/file.tar.gz", true),
    ("https://example.com/v1", "GET", "https://example.com/v1/...", true),
    ("https://example.com/v1/", "GET", "https://example.com/v1/users", true),
    ("https://example.com/v1/", "GET", "https://example.com/v1", false),
    ("https://example.com/v1", "GET", "https://example.com/v1evil", false),
    ("https://example.com/v1", "GET", "https://example.com/V1/users", false),
    ("https://example.com/v1", "GET", "https://example.com/", false),
    ("https://example.com/v1", "GET", "https://example.com//v1", false),
    ("https://example.com/v1", "GET", "https://example.com/v1/../admin", false),
    ("https://example.com/v1", "GET", "https://example.com/v1/%2e%2e/admin", false),
    ("https://example.com/v1", "GET", "https://example.com/v1/.%2E/admin", false),
    ("https://example.com/v1", "GET", "https://example.com/v1/..%2fadmin", false),
    ("https://example.com/v1", "GET", "https://example.com/v1/..%5cadmin", false),
    ("https://example.com/v1", "GET", "https://example.com/v1/%252e%252e/admin", false),
    ("https://example.com/v1", "GET", "https://example.com/v1/%25252e%25252e%25252fadmin", false),
    ("https://example.com/v1", "GET", "https://example.com/v1/..;a=b/admin", false),
    ("https://example.com/v1", "GET", "https://example.com/v1/..%00/admin", false),
    ("https://example.com/v1", "GET", "https://example.com/v1%2F..%2Fadmin", false),
    ("https://example.com/v1", "GET", "https://example.com/x/../v1/users", true),
    ("*.example.com", "GET", "https://a.example.com/", true),
    ("*.example.com", "GET", "https://a.b.example.com/", true),
    ("*.example.com", "GET", "https://a.example.com./", true),
    ("public", "GET", "https://anything.example/", true),
    ("public", "GET", "http://anything.example:8080/", true),
    ("GET public", "POST", "https://anything.example/", false),
    ("1.1.1.1", "GET", "https://1.1.1.1/", true),
    ("1.1.1.1", "GET", "https://0x01010101/", true),
    ("public", "GET", "https://1.1.1.1/", false),
    ("private:http://10.0.0.5:9000", "GET", "http://10.0.0.5:9000/", true),
    ("http://10.0.0.5:9000", "GET", "http://10.0.0.5:9000/", false),
    ("private:http://169.254.169.254", "GET", "http://169.254.169.254/", false),
    ("private:http://0.0.0.0", "GET", "http://0.0.0.0/", false),
];

#[test]
fn an_entry_covers_whole_labels_whole_segments_and_its_own_scheme_and_port() {
    for (entry, method, url, allowed) in COVERED {
        let verdict = allow(&[entry], &[]).check(&method.parse().unwrap(), &canonical_url(url).unwrap());
        assert_eq!(verdict.is_ok(), *allowed, "{entry} {method} {url}: {verdict:?}");
    }
}

/// Entries, request, missing grant.
const MISSING: &[(&[&str], &str, &str, &str)] = &[
    (&[], "GET", "https://API.example.com/v1/x?key=1", "network=https://api.example.com/"),
    (&[], "GET", "http://example.com:8080/", "network=http://example.com:8080/"),
    (&[], "GET", "http://127.0.0.1:9/x", "network=private:http://127.0.0.1:9/"),
    (&["public"], "GET", "http://[::1]/", "network=private:http://[::1]/"),
    (&["GET example.com"], "POST", "https://example.com/a", "network=POST https://example.com/"),
    (&["private:GET nas.lan"], "PUT", "https://nas.lan/a", "network=private:PUT https://nas.lan/"),
];

#[test]
fn a_denial_names_the_grant_that_would_allow_it() {
    for (entries, method, url, grant) in MISSING {
        let method: Method = method.parse().unwrap();
        let url = canonical_url(url).unwrap();
        let error = allow(entries, &[]).check(&method, &url).unwrap_err();
        assert!(error.to_string().ends_with(&format!("the grant {grant} is missing")), "{error}");
        let value = grant.strip_prefix("network=").unwrap();
        assert_eq!(value.parse::<Entry>().unwrap().to_string(), value, "the grant is not canonical");
        assert!(allow(&[value], &[]).check(&method, &url).is_ok(), "{value} does not allow the request");
    }
}

/// As written, as shown.
const SLOTS: &[(&str, &str)] = &[
    (
        "KEY api.example.com header=Authorization: Bearer {}",
        "KEY https://api.example.com/ header=authorization: Bearer {}",
    ),
    ("KEY https://a.b/v1 header=X-Key:{}", "KEY https://a.b/v1 header=x-key: {}"),
    ("KEY https://a.b/v1/ query=appid", "KEY https://a.b/v1/ query=appid"),
    ("K_2 http://127.0.0.1:80/ query=k", "K_2 http://127.0.0.1/ query=k"),
    ("K http://localhost:8000 header=A: x{}y", "K http://localhost:8000/ header=a: x{}y"),
];

const BAD_SLOTS: &[&str] = &[
    "",
    "KEY",
    "KEY https://a.b/",
    "KEY https://a.b/ ",
    "KEY https://a.b/ header=X-Key: fixed",
    "KEY https://a.b/ header=X-Key: {}{}",
    "KEY https://a.b/ header=X Key: {}",
    "KEY https://a.b/ header=X-Key: {}\r\nX-Evil: 1",
    "KEY https://a.b/ header=Host: {}",
    "KEY https://a.b/ header=Content-Length: {}",
    "KEY https://a.b/ header=Proxy-Authorization: {}",
    "KEY https://a.b/ query=",
    "KEY https://a.b/ query=a b",
    "KEY https://a.b/ cookie=x",
    "KEY *.a.b header=X: {}",
    "KEY public header=X: {}",
    "KEY private:https://a.b/ header=X: {}",
    "KEY GET https://a.b/ header=X: {}",
    "KEY http://a.b/ header=X: {}",
    "KEY http://10.0.0.1/ header=X: {}",
    "KEY http://localhost.evil.test/ header=X: {}",
    "K-Y https://a.b/ query=k",
    "K\u{00c4} https://a.b/ query=k",
];

#[test]
fn a_slot_is_shown_in_canonical_form_and_reads_back_to_itself() {
    for (written, shown) in SLOTS {
        let slot: SecretSlot = written.parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(slot.to_string(), *shown);
        assert_eq!(shown.parse::<SecretSlot>().unwrap(), slot);
    }
}

#[test]
fn cred_08_a_slot_without_one_exact_safe_place_is_refused() {
    for written in BAD_SLOTS {
        assert!(written.parse::<SecretSlot>().is_err(), "{written:?} was accepted");
    }
}
