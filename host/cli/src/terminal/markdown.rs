//! Markdown as lines of styled text.

use super::style::Style;
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

const STYLES: [Style; 5] = [Style::Bold, Style::Italic, Style::Dim, Style::Code, Style::Notice];

/// The dialect that models write.
pub fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS
}

/// `text` as lines of at most `width` columns (code and tables are not wrapped), with terminal
/// codes when `coloured`.
pub fn lines(text: &str, width: usize, coloured: bool) -> Vec<String> {
    let mut page = Page { width: width.max(20), coloured, ..Page::default() };
    for event in Parser::new_ext(text, options()) {
        page.event(event);
    }
    page.flush();
    page.lines
}

/// One character and the styles it is shown in, as bits of `STYLES`.
type Letter = (char, u8);

#[derive(Default)]
struct Page {
    width: usize,
    coloured: bool,
    lines: Vec<String>,
    /// The paragraph that is being collected.
    letters: Vec<Letter>,
    styles: u8,
    /// What stands before every line: quote bars and list indents.
    margin: String,
    margins: Vec<usize>,
    /// Replaces the end of the margin on the next line only, such as a bullet.
    bullet: Option<String>,
    /// The next number of each open list; `None` for bullets.
    lists: Vec<Option<u64>>,
    links: Vec<String>,
    code: bool,
    table: Vec<Vec<Vec<Letter>>>,
    /// A blank line is due before the next block.
    gap: bool,
}

impl Page {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.code => self.code_lines(&text),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.push(&text),
            Event::Code(text) => self.styled(Style::Code, |page| page.push(&text)),
            Event::SoftBreak => self.push(" "),
            Event::HardBreak => self.push("\n"),
            Event::Rule => {
                self.open_block();
                let rule = "─".repeat(self.width.min(40));
                self.styled(Style::Dim, |page| page.push(&rule));
                self.close_block();
            }
            Event::TaskListMarker(done) => self.push(if done { "☑ " } else { "☐ " }),
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph | Tag::HtmlBlock => self.open_block(),
            Tag::Heading { level, .. } => {
                self.open_block();
                self.set(Style::Bold, true);
                self.set(Style::Notice, level <= HeadingLevel::H2);
            }
            Tag::BlockQuote(_) => {
                self.open_block();
                self.indent("│ ");
            }
            Tag::CodeBlock(kind) => {
                self.open_block();
                self.indent("  ");
                self.code = true;
                self.set(Style::Code, true);
                if let CodeBlockKind::Fenced(language) = kind
                    && !language.is_empty()
                {
                    let label = self.painted(&letters(&language, bit(Style::Dim)));
                    self.put(&label);
                }
            }
            Tag::List(first) => {
                self.flush();
                if self.lists.is_empty() {
                    self.open_block();
                }
                self.lists.push(first);
            }
            Tag::Item => self.open_item(),
            Tag::Emphasis => self.set(Style::Italic, true),
            Tag::Strong => self.set(Style::Bold, true),
            Tag::Strikethrough => self.set(Style::Dim, true),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => self.links.push(dest_url.into_string()),
            Tag::Table(_) => self.open_block(),
            Tag::TableHead => {
                self.table.push(Vec::new());
                self.set(Style::Bold, true);
            }
            Tag::TableRow => self.table.push(Vec::new()),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => self.close_block(),
            TagEnd::Heading(_) => {
                self.close_block();
                self.set(Style::Bold, false);
                self.set(Style::Notice, false);
            }
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.outdent();
                self.gap = true;
            }
            TagEnd::CodeBlock => {
                self.code = false;
                self.set(Style::Code, false);
                self.outdent();
                self.gap = true;
            }
            TagEnd::List(_) => {
                self.lists.pop();
                self.gap = self.lists.is_empty();
            }
            TagEnd::Item => {
                self.flush();
                self.outdent();
                self.gap = false;
            }
            TagEnd::Emphasis => self.set(Style::Italic, false),
            TagEnd::Strong => self.set(Style::Bold, false),
            TagEnd::Strikethrough => self.set(Style::Dim, false),
            TagEnd::Link | TagEnd::Image => self.close_link(),
            TagEnd::TableHead => self.set(Style::Bold, false),
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.letters);
                self.table.last_mut().into_iter().for_each(|row| row.push(cell.clone()));
            }
            TagEnd::Table => self.close_table(),
            _ => {}
        }
    }

    fn open_block(&mut self) {
        self.flush();
        if self.gap && self.bullet.is_none() {
            let margin = self.margin.trim_end().to_owned();
            self.lines.push(margin);
        }
        self.gap = false;
    }

    fn close_block(&mut self) {
        self.flush();
        self.gap = true;
    }

    fn open_item(&mut self) {
        self.flush();
        let mark = match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                format!("{}. ", *number - 1)
            }
            _ => "• ".to_owned(),
        };
        self.indent(&" ".repeat(mark.width()));
        self.bullet = Some(mark);
        self.gap = false;
    }

    fn indent(&mut self, by: &str) {
        self.margins.push(self.margin.len());
        self.margin.push_str(by);
    }

    fn outdent(&mut self) {
        let length = self.margins.pop().unwrap_or_default();
        self.margin.truncate(length);
    }

    /// Names the address of a link unless it is its own text.
    fn close_link(&mut self) {
        let Some(address) = self.links.pop() else { return };
        let shown: String = self.letters.iter().map(|(letter, _)| letter).collect();
        if !shown.ends_with(&address) {
            self.styled(Style::Dim, |page| page.push(&format!(" ({address})")));
        }
    }

    fn set(&mut self, style: Style, on: bool) {
        match on {
            true => self.styles |= bit(style),
            false => self.styles &= !bit(style),
        }
    }

    fn styled(&mut self, style: Style, draw: impl FnOnce(&mut Self)) {
        let before = self.styles;
        self.set(style, true);
        draw(self);
        self.styles = before;
    }

    fn push(&mut self, text: &str) {
        self.letters.extend(letters(text, self.styles));
    }

    fn code_lines(&mut self, text: &str) {
        for line in text.lines() {
            let line = self.painted(&letters(line, self.styles));
            self.put(&line);
        }
    }

    /// Adds one line behind the margin.
    fn put(&mut self, line: &str) {
        let line = match self.bullet.take() {
            Some(mark) => {
                let kept = self.margins.last().copied().unwrap_or_default();
                format!("{}{mark}{line}", &self.margin[..kept])
            }
            None => format!("{}{line}", self.margin),
        };
        self.lines.push(line);
    }

    /// Wraps what was collected into lines.
    fn flush(&mut self) {
        let collected = std::mem::take(&mut self.letters);
        if collected.is_empty() {
            return;
        }
        let room = self.width.saturating_sub(self.margin.width()).max(10);
        for part in collected.split(|(letter, _)| *letter == '\n') {
            for line in wrap(part, room) {
                let line = self.painted(line);
                self.put(&line);
            }
        }
    }

    fn close_table(&mut self) {
        let rows = std::mem::take(&mut self.table);
        let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
        let widest = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| columns_of(cell)).max();
        let widths: Vec<_> = (0..columns).map(|column| widest(column).unwrap_or_default()).collect();
        for (index, row) in rows.iter().enumerate() {
            let cells: Vec<_> = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{}{}", self.painted(cell), " ".repeat(width - columns_of(cell))))
                .collect();
            self.put(cells.join(" │ ").trim_end());
            if index == 0 {
                let rules: Vec<_> = widths.iter().map(|width| "─".repeat(*width)).collect();
                self.put(&rules.join("─┼─"));
            }
        }
        self.gap = true;
    }

    fn painted(&self, letters: &[Letter]) -> String {
        let mut line = String::new();
        let mut now = 0;
        for (letter, styles) in letters.iter().copied().chain([('\0', 0)]) {
            if self.coloured && styles != now {
                for style in STYLES.into_iter().filter(|style| now & bit(*style) != 0) {
                    line.push_str(style.codes().1);
                }
                for style in STYLES.into_iter().filter(|style| styles & bit(*style) != 0) {
                    line.push_str(style.codes().0);
                }
                now = styles;
            }
            if letter != '\0' {
                line.push(letter);
            }
        }
        line
    }
}

fn bit(style: Style) -> u8 {
    let index = STYLES.iter().position(|known| *known == style);
    index.map_or(0, |index| 1 << index)
}

fn letters(text: &str, styles: u8) -> Vec<Letter> {
    text.chars().map(|letter| (letter, styles)).collect()
}

fn columns_of(letters: &[Letter]) -> usize {
    letters.iter().map(|(letter, _)| letter.width().unwrap_or(0)).sum()
}

/// Cuts at spaces into lines of at most `room` columns; a longer word is cut where it must.
fn wrap(letters: &[Letter], room: usize) -> Vec<&[Letter]> {
    let mut lines = Vec::new();
    let (mut start, mut columns, mut space) = (0, 0, None);
    for (index, (letter, _)) in letters.iter().enumerate() {
        if *letter == ' ' {
            space = Some(index);
        }
        columns += letter.width().unwrap_or(0);
        if columns > room && index > start {
            let cut = space.filter(|space| *space > start).unwrap_or(index);
            lines.push(&letters[start..cut]);
            start = if letters[cut].0 == ' ' { cut + 1 } else { cut };
            columns = columns_of(&letters[start..=index]);
            space = None;
        }
    }
    if start < letters.len() || lines.is_empty() {
        lines.push(&letters[start..]);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        lines(text, 30, false).join("\n")
    }

    #[test]
    fn blocks_are_set_apart_and_wrapped() {
        let shown = plain("# Title\n\nSome words that go on beyond the edge.\n\n* a\n* b\n  * c\n\n1. x\n2. y\n\nend");
        assert_eq!(shown, "Title\n\nSome words that go on beyond\nthe edge.\n\n• a\n• b\n  • c\n\n1. x\n2. y\n\nend");
    }

    #[test]
    fn code_is_kept_as_it_is() {
        let shown = plain("Run:\n```sh\nls -la   /a/very/long/path/that/does/not/wrap\n\n  x\n```\nDone.");
        assert_eq!(shown, "Run:\n\n  sh\n  ls -la   /a/very/long/path/that/does/not/wrap\n  \n    x\n\nDone.");
    }

    #[test]
    fn an_address_is_shown_with_its_link() {
        assert_eq!(plain("[here](http://x.y)"), "here (http://x.y)");
        assert_eq!(plain("<http://x.y>"), "http://x.y");
    }

    #[test]
    fn tables_are_aligned() {
        assert_eq!(plain("|a|bb|\n|-|-|\n|ccc|d|"), "a   │ bb\n────┼───\nccc │ d");
    }

    #[test]
    fn quotes_have_a_bar() {
        assert_eq!(plain("> one\n>\n> two"), "│ one\n│\n│ two");
    }

    #[test]
    fn styles_end_where_they_end() {
        assert_eq!(lines("a **b** `c`", 30, true), ["a \x1b[1mb\x1b[22m \x1b[36mc\x1b[39m"]);
    }

    #[test]
    fn wide_and_long_words_fit() {
        for line in lines(&"漢字".repeat(40), 30, false) {
            assert!(line.width() <= 30);
        }
        for line in lines(&format!("{} b", "a".repeat(70)), 30, false) {
            assert!(line.width() <= 30, "{line}");
        }
    }
}
