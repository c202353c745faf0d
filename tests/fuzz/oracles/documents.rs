//! Whatever the bytes are, reading ends in bounded time with bounded text or a short reason.
//! The first letter tells what follows: `w x s o` a part's number and content, which goes into an office file; `p` what
//! a PDF page draws; `m` the character map of a PDF font; any other a whole file.

use std::io::{Cursor, Read, Write};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use chiton_documents::{Kind, picture, picture_format, read};
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

/// Most bytes of text that are asked for.
const MOST: usize = 10_000;
/// Most bytes of a picture that is handed on.
const LARGEST_PICTURE: usize = 8 << 20;
/// Longest reason, in bytes.
const LONGEST_REASON: usize = 2_000;
/// Longest time for one file.
const LONGEST: Duration = Duration::from_secs(30);

/// Office files by their letter.
const OFFICE: [(u8, &[u8]); 4] = [
    (b'w', include_bytes!("../../../tools/documents/tests/fixtures/minutes.docx")),
    (b'x', include_bytes!("../../../tools/documents/tests/fixtures/costs.xlsx")),
    (b's', include_bytes!("../../../tools/documents/tests/fixtures/plans.pptx")),
    (b'o', include_bytes!("../../../tools/documents/tests/fixtures/recipe.odt")),
];

/// The parts of an office file, with their names.
type Parts = Vec<(String, Vec<u8>)>;

pub fn check(data: &[u8]) {
    let Some((letter, rest)) = data.split_first() else { return };
    let office = OFFICE.iter().position(|(own, _)| own == letter);
    match (office, letter, rest) {
        (Some(index), _, [part, content @ ..]) => readable(&with_part(index, *part, content)),
        (None, b'p', drawn) => readable(&pdf(drawn, b"")),
        (None, b'm', map) => readable(&pdf(b"BT /F 12 Tf 9 9 Td <0102030041> Tj ET", map)),
        (_, _, file) => readable(file),
    }
}

fn readable(file: &[u8]) {
    let start = Instant::now();
    if picture_format(file).is_some()
        && let Ok(picture) = picture(file)
    {
        assert!(!picture.data.is_empty() && picture.data.len() <= LARGEST_PICTURE, "{}", picture.title);
    }
    if let Some(kind) = Kind::of(file) {
        assert!(Kind::possible(file), "{kind:?} by its whole and not by its head");
        match read(kind, file.to_vec(), None, MOST) {
            Ok(document) => assert!(document.text.len() <= MOST, "{} bytes", document.text.len()),
            Err(error) => assert!(error.to_string().len() <= LONGEST_REASON, "{error}"),
        }
    }
    assert!(start.elapsed() < LONGEST, "it took {:?}", start.elapsed());
}

/// An office file in which one part has this content.
fn with_part(index: usize, part: u8, content: &[u8]) -> Vec<u8> {
    static PARTS: [OnceLock<Parts>; OFFICE.len()] = [const { OnceLock::new() }; OFFICE.len()];
    let parts = PARTS[index].get_or_init(|| unpacked(OFFICE[index].1));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (number, (name, usual)) in parts.iter().enumerate() {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        zip.start_file(name.as_str(), options).expect("it can be begun");
        let content = if number == usize::from(part) % parts.len() { content } else { usual };
        zip.write_all(content).expect("it can be written");
    }
    zip.finish().expect("it can be ended").into_inner()
}

fn unpacked(file: &[u8]) -> Parts {
    let mut zip = ZipArchive::new(Cursor::new(file)).expect("it is an archive");
    let mut parts = Vec::new();
    for index in 0..zip.len() {
        let mut part = zip.by_index(index).expect("it is a part");
        let mut content = Vec::new();
        part.read_to_end(&mut content).expect("it can be unpacked");
        parts.push((part.name().expect("it has a name").into_owned(), content));
    }
    parts
}

/// A PDF of one page with what it draws, and with the character map of its font.
fn pdf(drawn: &[u8], map: &[u8]) -> Vec<u8> {
    let stream =
        |bytes: &[u8]| [format!("<</Length {}>>stream\n", bytes.len()).as_bytes(), bytes, b"\nendstream"].concat();
    let objects = [
        b"<</Type/Catalog/Pages 2 0 R>>".to_vec(),
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>".to_vec(),
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>".to_vec(),
        stream(drawn),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 6 0 R>>".to_vec(),
        stream(map),
    ];
    let mut file = b"%PDF-1.7\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (number, object) in (1..).zip(&objects) {
        table += &format!("{:010} 00000 n \n", file.len());
        file.extend([format!("{number} 0 obj\n").as_bytes(), object, b"\nendobj\n"].concat());
    }
    let start = file.len();
    file.extend(format!("{table}trailer<</Size {}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF", objects.len() + 1).bytes());
    file
}
