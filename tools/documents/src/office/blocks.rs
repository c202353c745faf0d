//! Paragraphs, lists and tables, which Word and PowerPoint name alike.

use super::Node;
use crate::output::Output;

/// What the names of all styles of list items begin with.
const LIST: &str = "List";

/// Turns the nodes of a part into text with a little Markdown.
pub(super) struct Blocks<'o> {
    pub(super) output: &'o mut Output,
    /// An element whose content is not shown, and how deep inside of it we are.
    skipped: Option<(String, usize)>,
    in_properties: bool,
    in_text: bool,
    /// What the paragraph begins with once it has text: the marks of a heading or of a list.
    mark: String,
    in_list: bool,
    cells: usize,
}

impl<'o> Blocks<'o> {
    pub(super) fn new(output: &'o mut Output) -> Self {
        Self {
            output,
            skipped: None,
            in_properties: false,
            in_text: false,
            mark: String::new(),
            in_list: false,
            cells: 0,
        }
    }

    /// Takes a node and tells whether there is room for more.
    pub(super) fn node(&mut self, node: Node<'_>) -> bool {
        if let Some((name, depth)) = &mut self.skipped {
            match node {
                Node::Start(start, _) if start == name => *depth += 1,
                Node::End(end) if end == name && *depth == 0 => self.skipped = None,
                Node::End(end) if end == name => *depth -= 1,
                _ => {}
            }
            return true;
        }
        match node {
            Node::Start(name, attributes) => self.start(name, &|name| attributes.get(name)),
            Node::End(name) => self.end(name),
            Node::Text(text) if self.in_text => self.text(text),
            Node::Text(_) => {}
        }
        !self.output.full()
    }

    /// Shows nothing up to the end of the element `name`, whose start was just met or is around us.
    fn skip(&mut self, name: &str) {
        self.skipped = Some((name.to_owned(), 0));
    }

    fn start(&mut self, name: &str, attribute: &dyn Fn(&str) -> Option<String>) {
        match name {
            "p" => {
                self.mark.clear();
                self.in_list = false;
            }
            "pPr" => self.in_properties = true,
            "pStyle" => self.style(&attribute("val").unwrap_or_default()),
            "numPr" if self.mark.is_empty() => self.style(LIST),
            "t" => self.in_text = true,
            "tab" if !self.in_properties => self.text("\t"),
            "br" | "cr" if !self.in_properties => self.text(if self.cells == 0 { "\n" } else { " " }),
            "noBreakHyphen" => self.text("-"),
            // Text that Word does not show. Whoever hides text from the reader does not get to tell it to a model.
            "vanish" if attribute("val").is_none_or(|value| value != "0" && value != "false") => self.skip("r"),
            // The same content once more, for old programs.
            "Fallback" => self.skip("Fallback"),
            // Page numbers, dates and the like, which slides repeat.
            "ph" if attribute("type").is_some_and(|kind| matches!(&*kind, "sldNum" | "dt" | "ftr" | "hdr")) => {
                self.skip("sp");
            }
            "tr" => {
                self.output.end_line();
                self.output.push("|");
            }
            "tc" => {
                self.cells += 1;
                self.output.push(" ");
            }
            _ => {}
        }
    }

    fn style(&mut self, style: &str) {
        self.in_list = style.starts_with(LIST);
        self.mark = if self.in_list { "- ".to_owned() } else { heading(style).unwrap_or_default() };
    }

    fn end(&mut self, name: &str) {
        match name {
            "pPr" => self.in_properties = false,
            "t" => self.in_text = false,
            "p" if self.cells > 0 => self.output.push(" "),
            "p" if self.in_list => self.output.end_line(),
            "p" | "tbl" => self.output.end_paragraph(),
            "tc" => {
                self.cells = self.cells.saturating_sub(1);
                self.output.push("|");
            }
            "tr" => self.output.end_line(),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if !text.trim().is_empty() {
            self.output.push(&std::mem::take(&mut self.mark));
        }
        self.output.push(text);
    }
}

/// The mark of a heading style such as `Heading2`, or of the title.
fn heading(style: &str) -> Option<String> {
    if style == "Title" {
        return Some("# ".to_owned());
    }
    let level: usize = style.strip_prefix("Heading")?.trim().parse().ok()?;
    (1..=6).contains(&level).then(|| "#".repeat(level) + " ")
}
