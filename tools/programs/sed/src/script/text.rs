//! The texts inside commands: replacements, the strings of `y`, brackets.

use crate::pattern::numbered;

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
    let mut characters = text.chars();
    let mut plain = Vec::new();
    while let Some(character) = characters.next() {
        plain.push(match character {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some(other) => other,
                None => '\\',
            },
            _ => character,
        });
    }
    plain
}

/// The pieces of a replacement.
pub fn pieces(text: &str) -> Vec<Piece> {
    let characters: Vec<char> = text.chars().collect();
    let (mut pieces, mut plain, mut at) = (Vec::new(), String::new(), 0);
    while let Some(&character) = characters.get(at) {
        at += 1;
        let piece = match character {
            '&' => Piece::Group(0),
            '\\' => {
                let next = characters.get(at).copied().unwrap_or('\\');
                at += 1;
                match next {
                    '0'..='9' => Piece::Group(next.to_digit(10).unwrap_or(0) as usize),
                    'U' | 'L' | 'u' | 'l' | 'E' => Piece::Case(next),
                    'x' | 'o' | 'd' if let Some((character, length)) = numbered(next, &characters[at..]) => {
                        at += length;
                        plain.push(character);
                        continue;
                    }
                    _ => {
                        plain.push(match next {
                            'n' => '\n',
                            't' => '\t',
                            'r' => '\r',
                            'a' => '\x07',
                            'f' => '\x0c',
                            'v' => '\x0b',
                            other => other,
                        });
                        continue;
                    }
                }
            }
            _ => {
                plain.push(character);
                continue;
            }
        };
        pieces.push(Piece::Text(std::mem::take(&mut plain)));
        pieces.push(piece);
    }
    pieces.push(Piece::Text(plain));
    pieces
}
