//! Brace expansion: `a{b,c}d`, `{1..9..2}`, `{a..e}`.

use crate::error::SyntaxError;

/// Most words that one word may become.
const MOST_WORDS: usize = 100_000;

/// The words that `word` becomes; itself alone if there is nothing to expand.
///
/// # Errors
/// When there are too many.
pub(crate) fn brace_expansion(word: &str) -> Result<Vec<String>, SyntaxError> {
    let braces = word.contains('{') && (word.contains(',') || word.contains(".."));
    if !braces {
        return Ok(vec![word.to_owned()]);
    }
    expand(word)
}

fn expand(word: &str) -> Result<Vec<String>, SyntaxError> {
    let Some(group) = Group::first(word) else { return Ok(vec![word.to_owned()]) };
    let before = word.get(..group.open).unwrap_or_default();
    let rests = expand(word.get(group.close + 1..).unwrap_or_default())?;
    let mut words = Vec::new();
    for member in group.members {
        for middle in if group.sequence { vec![member] } else { expand(&member)? } {
            if words.len() + rests.len() > MOST_WORDS {
                return Err(SyntaxError::new(format!("brace expansion gives more than {MOST_WORDS} words")));
            }
            words.extend(rests.iter().map(|rest| format!("{before}{middle}{rest}")));
        }
    }
    Ok(words)
}

/// A brace expression in a word: byte positions of its braces, and what stands between its commas.
struct Group {
    open: usize,
    close: usize,
    members: Vec<String>,
    sequence: bool,
}

impl Group {
    /// The first one, if there is any; quoted braces and `${` do not count.
    fn first(word: &str) -> Option<Self> {
        let places = places(word);
        let opens = places.iter().enumerate().filter(|(_, (_, next))| *next == '{');
        opens.into_iter().find_map(|(index, (open, _))| Self::at(word, *open, places.get(index + 1..)?))
    }

    fn at(word: &str, open: usize, after: &[(usize, char)]) -> Option<Self> {
        let mut depth = 0_usize;
        let mut commas = Vec::new();
        for (place, next) in after {
            match next {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                '}' => return Self::closed(word, open, *place, &commas),
                ',' if depth == 0 => commas.push(*place),
                _ => {}
            }
        }
        None
    }

    fn closed(word: &str, open: usize, close: usize, commas: &[usize]) -> Option<Self> {
        let inside = word.get(open + 1..close)?;
        if commas.is_empty() {
            let members = sequence(inside)?;
            return Some(Self { open, close, members, sequence: true });
        }
        let mut members = Vec::new();
        let mut start = open + 1;
        for end in commas.iter().copied().chain([close]) {
            members.push(word.get(start..end)?.to_owned());
            start = end + 1;
        }
        Some(Self { open, close, members, sequence: false })
    }
}

/// Braces and commas that are neither quoted nor part of an expansion.
fn places(word: &str) -> Vec<(usize, char)> {
    let mut places = Vec::new();
    let mut quote = None;
    let mut parameter = 0_usize;
    let mut characters = word.char_indices().peekable();
    while let Some((at, next)) = characters.next() {
        match (quote, next) {
            (Some('\'' | '$'), '\'') | (Some('"'), '"') | (Some('`'), '`') => quote = None,
            (None | Some('"' | '$'), '\\') => drop(characters.next()),
            (None, '\'' | '"' | '`') => quote = Some(next),
            // In `$'...'` a backslash escapes the quote.
            (None, '$') if characters.next_if(|(_, next)| *next == '\'').is_some() => quote = Some('$'),
            (None, '$') if matches!(characters.peek(), Some((_, '{' | '('))) => {
                parameter += 1;
                characters.next();
            }
            (None, '(') if parameter > 0 => parameter += 1,
            (None, '}' | ')') if parameter > 0 => parameter -= 1,
            (None, '{' | '}' | ',') if parameter == 0 => places.push((at, next)),
            _ => {}
        }
    }
    places
}

/// The members of `1..9`, `09..1..2` or `a..e`.
fn sequence(inside: &str) -> Option<Vec<String>> {
    let parts: Vec<&str> = inside.split("..").collect();
    let (first, last, step) = match parts[..] {
        [first, last] => (first, last, "1"),
        [first, last, step] => (first, last, step),
        _ => return None,
    };
    let step = i64::from(i32::try_from(step.parse::<i64>().ok()?).ok()?).abs().max(1);
    if let (Some(first), Some(last)) = (letter(first), letter(last)) {
        return Some(
            numbers(first, last, step)?.filter_map(|code| char::from_u32(code as u32)).map(String::from).collect(),
        );
    }
    let (from, to) = (first.parse::<i64>().ok()?, last.parse::<i64>().ok()?);
    let padded = [first, last].iter().any(|text| text.trim_start_matches('-').starts_with('0') && text.len() > 1);
    let width = if padded { first.len().max(last.len()) } else { 0 };
    Some(numbers(from, to, step)?.map(|number| format!("{number:0width$}")).collect())
}

fn letter(text: &str) -> Option<i64> {
    let mut characters = text.chars();
    let letter = characters.next().filter(char::is_ascii_alphabetic)?;
    characters.next().is_none().then_some(i64::from(u32::from(letter)))
}

fn numbers(from: i64, to: i64, step: i64) -> Option<impl Iterator<Item = i64>> {
    let distance = i128::from(to) - i128::from(from);
    let count = usize::try_from(distance.unsigned_abs() / step.unsigned_abs() as u128).ok()?;
    let step = if distance < 0 { -step } else { step };
    // One more than is allowed is enough to be refused.
    Some((0..=count.min(MOST_WORDS)).map(move |index| from + step * index as i64))
}
