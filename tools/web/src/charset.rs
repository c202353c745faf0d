//! Which characters the bytes of a page are.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// How far into a page its own word about the charset counts (HTML standard, 13.2.3.2).
const PRESCAN: usize = 1024;

/// The text of `bytes`: by their byte order mark, the charset of the `content-type` field, what an HTML or XML head
/// says, and else UTF-8 if they are that, or windows-1252 as browsers take it.
pub(crate) fn decode(bytes: &[u8], charset: Option<&str>) -> String {
    let named = charset.and_then(|charset| Encoding::for_label(charset.as_bytes()));
    let encoding = named.or_else(|| declared(&bytes[..bytes.len().min(PRESCAN)])).unwrap_or_else(|| {
        let valid = std::str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none(), |_| true);
        if valid { UTF_8 } else { WINDOWS_1252 }
    });
    encoding.decode(bytes).0.into_owned()
}

/// What `<meta charset=...>`, `<meta ... content="text/html; charset=...">` or `<?xml encoding=...?>` says.
fn declared(head: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    ["charset", "encoding"].iter().find_map(|word| {
        head.match_indices(word).find_map(|(at, word)| {
            let tag = &head[head[..at].rfind('<')?..];
            let value = head[at + word.len()..].trim_start().strip_prefix('=')?;
            let value = value.trim_start().trim_start_matches(['"', '\'']);
            let end = value.find(|character: char| !character.is_ascii_alphanumeric() && !"-_:".contains(character));
            let encoding = Encoding::for_label(&value.as_bytes()[..end.unwrap_or(value.len())])?;
            let speaks = tag.starts_with("<meta") || tag.starts_with("<?xml");
            // A page that can say so in ASCII is not UTF-16, whatever it says.
            speaks.then(|| if encoding.output_encoding() == encoding { encoding } else { UTF_8 })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{GBK, SHIFT_JIS, WINDOWS_1251};

    #[test]
    fn the_header_decides_before_the_page() {
        let page = WINDOWS_1251.encode("<meta charset=utf-8>Привет").0;
        assert!(decode(&page, Some("windows-1251")).ends_with("Привет"));
    }

    #[test]
    fn a_page_tells_its_own_charset() {
        for (page, encoding) in [
            ("<html><head><META http-equiv=Content-Type content=\"text/html; charset=Shift_JIS\">日本", SHIFT_JIS),
            ("<!doctype html><meta charset='gb2312'><title>中文</title>", GBK),
            ("<?xml version=\"1.0\" encoding=\"windows-1251\"?><rss>Новости</rss>", WINDOWS_1251),
        ] {
            assert_eq!(decode(&encoding.encode(page).0, None), page);
        }
    }

    #[test]
    fn a_byte_order_mark_decides_before_everything() {
        assert_eq!(decode(b"\xff\xfeh\0i\0", Some("utf-8")), "hi");
        assert_eq!(decode("\u{feff}é".as_bytes(), Some("windows-1252")), "é");
    }

    #[test]
    fn without_a_word_it_is_utf_8_or_windows_1252() {
        assert_eq!(decode("naïve".as_bytes(), None), "naïve");
        assert_eq!(decode(b"na\xefve", None), "naïve");
        assert_eq!(decode("charset=shift_jis é".as_bytes(), None), "charset=shift_jis é");
        assert_eq!(decode(b"x", Some("no-such-charset")), "x");
    }
}
