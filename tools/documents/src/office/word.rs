//! Word documents.

use super::Archive;
use super::blocks::Blocks;
use crate::output::Output;
use crate::{Document, Error};

/// Parts besides the document itself, and the line above them.
const NOTES: [(&str, &str); 2] =
    [("word/footnotes.xml", "--- footnotes ---"), ("word/endnotes.xml", "--- endnotes ---")];

/// Paragraphs, headings, lists, tables and notes.
pub(crate) fn read(bytes: Vec<u8>, most: usize) -> Result<Document, Error> {
    let mut archive = Archive::open(&bytes)?;
    let mut output = Output::new(most);
    let mut blocks = Blocks::new(&mut output);
    archive.walk_required("word/document.xml", &mut |node| blocks.node(node))?;
    for (part, title) in NOTES {
        let mut notes = Output::new(most);
        let mut blocks = Blocks::new(&mut notes);
        archive.walk(part, &mut |node| blocks.node(node))?;
        let (text, _) = notes.finish();
        if !text.is_empty() {
            output.end_paragraph();
            output.push(title);
            output.push("\n");
            output.push(&text);
        }
    }
    let (text, truncated) = output.finish();
    Ok(Document { title: "Word document".to_owned(), text, truncated, next: None })
}
