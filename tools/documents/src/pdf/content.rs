//! Runs the operators of a page that place text, and no others.

use super::fonts::Fonts;
use super::layout::{Glyph, Layout};
use hayro_cmap::BfString;
use hayro_font::{Font, UNITS_PER_EM};
use hayro_syntax::content::TypedIter;
use hayro_syntax::content::ops::TypedInstruction;
use hayro_syntax::object::dict::keys;
use hayro_syntax::object::{Dict, Name, Object, Stream};
use hayro_syntax::page::{Page, Resources};
use kurbo::{Affine, Point};

/// Most operators of one page with everything it draws, so that forms that draw each other end.
const MOST_OPERATORS: usize = 3_000_000;
/// How deep forms may draw forms, and how deep graphics states may be saved.
const DEEPEST_FORM: usize = 12;
const MOST_SAVED_STATES: usize = 256;

/// Sends the text of `page` to `layout` and tells whether the page also has pictures.
pub(super) fn run<'a>(page: &Page<'a>, fonts: &Fonts<'a>, layout: &mut Layout) -> bool {
    let mut run = Run {
        fonts,
        layout,
        state: State::new(Affine::new(page.initial_transform(false).as_coeffs())),
        saved: Vec::new(),
        operators: 0,
        pictures: false,
    };
    run.stream(page.typed_operations(), page.resources(), 0);
    run.pictures
}

struct Run<'r, 'a> {
    fonts: &'r Fonts<'a>,
    layout: &'r mut Layout,
    state: State<'a>,
    saved: Vec<State<'a>>,
    operators: usize,
    pictures: bool,
}

/// The part of the graphics state that text depends on (PDF 32000-1, 9.3).
#[derive(Clone)]
struct State<'a> {
    page: Affine,
    text: Affine,
    line: Affine,
    font: Option<Font<'a>>,
    size: f64,
    character_spacing: f64,
    word_spacing: f64,
    stretch: f64,
    leading: f64,
    rise: f64,
}

impl State<'_> {
    fn new(page: Affine) -> Self {
        Self {
            page,
            text: Affine::IDENTITY,
            line: Affine::IDENTITY,
            font: None,
            size: 1.0,
            character_spacing: 0.0,
            word_spacing: 0.0,
            stretch: 1.0,
            leading: 0.0,
            rise: 0.0,
        }
    }

    fn set_line(&mut self, line: Affine) {
        self.line = line;
        self.text = line;
    }

    fn next_line(&mut self, x: f64, y: f64) {
        self.set_line(self.line * Affine::translate((x, y)));
    }

    fn advance(&mut self, x: f64, y: f64) {
        self.text *= Affine::translate((x, y));
    }
}

impl<'a> Run<'_, 'a> {
    fn stream(&mut self, mut operators: TypedIter<'_>, resources: &Resources<'a>, depth: usize) {
        let saved = self.saved.len();
        while let Some(operator) = operators.next() {
            self.operators += 1;
            if self.operators > MOST_OPERATORS || self.layout.full() {
                break;
            }
            match operator {
                TypedInstruction::SaveState(_) if self.saved.len() < MOST_SAVED_STATES => {
                    self.saved.push(self.state.clone());
                }
                TypedInstruction::RestoreState(_) if self.saved.len() > saved => {
                    self.state = self.saved.pop().unwrap_or_else(|| self.state.clone());
                }
                TypedInstruction::Transform(m) => {
                    self.state.page *= matrix([&m.0, &m.1, &m.2, &m.3, &m.4, &m.5].map(|n| n.as_f64()));
                }
                TypedInstruction::XObject(object) => {
                    if let Some(stream) = resources.get_x_object(object.0) {
                        self.object(&stream, resources, depth);
                    }
                }
                TypedInstruction::InlineImage(_) => self.pictures = true,
                TypedInstruction::TextFont(font) => {
                    self.state.size = font.1.as_f64();
                    self.state.font = resources.get_font(font.0).and_then(|font| self.fonts.load(&font));
                }
                other => self.text(&other),
            }
        }
        self.saved.truncate(saved);
    }

    /// Draws a form, or notes a picture.
    fn object(&mut self, stream: &Stream<'a>, resources: &Resources<'a>, depth: usize) {
        let dictionary = stream.dict();
        let subtype = dictionary.get::<Name<'_>>(keys::SUBTYPE);
        if subtype.is_none_or(|subtype| &*subtype != b"Form") {
            self.pictures = true;
            return;
        }
        if depth == DEEPEST_FORM {
            return;
        }
        let Ok(content) = stream.decoded_data() else { return };
        let own = dictionary.get::<Dict<'_>>(keys::RESOURCES).map(Resources::new);
        let outside = self.state.clone();
        if let Some(placed) = dictionary.get::<[f64; 6]>(keys::MATRIX) {
            self.state.page *= matrix(placed);
        }
        self.stream(TypedIter::new(&content), own.as_ref().unwrap_or(resources), depth + 1);
        self.state = outside;
    }

    fn text(&mut self, operator: &TypedInstruction<'_, '_>) {
        let state = &mut self.state;
        match operator {
            TypedInstruction::BeginText(_) => state.set_line(Affine::IDENTITY),
            TypedInstruction::SetTextMatrix(m) => {
                state.set_line(matrix([&m.0, &m.1, &m.2, &m.3, &m.4, &m.5].map(|n| n.as_f64())));
            }
            TypedInstruction::NextLine(by) => state.next_line(by.0.as_f64(), by.1.as_f64()),
            TypedInstruction::NextLineAndSetLeading(by) => {
                state.leading = -by.1.as_f64();
                state.next_line(by.0.as_f64(), by.1.as_f64());
            }
            TypedInstruction::NextLineUsingLeading(_) => state.next_line(0.0, -state.leading),
            TypedInstruction::CharacterSpacing(spacing) => state.character_spacing = spacing.0.as_f64(),
            TypedInstruction::WordSpacing(spacing) => state.word_spacing = spacing.0.as_f64(),
            TypedInstruction::HorizontalScaling(percent) => state.stretch = percent.0.as_f64() / 100.0,
            TypedInstruction::TextLeading(leading) => state.leading = leading.0.as_f64(),
            TypedInstruction::TextRise(rise) => state.rise = rise.0.as_f64(),
            TypedInstruction::ShowText(text) => self.show(text.0.as_bytes()),
            TypedInstruction::NextLineAndShowText(text) => {
                state.next_line(0.0, -state.leading);
                self.show(text.0.as_bytes());
            }
            TypedInstruction::ShowTextWithParameters(text) => {
                state.word_spacing = text.0.as_f64();
                state.character_spacing = text.1.as_f64();
                state.next_line(0.0, -state.leading);
                self.show(text.2.as_bytes());
            }
            TypedInstruction::ShowTexts(texts) => {
                for text in texts.0.iter::<Object<'_>>() {
                    match text {
                        Object::String(text) => self.show(text.as_bytes()),
                        Object::Number(back) => self.adjust(back.as_f64()),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn adjust(&mut self, back: f64) {
        let by = -back / f64::from(UNITS_PER_EM) * self.state.size;
        match &self.state.font {
            Some(font) if !font.is_horizontal() => self.state.advance(0.0, by),
            _ => self.state.advance(by * self.state.stretch, 0.0),
        }
    }

    fn show(&mut self, codes: &[u8]) {
        let Some(font) = self.state.font.clone() else {
            self.layout.lost(codes.len());
            return;
        };
        let mut next = 0;
        while next < codes.len() && !self.layout.full() {
            let (code, length) = font.read_code(codes, next);
            next += length.max(1);
            let start = self.origin();
            let spacing = if code == 32 && length == 1 { self.state.word_spacing } else { 0.0 };
            let spacing = spacing + self.state.character_spacing;
            let advance = font.code_advance(code) / f64::from(UNITS_PER_EM) * self.state.size;
            let end = if font.is_horizontal() {
                let end = self.moved(advance.x * self.state.stretch, 0.0);
                self.state.advance((advance.x + spacing) * self.state.stretch, 0.0);
                end
            } else {
                let end = self.moved(0.0, advance.y);
                self.state.advance(0.0, advance.y + spacing);
                end
            };
            let size = self.height();
            match self.fonts.character(&font, code) {
                Some(BfString::Char(character)) => {
                    self.layout.add(Glyph { start, end, size, text: character.encode_utf8(&mut [0; 4]) });
                }
                Some(BfString::String(text)) => self.layout.add(Glyph { start, end, size, text: &text }),
                None => self.layout.unknown(Glyph { start, end, size, text: "\u{fffd}" }),
            }
        }
    }

    /// Where the next glyph begins, on the page.
    fn origin(&self) -> Point {
        self.moved(0.0, 0.0)
    }

    fn moved(&self, x: f64, y: f64) -> Point {
        self.state.page * self.state.text * Point::new(x, y + self.state.rise)
    }

    /// The size of the font as it appears on the page.
    fn height(&self) -> f64 {
        let [_, _, x, y, _, _] = (self.state.page * self.state.text).as_coeffs();
        self.state.size.abs() * x.hypot(y)
    }
}

fn matrix(coefficients: [f64; 6]) -> Affine {
    Affine::new(coefficients)
}
