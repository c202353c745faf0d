//! Operations on files.
//!
//! Every path starts at a directory: preopen number `root` (default 0), or the handle `fd` that `open`
//! gave. `follow` (default true) says whether a symlink at the end is followed.
//!
//! `preopens` · `open {path, flags}` gives a handle; flags of `read write create directory exclusive
//! truncate mutate` (default `read`) · `open_bytes {path: [BYTE]}` the same with bytes that need be no UTF-8 ·
//! `close {fd}` · `hold {path, flags, count}` opens so often and keeps all · `read {path|fd, offset, max}` ·
//! `stream_read {path|fd, offset, max}` · `write {path|fd, offset, text|bytes, flags}` ·
//! `stream_write {..}` and `append {..}` the same through an output stream · `dangle {path}` writes to a
//! stream, does not flush it and drops the file first · `truncate {path|fd, size}` · `mkdir` · `rmdir` ·
//! `unlink` · `rename {path, to, to_root|to_fd}` · `link {path, to, to_root|to_fd}` · `symlink {target, path}` ·
//! `readlink` · `stat` · `lstat` · `utimes {path|fd, seconds, nanoseconds}` · `list {path}` · `hash {path}`.

use crate::bindings::wasi::clocks::wall_clock::Datetime;
use crate::bindings::wasi::filesystem::preopens::get_directories;
use crate::bindings::wasi::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorStat, ErrorCode, NewTimestamp, OpenFlags, PathFlags, filesystem_error_code,
};
use crate::bindings::wasi::io::streams::{OutputStream, StreamError};
use crate::{Operation, Outcome};
use serde_json::{Value, json};

/// Handles that stay open until the end of the call.
#[derive(Default)]
pub(crate) struct Held {
    roots: Option<Vec<(Descriptor, String)>>,
    open: Vec<Option<Descriptor>>,
}

const CHUNK: usize = 4096;

pub(crate) fn run(held: &mut Held, op: &Operation) -> Option<Outcome> {
    Some(match op.name() {
        "preopens" => Ok(held.roots().iter().map(|(_, path)| path.as_str()).collect()),
        "open" => open(held, op).map(|descriptor| held.keep(descriptor)),
        "open_bytes" => open_bytes(held, op).map(|descriptor| held.keep(descriptor)),
        "hold" => hold(held, op),
        "close" => held.close(op),
        "read" => read(held, op),
        "stream_read" => stream_read(held, op),
        "write" => write(held, op),
        "stream_write" => stream_write(held, op, Some(op.number("offset", 0))),
        "append" => stream_write(held, op, None),
        "dangle" => dangle(held, op),
        "truncate" => on_file(held, op, DescriptorFlags::WRITE, |file| file.set_size(op.number("size", 0))),
        "mkdir" => at(held, op, |base| base.create_directory_at(op.text("path"))),
        "rmdir" => at(held, op, |base| base.remove_directory_at(op.text("path"))),
        "unlink" => at(held, op, |base| base.unlink_file_at(op.text("path"))),
        "symlink" => at(held, op, |base| base.symlink_at(op.text("target"), op.text("path"))),
        "rename" => two(held, op, |from, to| from.rename_at(op.text("path"), to, op.text("to"))),
        "link" => two(held, op, |from, to| from.link_at(PathFlags::empty(), op.text("path"), to, op.text("to"))),
        "readlink" => at_value(held, op, |base| base.readlink_at(op.text("path")), |path| json!(path)),
        "stat" if op.0["path"].is_null() => at_value(held, op, Descriptor::stat, stat),
        "stat" => at_value(held, op, |base| base.stat_at(follow(op), op.text("path")), stat),
        "lstat" => at_value(held, op, |base| base.stat_at(PathFlags::empty(), op.text("path")), stat),
        "hash" => at_value(
            held,
            op,
            |base| base.metadata_hash_at(follow(op), op.text("path")),
            |hash| json!(format!("{:x}{:x}", hash.upper, hash.lower)),
        ),
        "utimes" => utimes(held, op),
        "list" => list(held, op),
        _ => return None,
    })
}

impl Held {
    fn roots(&mut self) -> &[(Descriptor, String)] {
        self.roots.get_or_insert_with(get_directories)
    }

    fn keep(&mut self, descriptor: Descriptor) -> Value {
        self.open.push(Some(descriptor));
        json!(self.open.len() - 1)
    }

    fn close(&mut self, op: &Operation) -> Outcome {
        match op.index("fd").and_then(|fd| self.open.get_mut(fd)).and_then(Option::take) {
            Some(_) => Ok(Value::Null),
            None => Err("no-handle".to_owned()),
        }
    }

    /// The directory that an operation starts at.
    fn base(&mut self, op: &Operation, fd: &str, root: &str) -> Result<&Descriptor, String> {
        self.roots();
        match (op.index(fd), &self.roots) {
            (Some(fd), _) => self.open.get(fd).and_then(Option::as_ref).ok_or("no-handle".to_owned()),
            (None, Some(roots)) => {
                roots.get(op.number(root, 0) as usize).map(|(descriptor, _)| descriptor).ok_or("no-preopen".to_owned())
            }
            (None, None) => Err("no-preopen".to_owned()),
        }
    }
}

fn code(error: ErrorCode) -> String {
    error.name().to_owned()
}

fn stream_code(error: StreamError) -> String {
    match error {
        StreamError::Closed => "closed".to_owned(),
        StreamError::LastOperationFailed(error) => match filesystem_error_code(&error) {
            Some(error) => code(error),
            None => error.to_debug_string(),
        },
    }
}

fn follow(op: &Operation) -> PathFlags {
    if op.flag("follow", true) { PathFlags::SYMLINK_FOLLOW } else { PathFlags::empty() }
}

fn flags(op: &Operation, default: &[&'static str]) -> (OpenFlags, DescriptorFlags) {
    let (mut open, mut rights) = (OpenFlags::empty(), DescriptorFlags::empty());
    let mut add = |word: &str| match word {
        "create" => open |= OpenFlags::CREATE,
        "directory" => open |= OpenFlags::DIRECTORY,
        "exclusive" => open |= OpenFlags::EXCLUSIVE,
        "truncate" => open |= OpenFlags::TRUNCATE,
        "read" => rights |= DescriptorFlags::READ,
        "write" => rights |= DescriptorFlags::WRITE,
        "mutate" => rights |= DescriptorFlags::MUTATE_DIRECTORY,
        _ => {}
    };
    match op.words("flags") {
        Some(words) => words.for_each(&mut add),
        None => default.iter().copied().for_each(&mut add),
    }
    (open, rights)
}

fn open_with(held: &mut Held, op: &Operation, default: &[&'static str]) -> Result<Descriptor, String> {
    let (open, rights) = flags(op, default);
    held.base(op, "fd", "root")?.open_at(follow(op), op.text("path"), open, rights).map_err(code)
}

fn open(held: &mut Held, op: &Operation) -> Result<Descriptor, String> {
    open_with(held, op, &["read"])
}

fn hold(held: &mut Held, op: &Operation) -> Outcome {
    for count in 0..op.number("count", 1) {
        match open(held, op) {
            Ok(descriptor) => held.keep(descriptor),
            Err(code) => return Err(format!("{code} after {count}")),
        };
    }
    Ok(json!(op.number("count", 1)))
}

/// Runs `act` on the file at `path`, or on the handle `fd` when there is no path.
fn with_file<T>(
    held: &mut Held,
    op: &Operation,
    default: &[&'static str],
    act: impl FnOnce(&Descriptor) -> Result<T, String>,
) -> Result<T, String> {
    if op.0["path"].is_null() { act(held.base(op, "fd", "root")?) } else { act(&open_with(held, op, default)?) }
}

fn read(held: &mut Held, op: &Operation) -> Outcome {
    let (mut offset, max) = (op.number("offset", 0), op.number("max", 65536));
    with_file(held, op, &["read"], |file| {
        let mut data = Vec::new();
        while (data.len() as u64) < max {
            let (bytes, end) = file.read(max - data.len() as u64, offset).map_err(code)?;
            offset += bytes.len() as u64;
            data.extend(&bytes);
            if end || bytes.is_empty() {
                break;
            }
        }
        Ok(content(&data))
    })
}

fn stream_read(held: &mut Held, op: &Operation) -> Outcome {
    let max = op.number("max", 65536);
    with_file(held, op, &["read"], |file| {
        let stream = file.read_via_stream(op.number("offset", 0)).map_err(code)?;
        let mut data = Vec::new();
        while (data.len() as u64) < max {
            match stream.blocking_read(max - data.len() as u64) {
                Ok(bytes) => data.extend(&bytes),
                Err(StreamError::Closed) => break,
                Err(error) => return Err(stream_code(error)),
            }
        }
        Ok(content(&data))
    })
}

/// Text as text, up to 64 KiB; longer content as its length.
fn content(data: &[u8]) -> Value {
    if data.len() > 65536 {
        return json!({ "length": data.len() });
    }
    json!(String::from_utf8_lossy(data))
}

const TO_WRITE: &[&str] = &["write", "create"];

fn write(held: &mut Held, op: &Operation) -> Outcome {
    let (data, mut offset) = (op.payload(), op.number("offset", 0));
    with_file(held, op, TO_WRITE, |file| {
        let mut rest = data.as_slice();
        while !rest.is_empty() {
            let chunk = &rest[..rest.len().min(16 * CHUNK)];
            let written = file.write(chunk, offset).map_err(code)?;
            offset += written;
            rest = &rest[(written as usize).min(rest.len())..];
        }
        Ok(json!(data.len()))
    })
}

fn stream_write(held: &mut Held, op: &Operation, offset: Option<u64>) -> Outcome {
    let data = op.payload();
    with_file(held, op, TO_WRITE, |file| {
        let stream = match offset {
            Some(offset) => file.write_via_stream(offset),
            None => file.append_via_stream(),
        };
        pour(&stream.map_err(code)?, &data)
    })
}

pub(crate) fn pour(stream: &OutputStream, data: &[u8]) -> Outcome {
    for chunk in data.chunks(CHUNK) {
        stream.blocking_write_and_flush(chunk).map_err(stream_code)?;
    }
    Ok(json!(data.len()))
}

fn dangle(held: &mut Held, op: &Operation) -> Outcome {
    let data = op.payload();
    let file = open_with(held, op, TO_WRITE)?;
    let stream = file.write_via_stream(0).map_err(code)?;
    let room = stream.check_write().map_err(stream_code)?;
    stream.write(&data[..data.len().min(room as usize)]).map_err(stream_code)?;
    drop(file);
    drop(stream);
    Ok(json!(room))
}

fn at(held: &mut Held, op: &Operation, act: impl FnOnce(&Descriptor) -> Result<(), ErrorCode>) -> Outcome {
    at_value(held, op, act, |()| Value::Null)
}

fn at_value<T>(
    held: &mut Held,
    op: &Operation,
    act: impl FnOnce(&Descriptor) -> Result<T, ErrorCode>,
    show: impl FnOnce(T) -> Value,
) -> Outcome {
    act(held.base(op, "fd", "root")?).map(show).map_err(code)
}

fn on_file(
    held: &mut Held,
    op: &Operation,
    rights: DescriptorFlags,
    act: impl FnOnce(&Descriptor) -> Result<(), ErrorCode>,
) -> Outcome {
    let default: &[&str] = if rights.contains(DescriptorFlags::WRITE) { &["write"] } else { &["read"] };
    with_file(held, op, default, |file| act(file).map_err(code))?;
    Ok(Value::Null)
}

fn two(
    held: &mut Held,
    op: &Operation,
    act: impl FnOnce(&Descriptor, &Descriptor) -> Result<(), ErrorCode>,
) -> Outcome {
    held.base(op, "fd", "root")?;
    // The second directory is opened afresh, because the first is borrowed.
    let to = held
        .base(op, "to_fd", "to_root")?
        .open_at(
            PathFlags::empty(),
            ".",
            OpenFlags::DIRECTORY,
            DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY,
        )
        .or_else(|_| {
            held.base(op, "to_fd", "to_root").map_err(|_| ErrorCode::BadDescriptor)?.open_at(
                PathFlags::empty(),
                ".",
                OpenFlags::DIRECTORY,
                DescriptorFlags::READ,
            )
        })
        .map_err(code)?;
    act(held.base(op, "fd", "root")?, &to).map_err(code)?;
    Ok(Value::Null)
}

fn stat(stat: DescriptorStat) -> Value {
    let modified = stat.data_modification_timestamp;
    json!({
        "type": format!("{:?}", stat.type_),
        "size": stat.size,
        "links": stat.link_count,
        "modified": modified.map(|time| time.seconds),
    })
}

fn utimes(held: &mut Held, op: &Operation) -> Outcome {
    let time = NewTimestamp::Timestamp(Datetime {
        seconds: op.number("seconds", 0),
        nanoseconds: op.number("nanoseconds", 0) as u32,
    });
    if op.0["path"].is_null() {
        at(held, op, |file| file.set_times(time, time))
    } else {
        at(held, op, |base| base.set_times_at(follow(op), op.text("path"), time, time))
    }
}

fn list(held: &mut Held, op: &Operation) -> Outcome {
    with_file(held, op, &["read", "directory"], |directory| {
        let entries = directory.read_directory().map_err(code)?;
        let mut names = Vec::new();
        while let Some(entry) = entries.read_directory_entry().map_err(code)? {
            names.push(entry.name);
        }
        names.sort();
        Ok(json!(names))
    })
}

#[cfg(target_arch = "wasm32")]
fn open_bytes(held: &mut Held, op: &Operation) -> Result<Descriptor, String> {
    #[link(wasm_import_module = "wasi:filesystem/types@0.2.12")]
    unsafe extern "C" {
        #[link_name = "[method]descriptor.open-at"]
        fn raw_open_at(
            this: i32,
            path_flags: i32,
            path: *const u8,
            length: usize,
            open_flags: i32,
            flags: i32,
            result: *mut u32,
        );
    }
    let path: Vec<u8> = match op.0["path"].as_array() {
        Some(bytes) => bytes.iter().filter_map(Value::as_u64).map(|byte| byte as u8).collect(),
        None => return Err("path is an array of bytes".to_owned()),
    };
    let mut result = [0u32; 2];
    let handle = held.base(op, "fd", "root")?.handle() as i32;
    // SAFETY: the pointers name `path` and `result`, which outlive the call; the result area of
    // `result<own<descriptor>, error-code>` is eight bytes.
    unsafe { raw_open_at(handle, 1, path.as_ptr(), path.len(), 0, 1, result.as_mut_ptr()) };
    match result {
        // SAFETY: the host has just given this handle to us, and nobody else holds it.
        [0, handle] => Ok(unsafe { Descriptor::from_handle(handle) }),
        [_, error] => Err(format!("code {}", error as u8)),
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn open_bytes(_held: &mut Held, _op: &Operation) -> Result<Descriptor, String> {
    Err("only in a component".to_owned())
}
