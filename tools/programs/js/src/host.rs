//! What Rust offers to the scripts in `js/`: one object, whose functions take and give plain values.

use crate::{digests, files, requests};
use boa_engine::object::builtins::{AlignedVec, JsArrayBuffer, JsUint8Array};
use boa_engine::object::{JsObject, ObjectInitializer};
use boa_engine::property::Attribute;
use boa_engine::{
    Context, JsArgs, JsError, JsNativeError, JsResult, JsString, JsValue, NativeFunction, Source, js_string,
};
use chiton_sdk::bindings::chiton::tool::log::{self, Level};
use std::cell::{Cell, RefCell};
use std::io::{BufWriter, Read, Stdout, Write};
use std::time::Instant;

type Native = fn(&JsValue, &[JsValue], &mut Context) -> JsResult<JsValue>;

/// The functions: name, number of arguments, code.
const FUNCTIONS: [(&str, usize, Native); 27] = [
    ("write", 2, write_stream),
    ("readInput", 0, read_input),
    ("exit", 1, exit),
    ("cwd", 0, working_directory),
    ("secret", 1, secret),
    ("log", 2, log_line),
    ("progress", 1, progress),
    ("now", 0, now),
    ("sleep", 1, sleep),
    ("load", 1, load),
    ("evaluate", 2, evaluate),
    ("encode", 1, encode),
    ("decode", 1, decode),
    ("random", 1, random),
    ("digest", 3, digests::digest),
    ("parseUrl", 2, requests::parse_url),
    ("href", 1, requests::href),
    ("fetch", 5, requests::fetch),
    ("readText", 1, files::read_text),
    ("readBytes", 1, files::read_bytes),
    ("writeFile", 3, files::write_file),
    ("exists", 1, files::exists),
    ("stat", 2, files::stat),
    ("readDirectory", 1, files::read_directory),
    ("makeDirectory", 2, files::make_directory),
    ("remove", 2, files::remove),
    ("rename", 2, files::rename),
];

/// The scripts that are loaded when something of theirs is first touched.
const PARTS: [(&str, &str); 12] = [
    ("console", include_str!("js/console.js")),
    ("fetch", include_str!("js/fetch.js")),
    ("fs", include_str!("js/fs.js")),
    ("modules", include_str!("js/modules.js")),
    ("path", include_str!("js/path.js")),
    ("process", include_str!("js/process.js")),
    ("services", include_str!("js/services.js")),
    ("text", include_str!("js/text.js")),
    ("timers", include_str!("js/timers.js")),
    ("tool", include_str!("js/tool.js")),
    ("url", include_str!("js/url.js")),
    ("web", include_str!("js/web.js")),
];

thread_local! {
    static STDOUT: RefCell<BufWriter<Stdout>> = RefCell::new(BufWriter::with_capacity(32 << 10, std::io::stdout()));
    static STARTED: Instant = Instant::now();
    /// A tool has no output of its own: what it prints is for its owner.
    static PRINTS_TO_LOG: Cell<bool> = const { Cell::new(false) };
}

/// The object `host`.
pub(crate) fn offer(arguments: &[String], context: &mut Context) -> JsResult<JsObject> {
    STARTED.with(|_| {});
    let mut all = vec![JsString::from("js")];
    all.extend(arguments.iter().map(|argument| JsString::from(argument.as_str())));
    let argv = boa_engine::object::builtins::JsArray::from_iter(all.into_iter().map(JsValue::from), context);
    let environment = ObjectInitializer::new(context).build();
    for (name, value) in std::env::vars() {
        environment.set(JsString::from(name), JsString::from(value), false, context)?;
    }
    let mut object = ObjectInitializer::new(context);
    for (name, arguments, native) in FUNCTIONS {
        object.function(NativeFunction::from_fn_ptr(native), JsString::from(name), arguments);
    }
    object.property(js_string!("argv"), argv, Attribute::all());
    object.property(js_string!("environment"), environment, Attribute::all());
    Ok(object.build())
}

/// The text of an argument.
pub(crate) fn text(arguments: &[JsValue], index: usize, context: &mut Context) -> JsResult<String> {
    Ok(arguments.get_or_undefined(index).to_string(context)?.to_std_string_lossy())
}

/// The bytes of an argument: text as UTF-8, or a typed array.
pub(crate) fn bytes(arguments: &[JsValue], index: usize, context: &mut Context) -> JsResult<Vec<u8>> {
    let value = arguments.get_or_undefined(index);
    let Some(object) = value.as_object() else { return Ok(text(arguments, index, context)?.into_bytes()) };
    let array = JsUint8Array::from_object(object.clone())?;
    let (start, length) = (array.byte_offset(context)?, array.byte_length(context)?);
    let buffer = array.buffer(context)?;
    let buffer = buffer.as_object().ok_or_else(|| JsNativeError::typ().with_message("no buffer"))?;
    let buffer = JsArrayBuffer::from_object(buffer.clone())?;
    let data = buffer.data().ok_or_else(|| JsNativeError::typ().with_message("the buffer is detached"))?;
    data.get(start..start + length)
        .map(<[u8]>::to_vec)
        .ok_or_else(|| JsNativeError::range().with_message("out of bounds").into())
}

/// A `Uint8Array` of the bytes.
pub(crate) fn array(bytes: Vec<u8>, context: &mut Context) -> JsResult<JsValue> {
    let buffer = JsArrayBuffer::from_byte_block(AlignedVec::from_iter(0, bytes), context)?;
    Ok(JsUint8Array::from_array_buffer(buffer, context)?.into())
}

/// Makes what is printed lines of the log from here on.
pub(crate) fn print_to_log() {
    PRINTS_TO_LOG.set(true);
}

/// Writes to standard output (1) or standard error (2). When nobody reads the output any more the program ends.
pub(crate) fn write(stream: u32, text: &str) {
    if PRINTS_TO_LOG.get() {
        log::write(if stream == 2 { Level::Warn } else { Level::Info }, text.trim_end_matches('\n'));
        return;
    }
    if stream == 2 {
        // What was said before is seen before.
        flush();
        eprint!("{text}");
        return;
    }
    let written = STDOUT.with_borrow_mut(|stdout| stdout.write_all(text.as_bytes()));
    end_if_refused(written);
}

/// Writes out what is still kept.
pub(crate) fn flush() {
    let flushed = STDOUT.with_borrow_mut(Write::flush);
    end_if_refused(flushed);
}

fn end_if_refused(written: std::io::Result<()>) {
    if written.is_err_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe) {
        chiton_program::end(chiton_program::BROKEN_PIPE);
    }
}

fn write_stream(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let stream = arguments.get_or_undefined(0).to_u32(context)?;
    write(stream, &text(arguments, 1, context)?);
    Ok(JsValue::undefined())
}

fn read_input(_: &JsValue, _: &[JsValue], _: &mut Context) -> JsResult<JsValue> {
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).map_err(JsError::from_rust)?;
    Ok(JsString::from(String::from_utf8_lossy(&bytes).as_ref()).into())
}

fn exit(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let code = arguments.get_or_undefined(0).to_i32(context)?;
    flush();
    // As with exit(3), the low eight bits are the exit code.
    std::process::exit(code & 0xff)
}

fn working_directory(_: &JsValue, _: &[JsValue], _: &mut Context) -> JsResult<JsValue> {
    let directory = std::env::current_dir().unwrap_or_else(|_| "/".into());
    Ok(JsString::from(directory.to_string_lossy().as_ref()).into())
}

fn secret(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let name = text(arguments, 0, context)?;
    let placeholder = chiton_program::secrets::placeholder(&name);
    Ok(placeholder.map_or_else(JsValue::undefined, |text| JsString::from(text).into()))
}

fn log_line(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let level = match arguments.get_or_undefined(0).to_u32(context)? {
        0 => Level::Debug,
        1 => Level::Info,
        2 => Level::Warn,
        _ => Level::Error,
    };
    log::write(level, &text(arguments, 1, context)?);
    Ok(JsValue::undefined())
}

fn progress(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    chiton_sdk::call::progress(&text(arguments, 0, context)?);
    Ok(JsValue::undefined())
}

fn now(_: &JsValue, _: &[JsValue], _: &mut Context) -> JsResult<JsValue> {
    Ok(STARTED.with(|started| started.elapsed().as_secs_f64() * 1_000.0).into())
}

fn sleep(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let milliseconds = arguments.get_or_undefined(0).to_number(context)?;
    flush();
    if milliseconds > 0.0 {
        std::thread::sleep(std::time::Duration::from_secs_f64(milliseconds.min(1e9) / 1_000.0));
    }
    Ok(JsValue::undefined())
}

fn load(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let name = text(arguments, 0, context)?;
    let code = PARTS.iter().find(|(part, _)| *part == name).map_or("undefined", |(_, code)| code);
    context.eval(Source::from_bytes(code))
}

fn evaluate(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let (code, path) = (text(arguments, 0, context)?, text(arguments, 1, context)?);
    context.eval(Source::from_bytes(&code).with_path(std::path::Path::new(&path)))
}

fn encode(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let bytes = text(arguments, 0, context)?.into_bytes();
    array(bytes, context)
}

fn decode(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let bytes = bytes(arguments, 0, context)?;
    Ok(JsString::from(String::from_utf8_lossy(&bytes).as_ref()).into())
}

fn random(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    const MOST: u32 = 65_536;
    let length = arguments.get_or_undefined(0).to_u32(context)?.min(MOST);
    let mut bytes = vec![0; length as usize];
    getrandom::fill(&mut bytes).map_err(|error| JsNativeError::error().with_message(error.to_string()))?;
    array(bytes, context)
}
