//! What counts as text, and how much of it a result may hold.

/// Most characters of a result.
pub(crate) const MOST_CHARACTERS: usize = 128_000;

/// Bytes that are looked at to tell text from anything else.
const HEAD: usize = 8 << 10;

/// First bytes of formats that people ask for as if they were text.
const FORMATS: [(&[u8], &str); 8] = [
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x7fELF", "a program"),
    (b"\0asm", "a WebAssembly module or component"),
];

/// What a file is, if its first bytes are not text.
pub(crate) fn binary(start: &[u8]) -> Option<&'static str> {
    let known = FORMATS.iter().find(|(magic, _)| start.starts_with(magic));
    let known = known.map(|(_, name)| *name);
    known.or_else(|| start.iter().take(HEAD).any(|byte| *byte == 0).then_some("binary"))
}

/// `text` up to a number of characters, and whether that is not all of it.
pub(crate) fn clip(text: &str, characters: usize) -> (&str, bool) {
    if text.len() <= characters {
        return (text, false);
    }
    text.char_indices().nth(characters).map_or((text, false), |(end, _)| (&text[..end], true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_makes_a_file_binary_and_a_known_format_is_named() {
        assert_eq!(binary("žluťoučký\tkůň\r\n".as_bytes()), None);
        assert_eq!(binary(b"\xff\xfeinvalid but no NUL"), None);
        assert_eq!(binary(b"a\0b"), Some("binary"));
        assert_eq!(binary(b"%PDF-1.7"), Some("a PDF document"));
    }

    #[test]
    fn clipping_counts_characters_and_not_bytes() {
        assert_eq!(clip("žluť", 4), ("žluť", false));
        assert_eq!(clip("žluťoučký", 4), ("žluť", true));
    }
}
