//! Text that grows up to a limit.

/// Collects text and cuts it at a number of bytes.
pub(crate) struct Output {
    text: String,
    most: usize,
    truncated: bool,
}

impl Output {
    pub(crate) fn new(most: usize) -> Self {
        Self { text: String::new(), most, truncated: false }
    }

    /// Adds text, as much as there is room for.
    pub(crate) fn push(&mut self, text: &str) {
        let end = text.floor_char_boundary(self.most - self.text.len());
        self.truncated |= end < text.len();
        self.text.push_str(&text[..end]);
    }

    /// Ends a line, unless it is empty.
    pub(crate) fn end_line(&mut self) {
        self.text.truncate(self.text.trim_end_matches([' ', '\t']).len());
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.push("\n");
        }
    }

    /// Ends a paragraph: a line, and an empty one.
    pub(crate) fn end_paragraph(&mut self) {
        self.end_line();
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.push("\n");
        }
    }

    /// Whether nothing more is taken.
    pub(crate) fn full(&self) -> bool {
        self.truncated
    }

    /// The text, and whether it was cut.
    pub(crate) fn finish(mut self) -> (String, bool) {
        self.text.truncate(self.text.trim_end().len());
        (self.text, self.truncated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_characters_and_says_so() {
        let mut output = Output::new(4);
        output.push("aé");
        output.push("éé");
        assert!(output.full());
        assert_eq!(output.finish(), ("aé".to_owned(), true));
    }

    #[test]
    fn lines_and_paragraphs_end_once() {
        let mut output = Output::new(99);
        output.end_line();
        output.push("a \t");
        output.end_line();
        output.end_line();
        output.end_paragraph();
        output.end_paragraph();
        output.push("b");
        assert_eq!(output.finish().0, "a\n\nb");
    }
}
