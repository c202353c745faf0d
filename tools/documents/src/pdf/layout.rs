//! Lines and words from glyphs at places on a page.
//!
//! A PDF places glyphs; it need not say where a word or a line ends. Glyphs are taken in the order of the file,
//! which is the reading order in nearly all documents, columns included.

use kurbo::{Point, Vec2};

/// Everything below is in parts of the font's size.
/// A gap that is a space: the narrowest spaces are 0.2, kerning stays below 0.1.
const SPACE: f64 = 0.17;
/// A gap between two columns of a table.
const COLUMN: f64 = 1.0;
/// How far text may rise or sink and still be on its line, as exponents do.
const SAME_LINE: f64 = 0.55;
/// How far text may go back and still be on its line: kerning, accents that are placed over a letter.
const BACK: f64 = 0.9;
/// A line that is this much lower begins a new paragraph.
const PARAGRAPH: f64 = 1.9;

/// Letters that fonts draw as one glyph, as a reader would type them.
const LIGATURES: [(&str, &str); 7] = [
    ("\u{fb00}", "ff"),
    ("\u{fb01}", "fi"),
    ("\u{fb02}", "fl"),
    ("\u{fb03}", "ffi"),
    ("\u{fb04}", "ffl"),
    ("\u{fb05}", "st"),
    ("\u{fb06}", "st"),
];

/// A glyph on the page; y grows upwards.
pub(super) struct Glyph<'t> {
    pub(super) start: Point,
    pub(super) end: Point,
    /// Height of its font on the page.
    pub(super) size: f64,
    pub(super) text: &'t str,
}

/// The text of one page, as far as it has been placed.
pub(super) struct Layout {
    text: String,
    /// Most bytes of `text`.
    most: usize,
    last: Option<Last>,
    unknown: usize,
    known: usize,
}

/// What the next glyph is compared with.
#[derive(Clone, Copy)]
struct Last {
    end: Point,
    /// Unit vector along the line.
    along: Vec2,
    size: f64,
}

impl Layout {
    pub(super) fn new(most: usize) -> Self {
        Self { text: String::new(), most, last: None, unknown: 0, known: 0 }
    }

    /// Whether nothing more is taken.
    pub(super) fn full(&self) -> bool {
        self.text.len() >= self.most
    }

    /// The text, and whether its fonts do not tell most of its characters.
    pub(super) fn finish(self) -> (String, bool) {
        let unreadable = self.unknown > self.known;
        (self.text, unreadable)
    }

    /// Counts glyphs of a font that cannot be used at all.
    pub(super) fn lost(&mut self, glyphs: usize) {
        self.unknown += glyphs;
    }

    /// Adds a glyph whose character the font does not tell.
    pub(super) fn unknown(&mut self, glyph: Glyph<'_>) {
        self.unknown += 1;
        self.place(&glyph);
        self.text.push_str(glyph.text);
    }

    pub(super) fn add(&mut self, glyph: Glyph<'_>) {
        self.known += 1;
        let blank = glyph.text.chars().all(|character| character.is_whitespace() || character.is_control());
        if blank {
            // A space counts where it stands; the place of the next word tells whether it is on the same line.
            if !glyph.text.is_empty() && self.last.is_some_and(|last| last.continues(&glyph)) {
                self.space();
                self.last = self.last.map(|last| last.moved_to(&glyph));
            }
            return;
        }
        self.place(&glyph);
        match LIGATURES.iter().find(|(ligature, _)| *ligature == glyph.text) {
            Some((_, letters)) => self.text.push_str(letters),
            None => self.text.extend(glyph.text.chars().filter(|character| !character.is_control())),
        }
    }

    /// Puts what belongs between the last glyph and this one.
    fn place(&mut self, glyph: &Glyph<'_>) {
        if let Some(last) = self.last {
            let (gap, drop) = last.distance(glyph);
            if last.continues(glyph) {
                if gap > COLUMN {
                    self.column();
                } else if gap > SPACE {
                    self.space();
                }
            } else {
                self.line(!(0.0..=PARAGRAPH).contains(&drop));
            }
        }
        let last = self.last.unwrap_or(Last { end: glyph.start, along: Vec2::new(1.0, 0.0), size: glyph.size });
        self.last = Some(last.moved_to(glyph));
    }

    fn space(&mut self) {
        if !self.text.ends_with([' ', '\n', '\t']) {
            self.text.push(' ');
        }
    }

    fn column(&mut self) {
        self.trim();
        if !self.text.ends_with('\n') {
            self.text.push('\t');
        }
    }

    fn line(&mut self, paragraph: bool) {
        self.trim();
        self.text.push_str(if paragraph { "\n\n" } else { "\n" });
    }

    fn trim(&mut self) {
        self.text.truncate(self.text.trim_end_matches([' ', '\t']).len());
    }
}

impl Last {
    /// How far the glyph is behind the last one, and how far below, in parts of the font's size.
    fn distance(self, glyph: &Glyph<'_>) -> (f64, f64) {
        let way = glyph.start - self.end;
        let size = self.size.max(glyph.size).max(f64::MIN_POSITIVE);
        (way.dot(self.along) / size, -self.along.cross(way) / size)
    }

    fn continues(self, glyph: &Glyph<'_>) -> bool {
        let (gap, drop) = self.distance(glyph);
        drop.abs() < SAME_LINE && gap > -BACK
    }

    fn moved_to(self, glyph: &Glyph<'_>) -> Self {
        let way = glyph.end - glyph.start;
        // Accents may have no width: they keep the direction of the line.
        let along = if way.hypot() > 0.01 * glyph.size { way / way.hypot() } else { self.along };
        Self { end: glyph.end, along, size: glyph.size }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(glyphs: &[(f64, f64, &str)]) -> String {
        let mut layout = Layout::new(1000);
        for (x, y, text) in glyphs {
            let width = 5.0 * text.chars().count() as f64;
            layout.add(Glyph { start: Point::new(*x, *y), end: Point::new(x + width, *y), size: 10.0, text });
        }
        layout.finish().0
    }

    #[test]
    fn a_gap_is_a_space_and_kerning_is_not() {
        assert_eq!(page(&[(0.0, 0.0, "To"), (9.3, 0.0, "wn"), (22.0, 0.0, "hall")]), "Town hall");
    }

    #[test]
    fn spaces_that_are_drawn_are_not_doubled() {
        assert_eq!(page(&[(0.0, 0.0, "a"), (5.0, 0.0, " "), (12.5, 0.0, "b")]), "a b");
    }

    #[test]
    fn lower_glyphs_begin_lines_and_much_lower_ones_paragraphs() {
        assert_eq!(page(&[(0.0, 100.0, "one"), (0.0, 88.0, "two"), (0.0, 60.0, "three")]), "one\ntwo\n\nthree");
    }

    #[test]
    fn exponents_stay_on_their_line() {
        assert_eq!(page(&[(0.0, 0.0, "x"), (5.0, 4.0, "2"), (10.0, 0.0, "+")]), "x2+");
    }

    #[test]
    fn the_next_column_of_a_page_begins_a_paragraph_and_that_of_a_table_is_told_by_a_tab() {
        assert_eq!(page(&[(0.0, 10.0, "end"), (200.0, 700.0, "top")]), "end\n\ntop");
        assert_eq!(page(&[(0.0, 10.0, "name"), (100.0, 10.0, "price")]), "name\tprice");
    }

    #[test]
    fn ligatures_are_letters_and_control_characters_vanish() {
        assert_eq!(page(&[(0.0, 0.0, "o\u{0}"), (5.0, 0.0, "\u{fb03}"), (10.0, 0.0, "ce\u{9b}")]), "office");
    }
}
