//! A manifest that is accepted asks for what can be shown and enforced, one line each; one that is not says where and why.

use crate::Manifest;

/// Longest reason, in letters.
const LONGEST_REASON: usize = 1_000;

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let manifest = match Manifest::parse(text) {
        Ok(manifest) => manifest,
        Err(error) => {
            let lines = text.matches('\n').count() + 1;
            assert!((1..=lines).contains(&error.line) && error.column > 0, "{error}");
            let plain = error.reason.chars().all(|letter| !letter.is_control() && !hidden(letter));
            return assert!(plain && error.reason.chars().count() <= LONGEST_REASON, "{:?}", error.reason);
        }
    };
    assert!(crate::is_name(&manifest.name), "{:?}", manifest.name);
    for grant in manifest.asked() {
        let (kind, value) = grant.split_once('=').unwrap_or_else(|| panic!("{grant:?} has no kind"));
        assert!(!value.is_empty() && grant.chars().all(|letter| !letter.is_control() && !hidden(letter)), "{grant:?}");
        match kind {
            "files" => {
                let (path, access) = value.rsplit_once(':').expect("files have an access");
                let bounded = access.strip_prefix("write,").is_some_and(is_size);
                assert!(bounded || ["read", "write"].contains(&access), "{grant:?}");
                assert!(path.split('/').all(|part| part != ".."), "{grant:?}");
                assert!(
                    path.starts_with('/')
                        || ["workspace", "scratch", "skill"].contains(&path.split('/').next().unwrap_or(""))
                );
            }
            "network" => {
                let every = ["//*/", "//*:", "//0.0.0.0/", "//0.0.0.0:", "//[::]/", "//[::]:", "@", "?", "#", ".."];
                assert!(!every.iter().any(|part| value.contains(part)), "{grant:?}");
            }
            "secrets" => assert!(!value.contains("//*") && !value.contains("public"), "{grant:?}"),
            _ => {}
        }
    }
}

/// A number with its unit, without a blank between them.
fn is_size(text: &str) -> bool {
    let unit = ["GiB", "MiB", "KiB", "B"].iter().find_map(|unit| text.strip_suffix(unit));
    unit.is_some_and(|number| number.parse::<u64>().is_ok())
}

/// Letters that hide something: bidirectional, zero-width and tag characters.
fn hidden(letter: char) -> bool {
    matches!(letter, '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}
