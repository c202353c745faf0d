//! Markdown that is drawn while it arrives.

use super::{markdown, style};
use pulldown_cmark::{Event, Parser};
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};
use unicode_width::UnicodeWidthChar;

/// Shortest time between two drawings.
const PAUSE: Duration = Duration::from_millis(30);

/// Draws Markdown on standard output. The blocks that are complete stay; the last one is drawn
/// again whenever it grows. Where the output is no terminal, the text goes out as it is.
pub struct Stream {
    terminal: bool,
    /// What is not drawn for good yet.
    text: String,
    /// The lines that are on the screen and may change.
    shown: Vec<String>,
    started: bool,
    drawn: Instant,
}

impl Stream {
    /// A stream to standard output.
    pub fn new() -> Self {
        Self {
            terminal: io::stdout().is_terminal(),
            text: String::new(),
            shown: Vec::new(),
            started: false,
            drawn: Instant::now(),
        }
    }

    /// Adds text.
    pub fn push(&mut self, delta: &str) -> io::Result<()> {
        if !self.terminal {
            let mut out = io::stdout().lock();
            out.write_all(delta.as_bytes())?;
            self.started = true;
            return out.flush();
        }
        self.text.push_str(delta);
        if self.drawn.elapsed() < PAUSE {
            return Ok(());
        }
        self.drawn = Instant::now();
        let complete = last_block(&self.text);
        if complete > 0 {
            let rest = self.text.split_off(complete);
            self.draw()?;
            self.keep();
            self.text = rest;
        }
        self.draw()
    }

    /// Draws all that is left. The next text begins a new answer.
    pub fn finish(&mut self) -> io::Result<()> {
        if self.terminal {
            self.draw()?;
            self.keep();
        } else if self.started {
            io::stdout().write_all(b"\n")?;
        }
        self.text.clear();
        self.started = false;
        io::stdout().flush()
    }

    fn keep(&mut self) {
        self.started |= !self.shown.is_empty();
        self.shown.clear();
    }

    fn draw(&mut self) -> io::Result<()> {
        let (columns, rows) = size();
        let mut lines = markdown::lines(&self.text, columns.min(100), style::colours());
        if self.started && !lines.is_empty() {
            lines.insert(0, String::new());
        }
        let same = lines.iter().zip(&self.shown).take_while(|(new, old)| new == old).count();
        let mut keep = self.shown.len();
        let mut up = 0;
        // Lines that scrolled away cannot be drawn again.
        while keep > same {
            let height = rows_of(&self.shown[keep - 1], columns);
            if up + height >= rows {
                break;
            }
            up += height;
            keep -= 1;
        }
        let mut out = io::stdout().lock();
        if up > 0 {
            write!(out, "\x1b[{up}A\r\x1b[0J")?;
        }
        for line in lines.iter().skip(keep) {
            writeln!(out, "{line}")?;
        }
        self.shown = lines;
        out.flush()
    }
}

/// Columns and rows of the terminal.
pub fn size() -> (usize, usize) {
    match rustix::termios::tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
        _ => (80, 24),
    }
}

/// Where the last top-level block begins; everything before it cannot change any more. A line that
/// is not complete may still become part of the block above it.
fn last_block(text: &str) -> usize {
    let text = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
    let mut depth = 0;
    let mut begin = 0;
    for (event, range) in Parser::new_ext(text, markdown::options()).into_offset_iter() {
        if depth == 0 {
            begin = range.start;
        }
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            _ => {}
        }
    }
    begin
}

/// Rows that a line takes, terminal codes not counted.
fn rows_of(line: &str, columns: usize) -> usize {
    let mut width = 0;
    let mut code = false;
    for letter in line.chars() {
        match (code, letter) {
            (false, '\x1b') => code = true,
            (true, 'm') => code = false,
            (true, _) => {}
            (false, letter) => width += letter.width().unwrap_or(0),
        }
    }
    width.div_ceil(columns.max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_block_can_change() {
        assert_eq!(last_block("one"), 0);
        assert_eq!(last_block("one\n\ntwo"), 0);
        assert_eq!(last_block("one\n\ntwo\n"), 5);
        assert_eq!(last_block("|a|\n|-|\n|"), 0);
        assert_eq!(last_block("one\n\n```\na\n\nb\n"), 5);
        assert_eq!(last_block("* a\n* b\n\n  c\n"), 0);
    }

    #[test]
    fn long_lines_take_several_rows() {
        assert_eq!(rows_of("", 10), 1);
        assert_eq!(rows_of(&"x".repeat(21), 10), 3);
        assert_eq!(rows_of("\x1b[1m0123456789\x1b[22m", 10), 1);
    }
}
