//! Skills in archives: tar, tar.gz and zip, unpacked in memory; nothing of them touches the disk.

use crate::package::{Files, Gathering, MOST_BYTES, Package, PackageError, Rule};
use flate2::{Compression, GzBuilder, read::MultiGzDecoder};
use std::io::{self, Cursor, Read};
use tar::EntryType;

/// How many times its size an archive may unpack to.
const MOST_RATIO: u64 = 200;
/// Bytes that every archive may unpack to, however small it is.
const FREE: u64 = 1 << 20;
/// Set-user-id and set-group-id.
const SET_ID: u32 = 0o6000;
/// Any right to execute.
const EXECUTE: u32 = 0o100;
/// Each member has a head and padding, and may have a long name.
const HEADS: u64 = 4 << 20;

impl Package {
    /// The skill in a tar, tar.gz or zip archive; one folder around everything is taken off. A skill that does not say
    /// its name is called `hint`.
    ///
    /// # Errors
    /// When the archive is damaged, has a member that breaks a rule, or holds no skill.
    pub fn unpack(hint: &str, archive: &[u8]) -> Result<Self, PackageError> {
        let size = archive.len() as u64;
        if size > MOST_BYTES + HEADS {
            return Err(Rule::Large.at(hint));
        }
        let unpacked = FREE.max(size.saturating_mul(MOST_RATIO));
        let over = if unpacked < MOST_BYTES { Rule::Bomb } else { Rule::Large };
        let mut gathering = Gathering::new(unpacked.min(MOST_BYTES), over);
        let read = match archive {
            [0x1f, 0x8b, ..] => {
                // Members that are skipped are unpacked, too.
                let most = unpacked.saturating_add(HEADS).min(MOST_BYTES + HEADS);
                let mut stream = MultiGzDecoder::new(archive).take(most);
                let read = untar(&mut stream, &mut gathering);
                if stream.limit() == 0 { Err(over.at(hint)) } else { read }
            }
            [b'P', b'K', ..] => unzip(archive, &mut gathering),
            _ => untar(archive, &mut gathering),
        };
        read.map_err(|error| match error {
            PackageError::Io { .. } => Rule::Archive.at(hint),
            other => other,
        })?;
        gathering.files = without_top(gathering.files);
        gathering.into_package(hint)
    }

    /// The skill as tar.gz; the same bytes each time.
    ///
    /// # Errors
    /// When the name of a file is too long for an archive.
    pub fn to_archive(&self) -> io::Result<Vec<u8>> {
        let packed = GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::best());
        let mut builder = tar::Builder::new(packed);
        for (place, file) in self.files() {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(EntryType::Regular);
            header.set_size(file.bytes.len() as u64);
            header.set_mode(if file.executable { 0o755 } else { 0o644 });
            header.set_mtime(0);
            builder.append_data(&mut header, format!("{}/{place}", self.name()), file.bytes.as_slice())?;
        }
        builder.into_inner()?.finish()
    }
}

fn untar(stream: impl Read, gathering: &mut Gathering) -> Result<(), PackageError> {
    let failed = |error: io::Error| PackageError::io("archive", error);
    for member in tar::Archive::new(stream).entries().map_err(failed)? {
        let member = member.map_err(failed)?;
        let kind = member.header().entry_type();
        // What git writes about the whole archive.
        if kind == EntryType::XGlobalHeader {
            continue;
        }
        let name = member.path_bytes();
        let Some(place) = enter(&name, kind == EntryType::Directory, gathering)? else { continue };
        let mode = member.header().mode().map_err(failed)?;
        match kind {
            EntryType::Directory => {}
            EntryType::Regular if mode & SET_ID != 0 => return Err(Rule::SetId.at(&place)),
            EntryType::Regular => gathering.add(&place, mode & EXECUTE != 0, member)?,
            EntryType::Symlink | EntryType::Link => return Err(Rule::Link.at(&place)),
            _ => return Err(Rule::Kind.at(&place)),
        }
    }
    Ok(())
}

fn unzip(bytes: &[u8], gathering: &mut Gathering) -> Result<(), PackageError> {
    /// The bits of a mode that tell its kind, and the kinds that are taken.
    const KIND: u32 = 0o170_000;
    const TAKEN: [u32; 3] = [0, 0o100_000, 0o040_000];
    let failed = |error: zip::result::ZipError| PackageError::io("archive", io::Error::other(error));
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(failed)?;
    if archive.has_duplicate_names() {
        return Err(Rule::Twice.at("a member of the archive"));
    }
    for index in 0..archive.len() {
        // Its data is not looked at before its place is.
        let member = archive.by_index_raw(index).map_err(failed)?;
        let (folder, mode) = (member.is_dir(), member.unix_mode().unwrap_or_default());
        let Some(place) = enter(member.name_raw(), folder, gathering)? else { continue };
        let rule = match mode & KIND {
            _ if member.is_symlink() => Some(Rule::Link),
            kind if !TAKEN.contains(&kind) => Some(Rule::Kind),
            _ if member.encrypted() => Some(Rule::Encrypted),
            _ if mode & SET_ID != 0 && !folder => Some(Rule::SetId),
            _ => None,
        };
        drop(member);
        match rule {
            Some(rule) => return Err(rule.at(&place)),
            None if folder => {}
            None => gathering.add(&place, mode & EXECUTE != 0, archive.by_index(index).map_err(failed)?)?,
        }
    }
    Ok(())
}

/// The place of a member; `None` when it is no part of the skill.
fn enter(name: &[u8], folder: bool, gathering: &mut Gathering) -> Result<Option<String>, PackageError> {
    let Ok(name) = str::from_utf8(name) else { return Err(Rule::Encoding.at(&String::from_utf8_lossy(name))) };
    // `tar -C folder .` writes `./` before each name.
    let place = name.strip_prefix("./").unwrap_or(name);
    let place = if folder { place.strip_suffix('/').unwrap_or(place) } else { place };
    if folder && matches!(place, "" | ".") {
        return Ok(None);
    }
    Ok(gathering.enter(place)?.then(|| place.to_owned()))
}

/// The files without the one folder that all of them lie in.
fn without_top(files: Files) -> Files {
    let top = files.keys().next().and_then(|first| Some(format!("{}/", first.split_once('/')?.0)));
    match top {
        Some(top) if files.keys().all(|place| place.starts_with(&top)) => {
            files.into_iter().map(|(place, file)| (place[top.len()..].to_owned(), file)).collect()
        }
        _ => files,
    }
}
