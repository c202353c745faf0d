//! Readable text from HTML.

use dom_query::Document;
use dom_smoothie::{Config, Readability, TextMode};
use url::Url;

/// Most tags of a page that are read, so that its tree fits into the memory of a call.
const MOST_TAGS: usize = 60_000;
/// Deepest nesting that is read as a tree, as in browsers; a page that goes deeper is read as plain text.
const DEEPEST: usize = 512;
/// Most bytes of all addresses of a page: a page may have one long base and many short links.
const MOST_ADDRESSES: usize = 1 << 20;
/// An article that is shorter than this part of its page is probably not what the page is about.
const LEAST_PART: usize = 5;

/// What no reader of the page sees, or cannot use as text. Text that is hidden from people is not for models either.
const NOT_TEXT: &str = "script, style, noscript, template, iframe, object, embed, svg, canvas, dialog, \
    input, select, textarea, button, [hidden], [aria-hidden=true], [style*='display:none' i], \
    [style*='display: none' i], [style*='visibility:hidden' i], [style*='visibility: hidden' i], \
    [style*='font-size:0' i], [style*='font-size: 0' i], [style*='opacity:0;' i], [style$='opacity:0' i]";

/// How text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// With links, headings, lists and tables.
    Markdown,
    /// Without marks.
    Text,
}

/// The readable part of a page.
#[derive(Debug, PartialEq)]
pub(crate) struct Page {
    pub(crate) title: String,
    pub(crate) text: String,
    /// How it was found: `readability` for the article in it, `page` for all of it.
    pub(crate) extractor: &'static str,
    /// Whether the page has more tags than are read.
    pub(crate) cut: bool,
}

/// The article of a page, or all of its text if there is no article in it.
pub(crate) fn read(html: &str, url: &Url, mode: Mode) -> Page {
    let end = html.match_indices('<').nth(MOST_TAGS).map(|(at, _)| at);
    let html = &html[..end.unwrap_or(html.len())];
    let document = Document::from(html);
    let title = document.select_single("title").text().to_string();
    clean(&document, url);
    if depth(&document) > DEEPEST {
        let text = document.text().trim().to_owned();
        return Page { title, text, extractor: "page", cut: end.is_some() };
    }
    let (whole, length) = (write(&document, mode), document.text().split_whitespace().map(str::len).sum::<usize>());
    let article = article(document, url, mode).filter(|(text, found)| !text.is_empty() && found * LEAST_PART > length);
    let (text, extractor) = match article {
        Some((text, _)) => (text, "readability"),
        None => (whole, "page"),
    };
    Page { title, text: text.trim().to_owned(), extractor, cut: end.is_some() }
}

/// The text of the article in a page, and how many characters of the page it has.
fn article(document: Document, url: &Url, mode: Mode) -> Option<(String, usize)> {
    let text_mode = match mode {
        Mode::Markdown => TextMode::Markdown,
        Mode::Text => TextMode::Formatted,
    };
    let config = Config { text_mode, disable_json_ld: true, ..Config::default() };
    let mut readability = Readability::with_document(document, Some(url.as_str()), Some(config)).ok()?;
    if !readability.is_probably_readable() {
        return None;
    }
    let article = readability.parse().ok()?;
    let found = Document::from(article.content).text().split_whitespace().map(str::len).sum();
    Some((article.text_content.to_string(), found))
}

fn write(document: &Document, mode: Mode) -> String {
    let root = document.body().unwrap_or_else(|| document.root());
    match mode {
        Mode::Markdown => root.md(None).to_string(),
        Mode::Text => root.formatted_text().to_string(),
    }
}

/// Drops what is not text, and makes links absolute; what is no link for a reader, or one too many, stays as its text.
fn clean(document: &Document, url: &Url) {
    document.select(NOT_TEXT).remove();
    let base = document.select_single("base[href]").attr("href").and_then(|base| url.join(&base).ok());
    let base = base.as_ref().unwrap_or(url);
    let mut left = MOST_ADDRESSES;
    for (elements, attribute) in [("a[href]", "href"), ("img[src]", "src")] {
        for node in document.select(elements).iter() {
            let target = node.attr_or(attribute, "");
            let target = base.join(target.trim()).ok();
            let readable = |target: &Url| matches!(target.scheme(), "http" | "https" | "mailto");
            match target.filter(|target| readable(target) && target.as_str().len() <= left) {
                Some(target) => {
                    left -= target.as_str().len();
                    node.set_attr(attribute, target.as_str());
                }
                None if attribute == "src" => node.remove(),
                None => node.remove_attr(attribute),
            }
        }
    }
}

/// How deep the tree is.
fn depth(document: &Document) -> usize {
    let mut deepest = 0;
    let mut rest = vec![(document.root(), 0)];
    while let Some((node, depth)) = rest.pop() {
        deepest = deepest.max(depth);
        rest.extend(node.children().into_iter().map(|child| (child, depth + 1)));
    }
    deepest
}

#[cfg(test)]
mod tests;
