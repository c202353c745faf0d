//! Files as streams: a redirection opens its file here, and the program gets the stream.

use crate::system::OpenMode;
use std::cell::{Cell, OnceCell, RefCell};
use std::io::{self, ErrorKind};
use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags};
use wasip2::io::streams::{InputStream, OutputStream};

/// Bytes read from a file at once.
const CHUNK: u64 = 64 * 1024;

/// The granted directories, looked up when the first file is opened.
#[derive(Default)]
pub(super) struct Mounts {
    directories: OnceCell<Vec<(Descriptor, String)>>,
}

impl Mounts {
    pub(super) fn open_input(&self, path: &str) -> io::Result<FileInput> {
        let descriptor = self.open(path, OpenFlags::empty(), DescriptorFlags::READ)?;
        Ok(FileInput {
            descriptor,
            position: Cell::new(0),
            buffer: RefCell::new(Buffer::default()),
            stream: RefCell::new(None),
        })
    }

    pub(super) fn open_output(&self, path: &str, mode: OpenMode) -> io::Result<OutputStream> {
        let flags = match mode {
            OpenMode::Truncate => OpenFlags::CREATE | OpenFlags::TRUNCATE,
            OpenMode::New => OpenFlags::CREATE | OpenFlags::EXCLUSIVE,
            OpenMode::Append | OpenMode::Keep => OpenFlags::CREATE,
        };
        let descriptor = self.open(path, flags, DescriptorFlags::WRITE)?;
        let stream = match mode {
            OpenMode::Append => descriptor.append_via_stream(),
            _ => descriptor.write_via_stream(0),
        };
        stream.map_err(|code| error(code, path, "write"))
    }

    fn open(&self, path: &str, flags: OpenFlags, rights: DescriptorFlags) -> io::Result<Descriptor> {
        let access = if rights.contains(DescriptorFlags::WRITE) { "write" } else { "read" };
        let directories = self.directories.get_or_init(get_directories);
        let inside = directories.iter().filter_map(|(descriptor, mount)| {
            let rest = path.strip_prefix(mount.trim_end_matches('/'))?;
            (rest.is_empty() || rest.starts_with('/')).then_some((descriptor, mount, rest.trim_start_matches('/')))
        });
        let Some((descriptor, _, rest)) = inside.max_by_key(|(_, mount, _)| mount.len()) else {
            return Err(error(ErrorCode::NotPermitted, path, access));
        };
        let rest = if rest.is_empty() { "." } else { rest };
        descriptor.open_at(PathFlags::SYMLINK_FOLLOW, rest, flags, rights).map_err(|code| error(code, path, access))
    }
}

/// What a refusal means; where a right is missing, the grant that would give it.
fn error(code: ErrorCode, path: &str, access: &str) -> io::Error {
    let kind = match code {
        ErrorCode::NoEntry => ErrorKind::NotFound,
        ErrorCode::Exist => ErrorKind::AlreadyExists,
        ErrorCode::IsDirectory => ErrorKind::IsADirectory,
        ErrorCode::NotDirectory => ErrorKind::NotADirectory,
        ErrorCode::Quota | ErrorCode::InsufficientSpace => ErrorKind::QuotaExceeded,
        _ => ErrorKind::PermissionDenied,
    };
    let text = match kind {
        ErrorKind::NotFound => "No such file or directory".to_owned(),
        ErrorKind::AlreadyExists => "cannot overwrite existing file".to_owned(),
        ErrorKind::IsADirectory => "Is a directory".to_owned(),
        ErrorKind::NotADirectory => "Not a directory".to_owned(),
        ErrorKind::QuotaExceeded => "Disk quota exceeded".to_owned(),
        _ if matches!(code, ErrorCode::Access | ErrorCode::NotPermitted | ErrorCode::ReadOnly) => {
            let directory =
                path.rsplit_once('/').map_or("/", |(directory, _)| if directory.is_empty() { "/" } else { directory });
            format!("Permission denied (it needs the grant files={directory}:{access})")
        }
        _ => format!("{code:?}"),
    };
    io::Error::new(kind, text)
}

/// A file that the shell and its programs read from one position.
pub struct FileInput {
    // The stream goes before the descriptor that it is of.
    /// Made when a program is to read; from then on it has the position.
    stream: RefCell<Option<InputStream>>,
    descriptor: Descriptor,
    /// Of the next byte that the shell reads.
    position: Cell<u64>,
    buffer: RefCell<Buffer>,
}

/// Bytes behind the position.
#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    at: usize,
}

impl FileInput {
    /// Gives a handle for a program.
    pub(super) fn handle(
        &self,
        share: impl FnOnce(&InputStream) -> io::Result<InputStream>,
    ) -> io::Result<InputStream> {
        if self.stream.borrow().is_none() {
            let stream = self.descriptor.read_via_stream(self.position.get());
            *self.stream.borrow_mut() = Some(stream.map_err(|code| error(code, "", "read"))?);
        }
        match &*self.stream.borrow() {
            Some(stream) => share(stream),
            None => Err(ErrorKind::BrokenPipe.into()),
        }
    }

    /// Reads at most `most` bytes.
    pub(super) fn read(
        &self,
        most: usize,
        from_stream: impl FnOnce(&InputStream) -> io::Result<Vec<u8>>,
    ) -> io::Result<Vec<u8>> {
        if let Some(stream) = &*self.stream.borrow() {
            return from_stream(stream);
        }
        let mut buffer = self.buffer.borrow_mut();
        if buffer.at == buffer.bytes.len() {
            let read = self.descriptor.read(CHUNK, self.position.get());
            let (bytes, _) = read.map_err(|code| error(code, "", "read"))?;
            *buffer = Buffer { bytes, at: 0 };
        }
        let rest = buffer.bytes.get(buffer.at..).unwrap_or_default();
        let read = rest.get(..most.min(rest.len())).unwrap_or_default().to_vec();
        buffer.at += read.len();
        self.position.set(self.position.get() + read.len() as u64);
        Ok(read)
    }
}
