//! Files that go along: read through the mounts of the call and passed on as bytes, never as paths.

use chiton_sdk::bindings::chiton::tool::messaging::Attachment;
use chiton_sdk::prelude::*;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Most files of one message.
const MOST_FILES: usize = 5;
/// Most bytes of all of them.
const MOST_BYTES: u64 = 10 << 20;
/// What a file is by the end of its name; anything else is `application/octet-stream`.
const TYPES: [(&str, &str); 26] = [
    ("csv", "text/csv"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("gif", "image/gif"),
    ("gz", "application/gzip"),
    ("html", "text/html"),
    ("ics", "text/calendar"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("json", "application/json"),
    ("m4a", "audio/mp4"),
    ("md", "text/markdown"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("ogg", "audio/ogg"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("svg", "image/svg+xml"),
    ("tar", "application/x-tar"),
    ("txt", "text/plain"),
    ("wav", "audio/wav"),
    ("webm", "video/webm"),
    ("webp", "image/webp"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("xml", "application/xml"),
    ("zip", "application/zip"),
];

/// Reads the files at `given`.
pub(crate) fn read(given: &[String]) -> Result<Vec<Attachment>, Failure> {
    if given.len() > MOST_FILES {
        let sentence = format!("{} files are too many; send at most {MOST_FILES} with one message", given.len());
        return Err(Failure::InvalidArguments(sentence));
    }
    let mut left = MOST_BYTES;
    let mut attachments = Vec::with_capacity(given.len());
    for path in given {
        let place = paths::file(path, Access::Read)?;
        let data = bytes(place.as_ref(), left).map_err(|error| place.failure(error))?;
        let data = data.ok_or_else(|| too_large(path))?;
        left -= data.len() as u64;
        attachments.push(attachment(place.as_ref(), data));
    }
    Ok(attachments)
}

fn too_large(path: &str) -> Failure {
    let most = MOST_BYTES >> 20;
    Failure::InvalidArguments(format!(
        "with '{path}' the files are larger than {most} MiB together; send fewer or smaller ones"
    ))
}

/// The bytes of a file; none if there are more than `most`.
fn bytes(path: &Path, most: u64) -> std::io::Result<Option<Vec<u8>>> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(std::io::ErrorKind::IsADirectory.into());
    }
    let mut data = Vec::new();
    // one more than allowed, for a file that grows meanwhile
    file.take(most + 1).read_to_end(&mut data)?;
    Ok((data.len() as u64 <= most).then_some(data))
}

fn attachment(path: &Path, data: Vec<u8>) -> Attachment {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let known = TYPES.iter().find(|(known, _)| *known == ending);
    let mime = known.map_or("application/octet-stream", |(_, mime)| mime).to_owned();
    Attachment { name, mime, data }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_along_under_its_own_name_without_its_directories() {
        let sent = attachment(Path::new("/home/ann/pictures/Fern.PNG"), vec![1, 2]);
        assert_eq!((sent.name.as_str(), sent.mime.as_str(), sent.data), ("Fern.PNG", "image/png", vec![1, 2]));
        assert_eq!(attachment(Path::new("/w/notes"), Vec::new()).mime, "application/octet-stream");
    }

    #[test]
    fn res_09_a_file_larger_than_what_is_left_is_not_read_to_its_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data");
        std::fs::write(&path, [7; 100]).unwrap();
        assert_eq!(bytes(&path, 100).unwrap().unwrap().len(), 100);
        assert_eq!(bytes(&path, 99).unwrap(), None);
        assert!(matches!(too_large("data"), Failure::InvalidArguments(why) if why.contains("10 MiB together")));
    }

    #[test]
    fn a_directory_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        assert!(bytes(directory.path(), 100).is_err());
    }

    #[test]
    fn too_many_files_are_refused_before_any_is_read() {
        let refused = read(&vec!["/nowhere".to_owned(); 6]).unwrap_err();
        assert!(matches!(refused, Failure::InvalidArguments(why) if why.contains("at most 5")));
    }
}
