//! Cuts a growing answer into messages that a chat platform takes.
//!
//! A message ends at a paragraph, else a line, a sentence, white space, and only else inside a word. A fence of code
//! stays whole when one message can hold it; a longer one is closed at the end of a message and opened again in the
//! next, with the same marks and info string. Joined, the messages are the answer but for the white space where it
//! was cut and for those added fences. Where it is cut depends on the text alone, not on how it arrives.

mod limit;
mod scan;

pub use limit::{Limit, PLATFORMS, Unit};

use scan::Scan;

/// Cuts an answer while it arrives.
#[derive(Debug)]
pub struct Chunker {
    text: String,
    /// How much of the text was scanned.
    at: usize,
    scan: Scan,
}

impl Chunker {
    /// Messages of at most `limit`. A paragraph that ends after at least `min` units is a message at once; with a
    /// `min` of the limit or more, messages are as few as can be.
    pub fn new(limit: Limit, min: usize) -> Self {
        Self { text: String::new(), at: 0, scan: Scan::new(limit, min) }
    }

    /// Takes the next text and gives the messages that are complete.
    pub fn push(&mut self, text: &str) -> Vec<String> {
        self.text.push_str(text);
        let mut parts = Vec::new();
        while let Some(c) = self.text[self.at..].chars().next() {
            match self.scan.take(&self.text, self.at, c) {
                Some(cut) => {
                    let (part, next) = self.scan.cut(&self.text, cut, false);
                    parts.extend(part);
                    self.at = next;
                }
                None => self.at += c.len_utf8(),
            }
        }
        let done = self.scan.forget();
        self.text.drain(..done);
        self.at -= done;
        parts
    }

    /// The rest.
    pub fn finish(mut self) -> Vec<String> {
        let mut parts = Vec::new();
        while let Some(cut) = self.scan.end(&self.text) {
            let (part, next) = self.scan.cut(&self.text, cut, false);
            parts.extend(part);
            self.at = next;
            parts.extend(self.push(""));
        }
        parts.extend(self.scan.cut(&self.text, self.text.len(), true).0);
        parts
    }
}

#[cfg(test)]
mod tests;
