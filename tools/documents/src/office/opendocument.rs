//! Documents in the OpenDocument format: text, and what can be read as text of sheets and slides.

use super::{Archive, Node};
use crate::output::Output;
use crate::{Document, Error};

/// Paragraphs, headings, lists and tables.
pub(crate) fn read(bytes: Vec<u8>, most: usize) -> Result<Document, Error> {
    let mut archive = Archive::open(&bytes)?;
    let mut output = Output::new(most);
    let mut body = Body { output: &mut output, paragraphs: 0, cells: 0, lists: 0, hidden: 0 };
    archive.walk_required("content.xml", &mut |node| body.node(node))?;
    let (text, truncated) = output.finish();
    Ok(Document { title: "OpenDocument file".to_owned(), text, truncated, next: None })
}

struct Body<'o> {
    output: &'o mut Output,
    /// How deep inside paragraphs, cells, lists and what is not shown we are.
    paragraphs: usize,
    cells: usize,
    lists: usize,
    hidden: usize,
}

impl Body<'_> {
    fn node(&mut self, node: Node<'_>) -> bool {
        match node {
            Node::Start(name, attributes) => match name {
                "p" | "h" => {
                    if self.paragraphs == 0 && name == "h" {
                        let level = attributes.get("outline-level").and_then(|level| level.parse().ok());
                        self.output.push(&("#".repeat(level.unwrap_or(1).clamp(1, 6)) + " "));
                    } else if self.paragraphs == 0 && self.lists > 0 {
                        self.output.push("- ");
                    }
                    self.paragraphs += 1;
                }
                "list" => self.lists += 1,
                "annotation" | "tracked-changes" | "hidden-text" | "hidden-paragraph" => self.hidden += 1,
                "tab" => self.output.push("\t"),
                "s" => self.output.push(" "),
                "line-break" => self.output.push("\n"),
                "table-row" => self.output.push("|"),
                "table-cell" => {
                    self.cells += 1;
                    self.output.push(" ");
                }
                _ => {}
            },
            Node::End(name) => self.end(name),
            Node::Text(text) if self.paragraphs > 0 && self.hidden == 0 => self.output.push(text),
            Node::Text(_) => {}
        }
        !self.output.full()
    }

    fn end(&mut self, name: &str) {
        match name {
            "p" | "h" => {
                self.paragraphs = self.paragraphs.saturating_sub(1);
                match (self.cells, self.lists) {
                    (0, 0) => self.output.end_paragraph(),
                    (0, _) => self.output.end_line(),
                    _ => self.output.push(" "),
                }
            }
            "list" => self.lists = self.lists.saturating_sub(1),
            "annotation" | "tracked-changes" | "hidden-text" | "hidden-paragraph" => {
                self.hidden = self.hidden.saturating_sub(1);
            }
            "table-cell" => {
                self.cells = self.cells.saturating_sub(1);
                self.output.push("|");
            }
            "table-row" => self.output.end_line(),
            "table" => self.output.end_paragraph(),
            _ => {}
        }
    }
}
