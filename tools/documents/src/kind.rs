//! What kind of document bytes are.

use std::io::Cursor;
use zip::ZipArchive;

/// A kind of document whose text can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// PDF.
    Pdf,
    /// Word's `.docx`.
    Word,
    /// Excel's `.xlsx`.
    Workbook,
    /// PowerPoint's `.pptx`.
    Slides,
    /// Text, sheets or slides of the OpenDocument format: `.odt`, `.ods`, `.odp`.
    OpenDocument,
    /// An office file behind a password, or one of the formats before 2007: nothing of it can be read.
    EncryptedOffice,
}

/// How far junk may stand before the head of a PDF.
const PDF_HEAD: usize = 1024;
/// The part that makes an archive a document.
const PARTS: [(&str, Kind); 4] = [
    ("word/document.xml", Kind::Word),
    ("xl/workbook.xml", Kind::Workbook),
    ("ppt/presentation.xml", Kind::Slides),
    ("content.xml", Kind::OpenDocument),
];

impl Kind {
    /// The kind of a whole file, if it is a document that [`read`](crate::read) knows.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if Self::may_be_pdf(bytes) {
            return Some(Self::Pdf);
        }
        if bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
            return encrypted(bytes).then_some(Self::EncryptedOffice);
        }
        if !bytes.starts_with(b"PK\x03\x04") {
            return None;
        }
        let archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
        PARTS.iter().find(|(part, _)| archive.index_for_name(part).is_some()).map(|(_, kind)| *kind)
    }

    /// Whether the first bytes of a file allow that it is a document, so that reading all of it is worth while.
    #[must_use]
    pub fn possible(head: &[u8]) -> bool {
        Self::may_be_pdf(head) || head.starts_with(b"PK\x03\x04") || head.starts_with(b"\xd0\xcf\x11\xe0")
    }

    fn may_be_pdf(head: &[u8]) -> bool {
        head[..head.len().min(PDF_HEAD)].windows(5).any(|window| window == b"%PDF-")
    }
}

/// Whether an old compound file holds an office file behind a password: one of its streams has this name in UTF-16.
fn encrypted(bytes: &[u8]) -> bool {
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    bytes.windows(name.len()).any(|window| window == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_tell_the_kind() {
        assert_eq!(Kind::of(b"%PDF-1.7\n"), Some(Kind::Pdf));
        assert_eq!(Kind::of(b"\r\n%PDF-1.4\n"), Some(Kind::Pdf));
        assert_eq!(Kind::of(b"PK\x03\x04 and no directory"), None);
        assert_eq!(Kind::of(b"plain text about PDF"), None);
        assert_eq!(Kind::of(b""), None);
    }

    #[test]
    fn an_office_file_behind_a_password_is_known() {
        let mut file = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
        assert_eq!(Kind::of(&file), None);
        file.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(Kind::of(&file), Some(Kind::EncryptedOffice));
    }
}
