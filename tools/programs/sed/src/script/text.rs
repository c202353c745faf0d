//! The texts inside commands: replacements, the strings of `y`, brackets.

use std::str::Chars;

use chiton_posix_regex::Escapes;

/// A piece of a replacement.
#[derive(Clone)]
pub enum Piece {
    /// As it is.
    Text(String),
    /// What a group matched; 0 is all.
    Group(usize),
    /// `\U`, `\L`, `\u`, `\l`, `\E`
    Case(char),
}

/// How many characters a bracket expression takes behind its `[`, if it ends on this line.
pub fn bracket_length(rest: &[char]) -> Option<usize> {
    let first = usize::from(rest.first() == Some(&'^'));
    let mut at = first;
    loop {
        match (*rest.get(at)?, rest.get(at + 1)) {
            ('\n', _) => return None,
            (']', _) if at > first => return Some(at + 1),
            ('[', Some(':')) => at += rest[at..].windows(2).position(|pair| pair == [':', ']'])? + 2,
            _ => at += 1,
        }
    }
}

/// The characters of `y`'s strings.
pub fn plain(text: &str) -> Vec<char> {
    let (mut plain, mut characters) = (Vec::new(), text.chars());
    while let Some(character) = characters.next() {
        plain.push(if character == '\\' { escaped(&mut characters) } else { character });
    }
    plain
}

/// The character behind a backslash.
fn escaped(rest: &mut Chars<'_>) -> char {
    Escapes::Sed.take(rest).or_else(|| rest.next()).unwrap_or('\\')
}

/// The pieces of a replacement.
pub fn pieces(text: &str) -> Vec<Piece> {
    let (mut pieces, mut plain, mut characters) = (Vec::new(), String::new(), text.chars());
    while let Some(character) = characters.next() {
        let piece = match (character, characters.clone().next()) {
            ('&', _) => Piece::Group(0),
            ('\\', Some(digit @ '0'..='9')) => Piece::Group(digit.to_digit(10).unwrap_or(0) as usize),
            ('\\', Some(letter @ ('U' | 'L' | 'u' | 'l' | 'E'))) => Piece::Case(letter),
            _ => {
                plain.push(if character == '\\' { escaped(&mut characters) } else { character });
                continue;
            }
        };
        if character == '\\' {
            characters.next();
        }
        pieces.extend([Piece::Text(std::mem::take(&mut plain)), piece]);
    }
    pieces.push(Piece::Text(plain));
    pieces
}
