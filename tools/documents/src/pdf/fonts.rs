//! The fonts of a document: which characters their codes are, and how wide.

use hayro_cmap::BfString;
use hayro_font::{CMapResolverFn, Font, FontCache, FontGlyph, FontResolverFn, OutlineGlyph};
use hayro_syntax::object::Dict;
use skrifa::{FontRef, MetadataProvider};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// Most characters that are taken from an embedded font; no real one has more.
const MOST_MAPPINGS: usize = 1 << 16;
/// A font file without a single table. Fonts that are not embedded need some file for their outlines, which
/// nobody draws here; their characters and widths are known without it.
const FONT_WITHOUT_GLYPHS: [u8; 12] = [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// The fonts of a document, loaded once.
pub(super) struct Fonts<'a> {
    cache: FontCache<'a>,
    files: FontResolverFn,
    cmaps: CMapResolverFn,
    /// What the embedded fonts say about their glyphs, by font.
    reverse: RefCell<HashMap<u128, HashMap<u32, char>>>,
}

impl<'a> Fonts<'a> {
    pub(super) fn new() -> Self {
        Self {
            cache: FontCache::new(),
            files: Arc::new(|_| Some((Arc::new(FONT_WITHOUT_GLYPHS), 0))),
            // The tables for Chinese, Japanese and Korean fonts that are not embedded take 0.4 MB: left out.
            cmaps: Arc::new(|_| None),
            reverse: RefCell::default(),
        }
    }

    pub(super) fn load(&self, dictionary: &Dict<'a>) -> Option<Font<'a>> {
        self.cache.font(dictionary, &self.files, &self.cmaps)
    }

    /// The character of a code: as the document says, else as its embedded font does.
    pub(super) fn character(&self, font: &Font<'a>, code: u32) -> Option<BfString> {
        match font.glyph(font.map_code(code), code) {
            FontGlyph::Outline(glyph) => glyph.as_unicode().or_else(|| self.embedded(&glyph).map(BfString::Char)),
            FontGlyph::Type3(glyph) => glyph.as_unicode(),
        }
    }

    fn embedded(&self, glyph: &OutlineGlyph) -> Option<char> {
        let font = glyph.font_data()?;
        let mut reverse = self.reverse.borrow_mut();
        let characters = reverse.entry(font.cache_key).or_insert_with(|| reversed((*font.data).as_ref()));
        characters.get(&glyph.glyph_id().to_u32()).copied()
    }
}

/// The characters of a font's glyphs; where a glyph has several, the first.
fn reversed(font: &[u8]) -> HashMap<u32, char> {
    let mut characters = HashMap::new();
    let Ok(font) = FontRef::new(font) else { return characters };
    for (code, glyph) in font.charmap().mappings().take(MOST_MAPPINGS) {
        // Symbol fonts place their characters behind this number.
        let code = if (0xf020..=0xf0ff).contains(&code) { code - 0xf000 } else { code };
        if let Some(character) = char::from_u32(code) {
            characters.entry(glyph.to_u32()).or_insert(character);
        }
    }
    characters
}
