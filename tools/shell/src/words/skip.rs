//! Finds the end of a command inside a word without reading the command: its parser does that later.

use super::parse::{Context, DEEPEST, Parser};
use crate::error::SyntaxError;

/// Refuses what the tokenizer of the grammar breaks down on: beside a here-document, an expansion that is not closed or
/// that goes on where the document should begin.
///
/// # Errors
/// When there is such an expansion, or a quote that is not closed.
pub(crate) fn check_here_documents(source: &str) -> Result<(), SyntaxError> {
    let mut parser = Parser::new(source);
    while source.contains("<<") && parser.commands()? {}
    Ok(())
}

impl<'a> Parser<'a> {
    /// Passes over one quoted or expanded piece.
    pub(super) fn skip(&mut self) -> Result<(), SyntaxError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(SyntaxError::new(format!("expansions are nested deeper than {DEEPEST}")));
        }
        match self.peek() {
            Some('\\') => {
                self.next();
                self.next();
            }
            Some('\'') => drop(self.single_quoted()?),
            Some('"') => drop(self.double_quoted()?),
            Some('`') => drop(self.backquoted()?),
            Some('$') => drop(self.dollar(Context::Plain, &mut String::new())?),
            _ => drop(self.next()),
        }
        self.depth -= 1;
        Ok(())
    }

    /// The source inside `$(`, of which the closing parenthesis is passed over.
    pub(super) fn command(&mut self) -> Result<&'a str, SyntaxError> {
        let start = self.at;
        if !self.commands()? {
            return Err(self.unclosed("$("));
        }
        Ok(self.since(start).strip_suffix(')').unwrap_or_default())
    }

    /// Passes over commands and the parenthesis that ends them; `false` if none does.
    fn commands(&mut self) -> Result<bool, SyntaxError> {
        let mut open = 0_usize;
        // Here-documents that begin at the next line: the delimiter, and whether tabs go.
        let mut documents: Vec<(String, bool)> = Vec::new();
        let mut at_word_start = true;
        while let Some(next) = self.peek() {
            let was_at_start = std::mem::replace(&mut at_word_start, false);
            match next {
                ')' if open == 0 => {
                    self.next();
                    return Ok(true);
                }
                '(' => open += 1,
                ')' => open -= 1,
                '#' if was_at_start => {
                    self.take_while(|next| next != '\n');
                    continue;
                }
                '<' if self.rest().starts_with("<<<") => {
                    self.at += 3;
                    continue;
                }
                '<' if self.rest().starts_with("<<") => {
                    self.at += 2;
                    documents.push(self.delimiter()?);
                    continue;
                }
                '\n' => {
                    self.next();
                    at_word_start = true;
                    for (delimiter, tabs) in documents.drain(..) {
                        self.pass_document(&delimiter, tabs);
                    }
                    continue;
                }
                ' ' | '\t' | ';' | '&' | '|' => at_word_start = true,
                '\\' | '\'' | '"' | '`' | '$' => {
                    let start = self.at;
                    self.skip()?;
                    if !documents.is_empty() && goes_on(self.since(start)) {
                        return Err(SyntaxError::new("a here-document begins inside an expansion; end the line first"));
                    }
                    continue;
                }
                _ => {}
            }
            self.next();
        }
        Ok(false)
    }

    /// The delimiter of a here-document after `<<`, without its quotes.
    fn delimiter(&mut self) -> Result<(String, bool), SyntaxError> {
        let tabs = self.take("-");
        self.take_while(|next| next == ' ' || next == '\t');
        // The tokenizer of the grammar never ends at a form feed and its like.
        if self.peek().is_some_and(|next| next.is_whitespace() && next != '\n') {
            return Err(SyntaxError::new("a here-document has no delimiter"));
        }
        let start = self.at;
        while self.peek().is_some_and(|next| !next.is_whitespace() && !";&|()<>".contains(next)) {
            self.skip()?;
        }
        Ok((self.since(start).replace(['\'', '"', '\\'], ""), tabs))
    }

    fn pass_document(&mut self, delimiter: &str, tabs: bool) {
        while self.peek().is_some() {
            let line = self.take_while(|next| next != '\n');
            self.next();
            let line = if tabs { line.trim_start_matches('\t') } else { line };
            if line == delimiter {
                return;
            }
        }
    }
}

/// Whether a piece is an expansion of several lines.
fn goes_on(piece: &str) -> bool {
    piece.contains('\n') && piece.contains(['$', '`'])
}
