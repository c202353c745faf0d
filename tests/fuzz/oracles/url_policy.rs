//! A URL that an entry allows really lies in it: derived again from the texts alone, without the engine's types.
//! The input is an entry, a line feed, and a URL.

use std::net::IpAddr;

use chiton_egress::{AddressClass, Allowance, EgressError, Entry, canonical_url};
use http::Method;

pub fn check(data: &[u8]) {
    let Some((entry, url)) = std::str::from_utf8(data).ok().and_then(|text| text.split_once('\n')) else { return };
    let (Ok(entry), Ok(url)) = (entry.parse::<Entry>(), canonical_url(url)) else { return };
    let text = url.as_str();
    assert_eq!(canonical_url(text).as_ref().map(url::Url::as_str), Ok(text), "canonical form is stable");
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text}");

    let allowance = Allowance { network: vec![entry.clone()], secrets: Vec::new() };
    match allowance.check(&Method::GET, &url) {
        Ok(_) => lies_in(&entry.to_string(), text),
        Err(EgressError::Denied { grant, .. }) => {
            let value = grant.strip_prefix("network=").unwrap_or_else(|| panic!("{grant}"));
            let wider = Allowance::parse(&[value.to_owned()], &[]).unwrap_or_else(|error| panic!("{error}"));
            assert!(wider.check(&Method::GET, &url).is_ok(), "{value} does not allow {text}");
        }
        Err(EgressError::Refused { .. }) => {}
        Err(other) => panic!("{other:?}"),
    }
}

fn lies_in(entry: &str, url: &str) {
    let (private, entry) = entry.strip_prefix("private:").map_or((false, entry), |rest| (true, rest));
    let place = entry.split_once(' ').map_or(entry, |(_, place)| place);
    let (scheme, authority, path) = parts(url);
    assert!(["http", "https"].contains(&scheme), "{url}");
    assert!(!authority.contains('@') && !authority.contains('\\'), "{url}");
    let (host, port) = host_and_port(scheme, authority);
    assert!(!host.is_empty() && !host.ends_with('.') && host == host.to_lowercase(), "{url}");
    let literal: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    if let Some(address) = literal {
        assert!(AddressClass::of(address).reachable(private), "{entry} lets {url} through");
    }
    if place == "public" {
        assert!(literal.is_none(), "{url}");
        return;
    }
    let (entry_scheme, entry_authority, prefix) = parts(place);
    let (entry_host, entry_port) = host_and_port(entry_scheme, entry_authority);
    assert_eq!((scheme, port), (entry_scheme, entry_port), "{entry} lets {url} through");
    match entry_host.strip_prefix('*') {
        Some(end) => assert!(host.ends_with(end) && host.len() > end.len(), "{entry} lets {url} through"),
        None => assert_eq!(host, entry_host, "{entry} lets {url} through"),
    }
    if prefix != "/" {
        let below = if prefix.ends_with('/') {
            path.starts_with(prefix)
        } else {
            path == prefix || path.starts_with(&format!("{prefix}/"))
        };
        assert!(below, "{entry} lets {url} through");
        climbs_nowhere(path);
    }
}

/// No origin, however often it decodes, finds a segment that leads upwards.
fn climbs_nowhere(path: &str) {
    let mut bytes = path.as_bytes().to_vec();
    loop {
        let upwards = bytes.split(|byte| b"/\\".contains(byte)).any(|segment| segment == b"..");
        assert!(!upwards, "{path} climbs");
        let decoded = decode(&bytes);
        if decoded == bytes {
            return;
        }
        bytes = decoded;
    }
}

fn decode(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let value = digits.filter(|pair| pair.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match value.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) if first == b'%' => {
                decoded.push(byte);
                rest = &after[2..];
            }
            _ => {
                decoded.push(first);
                rest = after;
            }
        }
    }
    decoded
}

fn parts(url: &str) -> (&str, &str, &str) {
    let (scheme, rest) = url.split_once("://").unwrap_or_else(|| panic!("{url}"));
    let rest = &rest[..rest.find(['?', '#']).unwrap_or(rest.len())];
    let slash = rest.find('/').unwrap_or(rest.len());
    (scheme, &rest[..slash], &rest[slash..])
}

fn host_and_port<'a>(scheme: &str, authority: &'a str) -> (&'a str, u16) {
    let default = if scheme == "https" { 443 } else { 80 };
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().unwrap_or_else(|_| panic!("{authority}"))),
        _ => (authority, default),
    }
}
