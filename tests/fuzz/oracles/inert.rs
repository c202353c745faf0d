//! What is shown holds nothing that cannot be seen or moves what can, however it arrives; and it is stable.
//! The input is the size of the pieces, and the text.

use crate::inert::{Inert, inert};

pub fn check(data: &[u8]) {
    let Some((size, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let shown = inert(text);
    harmless(&shown);
    assert_eq!(inert(&shown), shown, "of {text:?}");

    let mut stream = Inert::default();
    let mut rest = text;
    let mut pieces = String::new();
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.ceil_char_boundary(usize::from(*size).max(1)));
        pieces.push_str(&stream.push(piece));
        rest = after;
    }
    harmless(&pieces);
    // A carriage return at the end of a piece does not know whether a line feed follows.
    if !text.contains('\r') {
        assert_eq!(pieces, shown, "of {text:?}");
    }
}

fn harmless(shown: &str) {
    let mut before = None;
    for character in shown.chars() {
        let joins = JOINERS.contains(&character);
        let visible = before.is_some_and(|before: char| !before.is_ascii() && before != character);
        assert!(if joins { visible } else { !acts(character) }, "{character:?} after {before:?} in {shown:?}");
        before = Some(character);
    }
}

/// Emoji, Persian and Indic scripts need them between visible characters.
const JOINERS: [char; 4] = ['\u{200c}', '\u{200d}', '\u{fe0e}', '\u{fe0f}'];

/// Controls, and the characters that Unicode calls default-ignorable.
fn acts(character: char) -> bool {
    let controls = character.is_control() && !matches!(character, '\n' | '\t');
    controls
        || matches!(u32::from(character),
            0xad | 0x34f | 0x61c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f
            | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb
            | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff)
}
