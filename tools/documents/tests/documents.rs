//! Documents as other programs write them, and what must be said about those that cannot be read.
#![allow(clippy::unwrap_used, reason = "tests")]

use chiton_documents::{Document, Error, Kind, read};

const REPORT: &[u8] = include_bytes!("fixtures/report.pdf");
const MINUTES: &[u8] = include_bytes!("fixtures/minutes.docx");
const COSTS: &[u8] = include_bytes!("fixtures/costs.xlsx");
const PLANS: &[u8] = include_bytes!("fixtures/plans.pptx");
const RECIPE: &[u8] = include_bytes!("fixtures/recipe.odt");
const MOST: usize = 100_000;

fn document(bytes: &[u8], pages: Option<&str>) -> Result<Document, Error> {
    let pages = pages.map(|pages| pages.parse().unwrap());
    read(Kind::of(bytes).unwrap(), bytes.to_vec(), pages.as_ref(), MOST)
}

#[track_caller]
fn text(bytes: &[u8], pages: Option<&str>) -> String {
    document(bytes, pages).unwrap().text
}

#[test]
fn kinds_are_told_by_their_bytes() {
    let kinds = [REPORT, MINUTES, COSTS, PLANS, RECIPE].map(Kind::of);
    assert_eq!(kinds, [Kind::Pdf, Kind::Word, Kind::Workbook, Kind::Slides, Kind::OpenDocument].map(Some));
}

#[test]
fn a_pdf_gives_its_pages_with_paragraphs_tables_and_accents() {
    let report = document(REPORT, None).unwrap();
    assert_eq!(report.title, "PDF document, 3 pages");
    let expected = "--- page 1 ---\nHarbour report\n\
        The first ships came at dawn. They carried salt, rope and four crates of oranges, and their crews\n\
        were offered soup before anything was unloaded.\n\nShip\tCargo\tTons\nAurora\tSalt\t120\nBorealis\tRope\t75\n\n\
        --- page 2 ---\nWeather\nCafé prices in Zürich rose by 3 €; the naïve façade – “so it goes” – stayed.\n\n\
        --- page 3 ---\nAnnex\nNothing to add.";
    assert_eq!(report.text, expected);
}

#[test]
fn pages_select_what_is_read_and_the_next_are_named() {
    let page = document(REPORT, Some("2")).unwrap();
    assert_eq!(page.title, "PDF document, page 2 of 3");
    assert!(page.text.starts_with("--- page 2 ---\nWeather"), "{}", page.text);
    assert_eq!(page.next.as_deref(), Some("3"));
    assert_eq!(document(REPORT, Some("7")).unwrap_err(), Error::Behind { has: "3 pages".to_owned(), asked: 7 });
}

#[test]
fn a_pdf_with_only_an_owner_password_is_read_and_one_that_needs_a_password_says_so() {
    assert!(text(include_bytes!("fixtures/owner-password.pdf"), None).ends_with("Anybody may read this"));
    assert_eq!(document(include_bytes!("fixtures/encrypted.pdf"), None), Err(Error::Encrypted));
}

#[test]
fn scanned_pages_without_text_are_named_as_such() {
    let error = document(include_bytes!("fixtures/scanned.pdf"), None).unwrap_err();
    assert_eq!(error, Error::NoText("2 pages".to_owned()));
    assert!(error.to_string().contains("scanned"), "{error}");
}

#[test]
fn fonts_that_do_not_tell_their_characters_are_not_taken_for_scanned_pages() {
    let error = document(include_bytes!("fixtures/cjk-not-embedded.pdf"), None).unwrap_err();
    assert_eq!(error, Error::NoCharacters("1 page".to_owned()));
}

#[test]
fn word_gives_headings_lists_tables_and_no_hidden_text() {
    let expected = "# Minutes\n\n# Present\n\nAnn & Ben, Čeněk (by phone)\n\n- Buy paint\n- Call the harbour\n\
        | Task | Who |\n| Paint | Ben |\n\nNext meeting\ton Friday";
    assert_eq!(text(MINUTES, None), expected);
}

#[test]
fn a_workbook_gives_rows_with_dates_and_far_cells() {
    let costs = document(COSTS, None).unwrap();
    assert_eq!(costs.title, "Excel workbook, 3 sheets");
    let expected = "--- sheet 1: Costs ---\n1: Item\tPrice\tBought\n2: Rope\t12.5\t2026-03-14\n\
        3: Salt & pepper\t3\t2026-03-15 09:30:00\n5: Total\t15.5\t[Z] far\n6: TRUE\n\n\
        --- sheet 2: Empty ---\n\n--- sheet 3: Notes ---\n2: \ttwo lines";
    assert_eq!(costs.text, expected);
    assert_eq!(document(COSTS, Some("3")).unwrap().title, "Excel workbook, sheet 3 of 3");
}

#[test]
fn slides_come_in_order_with_their_notes() {
    let expected = "--- slide 1 ---\nPlans for spring\n\nA short talk\n\n--- slide 2 ---\nSteps\n\nPaint the hull\n\n\
        Mend the nets\n\nNotes: Say that paint is cheap now.\n\n--- slide 3 ---\nNumbers\n\n| Net | Price |\n| Fine | 40 |";
    assert_eq!(text(PLANS, None), expected);
}

#[test]
fn opendocument_text_is_read() {
    assert_eq!(text(RECIPE, None), "# Recipe\n\nSoup for < six > people.\n\n- leek\n- salt\n| cook | an hour |");
}

#[test]
fn text_is_cut_at_the_limit_and_says_so() {
    for bytes in [REPORT, MINUTES, COSTS, PLANS, RECIPE] {
        let document = read(Kind::of(bytes).unwrap(), bytes.to_vec(), None, 20).unwrap();
        assert!(document.truncated && document.text.len() <= 20, "{document:?}");
    }
}

/// A document whose only interesting part is `content`.
fn archive(part: &str, content: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file(part, zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(content).unwrap();
    zip.finish().unwrap().into_inner()
}

#[test]
fn agt_17_an_archive_that_unpacks_to_hundreds_of_megabytes_is_refused() {
    let bomb = archive("word/document.xml", &vec![b' '; 130 << 20]);
    assert!(bomb.len() < 1 << 20);
    assert!(matches!(document(&bomb, None), Err(Error::Bomb(_))));
    let bomb = archive("xl/workbook.xml", &vec![b' '; 20 << 20]);
    assert!(matches!(document(&bomb, None), Err(Error::Bomb(_))));
}

#[test]
fn agt_17_entities_that_name_each_other_are_not_expanded() {
    let xml = b"<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><w:p><w:r><w:t>one &b; two</w:t></w:r></w:p>";
    assert_eq!(text(&archive("word/document.xml", xml), None), "one  two");
}

#[test]
fn agt_17_parts_that_point_outside_the_archive_lead_nowhere() {
    let xml = br#"<p:sldId id="1" r:id="r1"/>"#;
    let slides = document(&archive("ppt/presentation.xml", xml), None).unwrap();
    assert_eq!(slides.title, "PowerPoint presentation, 0 slides");
}
