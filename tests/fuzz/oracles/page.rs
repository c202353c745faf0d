//! Any page is read in bounded time into bounded text.
//! The input is how often the first line is repeated, as a power of two, and the page.

use std::time::{Duration, Instant};

use url::Url;

use crate::page::{Mode, read};

/// The largest page that is made, in bytes.
const LARGEST: usize = 128 << 10;
/// Most repetitions, as a power of two.
const OFTEN: u8 = 14;
/// Longest time for one page.
const LONGEST: Duration = Duration::from_secs(20);
/// Most bytes of text for each byte of a page, and beside them for its addresses.
const GROWTH: usize = 64;
const BESIDE: usize = 3 << 20;

pub fn check(data: &[u8]) {
    let Some((power, page)) = data.split_first() else { return };
    let page = String::from_utf8_lossy(page);
    let (first, rest) = page.split_once('\n').unwrap_or((&page, ""));
    let often = (1 << (power % OFTEN)).min(LARGEST / first.len().max(1)).max(1);
    let html = first.repeat(often) + rest;
    let url = Url::parse("https://example.com/a/b.html").expect("it is a URL");
    for mode in [Mode::Markdown, Mode::Text] {
        let start = Instant::now();
        let page = read(&html, &url, mode);
        let (length, took) = (page.text.len() + page.title.len(), start.elapsed());
        assert!(took < LONGEST, "{} bytes took {took:?}", html.len());
        assert!(length <= html.len() * GROWTH + BESIDE, "{} bytes gave {length}", html.len());
    }
}
