use super::*;
use crate::charset;

const ARTICLE: &str = include_str!("../../tests/fixtures/article.html");

fn page(html: &str, mode: Mode) -> Page {
    read(html, &Url::parse("https://coast.example/news/tower.html").unwrap(), mode)
}

#[test]
fn the_article_of_a_page_is_found_and_what_surrounds_it_is_not_shown() {
    let page = page(ARTICLE, Mode::Markdown);
    assert_eq!((page.extractor, page.title.as_str()), ("readability", "The lighthouse that moved | Coast News"));
    for part in [
        "For a hundred and twenty years",
        "[move it inland](https://coast.example/archive/decision.html?year=2025#vote)",
        "**seven hundred tons**",
        "> It was like moving a sleeping grandmother",
        "## What it cost",
        "| Soap | 212 |",
        "https://coast.example/img/tower.jpg",
    ] {
        assert!(page.text.contains(part), "{part} is not in\n{}", page.text);
    }
    for part in ["Log in", "Read also", "Copyright"] {
        assert!(!page.text.contains(part), "{part} is in\n{}", page.text);
    }
}

#[test]
fn agt_17_what_a_reader_does_not_see_is_not_told() {
    for mode in [Mode::Markdown, Mode::Text] {
        let article = page(ARTICLE, mode).text;
        let whole = page(&ARTICLE.replace("<p>", "<br>"), mode).text;
        for hidden in ["SYSTEM", "Assistant:", "rm -rf", "track(", "display", "pixel.gif", "data:", "javascript"] {
            assert!(!article.contains(hidden) && !whole.contains(hidden), "{hidden} is shown");
        }
    }
}

#[test]
fn text_mode_has_no_marks_and_no_addresses() {
    let text = page(ARTICLE, Mode::Text).text;
    assert!(text.contains("seven hundred tons") && text.contains("move it inland"));
    assert!(!text.contains("**") && !text.contains("](") && !text.contains("https://"), "{text}");
}

#[test]
fn code_lists_and_links_keep_their_shape() {
    let page = page(include_str!("../../tests/fixtures/reference.html"), Mode::Markdown);
    let expected = "# pour\n\nPours water from a kettle.\n\n\
        ```rust\nlet cup = kettle.pour(250)?;\nassert!(cup.is_full());\n```\n\n## Options\n\n\
        1. Fill the kettle\n    - not above `MAX`\n2. Press the switch\n\n\
        See [boil](https://docs.example/v2/kettle.html#boil), [write to us](mailto:help@docs.example) or close.";
    assert_eq!(page.text, expected);
}

#[test]
fn a_page_that_is_a_list_is_shown_whole() {
    let page = page(include_str!("../../tests/fixtures/listing.html"), Mode::Markdown);
    assert_eq!(page.extractor, "page");
    for part in [
        "[A kettle in 64 bytes](https://a.example/one)",
        "[3 comments](https://coast.example/news/item?id=2)",
        "12 comments",
    ] {
        assert!(page.text.contains(part), "{part} is not in\n{}", page.text);
    }
}

#[test]
fn pages_in_old_charsets_are_read() {
    for (bytes, title, text) in [
        (
            &include_bytes!("../../tests/fixtures/windows-1251.html")[..],
            "Погода",
            "Завтра ожидается дождь, ветер северный.",
        ),
        (&include_bytes!("../../tests/fixtures/shift_jis.html")[..], "天気", "明日は雨でしょう。"),
        (&include_bytes!("../../tests/fixtures/gb2312.html")[..], "天气", "明天有雨，北风。"),
    ] {
        let page = page(&charset::decode(bytes, None), Mode::Markdown);
        assert_eq!((page.title.as_str(), page.text.as_str()), (title, text));
    }
}

#[test]
fn agt_17_pages_that_nest_without_end_are_read_as_plain_text() {
    for tag in ["<div>", "<ul><li>", "<blockquote>", "<b>", "<table><tr><td>", "<span>"] {
        let page = page(&format!("{}deep", tag.repeat(4_000)), Mode::Markdown);
        assert!(page.text.contains("deep") || page.cut, "{tag}");
    }
}

#[test]
fn agt_17_a_long_base_does_not_multiply_by_the_links() {
    let base = format!("<base href=\"https://coast.example/{}\">", "a/".repeat(20_000));
    let page = page(&format!("{base}{}", "<a href=x>y</a> ".repeat(5_000)), Mode::Markdown);
    assert!(page.text.len() < 2 << 20, "{}", page.text.len());
}

#[test]
fn agt_17_a_page_of_very_many_tags_is_cut() {
    let page = page(&"<p>x".repeat(MOST_TAGS + 1), Mode::Text);
    assert!(page.cut);
}

#[test]
fn pages_without_anything_are_empty() {
    for html in ["", "<html></html>", "<!-- only a comment -->", "<frameset><frame src=x></frameset>"] {
        assert_eq!(page(html, Mode::Markdown).text, "", "{html}");
    }
}
