//! Texts in parts that a result has room for.

/// Most bytes of a part: with the names of the files the host cuts nothing off.
const MOST: usize = 13_000;

/// The instructions of a `SKILL.md`: what stands behind its head.
pub(crate) fn body(text: &str) -> &str {
    let mut lines = text.split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| line.trim_end() == "---") else { return text };
    let mut at = first.len();
    for line in lines {
        at += line.len();
        if line.trim_end() == "---" {
            return &text[at..];
        }
    }
    text
}

/// The part of `text` that begins with this line, and how to read on when there is more.
pub(crate) fn page(text: &str, first: usize) -> String {
    // Empty lines at the beginning are not counted as lines.
    let text = text.trim();
    let mut shown = String::new();
    for (number, line) in text.lines().enumerate().skip(first.saturating_sub(1)) {
        if !shown.is_empty() && shown.len() + line.len() > MOST {
            shown.push_str(&format!("[This is not all: read on with 'line': {}.]\n", number + 1));
            break;
        }
        shown.push_str(&line[..line.floor_char_boundary(MOST)]);
        shown.push('\n');
    }
    match shown.is_empty() {
        true => format!("(there is no line {first}: the last one is {})", text.lines().count()),
        false => shown.trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_left_out() {
        for text in ["---\nname: a\n---\nDo it.", "---\r\nname: a\r\n---\r\nDo it.", "Do it."] {
            assert_eq!(body(text), "Do it.");
        }
        assert_eq!(body("---\nname: a\n---"), "");
        assert_eq!(body("---\nname: a\n"), "---\nname: a\n");
    }

    #[test]
    fn a_long_text_is_read_on_where_it_was_cut() {
        let text: String = (1..=3_000).map(|number| format!("line {number}\n")).collect();
        let first = page(&text, 1);
        let (part, note) = first.rsplit_once('\n').unwrap();
        let next: usize = part.lines().count() + 1;
        assert_eq!(note, format!("[This is not all: read on with 'line': {next}.]"));
        assert!(page(&text, next).starts_with(&format!("line {next}\n")) && first.len() < 14_000);
        assert_eq!(page("a\nb", 3), "(there is no line 3: the last one is 2)");
        assert_eq!(page(&"é".repeat(10_000), 1).len(), MOST);
    }
}
