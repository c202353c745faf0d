//! The text that stands for a secret in a guest's request. It says nothing about the value.

/// How every placeholder begins; whoever finds it in a request has found a placeholder.
pub(crate) const MARK: &str = "chiton-secret-";
/// How every placeholder ends, so that one name is never the beginning of another.
const END: &str = "-0000";

/// The placeholder of the secret `name`: opaque, the same in every process, safe in URLs and shells.
#[must_use]
pub fn placeholder(name: &str) -> String {
    format!("{MARK}{name}{END}")
}

/// The name in the first placeholder of a text, or `NAME` if it is not written plainly.
pub(crate) fn name_in(text: &[u8]) -> &str {
    let name = std::str::from_utf8(text).ok().and_then(|text| text.split_once(MARK)?.1.split_once(END));
    name.map_or("NAME", |(name, _)| name)
}
