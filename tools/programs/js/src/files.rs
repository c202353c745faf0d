//! Files for `require('fs')`. Errors carry Node's codes.

use crate::host::{array, bytes, text};
use crate::requests::told;
use boa_engine::object::ObjectInitializer;
use boa_engine::object::builtins::JsArray;
use boa_engine::property::Attribute;
use boa_engine::{Context, JsArgs, JsError, JsNativeError, JsResult, JsString, JsValue, js_string};
use chiton_sdk::Failure;
use chiton_sdk::paths::{self, Access};
use std::fs;
use std::io::{Error, ErrorKind, Write};
use std::time::UNIX_EPOCH;

/// Node's codes and sentences for errors that scripts ask for by code.
const CODES: [(ErrorKind, &str, &str); 8] = [
    (ErrorKind::NotFound, "ENOENT", "no such file or directory"),
    (ErrorKind::PermissionDenied, "EACCES", "permission denied"),
    (ErrorKind::AlreadyExists, "EEXIST", "file already exists"),
    (ErrorKind::NotADirectory, "ENOTDIR", "not a directory"),
    (ErrorKind::IsADirectory, "EISDIR", "illegal operation on a directory"),
    (ErrorKind::DirectoryNotEmpty, "ENOTEMPTY", "directory not empty"),
    (ErrorKind::ReadOnlyFilesystem, "EROFS", "read-only file system"),
    (ErrorKind::QuotaExceeded, "EDQUOT", "disk quota exceeded"),
];

/// The error that a script gets, which also says what it means for a tool: no such file, or the missing grant.
fn failure(error: Error, call: &str, path: &str, access: Access, context: &mut Context) -> JsError {
    let known = CODES.iter().find(|(kind, ..)| *kind == error.kind());
    let (mut code, mut sentence) = known.map_or(("EIO", "input/output error"), |(_, code, sentence)| (code, sentence));
    let meant = match paths::file(path, access) {
        Ok(place) => place.failure(error),
        Err(refused) => refused,
    };
    if let (Failure::Denied(_), "EIO") = (&meant, code) {
        (code, sentence) = ("EACCES", "permission denied");
    }
    let thrown =
        JsNativeError::error().with_message(format!("{code}: {sentence}, {call} '{path}'")).into_opaque(context);
    for (name, value) in [("code", code), ("syscall", call), ("path", path)] {
        // A fresh object takes every property.
        let _ = thrown.set(JsString::from(name), JsString::from(value), false, context);
    }
    match meant {
        Failure::Denied(grant) => told(&thrown, "denied", &grant, context),
        Failure::NotFound(text) => told(&thrown, "not-found", &text, context),
        _ => {}
    }
    JsError::from_opaque(thrown.into())
}

/// Runs `work` on the path that is the first argument.
fn on_path<T>(
    call: &str,
    access: Access,
    arguments: &[JsValue],
    context: &mut Context,
    work: impl FnOnce(&str) -> Result<T, Error>,
) -> JsResult<T> {
    let path = text(arguments, 0, context)?;
    work(&path).map_err(|error| failure(error, call, &path, access, context))
}

fn done(_: ()) -> JsValue {
    JsValue::undefined()
}

pub(crate) fn read_text(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let bytes = on_path("open", Access::Read, arguments, context, |path| fs::read(path))?;
    Ok(JsString::from(String::from_utf8_lossy(&bytes).as_ref()).into())
}

pub(crate) fn read_bytes(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let bytes = on_path("open", Access::Read, arguments, context, |path| fs::read(path))?;
    array(bytes, context)
}

pub(crate) fn write_file(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let data = bytes(arguments, 1, context)?;
    let append = arguments.get_or_undefined(2).to_boolean();
    on_path("open", Access::Write, arguments, context, |path| {
        let mut options = fs::OpenOptions::new();
        options.create(true).append(append).write(true).truncate(!append);
        options.open(path)?.write_all(&data)
    })
    .map(done)
}

pub(crate) fn exists(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    Ok(fs::metadata(text(arguments, 0, context)?).is_ok().into())
}

pub(crate) fn stat(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let follow = arguments.get_or_undefined(1).to_boolean();
    let found = on_path("stat", Access::Read, arguments, context, |path| {
        if follow { fs::metadata(path) } else { fs::symlink_metadata(path) }
    })?;
    let kind = match (found.is_file(), found.is_dir()) {
        (true, _) => js_string!("file"),
        (_, true) => js_string!("directory"),
        _ => js_string!("link"),
    };
    let modified = found.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let modified = modified.map_or(0.0, |since| (since.as_secs_f64() * 1_000.0).floor());
    let mut object = ObjectInitializer::new(context);
    object
        .property(js_string!("kind"), kind, Attribute::all())
        .property(js_string!("size"), found.len() as f64, Attribute::all())
        .property(js_string!("mtimeMs"), modified, Attribute::all());
    Ok(object.build().into())
}

pub(crate) fn read_directory(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let mut names = on_path("scandir", Access::Read, arguments, context, |path| {
        let entries = fs::read_dir(path)?;
        entries
            .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
            .collect::<Result<Vec<_>, _>>()
    })?;
    names.sort();
    Ok(JsArray::from_iter(names.into_iter().map(|name| JsString::from(name).into()), context).into())
}

pub(crate) fn make_directory(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let all = arguments.get_or_undefined(1).to_boolean();
    on_path("mkdir", Access::Write, arguments, context, |path| {
        if all { fs::create_dir_all(path) } else { fs::create_dir(path) }
    })
    .map(done)
}

pub(crate) fn remove(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let what = text(arguments, 1, context)?;
    on_path("unlink", Access::Write, arguments, context, |path| match what.as_str() {
        "all" if fs::symlink_metadata(path)?.is_dir() => fs::remove_dir_all(path),
        "directory" => fs::remove_dir(path),
        _ => fs::remove_file(path),
    })
    .map(done)
}

pub(crate) fn rename(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let to = text(arguments, 1, context)?;
    on_path("rename", Access::Write, arguments, context, |path| fs::rename(path, to)).map(done)
}
