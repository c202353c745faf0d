//! Whatever the bytes are, unpacking ends with a skill within the caps, each file in a place of its own below it, or with
//! a short reason. What is unpacked packs and unpacks to the same.

use crate::{MOST_BYTES, MOST_FILES, Package};

/// Longest reason, in bytes.
const LONGEST_REASON: usize = 2_000;

pub fn check(data: &[u8]) {
    let package = match Package::unpack("fuzz", data) {
        Ok(package) => package,
        Err(error) => {
            let reason = error.to_string();
            let plain = reason.chars().all(|letter| !letter.is_control() && letter != '\u{202e}');
            return assert!(plain && reason.len() <= LONGEST_REASON, "{reason:?}");
        }
    };
    assert!(package.files().len() <= MOST_FILES, "{} files", package.files().len());
    assert!(package.files().values().map(|file| file.bytes.len() as u64).sum::<u64>() <= MOST_BYTES);
    let mut seen = std::collections::BTreeSet::new();
    for place in package.files().keys() {
        let inside = place.split('/').all(|part| !matches!(part, "" | "." | "..")) && !place.contains(['\\', '\0']);
        assert!(inside && seen.insert(place.to_lowercase()), "{place:?}");
    }
    let packed = package.to_archive().expect("it can be packed");
    let again = Package::unpack("other", &packed).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(again.files(), package.files());
    assert_eq!(again.digest(), package.digest());
}
