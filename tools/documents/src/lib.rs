//! Text of PDF and office files, and pictures scaled for a model.
//!
//! Files come from strangers. Their kind is told by their bytes, never by their name; what is unpacked, read and
//! returned is bounded by the constants of each module; what cannot be read is an [`Error`] that says why.
//! The crate is a library for guests: what escapes these bounds still meets the walls of the sandbox.

mod kind;
mod office;
mod output;
mod pages;
mod pdf;
mod picture;

pub use kind::Kind;
pub use pages::{MOST_PAGES, Pages};
pub use picture::{LARGEST_PICTURE, LONGEST_SIDE, MOST_PIXEL_BYTES, Picture, picture, picture_format};

/// Largest document that is read, in bytes.
pub const LARGEST_DOCUMENT: u64 = 32 << 20;

/// Why a document or a picture cannot be read, in a sentence that goes on after "it".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More bytes than [`LARGEST_DOCUMENT`].
    #[error("is larger than {} MiB, the most that is read of a document", LARGEST_DOCUMENT >> 20)]
    TooLarge,
    /// A part would unpack to more than is allowed.
    #[error("unpacks to more than {0} MiB, so it was not read")]
    Bomb(u64),
    /// A password is needed.
    #[error("is protected by a password; ask for a copy without one")]
    Encrypted,
    /// The bytes are not what the kind of file demands.
    #[error("is damaged or not what it claims to be ({0})")]
    Damaged(String),
    /// There are pages, but no text on them.
    #[error(
        "has no text on {0}: it probably holds scanned pictures, which need a program that reads text from pictures"
    )]
    NoText(String),
    /// The fonts do not tell which characters their glyphs are.
    #[error("has fonts that do not tell their characters on {0}, so its text cannot be read")]
    NoCharacters(String),
    /// A selection of pages that makes no sense.
    #[error("cannot give pages \"{0}\": name at most {MOST_PAGES} of them as in \"1-5,8\"")]
    BadPages(String),
    /// A selection behind the last page.
    #[error("has {has}, and {asked} is behind the end")]
    Behind {
        /// How many there are, such as `3 pages`.
        has: String,
        /// The first that was asked for.
        asked: usize,
    },
    /// A picture of more bytes than [`LARGEST_PICTURE`].
    #[error("is a picture file of more than {} MiB", LARGEST_PICTURE >> 20)]
    LargePicture,
    /// A picture that would take more memory than [`MOST_PIXEL_BYTES`].
    #[error("is a picture of {width} x {height} pixels, which need {} MiB, and it may be {}; ask for a smaller one",
        bytes >> 20, MOST_PIXEL_BYTES >> 20)]
    ManyPixels {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Memory for all of them.
        bytes: u64,
    },
}

/// Most characters of what a reader says about a file: it may repeat the file.
const LONGEST_REASON: usize = 300;

/// The bytes are not what the reader expects.
fn damaged(error: &dyn std::error::Error) -> Error {
    Error::Damaged(error.to_string().chars().take(LONGEST_REASON).collect())
}

/// The text of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What it is and which part of it this is, such as `PDF document, pages 1 to 5 of 12`.
    pub title: String,
    /// The text.
    pub text: String,
    /// Whether the text goes on behind the limit.
    pub truncated: bool,
    /// The pages to ask for next, if some were left out.
    pub next: Option<String>,
}

/// The text of a document of a known kind.
///
/// `pages` selects pages of a PDF, slides of a presentation and sheets of a workbook; without it they come from the
/// first on, [`MOST_PAGES`] at most. `most` is the most bytes of text.
pub fn read(kind: Kind, bytes: Vec<u8>, pages: Option<&Pages>, most: usize) -> Result<Document, Error> {
    if bytes.len() as u64 > LARGEST_DOCUMENT {
        return Err(Error::TooLarge);
    }
    match kind {
        Kind::Pdf => pdf::read(bytes, pages, most),
        Kind::Word => office::word::read(bytes, most),
        Kind::Workbook => office::workbook::read(bytes, pages, most),
        Kind::Slides => office::slides::read(bytes, pages, most),
        Kind::OpenDocument => office::opendocument::read(bytes, most),
        Kind::EncryptedOffice => Err(Error::Encrypted),
    }
}
