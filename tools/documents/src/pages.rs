//! Which pages of a document are wanted.

use crate::Error;
use std::str::FromStr;

/// Most pages, slides or sheets of one reading.
pub const MOST_PAGES: usize = 20;

/// Pages as a reader names them: `1-5,8`. The first is 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pages(Vec<usize>);

impl FromStr for Pages {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).map(Self).ok_or_else(|| Error::BadPages(text.chars().take(40).collect()))
    }
}

fn parse(text: &str) -> Option<Vec<usize>> {
    let mut pages = Vec::new();
    for range in text.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (usize, usize) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        if first == 0 || last < first || last - first >= MOST_PAGES {
            return None;
        }
        pages.extend(first..=last);
    }
    (pages.len() <= MOST_PAGES).then_some(pages)
}

/// The pages of one reading, and what to say about them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    /// Counted from 1, all of them there.
    pub(crate) pages: Vec<usize>,
    /// Such as `pages 1 to 5 of 12`.
    pub(crate) title: String,
    /// What follows, as it can be asked for.
    pub(crate) next: Option<String>,
}

/// What is there of `wanted`, or the first of all `count` pages. `name` is what one is called, such as `page`.
pub(crate) fn select(wanted: Option<&Pages>, count: usize, name: &str) -> Result<Selection, Error> {
    let plural = if count == 1 { "" } else { "s" };
    let pages: Vec<usize> = match wanted {
        None => (1..=count.min(MOST_PAGES)).collect(),
        Some(Pages(wanted)) => wanted.iter().copied().filter(|page| *page <= count).collect(),
    };
    if let (Some(Pages(wanted)), true) = (wanted, pages.is_empty()) {
        let asked = wanted.first().copied().unwrap_or_default();
        return Err(Error::Behind { has: format!("{count} {name}{plural}"), asked });
    }
    let last = pages.last().copied().unwrap_or_default();
    let next = (last < count).then(|| match (last + 1, count.min(last + MOST_PAGES)) {
        (first, end) if first == end => first.to_string(),
        (first, end) => format!("{first}-{end}"),
    });
    let title = if pages.len() == count {
        format!("{count} {name}{plural}")
    } else {
        format!("{name}{} {} of {count}", if pages.len() == 1 { "" } else { "s" }, ranges(&pages))
    };
    Ok(Selection { pages, title, next })
}

/// `1 to 5, 8`.
fn ranges(pages: &[usize]) -> String {
    let ranges = pages.chunk_by(|before, after| before + 1 == *after).map(|range| match range {
        [page] => page.to_string(),
        range => format!("{} to {}", range[0], range[range.len() - 1]),
    });
    ranges.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(wanted: &str, count: usize) -> Result<Selection, Error> {
        select(Some(&wanted.parse()?), count, "page")
    }

    #[test]
    fn ranges_and_single_pages_are_named_as_people_do() {
        let selection = selected("1-3, 8", 12).unwrap();
        assert_eq!(selection.pages, [1, 2, 3, 8]);
        assert_eq!(selection.title, "pages 1 to 3, 8 of 12");
        assert_eq!(selection.next.as_deref(), Some("9-12"));
        assert_eq!(selected("2", 3).unwrap().title, "page 2 of 3");
    }

    #[test]
    fn without_a_wish_the_first_pages_are_read_and_the_next_are_named() {
        let all = select(None, 3, "slide").unwrap();
        assert_eq!((all.pages.len(), all.title.as_str(), all.next), (3, "3 slides", None));
        let first = select(None, 57, "page").unwrap();
        assert_eq!((first.pages.len(), first.next.as_deref()), (20, Some("21-40")));
    }

    #[test]
    fn a_range_may_reach_over_the_end_but_not_begin_behind_it() {
        assert_eq!(selected("2-9", 3).unwrap().pages, [2, 3]);
        let error = selected("4-9", 3).unwrap_err();
        assert_eq!(error.to_string(), "has 3 pages, and 4 is behind the end");
    }

    #[test]
    fn nonsense_and_more_than_the_most_pages_are_refused() {
        for wrong in ["", "0", "5-1", "a", "1-", "-3", "1-21", "1-20,30", "1-99999999999999999999", "1;2"] {
            assert!(matches!(wrong.parse::<Pages>(), Err(Error::BadPages(_))), "{wrong}");
        }
        assert!("1-20".parse::<Pages>().is_ok());
    }
}
