//! PDF documents.

mod content;
mod fonts;
mod layout;

use crate::output::Output;
use crate::pages::{self, Pages};
use crate::{Document, Error};
use fonts::Fonts;
use hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use layout::Layout;

/// The text of the selected pages, each under a line with its number.
pub(crate) fn read(bytes: Vec<u8>, wanted: Option<&Pages>, most: usize) -> Result<Document, Error> {
    let pdf = Pdf::new(bytes).map_err(reason)?;
    let pages = pdf.pages();
    let selection = pages::select(wanted, pages.len(), "page")?;
    let fonts = Fonts::new();
    let mut output = Output::new(most);
    let (mut readable, mut unreadable) = (false, false);
    for number in &selection.pages {
        let Some(page) = pages.get(number - 1) else { continue };
        let mut layout = Layout::new(most);
        let pictures = content::run(page, &fonts, &mut layout);
        let (text, unknown) = layout.finish();
        let text = text.trim();
        unreadable |= unknown;
        readable |= !unknown && !text.is_empty();
        output.end_paragraph();
        output.push(&format!("--- page {number} ---\n"));
        output.push(match (text, pictures) {
            _ if unknown => "(its fonts do not tell which characters it shows)",
            ("", true) => "(only pictures, no text)",
            ("", false) => "(empty)",
            _ => text,
        });
        if output.full() {
            break;
        }
    }
    match (readable, unreadable) {
        (true, _) => {}
        (false, true) => return Err(Error::NoCharacters(selection.title)),
        (false, false) => return Err(Error::NoText(selection.title)),
    }
    let (text, truncated) = output.finish();
    Ok(Document { title: format!("PDF document, {}", selection.title), text, truncated, next: selection.next })
}

fn reason(error: LoadPdfError) -> Error {
    match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => Error::Encrypted,
        LoadPdfError::Decryption(_) => Error::Damaged("it is encrypted in a way that is not known".to_owned()),
        LoadPdfError::Invalid => Error::Damaged("it has no pages that can be found".to_owned()),
    }
}
