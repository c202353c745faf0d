//! Where in a text the forms of secrets may begin, told by a look at few of its bytes.

use memchr::memchr_iter;

use crate::spelling::{LONGEST, escapes};

/// Bytes of a gram: as many as are compared at once.
const SIZE: usize = 4;
/// Most bytes from one look to the next. More would hardly be faster, and there is a gram for each.
const LONGEST_STRIDE: usize = 32;
/// Marks for each gram, so that few other bytes meet one.
const SPARSITY: usize = 64;
/// The bit that tells lower from upper case. It is set in all bytes that are compared, letters or not: what is met is
/// only a guess.
const LOWER: u32 = 0x2020_2020;

/// The first grams of every form, one for each byte of a stride.
///
/// A form with enough plain bytes at its beginning has a gram where the next stride ends. If an escape comes before,
/// then a gram ends with the first escape, or fewer bytes than a gram has are in front of it.
pub(crate) struct Grams {
    /// Less than [`SIZE`] if a form has less.
    size: usize,
    stride: usize,
    /// Each gram with the number of bytes in front of it in its form; in order.
    known: Vec<(u32, usize)>,
    /// One bit for each hash, set if a gram has it.
    marks: Vec<u64>,
    /// For each byte whether a gram has it.
    bytes: [bool; 256],
}

impl Grams {
    /// The grams of forms in lower case, none of which has less than `shortest` bytes, which is one or more.
    pub(crate) fn new(forms: &[Vec<u8>], shortest: usize) -> Self {
        let size = shortest.min(SIZE);
        let stride = (shortest - size + 1).min(LONGEST_STRIDE);
        let known = Vec::with_capacity(forms.len() * stride);
        let mut grams = Self { size, stride, known, marks: Vec::new(), bytes: [false; 256] };
        for form in forms {
            form[..stride + size - 1].iter().for_each(|byte| grams.bytes[usize::from(*byte)] = true);
            for before in 0..stride {
                grams.known.push((grams.read(&form[before..]), before));
            }
        }
        grams.known.sort_unstable();
        grams.known.dedup();
        grams.marks = vec![0; (grams.known.len() * SPARSITY).next_power_of_two() / 64];
        for index in 0..grams.known.len() {
            let (word, bit) = grams.mark(grams.known[index].0);
            grams.marks[word] |= bit;
        }
        grams
    }

    /// Calls `visit` with every place where a form may begin; in no order, and with some places more than once.
    pub(crate) fn beginnings(&self, text: &[u8], mut visit: impl FnMut(usize)) {
        let places = (text.len() + 1).saturating_sub(self.size);
        for at in (0..places).step_by(self.stride) {
            self.look_up(self.read(&text[at..]), at, &mut visit);
        }
        for at in memchr_iter(b'%', text) {
            self.before_escape(text, at, &mut visit);
        }
    }

    /// Bytes at the end of a text in which a form may begin that goes on behind it, without a visit: the plain ones
    /// that make no gram at the end of a stride for sure, and an escape that is cut.
    pub(crate) fn unseen(&self) -> usize {
        self.stride + self.size - 2 + LONGEST - 1
    }

    /// Visits the beginnings of forms whose first escape is at `at`.
    fn before_escape(&self, text: &[u8], at: usize, visit: &mut impl FnMut(usize)) {
        let plain = self.size - 1;
        for (byte, _) in escapes(&text[at..]).filter(|(byte, _)| self.bytes[usize::from(*byte)]) {
            (0..plain).filter_map(|before| at.checked_sub(before)).for_each(&mut *visit);
            let Some(first) = at.checked_sub(plain) else { continue };
            let before = self.read(&text[first..]) & ((1 << (8 * plain)) - 1);
            let last = (u32::from(byte) | LOWER & 0xff) << (8 * plain);
            self.look_up(before | last, first, visit);
        }
    }

    /// Visits the beginnings of the forms that have this gram, which stands at `at`.
    fn look_up(&self, gram: u32, at: usize, visit: &mut impl FnMut(usize)) {
        let (word, bit) = self.mark(gram);
        if self.marks[word] & bit == 0 {
            return;
        }
        let first = self.known.partition_point(|(known, _)| *known < gram);
        let same = self.known[first..].iter().take_while(|(known, _)| *known == gram);
        same.filter_map(|(_, before)| at.checked_sub(*before)).for_each(visit);
    }

    /// The gram at the beginning of a text.
    fn read(&self, text: &[u8]) -> u32 {
        let bytes = text.first_chunk().copied().unwrap_or_else(|| {
            let mut bytes = [0; SIZE];
            bytes[..text.len()].copy_from_slice(text);
            bytes
        });
        (u32::from_le_bytes(bytes) | LOWER) & (u32::MAX >> (8 * (SIZE - self.size)))
    }

    /// Where the mark of a gram is: the word, and the bit in it.
    fn mark(&self, gram: u32) -> (usize, u64) {
        let hash = gram.wrapping_mul(0x9e37_79b1).rotate_left(16) as usize;
        ((hash >> 6) & (self.marks.len() - 1), 1 << (hash & 63))
    }
}
