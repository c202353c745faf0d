//! Damaged files: whatever the bytes are, reading ends with text or an error and never breaks down.
#![allow(clippy::unwrap_used, reason = "tests")]

use chiton_documents::{Kind, picture, read};
use proptest::prelude::*;
use std::io::{Cursor, Read, Write};

const FILES: [(Kind, &[u8]); 7] = [
    (Kind::Pdf, include_bytes!("fixtures/report.pdf")),
    (Kind::Pdf, include_bytes!("fixtures/owner-password.pdf")),
    (Kind::Pdf, include_bytes!("fixtures/cjk-not-embedded.pdf")),
    (Kind::Word, include_bytes!("fixtures/minutes.docx")),
    (Kind::Workbook, include_bytes!("fixtures/costs.xlsx")),
    (Kind::Slides, include_bytes!("fixtures/plans.pptx")),
    (Kind::OpenDocument, include_bytes!("fixtures/recipe.odt")),
];

/// An archive with one part changed and all checksums right, so that the change reaches the readers of XML.
fn with_changed_part(bytes: &[u8], part: prop::sample::Index, changes: &[(prop::sample::Index, u8)]) -> Vec<u8> {
    let mut from = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut to = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let changed = part.index(from.len());
    for index in 0..from.len() {
        let mut entry = from.by_index(index).unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        if index == changed && !content.is_empty() {
            for (at, byte) in changes {
                let at = at.index(content.len());
                content[at] = *byte;
            }
        }
        to.start_file(entry.name().unwrap(), zip::write::SimpleFileOptions::default()).unwrap();
        to.write_all(&content).unwrap();
    }
    to.finish().unwrap().into_inner()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn agt_17_changed_bytes_never_break_the_reader(
        file in 0..FILES.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let (kind, bytes) = FILES[file];
        let mut bytes = bytes.to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = read(kind, bytes, None, 10_000);
    }

    #[test]
    fn agt_17_changed_parts_of_an_archive_never_break_the_reader(
        file in 3..FILES.len(),
        part in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let (kind, bytes) = FILES[file];
        let _ = read(kind, with_changed_part(bytes, part, &changes), None, 10_000);
    }

    #[test]
    fn agt_17_files_that_end_early_never_break_the_reader(file in 0..FILES.len(), end in any::<prop::sample::Index>()) {
        let (kind, bytes) = FILES[file];
        let _ = read(kind, bytes[..end.index(bytes.len())].to_vec(), None, 10_000);
    }

    #[test]
    fn agt_17_bytes_of_any_kind_are_refused_or_read(mut bytes in prop::collection::vec(any::<u8>(), 0..400), magic in 0..7_usize) {
        let magics: [&[u8]; 7] = [b"%PDF-1.7\n", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF", b"BM"];
        bytes.splice(0..0, magics[magic].iter().copied());
        let _ = picture(&bytes);
        if let Some(kind) = Kind::of(&bytes) {
            let _ = read(kind, bytes, None, 10_000);
        }
    }
}
