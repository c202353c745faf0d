//! Ways to write a host that fool filters which compare text.

use chiton_egress::{EgressError, canonical_url};
use http::Method;

use crate::support::allow;

/// The verdict on a GET under these entries; `Err` also when the URL is refused as it is written.
fn verdict(entries: &[&str], url: &str) -> Result<(), String> {
    let url = canonical_url(url).map_err(str::to_owned)?;
    allow(entries, &[]).check(&Method::GET, &url).map(|_| ()).map_err(|error: EgressError| error.to_string())
}

#[track_caller]
fn all_denied(entries: &[&str], urls: &[&str]) {
    for url in urls {
        assert!(verdict(entries, url).is_err(), "{url} was let through by {entries:?}");
    }
}

#[test]
fn net_01_no_spelling_of_an_ipv4_address_hides_it() {
    all_denied(
        &["public", "http://127.0.0.1"],
        &[
            "http://127.0.0.1/",
            "http://127.0.0.1./",
            "http://127.1/",
            "http://127.0.1/",
            "http://0/",
            "http://0.0.0.0/",
            "http://2130706433/",
            "http://017700000001/",
            "http://0177.0.0.1/",
            "http://0177.0.0.01/",
            "http://0x7f000001/",
            "http://0x7f.0.0.1/",
            "http://0x7f.1/",
            "http://0X7F.0x0.0x0.0x1/",
            "http://127.0x1/",
            "http://%31%32%37.0.0.1/",
            "http://127%2e0%2e0%2e1/",
            "http://\u{ff11}\u{ff12}\u{ff17}.0.0.1/",
            "http://127\u{3002}0\u{3002}0\u{3002}1/",
            "http://\u{2460}\u{2461}\u{2466}.0.0.1/",
            "http://127.0.0.1:80/",
            "http://256.256.256.256/",
            "http://127.0.0.1.1/",
            "http://4294967296/",
            "http://169.254.169.254/latest/meta-data/",
            "http://2852039166/",
            "http://0xa9fea9fe/",
            "http://0xa9.254.0251.254/",
            "http://169.16689662/",
            "http://0251.0376.0251.0376/",
        ],
    );
}

#[test]
fn net_02_no_spelling_of_an_ipv6_address_hides_it() {
    all_denied(
        &["public"],
        &[
            "http://[::1]/",
            "http://[0:0:0:0:0:0:0:1]/",
            "http://[0000:0000:0000:0000:0000:0000:0000:0001]/",
            "http://[::]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://[::127.0.0.1]/",
            "http://[::ffff:0:127.0.0.1]/",
            "http://[64:ff9b::127.0.0.1]/",
            "http://[64:ff9b::a9fe:a9fe]/",
            "http://[2002:7f00:1::]/",
            "http://[fd00::1]/",
            "http://[fe80::1]/",
            "http://[fe80::1%25eth0]/",
            "http://[fe80::1%eth0]/",
            "http://[::1/",
            "http://::1/",
        ],
    );
}

#[test]
fn net_03_metadata_addresses_are_denied_even_when_listed_as_private() {
    for host in ["169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "[::ffff:169.254.169.254]"] {
        let entry = format!("private:http://{host}/");
        all_denied(&[&entry, "public"], &[&format!("http://{host}/latest/")]);
    }
}

#[test]
fn net_10_user_information_is_refused_wherever_parsers_might_see_the_host() {
    all_denied(
        &["public", "allowed.example", "http://allowed.example"],
        &[
            "https://allowed.example@evil.test/",
            "https://allowed.example:443@evil.test/",
            "https://user@allowed.example/",
            "https://user:pass@allowed.example/",
            "https://@allowed.example/",
            "https://:@allowed.example/",
            "https://a@b@allowed.example/",
            "https://allowed.example\\@evil.test/",
            "https://evil.test\\@allowed.example/",
            "https://allowed.example%40evil.test/",
            "https://allowed.example%00@evil.test/",
            "https:allowed.example",
            "https:/allowed.example",
            "https:///allowed.example",
            "https:\\\\allowed.example",
            "//allowed.example/",
            "allowed.example",
        ],
    );
}

#[test]
fn net_10_an_at_sign_behind_the_host_is_only_text() {
    for url in [
        "https://allowed.example/@evil.test",
        "https://allowed.example/?@evil.test",
        "https://allowed.example#@evil.test",
    ] {
        assert_eq!(canonical_url(url).unwrap().host_str(), Some("allowed.example"));
        assert_eq!(verdict(&["allowed.example"], url), Ok(()));
    }
}

#[test]
fn net_11_a_wildcard_stands_for_whole_labels_below_the_domain() {
    all_denied(
        &["*.trusted.example"],
        &[
            "https://trusted.example/",
            "https://.trusted.example/",
            "https://eviltrusted.example/",
            "https://evil-trusted.example/",
            "https://trusted.example.evil.test/",
            "https://a.trusted.example.evil.test/",
            "https://a.trustedxexample/",
            "https://*.trusted.example.evil.test/",
            "https://a..trusted.example/",
            "https://a*.trusted.example/",
            "https://%2a.trusted.example/",
            "https://a,b.trusted.example/",
            "https://a'b.trusted.example/",
        ],
    );
    assert_eq!(verdict(&["*.trusted.example"], "https://a.trusted.example/"), Ok(()));
    assert_eq!(verdict(&["*.trusted.example"], "https://b.a.trusted.example/"), Ok(()));
}

#[test]
fn net_12_a_trailing_dot_is_the_same_host_and_more_dots_are_none() {
    assert_eq!(verdict(&["allowed.example"], "https://allowed.example./"), Ok(()));
    assert_eq!(canonical_url("https://allowed.example./").unwrap().as_str(), "https://allowed.example/");
    all_denied(&["allowed.example", "public"], &["https://allowed.example../", "https://./", "https://../"]);
}

#[test]
fn net_13_international_names_are_compared_as_a_labels() {
    all_denied(
        &["apple.example", "*.apple.example", "ac.example"],
        &[
            "https://\u{0430}pple.example/",
            "https://xn--pple-43d.example/",
            "https://appl\u{0435}.example/",
            "https://a\u{2100}b.example/",
            "https://\u{2100}.example/",
        ],
    );
    for same in ["https://ap\u{00ad}ple.example/", "https://apple\u{3002}example/", "https://\u{ff41}pple.example/"] {
        assert_eq!(canonical_url(same).unwrap().host_str(), Some("apple.example"), "{same}");
    }
    assert_eq!(verdict(&["bücher.example"], "https://B\u{00dc}CHER.example/"), Ok(()));
}

#[test]
fn net_14_the_port_is_part_of_the_origin() {
    all_denied(
        &["allowed.example"],
        &[
            "https://allowed.example:80/",
            "https://allowed.example:444/",
            "https://allowed.example:0/",
            "https://allowed.example:65979/",
            "https://allowed.example:443:443/",
            "https://allowed.example:443x/",
            "https://allowed.example:-443/",
            "https://allowed.example: 443/",
        ],
    );
    for same in ["https://allowed.example:443/", "https://allowed.example:/", "https://allowed.example:0443/"] {
        assert_eq!(verdict(&["allowed.example"], same), Ok(()), "{same}");
    }
}

#[test]
fn net_15_net_20_only_the_granted_web_scheme_is_spoken() {
    all_denied(
        &["allowed.example", "public"],
        &[
            "ftp://allowed.example/",
            "file:///etc/passwd",
            "file://allowed.example/etc/passwd",
            "gopher://allowed.example/",
            "data:text/plain,x",
            "ws://allowed.example/",
            "wss://allowed.example/",
            "unix:///run/docker.sock",
            "javascript://allowed.example/",
            "blob:https://allowed.example/x",
            "view-source:https://allowed.example/",
            "jar:https://allowed.example!/",
            "http+unix://allowed.example/",
        ],
    );
    all_denied(&["allowed.example"], &["http://allowed.example/"]);
    assert_eq!(verdict(&["allowed.example"], "HTTPS://allowed.example/"), Ok(()));
}

#[test]
fn net_16_white_space_and_control_characters_in_a_url_are_refused_not_dropped() {
    for bad in ['\r', '\n', '\0', '\t', ' ', '\u{7f}', '\u{1}'] {
        for place in [
            "https://allowed{}.example/",
            "https://allowed.example/a{}b",
            "https://allowed.example/?a{}b",
            "{}https://allowed.example/",
        ] {
            all_denied(&["allowed.example", "public"], &[&place.replace("{}", &bad.to_string())]);
        }
    }
}

#[test]
fn net_27_a_url_longer_than_16_kib_is_an_error() {
    let long = format!("https://allowed.example/{}", "a".repeat(20_000));
    all_denied(&["allowed.example"], &[&long, &format!("https://allowed.example/?{}", "a".repeat(20_000))]);
    assert_eq!(verdict(&["allowed.example"], &long[..8_000]), Ok(()));
}
