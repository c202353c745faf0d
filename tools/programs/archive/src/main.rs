//! tar, gzip, gunzip, zcat, zip and unzip.

mod gzip;
mod place;
mod tarball;
mod zipfile;

use std::ffi::OsString;
use std::fmt::Display;

chiton_program::main!(run);

fn run(arguments: Vec<OsString>) -> u8 {
    let name = arguments.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match name.rsplit('/').next().unwrap_or_default() {
        "gzip" => gzip::run(arguments, gzip::Called::Gzip),
        "gunzip" => gzip::run(arguments, gzip::Called::Gunzip),
        "zcat" => gzip::run(arguments, gzip::Called::Zcat),
        "zip" => zipfile::zip(arguments),
        "unzip" => zipfile::unzip(arguments),
        _ => tarball::run(arguments),
    }
}

/// An error of the system in the words of the C library.
pub(crate) fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "No such file or directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "Permission denied".to_owned(),
        std::io::ErrorKind::AlreadyExists => "File exists".to_owned(),
        _ => error.to_string().split(" (os error").next().unwrap_or_default().to_owned(),
    }
}

/// A sentence about a file.
pub(crate) fn about(file: impl Display, error: &std::io::Error) -> String {
    format!("{file}: {}", plain(error))
}
