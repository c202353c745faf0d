//! Whatever is accepted as a grant has one canonical text, which reads back to the same grant.

use chiton_egress::{Entry, SecretSlot};

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(entry) = text.parse::<Entry>() {
        let shown = entry.to_string();
        let again: Entry = shown.parse().unwrap_or_else(|error| panic!("{text:?} is shown as {shown:?}: {error}"));
        assert_eq!((&again, again.to_string()), (&entry, shown), "of {text:?}");
    }
    if let Ok(slot) = text.parse::<SecretSlot>() {
        let shown = slot.to_string();
        let again: SecretSlot = shown.parse().unwrap_or_else(|error| panic!("{text:?} is shown as {shown:?}: {error}"));
        assert_eq!((&again, again.to_string()), (&slot, shown), "of {text:?}");
        assert!(!slot.to_string().contains(['\r', '\n', '\0']), "{slot}");
    }
}
