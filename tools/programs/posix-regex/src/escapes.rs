//! Escapes that stand for one character.

use std::str::Chars;

/// Whose escapes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Escapes {
    /// `\a \f \n \r \t \v`, `\x41`, `\o101`, `\d065`, `\cA`
    Sed,
    /// `\a \b \f \n \r \t \v`, `\x41`, `\101`
    Awk,
}

impl Escapes {
    /// Takes the character that is written behind a backslash; takes nothing if none of the escapes is.
    pub fn take(self, rest: &mut Chars<'_>) -> Option<char> {
        let mut ahead = rest.clone();
        let character = match (self, ahead.next()?) {
            (_, 'a') => '\x07',
            (Self::Awk, 'b') => '\x08',
            (_, 'f') => '\x0c',
            (_, 'n') => '\n',
            (_, 'r') => '\r',
            (_, 't') => '\t',
            (_, 'v') => '\x0b',
            (_, 'x') => number(&mut ahead, 16, 2)?,
            (Self::Sed, 'o') => number(&mut ahead, 8, 3)?,
            (Self::Sed, 'd') => number(&mut ahead, 10, 3)?,
            (Self::Sed, 'c') => {
                let letter = u8::try_from(ahead.next()?).ok()?;
                char::from(letter.to_ascii_uppercase() ^ 0x40)
            }
            (Self::Awk, '0'..='7') => {
                ahead = rest.clone();
                number(&mut ahead, 8, 3)?
            }
            _ => return None,
        };
        *rest = ahead;
        Some(character)
    }
}

/// The character with the number in the next digits.
fn number(rest: &mut Chars<'_>, base: u32, most: usize) -> Option<char> {
    let digits: Vec<u32> = rest.clone().take(most).map_while(|next| next.to_digit(base)).collect();
    let last = digits.len().checked_sub(1)?;
    rest.nth(last);
    char::from_u32(digits.iter().fold(0, |sum, digit| sum * base + digit))
}
