//! The search for the forms of secrets, in any case and with any of their bytes percent-encoded.

use crate::{
    grams::Grams,
    spelling::{is_cut, spellings},
};

/// The forms that are searched for.
pub(crate) struct Search {
    /// In lower case: servers change the case of what they echo, and hexadecimal has two. In order.
    forms: Vec<Vec<u8>>,
    /// For each byte the first form that begins with it or a greater one; then the number of forms.
    first: Vec<usize>,
    shortest: usize,
    grams: Grams,
}

/// What is in a text that may go on.
pub(crate) struct Findings {
    /// The places where a form stands, merged where they overlap, in order.
    pub places: Vec<(usize, usize)>,
    /// Where the first form begins of which it is not known yet whether it stands there, or how far it goes.
    pub certain: usize,
}

/// What stands at the beginning of a text.
#[derive(Default)]
struct Reading {
    /// Length of the longest form, if one stands there.
    length: Option<usize>,
    /// Whether a form may stand there, or a longer one, if the text goes on.
    open: bool,
}

impl Search {
    /// A search for these forms; `None` if there are none.
    pub(crate) fn new(forms: impl Iterator<Item = Vec<u8>>) -> Option<Self> {
        let mut forms: Vec<_> = forms.map(|form| form.to_ascii_lowercase()).filter(|form| !form.is_empty()).collect();
        forms.sort_unstable();
        forms.dedup();
        let shortest = forms.iter().map(Vec::len).min()?;
        let first = (0..=256).map(|byte| forms.partition_point(|form| usize::from(form[0]) < byte)).collect();
        let grams = Grams::new(&forms, shortest);
        Some(Self { forms, first, shortest, grams })
    }

    /// The places in a whole text where a form stands, merged where they overlap, in order.
    pub(crate) fn places(&self, text: &[u8]) -> Vec<(usize, usize)> {
        if text.len() < self.shortest { Vec::new() } else { self.find(text).places }
    }

    /// What is in a text that may go on.
    pub(crate) fn find(&self, text: &[u8]) -> Findings {
        let mut findings = Findings { places: Vec::new(), certain: text.len() };
        let mut visit = |start: usize| {
            let reading = self.read(&text[start..]);
            if reading.open {
                findings.certain = findings.certain.min(start);
            }
            if let Some(length) = reading.length {
                merge(&mut findings.places, (start, start + length));
            }
        };
        self.grams.beginnings(text, &mut visit);
        (text.len().saturating_sub(self.grams.unseen())..text.len()).for_each(visit);
        findings.places.sort_unstable();
        findings.places = findings.places.into_iter().fold(Vec::new(), |mut merged, place| {
            merge(&mut merged, place);
            merged
        });
        findings
    }

    fn read(&self, text: &[u8]) -> Reading {
        let mut reading = Reading { length: None, open: is_cut(text) };
        for (byte, _) in spellings(text) {
            let byte = usize::from(byte);
            for form in &self.forms[self.first[byte]..self.first[byte + 1]] {
                let one = read_form(text, form);
                reading.length = reading.length.max(one.length);
                reading.open |= one.open;
            }
        }
        reading
    }
}

/// Adds a place, to the last one if it begins in that.
fn merge(places: &mut Vec<(usize, usize)>, (start, end): (usize, usize)) {
    match places.last_mut() {
        Some(last) if last.0 <= start && start < last.1 => last.1 = last.1.max(end),
        _ => places.push((start, end)),
    }
}

/// Reads one form at the beginning of the text, each of its bytes plain or percent-encoded. A text may be read in
/// several ways, since a `%` may also stand for itself; all are tried.
fn read_form(text: &[u8], form: &[u8]) -> Reading {
    let plain =
        text.iter().zip(form).take_while(|(byte, wanted)| byte.to_ascii_lowercase() == **wanted && **byte != b'%');
    let plain = plain.count();
    if plain == form.len() {
        return Reading { length: Some(plain), open: false };
    }
    if text.get(plain).is_some_and(|byte| *byte != b'%') {
        return Reading::default();
    }
    let mut ends = vec![plain];
    let mut open = false;
    for wanted in &form[plain..] {
        open |= ends.iter().any(|&end| is_cut(&text[end..]));
        let further = ends.iter().flat_map(|&end| {
            let readings = spellings(&text[end..]).filter(|(byte, _)| byte == wanted);
            readings.map(move |(_, length)| end + length)
        });
        ends = further.collect();
        ends.sort_unstable();
        ends.dedup();
    }
    Reading { length: ends.last().copied(), open }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRETS: &[&str] = &[
        "correct-horse-battery-staple",
        "aaaaaaaa",
        "25%41%25",
        "%41%42%43",
        "p&ss \"w\u{f6}rd\"/<+=>",
        "a-long-one-0123456789-of-more-bytes-than-a-stride-has-at-most",
        "abc",
        "x",
    ];

    /// Numbers that look random and are the same in every run.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, end: usize) -> usize {
            self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            (self.0 >> 33) as usize % end
        }

        /// Pieces of the forms in mixed spellings, and what is between them.
        fn text(&mut self, forms: &[Vec<u8>]) -> Vec<u8> {
            let mut text = Vec::new();
            for _ in 0..self.below(6) {
                let form = &forms[self.below(forms.len())];
                let first = [0, self.below(form.len())][self.below(2)];
                let end = [form.len(), first + self.below(form.len() - first + 1)][self.below(2)];
                let plain = self.below(12);
                for byte in &form[first..end] {
                    match self.below(12).saturating_sub(plain) {
                        0 => text.push(*byte),
                        1 => text.push(byte.to_ascii_uppercase()),
                        2 => text.extend(format!("%{byte:02X}").into_bytes()),
                        3 => text.extend(format!("%25{byte:02x}").into_bytes()),
                        _ => text.extend([b'%', *byte]),
                    }
                }
                text.extend(&b"%25 %4"[..self.below(7)]);
            }
            text.truncate(text.len().saturating_sub(self.below(8)));
            text
        }
    }

    /// What is found when every byte of the text is visited.
    fn exhaustive(search: &Search, text: &[u8]) -> (Vec<(usize, usize)>, usize) {
        let (mut places, mut certain) = (Vec::new(), text.len());
        for start in 0..text.len() {
            let reading = search.read(&text[start..]);
            if let Some(length) = reading.length {
                merge(&mut places, (start, start + length));
            }
            if reading.open {
                certain = certain.min(start);
            }
        }
        (places, certain)
    }

    #[test]
    fn nothing_is_missed_by_looking_at_few_bytes() {
        let mut numbers = Numbers(1);
        for secret in SECRETS {
            let search = Search::new(crate::forms::of(secret).into_iter()).unwrap();
            let mut found = 0;
            for _ in 0..5_000 {
                let text = numbers.text(&search.forms);
                let Findings { places, certain } = search.find(&text);
                found += usize::from(!places.is_empty());
                assert_eq!((places, certain), exhaustive(&search, &text), "{}", String::from_utf8_lossy(&text));
            }
            assert!(found > 500, "{found} texts had {secret}");
        }
    }
}
